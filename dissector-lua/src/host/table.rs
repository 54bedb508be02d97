//! Which dissector goes on: tables by number or by text, lists of heuristics, and what the user decided (Decode As).

use std::collections::{BTreeMap, HashMap};

use super::buffer::Tvb;
use super::core::{Core, Exception};
use super::field::{Base, Kind, ProtocolId};
use super::tree::NodeId;

/// A dissector that others can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandleId(pub u32);

/// A dissector written in Rust: how many bytes it took; 0 says that they are none of its own.
pub type Builtin = fn(&Core, Tvb, NodeId) -> Result<usize, Exception>;

/// What a [`Handle`] calls.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    /// A dissector of the host.
    Builtin(Builtin),
    /// The dissector of a protocol that a script made.
    Script,
}

/// A dissector by name.
#[derive(Clone, Debug)]
pub struct Handle {
    /// What `Dissector.get` finds it by: the protocol's abbreviation.
    pub name: Box<str>,
    /// Whose it is; `data` and others have none of their own in tests.
    pub protocol: ProtocolId,
    /// What it calls.
    pub call: Call,
}

/// What stands in a table at a place: what was first added, and what counts now (`None`: nothing, by the user's wish).
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As dissectors added it.
    pub initial: Option<HandleId>,
    /// As the user wants it.
    pub current: Option<HandleId>,
}

/// A table of dissectors.
#[derive(Clone, Debug)]
pub struct Table {
    /// What people call it: `TCP port`.
    pub title: Box<str>,
    /// Of what its keys are: an unsigned integer, or text.
    pub kind: Kind,
    /// How its numbers are written.
    pub base: Base,
    /// Whose it is.
    pub protocol: Option<ProtocolId>,
    /// By number.
    pub numbers: HashMap<u64, Entry>,
    /// By text.
    pub texts: BTreeMap<Box<str>, Entry>,
    /// What can be chosen under Decode As.
    pub choices: Vec<HandleId>,
}

impl Table {
    /// An empty table.
    pub fn new(title: &str, kind: Kind, base: Base, protocol: Option<ProtocolId>) -> Self {
        Self { title: title.into(), kind, base, protocol, numbers: HashMap::new(), texts: BTreeMap::new(), choices: Vec::new() }
    }

    /// What counts for a number.
    pub fn number(&self, key: u64) -> Option<HandleId> {
        self.numbers.get(&key)?.current
    }

    /// What counts for a text.
    pub fn text(&self, key: &str) -> Option<HandleId> {
        self.texts.get(key)?.current
    }

    /// Adds a dissector for a number; what was there is replaced.
    pub fn add_number(&mut self, key: u64, handle: HandleId) {
        self.numbers.insert(key, Entry { initial: Some(handle), current: Some(handle) });
        self.offer(handle);
    }

    /// Adds a dissector for a text; what was there is replaced.
    pub fn add_text(&mut self, key: &str, handle: HandleId) {
        self.texts.insert(key.into(), Entry { initial: Some(handle), current: Some(handle) });
        self.offer(handle);
    }

    /// Offers a dissector under Decode As.
    pub fn offer(&mut self, handle: HandleId) {
        if !self.choices.contains(&handle) {
            self.choices.push(handle);
        }
    }

    /// Sets what counts for a number, as Decode As and `DissectorTable:set` do.
    pub fn set_number(&mut self, key: u64, handle: Option<HandleId>) {
        self.numbers.entry(key).or_insert(Entry { initial: None, current: None }).current = handle;
    }

    /// The same for a text.
    pub fn set_text(&mut self, key: &str, handle: Option<HandleId>) {
        self.texts.entry(key.into()).or_insert(Entry { initial: None, current: None }).current = handle;
    }

    /// Removes a dissector at a number, if it is the one that is there.
    pub fn remove_number(&mut self, key: u64, handle: HandleId) {
        if self.numbers.get(&key).is_some_and(|entry| entry.current == Some(handle) || entry.initial == Some(handle)) {
            self.numbers.remove(&key);
        }
    }

    /// The same for a text.
    pub fn remove_text(&mut self, key: &str, handle: HandleId) {
        if self.texts.get(key).is_some_and(|entry| entry.current == Some(handle) || entry.initial == Some(handle)) {
            self.texts.remove(key);
        }
    }

    /// Removes a dissector wherever it stands.
    pub fn remove_all(&mut self, handle: HandleId) {
        self.numbers.retain(|_, entry| entry.current != Some(handle));
        self.texts.retain(|_, entry| entry.current != Some(handle));
    }
}

/// A dissector that is asked whether bytes are its own.
#[derive(Clone, Debug)]
pub struct Heuristic {
    /// Its name, as `--disable-heuristic` takes it: `htcpcp_tcp`.
    pub name: Box<str>,
    /// Whose it is.
    pub protocol: ProtocolId,
    /// What it calls.
    pub handle: HandleId,
    /// Whether it is asked.
    pub enabled: bool,
}

/// All tables and lists.
#[derive(Debug, Default)]
pub struct Tables {
    /// Tables by their names: `tcp.port`.
    pub by_name: BTreeMap<Box<str>, Table>,
    /// Lists of heuristics by the name of the protocol below: `tcp`.
    pub heuristics: BTreeMap<Box<str>, Vec<Heuristic>>,
    /// Dissectors that see every frame at its end.
    pub post: Vec<HandleId>,
    handles: Vec<Handle>,
    names: HashMap<Box<str>, HandleId>,
}

impl Tables {
    /// Adds a dissector; the first of a name is found by it.
    pub fn add_handle(&mut self, name: &str, protocol: ProtocolId, call: Call) -> HandleId {
        let id = HandleId(self.handles.len() as u32);
        self.handles.push(Handle { name: name.into(), protocol, call });
        self.names.entry(name.into()).or_insert(id);
        id
    }

    /// A dissector.
    pub fn handle(&self, id: HandleId) -> &Handle {
        &self.handles[id.0 as usize]
    }

    /// The dissector of that name.
    pub fn handle_named(&self, name: &str) -> Option<HandleId> {
        self.names.get(name).copied()
    }

    /// The names of all dissectors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(AsRef::as_ref)
    }
}
