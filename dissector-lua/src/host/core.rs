//! What built-in dissectors and scripts share: everything that is declared, and everything about the current frame.
//!
//! Each part has a cell of its own. No borrow is held across a call into a dissector: it may be a script, and scripts call
//! dissectors that call scripts.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::buffer::{Buffers, Tvb};
use super::expert::Experts;
use super::field::Registry;
use super::lua::Engine;
use super::packet::{Conversation, Packet};
use super::table::{Call, HandleId, Tables};
use super::tree::{NodeId, Tree};

/// Why a dissector did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exception {
    /// It read beyond what was captured, but not beyond what was sent: `[Packet size limited during capture]`.
    Cut,
    /// It read beyond what was sent: `[Malformed Packet]`.
    Malformed,
    /// It read beyond a fragment that was not put together: `[Unreassembled Packet]`.
    Fragment,
    /// It failed by itself, a bug of its own: `[Dissector bug …]`.
    Bug(String),
}

/// An error in a script: it goes on with the next frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The frame that was dissected; none if there was none.
    pub frame: Option<u32>,
    /// The script's name.
    pub script: String,
    /// Its line, from 1.
    pub line: Option<u32>,
    /// What went wrong, as Lua says it, with script and line.
    pub message: String,
}

/// How deep dissectors may call each other.
pub const MAX_DEPTH: u32 = 100;

/// What is shared. See the module.
#[derive(Default)]
pub struct Core {
    /// Protocols and fields.
    pub registry: RefCell<Registry>,
    /// The current frame's bytes.
    pub buffers: RefCell<Buffers>,
    /// The current frame's tree.
    pub tree: RefCell<Tree>,
    /// Facts about the current frame.
    pub packet: RefCell<Packet>,
    /// Who goes on.
    pub tables: RefCell<Tables>,
    /// The dissector that was set for a conversation, and since which frame.
    pub conversations: RefCell<HashMap<Conversation, (u32, HandleId)>>,
    /// Errors in scripts since they were last taken.
    pub faults: RefCell<Vec<Fault>>,
    /// What scripts printed since it was last taken.
    pub output: RefCell<String>,
    /// The taps for which the current frame has something: `frame`, `tcp`.
    pub taps: RefCell<Vec<&'static str>>,
    /// Whether somebody looks at the tree; if not, only at wanted fields.
    pub visible: Cell<bool>,
    /// Counts frames: whatever a script keeps of an earlier one has expired.
    pub generation: Cell<u32>,
    pub(crate) engine: RefCell<Option<Rc<Engine>>>,
    pub(crate) experts: OnceCell<Experts>,
    /// What the built-in protocols keep.
    pub(crate) state: super::builtin::State,
}

impl Core {
    /// Calls a dissector: how many bytes it took; 0 says that they are none of its own.
    pub fn call(&self, handle: HandleId, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
        let (call, protocol) = {
            let tables = self.tables.borrow();
            let handle = tables.handle(handle);
            (handle.call, handle.protocol)
        };
        let before = {
            let mut packet = self.packet.borrow_mut();
            if packet.depth >= MAX_DEPTH {
                return Err(Exception::Bug("C stack overflow".to_owned()));
            }
            packet.depth += 1;
            packet.layers.push(protocol);
            let can_desegment = packet.can_desegment;
            packet.saved_can_desegment = can_desegment;
            packet.can_desegment = can_desegment.saturating_sub(1);
            (packet.current.replace(protocol), can_desegment, packet.layers.len())
        };
        let taken = match call {
            Call::Builtin(dissect) => dissect(self, tvb, node),
            Call::Script => {
                let engine = self.engine.borrow().clone();
                engine.map_or(Ok(0), |engine| engine.dissect(handle, tvb, node))
            }
        };
        let mut packet = self.packet.borrow_mut();
        packet.depth -= 1;
        let (current, can_desegment, layers) = before;
        // Whoever could not go on is named in the tree.
        if taken.is_ok() {
            packet.current = current;
        }
        packet.can_desegment = can_desegment;
        if taken == Ok(0) {
            packet.layers.truncate(layers - 1);
        }
        taken
    }

    /// Calls the dissector that a table has for a number; 0 if it has none, or if that does not want the bytes.
    pub fn try_uint(&self, table: &str, key: u32, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
        let Some(handle) = self.tables.borrow().by_name.get(table).and_then(|table| table.number(key.into())) else { return Ok(0) };
        let before = std::mem::replace(&mut self.packet.borrow_mut().match_uint, key);
        let taken = self.call(handle, tvb, node);
        self.packet.borrow_mut().match_uint = before;
        taken
    }

    /// The same for a text.
    pub fn try_text(&self, table: &str, key: &str, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
        let Some(handle) = self.tables.borrow().by_name.get(table).and_then(|table| table.text(key)) else { return Ok(0) };
        let before = std::mem::replace(&mut self.packet.borrow_mut().match_string, key.to_owned());
        let taken = self.call(handle, tvb, node);
        self.packet.borrow_mut().match_string = before;
        taken
    }

    /// Asks the heuristics of a list, one after the other; whether one took the bytes.
    pub fn try_heuristic(&self, list: &str, tvb: Tvb, node: NodeId) -> Result<bool, Exception> {
        let count = self.tables.borrow().heuristics.get(list).map_or(0, Vec::len);
        for index in 0..count {
            let handle = {
                let tables = self.tables.borrow();
                tables.heuristics[list].get(index).filter(|heuristic| heuristic.enabled).map(|heuristic| heuristic.handle)
            };
            if let Some(handle) = handle
                && self.call(handle, tvb, node)? > 0
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Calls the dissector of that name, if there is one.
    pub fn call_named(&self, name: &str, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
        let handle = self.tables.borrow().handle_named(name);
        handle.map_or(Ok(0), |handle| self.call(handle, tvb, node))
    }

    /// Notes that the frame has something for a tap.
    pub fn queue_tap(&self, tap: &'static str) {
        self.taps.borrow_mut().push(tap);
    }

    /// Whether an item is worth adding: the tree is shown, or somebody looks for the field.
    pub fn is_looked_at(&self, field: super::field::FieldId) -> bool {
        self.visible.get() || self.registry.borrow().is_wanted(field)
    }
}

/// The core as scripts share it.
pub type Shared = Rc<Core>;
