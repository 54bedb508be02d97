//! Filters on dissected frames: the same language, its fields being those that dissectors declare.

use dissector_lua::host::View;
use dissector_lua::host::field::{Field, FieldId, Kind, Registry, Strings};
use dissector_lua::host::tree::Node as Item;
use dissector_lua::host::value::Value as Held;

use super::Error;
use super::evaluate::{self, Facts};
use super::field::{Table, unknown};
use super::parser::{self, Fields, Node};
use super::value::{Type, Value};

/// In a second.
const NANOS: i128 = 1_000_000_000;

/// A display filter on what a host shows of frames.
#[derive(Clone, Debug)]
pub struct TreeFilter {
    root: Option<Node<FieldId>>,
}

impl TreeFilter {
    /// Compiles a filter; an empty one lets every frame through.
    ///
    /// Errors: what is wrong with it, and where; for an unknown field the name that is most like it.
    pub fn compile(text: &str, registry: &Registry) -> Result<Self, Error> {
        parser::parse(text, registry).map(|root| Self { root })
    }

    /// Says that there is no field of that name, with the name that is most like it.
    pub fn unknown(name: &str, registry: &Registry) -> String {
        Fields::unknown(registry, name)
    }

    /// The fields that it looks for.
    pub fn fields(&self, registry: &Registry) -> Vec<FieldId> {
        let mut fields = Vec::new();
        if let Some(root) = &self.root {
            root.each_field(&mut |field| fields.extend(same_name(registry, field)));
        }
        fields
    }

    /// Whether a frame passes.
    pub fn accepts(&self, view: View<'_>) -> bool {
        self.root.as_ref().is_none_or(|root| evaluate::passes(root, &view))
    }
}

/// All fields of one name are one field of a filter.
fn same_name(registry: &Registry, field: FieldId) -> &[FieldId] {
    registry.named(&registry.field(field).abbreviation)
}

impl Fields for Registry {
    type Field = FieldId;

    fn find(&self, name: &str) -> Option<(FieldId, Type)> {
        let id = *self.named(name).first()?;
        Some((id, kind(self.field(id))))
    }

    fn number_called(&self, field: FieldId, name: &str) -> Option<i128> {
        match &self.field(field).strings {
            Strings::Values(names) => names.iter().find(|(_, known)| **known == *name).map(|(number, _)| i128::from(*number)),
            Strings::TrueFalse(names) if *names.0 == *name => Some(1),
            Strings::TrueFalse(names) if *names.1 == *name => Some(0),
            _ => None,
        }
    }

    fn unknown(&self, name: &str) -> String {
        if Table.find(name).is_some() {
            return format!("\"{name}\" is a field for other commands: none of the dissectors that run here shows it");
        }
        unknown(name, self.fields().iter().map(|field| &*field.abbreviation))
    }
}

fn kind(field: &Field) -> Type {
    match field.kind {
        Kind::None => Type::Presence,
        Kind::Protocol => Type::Protocol,
        Kind::Boolean => Type::Bool,
        Kind::Char | Kind::Uint8 => Type::Unsigned(8),
        Kind::Uint16 => Type::Unsigned(16),
        Kind::Uint24 => Type::Unsigned(24),
        Kind::Uint32 | Kind::IpxNet => Type::Unsigned(32),
        Kind::Uint40 => Type::Unsigned(40),
        Kind::Uint48 => Type::Unsigned(48),
        Kind::Uint56 => Type::Unsigned(56),
        Kind::Uint64 => Type::Unsigned(64),
        Kind::Int8 => Type::Signed(8),
        Kind::Int16 => Type::Signed(16),
        Kind::Int24 => Type::Signed(24),
        Kind::Int32 => Type::Signed(32),
        Kind::Int40 => Type::Signed(40),
        Kind::Int48 => Type::Signed(48),
        Kind::Int56 => Type::Signed(56),
        Kind::Int64 => Type::Signed(64),
        Kind::Float | Kind::Double => Type::Float,
        Kind::AbsoluteTime => Type::Time,
        Kind::RelativeTime => Type::Duration,
        Kind::String | Kind::Stringz | Kind::UintString | Kind::StringzPad | Kind::StringzTrunc => Type::Text,
        Kind::Ether => Type::Ether,
        Kind::Bytes | Kind::UintBytes | Kind::SystemId | Kind::Vines => Type::Bytes,
        Kind::Ipv4 => Type::Ipv4,
        Kind::Ipv6 => Type::Ipv6,
        Kind::Framenum => Type::Frame,
        Kind::Guid => Type::Guid,
        Kind::Oid | Kind::RelOid => Type::Oid,
        Kind::Eui64 | Kind::Fcwwn => Type::Eui64,
    }
}

impl Facts<FieldId> for View<'_> {
    fn each(&self, field: FieldId, visit: &mut dyn FnMut(Value<'_>)) {
        let fields = same_name(self.registry, field);
        let items = self.tree.all().map(|id| self.tree.node(id));
        let items = items.filter(|item| item.field.is_some_and(|field| fields.contains(&field)));
        items.for_each(|item| visit(value(*self, item)));
    }
}

fn value<'a>(view: View<'a>, item: &'a Item) -> Value<'a> {
    let place = || view.buffers.place(item.place.source, item.place.offset, item.place.len);
    let is_protocol = item.field.is_some_and(|field| view.registry.field(field).kind == Kind::Protocol);
    match &item.value {
        Held::None if is_protocol => Value::Bytes(place()),
        Held::None => Value::Present,
        Held::Unsigned(number) => Value::Number((*number).into()),
        Held::Signed(number) => Value::Number((*number).into()),
        Held::Float(number) => Value::Float(*number),
        Held::Text(span) | Held::Bytes(span) => Value::Bytes(view.tree.kept(*span)),
        Held::Place => Value::Bytes(place()),
        Held::Time { secs, nanos } => Value::Number(i128::from(*secs) * NANOS + i128::from(*nanos)),
        Held::Ipv4(address) => Value::Ipv4((*address).into()),
        Held::Ipv6(address) => Value::Ipv6((*address).into()),
        Held::Ether(bytes) => Value::Bytes(bytes),
        Held::Eui64(bytes) => Value::Bytes(bytes),
        Held::Guid(bytes) => Value::Bytes(bytes),
    }
}
