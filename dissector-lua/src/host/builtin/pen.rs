//! Writes items into the tree as long as somebody looks at them.

use std::cell::{Ref, RefMut};
use std::fmt;

use super::super::buffer::Tvb;
use super::super::core::Core;
use super::super::field::{FieldId, Registry};
use super::super::tree::{NodeId, Place, Tree};
use super::super::value::Value;

/// For one protocol's header. Places count from the header's first byte.
///
/// It holds the tree: no dissector may be called while it lives.
pub(super) struct Pen<'a> {
    registry: Ref<'a, Registry>,
    pub(super) tree: RefMut<'a, Tree>,
    tvb: Tvb,
    visible: bool,
}

impl<'a> Pen<'a> {
    pub fn new(core: &'a Core, tvb: Tvb) -> Self {
        Self { registry: core.registry.borrow(), tree: core.tree.borrow_mut(), tvb, visible: core.visible.get() }
    }

    /// Whether somebody looks at whole trees: only then are labels worth making.
    pub fn is_visible(&self) -> bool {
        self.visible
    }

    /// Whether somebody looks at a field.
    pub fn is_wanted(&self, field: FieldId) -> bool {
        self.visible || self.registry.is_wanted(field)
    }

    /// An item; where nobody looks at it, it is not made, and its children hang on `parent`.
    pub fn put(&mut self, parent: NodeId, field: FieldId, at: u32, len: u32, value: Value) -> NodeId {
        if !self.is_wanted(field) {
            return parent;
        }
        let place = Place { source: self.tvb.source, offset: self.tvb.offset + at, len };
        self.tree.add(parent, Some(field), value, place)
    }

    /// An item with an unsigned number.
    pub fn number(&mut self, parent: NodeId, field: FieldId, at: u32, len: u32, value: impl Into<u64>) -> NodeId {
        self.put(parent, field, at, len, Value::Unsigned(value.into()))
    }

    /// An item with text.
    pub fn text(&mut self, parent: NodeId, field: FieldId, at: u32, len: u32, text: &str) -> NodeId {
        if !self.is_wanted(field) {
            return parent;
        }
        let value = self.tree.text_value(text);
        self.put(parent, field, at, len, value)
    }

    /// An item with a duration in ns.
    pub fn duration(&mut self, parent: NodeId, field: FieldId, nanos: i64) -> NodeId {
        let value = Value::Time { secs: nanos / 1_000_000_000, nanos: (nanos % 1_000_000_000) as i32 };
        self.put(parent, field, 0, 0, value)
    }

    /// A line that is no field.
    pub fn line(&mut self, parent: NodeId, at: u32, len: u32, text: &str) -> NodeId {
        if !self.visible {
            return parent;
        }
        let place = Place { source: self.tvb.source, offset: self.tvb.offset + at, len };
        self.tree.add_text(parent, place, text)
    }

    /// Replaces what an item says.
    pub fn label(&mut self, item: NodeId, label: fmt::Arguments<'_>) {
        if self.visible {
            match label.as_str() {
                Some(label) => self.tree.set_label(item, label),
                None => self.tree.set_label(item, &label.to_string()),
            }
        }
    }

    /// Sets how long an item is, which is known only behind it.
    pub fn lengthen(&mut self, item: NodeId, len: u32) {
        if self.visible {
            self.tree.node_mut(item).place.len = len;
        }
    }

    /// Gives an item a text as its value, which is known only behind it.
    pub fn value(&mut self, item: NodeId, text: &str) {
        if self.visible {
            let value = self.tree.text_value(text);
            self.tree.node_mut(item).value = value;
        }
    }

    /// Marks an item as concluded, not read; where nobody looks at the tree, nothing is marked.
    pub fn generated(&mut self, item: NodeId) {
        if self.visible {
            self.tree.node_mut(item).generated = true;
        }
    }

    /// Marks an item as there for filters only.
    pub fn hidden(&mut self, item: NodeId) {
        if self.visible {
            self.tree.node_mut(item).hidden = true;
        }
    }
}
