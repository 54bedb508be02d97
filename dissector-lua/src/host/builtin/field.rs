//! How built-in protocols declare their fields: a line each.

use std::rc::Rc;

use super::super::field::{Base, Field, FrameType, Kind, ProtocolId, Strings};

/// Declares a protocol and its fields.
macro_rules! protocol {
    ($(#[$doc:meta])* $name:ident = $long:literal, $short:literal, $abbreviation:literal; $($field:ident = $declared:expr;)*) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(super) struct $name {
            #[allow(dead_code)] // Not every protocol is asked for.
            pub protocol: $crate::host::field::ProtocolId,
            pub item: $crate::host::field::FieldId,
            $(pub $field: $crate::host::field::FieldId,)*
        }

        impl $name {
            pub(super) fn declare(registry: &mut $crate::host::field::Registry) -> Self {
                let protocol = registry.add_protocol($long, $short, $abbreviation);
                let item = registry.protocol(protocol).field;
                $(let $field = registry.add_field($crate::host::field::Field { protocol, ..$declared });)*
                Self { protocol, item, $($field,)* }
            }
        }
    };
}
pub(super) use protocol;

/// A field of a type that is written in its usual way.
pub(super) fn field(kind: Kind, abbreviation: &str, name: &str) -> Field {
    let base = match kind {
        Kind::Uint8 | Kind::Uint16 | Kind::Uint24 | Kind::Uint32 | Kind::Uint64 | Kind::Int32 => Base::Dec,
        Kind::AbsoluteTime => Base::Local,
        _ => Base::None,
    };
    Field {
        abbreviation: abbreviation.into(),
        name: name.into(),
        description: "".into(),
        kind,
        base,
        strings: Strings::None,
        mask: 0,
        width: 0,
        protocol: ProtocolId(0),
    }
}

/// A number in hexadecimal.
pub(super) fn hex(kind: Kind, abbreviation: &str, name: &str) -> Field {
    Field { base: Base::Hex, ..field(kind, abbreviation, name) }
}

/// The number of another frame.
pub(super) fn frame_number(abbreviation: &str, name: &str) -> Field {
    Field { strings: Strings::Frame(FrameType::None), ..field(Kind::Framenum, abbreviation, name) }
}

/// A bit of `width` bits.
pub(super) fn bit(abbreviation: &str, name: &str, width: u32, mask: u64) -> Field {
    Field { mask, width, ..field(Kind::Boolean, abbreviation, name) }
}

impl Field {
    /// … with words for true and false.
    pub(super) fn words(self, yes: &str, no: &str) -> Self {
        Self { strings: Strings::TrueFalse(Rc::new((yes.into(), no.into()))), ..self }
    }

    /// … which is only these bits.
    pub(super) fn bits(self, mask: u64) -> Self {
        Self { mask, ..self }
    }

    /// … with names for values.
    pub(super) fn named(self, names: &[(u64, &str)]) -> Self {
        Self { strings: Strings::Values(names.iter().map(|(value, name)| (*value, (*name).into())).collect()), ..self }
    }
}
