//! What is shown of a frame: protocols, their fields and what hangs on those.
//!
//! An arena that is emptied for every frame and keeps its room. Labels are made from field and value only when somebody
//! looks; a label that a dissector sets stands in the store that text values stand in.

use std::borrow::Cow;

use super::buffer::Tvb;
use super::field::{ExpertId, FieldId, Severity};
use super::value::{Span, Value};

/// An item of the [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub u32);

/// The item that all others hang on; it is not shown.
pub const ROOT: NodeId = NodeId(0);

/// Wireshark's limit (`gui_max_tree_items`): beyond, a dissector is taken to run in circles.
pub const MAX_ITEMS: usize = 1_000_000;

/// Wireshark's limit (`gui_max_tree_depth`) of how deep items hang on each other.
pub const MAX_TREE_DEPTH: u16 = 500;

/// More of a label than is ever shown.
const MAX_LABEL: usize = 512;

const NOTHING: u32 = u32::MAX;

/// Where an item stands in the frame's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Which source.
    pub source: u32,
    /// Its first byte there.
    pub offset: u32,
    /// How many bytes it takes.
    pub len: u32,
}

impl From<Tvb> for Place {
    fn from(tvb: Tvb) -> Self {
        Self { source: tvb.source, offset: tvb.offset, len: tvb.len }
    }
}

/// An item.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its field; none is a line of text.
    pub field: Option<FieldId>,
    /// Its value.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// The label that was set; none if field and value make it.
    pub label: Option<Span>,
    /// Not in the bytes, but concluded: shown in brackets.
    pub generated: bool,
    /// Not shown, but there for filters.
    pub hidden: bool,
    /// A link to another place.
    pub url: bool,
    /// The bytes are in the other order than those of the network.
    pub little_endian: bool,
    /// The expert info of which this is the item.
    pub expert: Option<ExpertId>,
    /// The most serious expert info on it or below it.
    pub severity: Option<Severity>,
    /// How many items it hangs on, one on the other.
    pub(crate) depth: u16,
    parent: u32,
    first_child: u32,
    last_child: u32,
    next: u32,
}

/// What is shown of a frame.
#[derive(Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    store: Vec<u8>,
}

impl Default for Tree {
    fn default() -> Self {
        let mut tree = Self { nodes: Vec::new(), store: Vec::new() };
        tree.clear();
        tree
    }
}

impl Tree {
    /// Forgets everything but the root.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.store.clear();
        self.nodes.push(Node {
            field: None,
            value: Value::None,
            place: Place::default(),
            label: None,
            generated: false,
            hidden: false,
            url: false,
            little_endian: false,
            expert: None,
            severity: None,
            depth: 0,
            parent: NOTHING,
            first_child: NOTHING,
            last_child: NOTHING,
            next: NOTHING,
        });
    }

    /// Hangs an item on another, behind what hangs there already.
    pub fn add(&mut self, parent: NodeId, field: Option<FieldId>, value: Value, place: Place) -> NodeId {
        let id = self.nodes.len() as u32;
        self.nodes.push(Node {
            field,
            value,
            place,
            label: None,
            generated: false,
            hidden: false,
            url: false,
            little_endian: false,
            expert: None,
            severity: None,
            depth: self.nodes[parent.0 as usize].depth.saturating_add(1),
            parent: parent.0,
            first_child: NOTHING,
            last_child: NOTHING,
            next: NOTHING,
        });
        let parent = &mut self.nodes[parent.0 as usize];
        let last = std::mem::replace(&mut parent.last_child, id);
        if last == NOTHING {
            parent.first_child = id;
        } else {
            self.nodes[last as usize].next = id;
        }
        NodeId(id)
    }

    /// Moves the last child of an item behind another of its children.
    pub(crate) fn move_behind(&mut self, sibling: NodeId, last: NodeId) {
        let (parent, next) = (self.node(last).parent, self.node(sibling).next);
        if self.node(sibling).parent != parent || next == last.0 || next == NOTHING || sibling == last {
            return;
        }
        let before = self.children(NodeId(parent)).find(|id| self.node(*id).next == last.0);
        let before = before.expect("somebody stands before the last");
        self.node_mut(before).next = NOTHING;
        self.nodes[parent as usize].last_child = before.0;
        self.node_mut(last).next = next;
        self.node_mut(sibling).next = last.0;
    }

    /// Hangs a line of text on an item.
    pub fn add_text(&mut self, parent: NodeId, place: Place, text: &str) -> NodeId {
        let id = self.add(parent, None, Value::None, place);
        self.set_label(id, text);
        id
    }

    /// Keeps text or bytes until the next frame.
    pub fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.store.len() as u32;
        self.store.extend_from_slice(bytes);
        Span { start, len: bytes.len() as u32 }
    }

    /// Keeps text.
    pub fn text_value(&mut self, text: &str) -> Value {
        Value::Text(self.keep(text.as_bytes()))
    }

    /// How much is kept, in bytes.
    pub(crate) fn store_len(&self) -> usize {
        self.store.len()
    }

    /// What was kept, as bytes.
    pub fn kept(&self, span: Span) -> &[u8] {
        &self.store[span.range()]
    }

    /// What was kept, as text.
    pub fn kept_text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.kept(span))
    }

    /// Replaces the label of an item.
    pub fn set_label(&mut self, id: NodeId, label: &str) {
        let len = label.floor_char_boundary(MAX_LABEL);
        self.nodes[id.0 as usize].label = Some(self.keep(&label.as_bytes()[..len]));
    }

    /// Lengthens a label that was set before.
    pub(crate) fn extend_label(&mut self, id: NodeId, before: &str, text: &str, after: &str) {
        let node = &mut self.nodes[id.0 as usize];
        let Some(span) = node.label else { return };
        let start = self.store.len() as u32;
        self.store.extend_from_slice(before.as_bytes());
        self.store.extend_from_within(span.range());
        self.store.extend_from_slice(text.as_bytes());
        self.store.extend_from_slice(after.as_bytes());
        self.store.truncate(self.store.len().min(start as usize + MAX_LABEL));
        node.label = Some(Span { start, len: self.store.len() as u32 - start });
    }

    /// An item.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// An item, to be changed.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// How many items there are, with the root.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 1
    }

    /// All items but the root, in the order in which they were added.
    pub fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..self.nodes.len() as u32).map(NodeId)
    }

    /// What an item hangs on.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        some(self.node(id).parent)
    }

    /// What hangs on an item, in its order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(some(self.node(id).first_child), |id| some(self.node(*id).next))
    }

    /// Whether anything hangs on an item.
    pub fn has_children(&self, id: NodeId) -> bool {
        self.node(id).first_child != NOTHING
    }
}

fn some(id: u32) -> Option<NodeId> {
    (id != NOTHING).then_some(NodeId(id))
}
