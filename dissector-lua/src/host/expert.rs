//! Expert infos: how they hang in the tree, and those that the host itself has to say.

use std::cell::RefCell;
use std::collections::HashMap;

use super::core::Core;
use super::field::{Base, ExpertId, FieldId, Group, Kind, ProtocolId, Registry, Severity};
use super::tree::{NodeId, Place, ROOT};
use super::value::Value;

/// The fields that an expert info is made of.
#[derive(Debug)]
pub struct Experts {
    protocol: ProtocolId,
    item: FieldId,
    message: FieldId,
    severity: FieldId,
    group: FieldId,
    length_mismatch: ExpertId,
    length_excess: ExpertId,
    lua_error: ExpertId,
    malformed: ExpertId,
    trailing: ExpertId,
    malformed_packet: FieldId,
    of_scripts: RefCell<HashMap<(u32, u32), ExpertId>>,
}

impl Experts {
    /// Declares them.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let protocol = registry.add_protocol("Expert Info", "Expert", "_ws.expert");
        let lua = registry.add_protocol("Lua Dissection", "Lua Dissection", "_ws.lua");
        let mismatch = registry.add_protocol("Type Length Mismatch", "Type length mismatch", "_ws.type_length");
        let string = registry.add_protocol("String Errors", "String errors", "_ws.string");
        let malformed = registry.add_protocol("Malformed Packet", "Malformed packet", "_ws.malformed");
        Self {
            protocol,
            item: registry.protocol(protocol).field,
            message: registry.add(protocol, "_ws.expert.message", "Message", Kind::String, Base::None),
            severity: registry.add(protocol, "_ws.expert.severity", "Severity level", Kind::Uint32, Base::None),
            group: registry.add(protocol, "_ws.expert.group", "Group", Kind::Uint32, Base::None),
            length_mismatch: registry.add_expert(
                mismatch,
                "_ws.type_length.mismatch",
                "Trying to fetch X with length Y",
                Group::Malformed,
                Severity::Error,
            ),
            length_excess: registry.add_expert(
                mismatch,
                "_ws.type_length.mismatch",
                "Trying to fetch X with length Y",
                Group::Malformed,
                Severity::Warning,
            ),
            malformed: registry.add_expert(
                malformed,
                "_ws.malformed.expert",
                "Malformed Packet (Exception occurred)",
                Group::Malformed,
                Severity::Error,
            ),
            malformed_packet: registry.protocol(malformed).field,
            trailing: registry.add_expert(
                string,
                "_ws.string.trailing_stray_characters",
                "Trailing stray characters",
                Group::Undecoded,
                Severity::Warning,
            ),
            lua_error: registry.add_expert(lua, "_ws.lua.error", "Lua Error", Group::Undecoded, Severity::Error),
            of_scripts: RefCell::default(),
        }
    }

    /// A field has a length that its type cannot have.
    pub(crate) fn length_mismatch(&self) -> ExpertId {
        self.length_mismatch
    }

    /// A field has more bytes than its type.
    pub(crate) fn length_excess(&self) -> ExpertId {
        self.length_excess
    }

    /// A script failed.
    pub(crate) fn lua_error(&self) -> ExpertId {
        self.lua_error
    }

    /// A string goes on behind its end.
    pub(crate) fn trailing(&self) -> ExpertId {
        self.trailing
    }

    /// What `TreeItem:add_expert_info` adds.
    pub(crate) fn of_script(&self, registry: &RefCell<Registry>, group: Group, severity: Severity) -> ExpertId {
        *self.of_scripts.borrow_mut().entry((group as u32, severity as u32)).or_insert_with(|| {
            let name = severity.name();
            let abbreviation = format!("_ws.lua.proto.{}", name.to_lowercase());
            registry.borrow_mut().add_expert(self.protocol, &abbreviation, &format!("Protocol {name}"), group, severity)
        })
    }
}

impl Core {
    /// Adds an expert info to an item.
    pub fn add_expert(&self, node: NodeId, id: ExpertId, text: Option<&str>) {
        self.add_expert_at(node, id, text, Place::default());
    }

