//! The header fields the protocol uses and the content types that mean coffee or tea. Reading a header section
//! line by line is left to others.

/// A header field that HTCPCP defines or relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// What the client would like in its coffee. Source: RFC 2324 §2.2.2.1.
    AcceptAdditions,
    /// Whether asking again is harmless. Source: RFC 2324 §2.2.1.1.
    Safe,
    /// The teas there are. Source: RFC 7168 §2.1.1.
    Alternates,
    /// Which of the pots. Source: lab dialect.
    UsePot,
    /// Coffee, tea, or something else. Source: RFC 2324 §4, RFC 7168 §3.
    ContentType,
    /// How long the body is. Source: RFC 9110 §8.6.
    ContentLength,
    /// Who answers. Source: RFC 9110 §10.2.4.
    Server,
    /// When it answered. Source: RFC 9110 §6.6.1.
    Date,
    /// How the body is framed. Source: RFC 9112 §6.1.
    TransferEncoding,
    /// Whether the connection stays. Source: RFC 9110 §7.6.1.
    Connection,
}

impl Field {
    /// Every field: those of HTCPCP, then those of HTTP.
    pub const ALL: [Field; 10] = [
        Field::AcceptAdditions,
        Field::Safe,
        Field::Alternates,
        Field::UsePot,
        Field::ContentType,
        Field::ContentLength,
        Field::Server,
        Field::Date,
        Field::TransferEncoding,
        Field::Connection,
    ];

    /// The field with this name, whatever its case (RFC 9110 §5.1).
    pub fn from_bytes(name: &[u8]) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The name in the Title-Case in which the lab writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Field::AcceptAdditions => "Accept-Additions",
            Field::Safe => "Safe",
            Field::Alternates => "Alternates",
            Field::UsePot => "Use-Pot",
            Field::ContentType => "Content-Type",
            Field::ContentLength => "Content-Length",
            Field::Server => "Server",
            Field::Date => "Date",
            Field::TransferEncoding => "Transfer-Encoding",
            Field::Connection => "Connection",
        }
    }

    /// The section that defines the field; HTCPCP's own where it says something about it.
    pub const fn section(self) -> &'static str {
        match self {
            Field::AcceptAdditions => "RFC 2324 §2.2.2.1",
            Field::Safe => "RFC 2324 §2.2.1.1",
            Field::Alternates => "RFC 7168 §2.1.1",
            Field::UsePot => "lab dialect",
            Field::ContentType => "RFC 2324 §4",
            Field::ContentLength => "RFC 9110 §8.6",
            Field::Server => "RFC 9110 §10.2.4",
            Field::Date => "RFC 9110 §6.6.1",
            Field::TransferEncoding => "RFC 9112 §6.1",
            Field::Connection => "RFC 9110 §7.6.1",
        }
    }
}

/// The type of a body that commands a coffee pot. Source: RFC 2324 §2.1.1.
pub const COFFEE_POT_COMMAND: &str = "application/coffee-pot-command";

/// The registered type of the same. Source: RFC 2324 §4.
pub const COFFEEPOT: &str = "message/coffeepot";

/// The type that asks for tea. Source: RFC 7168 §3.
pub const TEAPOT: &str = "message/teapot";

/// [`COFFEEPOT`] as some servers in the wild misspell it: to be read, never to be sent.
pub const COFFEEPOT_MISSPELLED: &str = "message/coffepot";

/// Whether the value of a Content-Type field says coffee or tea, whatever its case and its parameters.
///
/// Source: RFC 2324 §4; RFC 7168 §3; RFC 9110 §8.3.1 for case and parameters.
pub fn is_coffee_content_type(value: &[u8]) -> bool {
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    [COFFEE_POT_COMMAND, COFFEEPOT, TEAPOT, COFFEEPOT_MISSPELLED].iter().any(|known| known.as_bytes().eq_ignore_ascii_case(essence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation;

    #[track_caller]
    fn check(content_type: &str, expected: bool) {
        assert_eq!(is_coffee_content_type(content_type.as_bytes()), expected, "{content_type}");
    }

    #[test]
    fn coffee_and_tea_are_told_from_the_rest() {
        check("application/coffee-pot-command", true);
        check("message/coffeepot", true);
        check("message/teapot", true);
        check("message/coffepot", true);
        check(" Message/CoffeePot ; charset=utf-8", true);
        check("", false);
        check(";message/coffeepot", false);
        check("message/coffeepots", false);
        check("text/html; message/coffeepot", false);
    }

    #[test]
    fn names_are_found_in_any_case() {
        for field in Field::ALL {
            for name in [field.as_str().to_uppercase(), field.as_str().to_lowercase()] {
                assert_eq!(Field::from_bytes(name.as_bytes()), Some(field));
            }
        }
        assert_eq!(Field::from_bytes(b"Use Pot"), None);
        assert_eq!(Field::from_bytes(b""), None);
    }

    #[test]
    fn damaged_values_do_not_panic() {
        mutation::each(b"message/coffeepot; a=b", |value| {
            is_coffee_content_type(value);
            Field::from_bytes(value);
        });
    }
}
