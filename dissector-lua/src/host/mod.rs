//! A host for Wireshark's Lua dissectors: frames and scripts come in, what tshark would show goes out.
//!
//! - [`frame`]: what the driver hands in
//! - [`core`]: what dissectors share; it calls them
//! - [`field`], [`value`], [`tree`], [`buffer`], [`packet`], [`table`]: plain data
//! - [`item`]: how an item of the tree is shown
//! - `builtin`: the protocols below; `lua`: Wireshark's API, and what a script may use up

mod builtin;
mod expert;
mod lua;
mod text;

pub mod buffer;
pub mod core;
pub mod desegment;
pub mod field;
pub mod frame;
pub mod item;
pub mod packet;
pub mod table;
pub mod tree;
pub mod value;

pub use text::has_control;

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use buffer::Buffers;
use core::{Core, Exception, Fault, Shared};
use desegment::Pass;
use field::Registry;
use frame::Frame;
use packet::Packet;
use tree::{NodeId, ROOT, Tree};

#[cfg(all(feature = "lua52", feature = "lua54"))]
compile_error!("the features lua52 and lua54 exclude each other: --no-default-features --features lua52");
#[cfg(not(any(feature = "lua52", feature = "lua54")))]
compile_error!("one of the features lua54 (the default) and lua52 is needed");

/// What a script may use up, and how it is looked at.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that all scripts together may hold.
    pub memory_limit: usize,
    /// Lua instructions for one call into a script.
    pub instruction_limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_limit: 256 << 20, instruction_limit: 100_000_000 }
    }
}

/// Why a script was not loaded, or a setting not made.
#[derive(Clone, Debug)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Scripts, built-in protocols, and what they made of the current frame.
pub struct Host {
    core: Shared,
    at_work_on: Arc<AtomicU64>,
    pass: Pass,
}