    /// The same with a place of its own.
    pub fn add_expert_at(&self, node: NodeId, id: ExpertId, text: Option<&str>, place: Place) {
        let registry = self.registry.borrow();
        let expert = registry.expert(id);
        let text = text.unwrap_or(&expert.text);
        let experts = self.experts();
        let mut tree = self.tree.borrow_mut();
        let mut above = node;
        while above != ROOT {
            let item = tree.node_mut(above);
            item.severity = item.severity.max(Some(expert.severity));
            above = tree.parent(above).unwrap_or(ROOT);
        }
        let item = tree.add(node, Some(experts.item), Value::Place, place);
        tree.node_mut(item).expert = Some(id);
        tree.node_mut(item).severity = Some(expert.severity);
        tree.node_mut(item).generated = true;
        tree.set_label(item, &format!("Expert Info ({}/{}): {text}", expert.severity.name(), expert.group.name()));
        let nowhere = Place { len: 0, offset: 0, ..place };
        let own = tree.add(item, Some(expert.field), Value::None, nowhere);
        tree.set_label(own, text);
        tree.node_mut(own).generated = true;
        let value = tree.text_value(text);
        let message = tree.add(item, Some(experts.message), value, nowhere);
        tree.set_label(message, &format!("Message: {text}"));
        tree.node_mut(message).generated = true;
        tree.node_mut(message).hidden = true;
        let severity = tree.add(item, Some(experts.severity), Value::Unsigned(u64::from(expert.severity as u32)), nowhere);
        tree.set_label(severity, &format!("Severity level: {}", expert.severity.name()));
        tree.node_mut(severity).generated = true;
        let group = tree.add(item, Some(experts.group), Value::Unsigned(u64::from(expert.group as u32)), nowhere);
        tree.set_label(group, &format!("Group: {}", expert.group.name()));
        tree.node_mut(group).generated = true;
        if expert.group == Group::Malformed {
            // What the filter `_ws.malformed` finds.
            let mark = tree.add(node, Some(experts.malformed_packet), Value::None, nowhere);
            tree.node_mut(mark).hidden = true;
        }
    }

    /// Says that a dissector came to the end of what there is, as a protocol of its own.
    pub(crate) fn add_malformed(&self, label: &str, place: Place) {
        let experts = self.experts();
        let node = self.tree.borrow_mut().add(ROOT, Some(experts.malformed_packet), Value::None, place);
        self.tree.borrow_mut().set_label(node, label);
        self.add_expert(node, experts.malformed, None);
    }

    /// The fields that expert infos are made of.
    pub(crate) fn experts(&self) -> &Experts {
        self.experts.get_or_init(|| Experts::new(&mut self.registry.borrow_mut()))
    }
}

const SEVERITIES: [(Severity, &str); 5] = [
    (Severity::Comment, "Comment"),
    (Severity::Chat, "Chat"),
    (Severity::Note, "Note"),
    (Severity::Warning, "Warning"),
    (Severity::Error, "Error"),
];

const GROUPS: [(Group, &str); 17] = [
    (Group::Checksum, "Checksum"),
    (Group::Sequence, "Sequence"),
    (Group::Response, "Response"),
    (Group::Request, "Request"),
    (Group::Undecoded, "Undecoded"),
    (Group::Reassemble, "Reassemble"),
    (Group::Malformed, "Malformed"),
    (Group::Debug, "Debug"),
    (Group::Protocol, "Protocol"),
    (Group::Security, "Security"),
    (Group::Comments, "Comment"),
    (Group::Decryption, "Decryption"),
    (Group::Assumption, "Assumption"),
    (Group::Deprecated, "Deprecated"),
    (Group::Receive, "Receive"),
    (Group::Interface, "Interface"),
    (Group::DissectorBug, "Dissector bug"),
];

impl Severity {
    /// What it is called.
    pub fn name(self) -> &'static str {
        SEVERITIES.iter().find(|(severity, _)| *severity == self).map_or("", |(_, name)| name)
    }

    /// The severity of Wireshark's number.
    pub(crate) fn of(number: u32) -> Option<Self> {
        SEVERITIES.iter().map(|(severity, _)| *severity).find(|severity| *severity as u32 == number)
    }
}

impl Group {
    /// What it is called.
    pub fn name(self) -> &'static str {
        GROUPS.iter().find(|(group, _)| *group == self).map_or("", |(_, name)| name)
    }

    /// The group of Wireshark's number.
    pub(crate) fn of(number: u32) -> Option<Self> {
        GROUPS.iter().map(|(group, _)| *group).find(|group| *group as u32 == number)
    }
}
