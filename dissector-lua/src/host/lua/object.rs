//! Objects of which Lua holds no more than a number.
//!
//! Whatever has its home in the host is *light userdata* to Lua: 64 bits that say of which class it is, which frame it
//! belongs to and which one it is. Nothing is made in Lua for it and nothing is collected, and an object that a script
//! keeps beyond its frame is recognised. What is a value of its own (`ByteArray`, `NSTime`, …) is full userdata.

use mlua::{LightUserData, Value};

const _: () = assert!(usize::BITS == 64, "an object takes 64 bits");

/// The classes of such objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Tvb = 1,
    TvbRange,
    TreeItem,
    Pinfo,
    Columns,
    Column,
    PrivateTable,
    Proto,
    ProtoField,
    ProtoExpert,
    Prefs,
    Pref,
    Dissector,
    DissectorTable,
    Field,
    Listener,
}

pub(crate) const CLASSES: [Class; 16] = [
    Class::Tvb,
    Class::TvbRange,
    Class::TreeItem,
    Class::Pinfo,
    Class::Columns,
    Class::Column,
    Class::PrivateTable,
    Class::Proto,
    Class::ProtoField,
    Class::ProtoExpert,
    Class::Prefs,
    Class::Pref,
    Class::Dissector,
    Class::DissectorTable,
    Class::Field,
    Class::Listener,
];

impl Class {
    /// What Lua calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tvb => "Tvb",
            Self::TvbRange => "TvbRange",
            Self::TreeItem => "TreeItem",
            Self::Pinfo => "Pinfo",
            Self::Columns => "Columns",
            Self::Column => "Column",
            Self::PrivateTable => "PrivateTable",
            Self::Proto => "Proto",
            Self::ProtoField => "ProtoField",
            Self::ProtoExpert => "ProtoExpert",
            Self::Prefs => "Prefs",
            Self::Pref => "Pref",
            Self::Dissector => "Dissector",
            Self::DissectorTable => "DissectorTable",
            Self::Field => "Field",
            Self::Listener => "Listener",
        }
    }
}

/// An object, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) class: Class,
    /// The frame's generation, for what belongs to a frame; else 0.
    pub(crate) generation: u32,
    pub(crate) index: u32,
}

const GENERATIONS: u32 = 1 << 24;

impl Object {
    /// What lives as long as the host.
    pub(crate) fn lasting(class: Class, index: u32) -> Self {
        Self { class, generation: 0, index }
    }

    /// What lives for one frame.
    pub(crate) fn passing(class: Class, generation: u32, index: u32) -> Self {
        Self { class, generation: generation % GENERATIONS, index }
    }

    /// Whether it belongs to the frame of that generation.
    pub(crate) fn is_of(self, generation: u32) -> bool {
        self.generation == generation % GENERATIONS
    }

    /// For Lua.
    pub(crate) fn to_lua(self) -> LightUserData {
        let bits = (self.class as usize) << 56 | (self.generation as usize) << 32 | self.index as usize;
        LightUserData(std::ptr::without_provenance_mut(bits))
    }

    /// From Lua.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let Value::LightUserData(data) = value else { return None };
        let bits = data.0.addr();
        let class = *CLASSES.get((bits >> 56).checked_sub(1)?)?;
        Some(Self { class, generation: (bits >> 32) as u32 % GENERATIONS, index: bits as u32 })
    }
}