impl Host {
    /// A host with the built-in protocols.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let core: Shared = Rc::new(Core::default());
        builtin::register(&core);
        let engine = lua::Engine::new(&core, options).map_err(|error| Error(error.to_string()))?;
        core.engine.replace(Some(Rc::new(engine)));
        core.visible.set(true);
        Ok(Self { core, at_work_on: Arc::default(), pass: Pass::Only })
    }

    fn engine(&self) -> Rc<lua::Engine> {
        self.core.engine.borrow().clone().expect("the engine is there as long as the host")
    }

    /// Runs a script; `name` is what errors call it.
    pub fn load(&mut self, name: &str, source: &[u8]) -> Result<(), Fault> {
        self.engine().load(name, source)
    }

    /// Makes a module that scripts find by `require`.
    pub fn provide(&mut self, name: &str, source: &[u8]) {
        self.engine().provide(name, source);
    }

    /// What dissectors share.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The number of the frame that is dissected, 0 between frames: for a watch in another thread.
    pub fn at_work_on(&self) -> Arc<AtomicU64> {
        self.at_work_on.clone()
    }

    /// Sets whether somebody looks at whole trees; if not, only wanted fields are sure to be there.
    pub fn show_trees(&mut self, shown: Shown) {
        self.core.visible.set(shown == Shown::Whole);
    }

    /// Which script is at work, counted from 1 in the order of loading; 0 if none is: for a watch in another thread.
    pub fn script_at_work(&self) -> Arc<AtomicU32> {
        self.engine().script()
    }

    /// Calls the init routines of all protocols: before the first frame of each pass over a capture.
    pub fn begin(&mut self) {
        self.core.packet.borrow_mut().clear();
        self.engine().init();
    }

    /// Begins a pass over the capture: once, or once for each of two.
    pub fn begin_pass(&mut self, pass: Pass) {
        self.pass = pass;
        self.core.state.desegment.borrow_mut().begin(pass);
    }

    /// Forgets what is kept of a connection of TCP that has ended.
    pub fn forget(&mut self, stream: u64) {
        self.core.state.desegment.borrow_mut().forget(stream);
    }

    /// Dissects a frame; what came out is there until the next.
    pub fn dissect(&mut self, frame: &Frame<'_>) {
        self.at_work_on.store(frame.number.into(), Ordering::Relaxed);
        let core = &self.core;
        core.generation.set(core.generation.get().wrapping_add(1));
        self.engine().begin_frame();
        core.tree.borrow_mut().clear();
        core.taps.borrow_mut().clear();
        let tvb = {
            let mut buffers = core.buffers.borrow_mut();
            buffers.clear();
            buffers.add("Frame", frame.captured, frame.wire_len)
        };
        {
            let mut packet = core.packet.borrow_mut();
            packet.clear();
            packet.number = frame.number;
            packet.visited = self.pass == Pass::Second;
            packet.time = frame.time;
            packet.relative_time = frame.relative_time;
            packet.delta_time = frame.delta_time;
            packet.displayed_delta_time = frame.displayed_delta_time;
            packet.interface_name = frame.interface_name.map(str::to_owned);
            packet.wire_len = frame.wire_len;
            packet.captured_len = frame.captured.len() as u32;
        }
        if let Some(tvb) = tvb {
            let _: Result<usize, Exception> = builtin::dissect(core, frame, tvb);
        }
        self.at_work_on.store(0, Ordering::Relaxed);
    }

    /// Looks at what came out of the last frame.
    pub fn look<T>(&self, look: impl FnOnce(View<'_>) -> T) -> T {
        let (tree, registry) = (self.core.tree.borrow(), self.core.registry.borrow());
        let (buffers, packet) = (self.core.buffers.borrow(), self.core.packet.borrow());
        look(View { tree: &tree, registry: &registry, buffers: &buffers, packet: &packet })
    }

    /// The errors in scripts since they were last taken.
    pub fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.core.faults.borrow_mut())
    }

    /// What scripts printed since it was last taken.
    pub fn take_output(&mut self) -> String {
        std::mem::take(&mut self.core.output.borrow_mut())
    }

    /// The listeners that scripts made.
    pub fn listeners(&self) -> Vec<Listener> {
        self.engine().listeners()
    }

    /// Tells a listener that the last frame is one of its own: its tap is in `core().taps` and its filter holds.
    pub fn tap(&mut self, listener: ListenerId) {
        self.engine().tap(listener);
    }

    /// Lets all listeners draw: behind the last frame.
    pub fn finish(&mut self) {
        self.engine().draw();
    }

    /// Lets all listeners forget: before another pass.
    pub fn reset(&mut self) {
        self.engine().reset();
    }

    /// Sets a preference: `htcpcp.ports` to `5030-5040`.
    pub fn set_preference(&mut self, name: &str, value: &str) -> Result<(), Error> {
        match builtin::set_preference(&self.core, name, value) {
            Some(set) => set.map_err(Error),
            None => self.engine().set_preference(name, value).map_err(Error),
        }
    }

    /// Runs a statistic that a script registered (`tshark -z htcpcp,stat`).
    pub fn run_statistic(&mut self, argument: &str) -> Result<(), Error> {
        if self.engine().run_statistic(argument) { Ok(()) } else { Err(Error(format!("no statistic is called {argument}"))) }
    }
}

impl Drop for Host {
    /// Scripts hold the core, and the core holds them.
    fn drop(&mut self) {
        self.core.engine.take();
    }
}

/// How much of a tree somebody looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    Whole,
    /// The fields that are wanted.
    Wanted,
}

/// A listener of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(pub u32);

/// What a listener wants to hear of.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Which it is.
    pub id: ListenerId,
    /// The tap: `frame`, `tcp`.
    pub tap: String,
    /// The display filter; empty if there is none.
    pub filter: String,
}

/// What came out of a frame.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The tree.
    pub tree: &'a Tree,
    /// What its fields are.
    pub registry: &'a Registry,
    /// The bytes they stand in.
    pub buffers: &'a Buffers,
    /// Facts and columns.
    pub packet: &'a Packet,
}

impl<'a> View<'a> {
    /// The protocols, which hang on the root.
    pub fn protocols(self) -> impl Iterator<Item = item::Item<'a>> {
        self.tree.children(ROOT).map(move |id| self.item(id))
    }

    /// An item.
    pub fn item(self, id: NodeId) -> item::Item<'a> {
        item::Item::new(self, id)
    }
}
