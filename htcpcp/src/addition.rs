//! Additions: the value of an Accept-Additions field comes in, the named additions and their parameters go out,
//! and each name has a kind if the protocol knows it. What a pot has in stock is left to the pot.

/// One addition that a client asks for.
///
/// Shape: slices of the field value, surrounding whitespace removed.
/// Source: RFC 2324 §2.2.2.1, `addition-type`; RFC 7168 §2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addition<'a> {
    /// The name as it was spelled; `*` stands for any addition. Never empty.
    pub name: &'a [u8],
    /// The `;`-list of what follows the name.
    parameters: &'a [u8],
}

impl<'a> Addition<'a> {
    /// The parameters, in order: `1` and `q=0.5` in `cream;1;q=0.5`.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        pieces(self.parameters).filter_map(Parameter::parse)
    }

    /// What the name is, if the protocol knows it.
    pub fn kind(&self) -> Option<Kind> {
        Kind::of(self.name)
    }

    /// Whether the client leaves the choice to the pot.
    pub fn is_any(&self) -> bool {
        self.name == b"*"
    }
}

/// A parameter of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter<'a> {
    /// Digits, perhaps with a decimal point: how much of it, as clients in the wild write it.
    Number(&'a [u8]),
    /// A name and a value, such as `q=0.5`.
    Pair(&'a [u8], &'a [u8]),
}

impl<'a> Parameter<'a> {
    fn parse(piece: &'a [u8]) -> Option<Parameter<'a>> {
        if is_number(piece) {
            return Some(Parameter::Number(piece));
        }
        let (key, value) = split_pair(piece)?;
        (!is_kind_name(key)).then_some(Parameter::Pair(key, value))
    }
}

/// The additions of an Accept-Additions value, in order.
///
/// A comma separates additions. The lab separates them by `;`, which the RFC keeps for parameters: after `;`, a
/// number or `key=value` is a parameter and anything else is another addition. Two forms from the wild are read
/// too: `#`, which the RFC's grammar uses to mean "list", separates like a comma; and `milk-type=Cream`, which
/// carries the grammar's own name for the kind, is the addition `Cream`. Quoted strings are not recognised, since
/// no parameter of the protocol takes one.
///
/// Errors: none; empty elements are passed over.
/// Source: RFC 2324 §2.2.2.1; lab dialect.
///
/// ```
/// use htcpcp::addition::{Parameter, parse_accept_additions};
///
/// let mut additions = parse_accept_additions(b"cream;1, whisky");
/// let cream = additions.next().unwrap();
/// assert_eq!(cream.name, b"cream");
/// assert!(cream.parameters().eq([Parameter::Number(b"1")]));
/// assert_eq!(additions.next().unwrap().name, b"whisky");
/// assert_eq!(additions.next(), None);
/// ```
pub fn parse_accept_additions(value: &[u8]) -> impl Iterator<Item = Addition<'_>> {
    value.split(|byte| matches!(byte, b',' | b'#')).flat_map(|element| Element { rest: element })
}

/// A sort of addition.
///
/// Source: RFC 2324 §2.2.2.1; RFC 7168 §2.2.1 for sugar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `milk-type`, and the milks of the lab.
    Milk,
    /// `syrup-type`.
    Syrup,
    /// `sweetener-type`.
    Sweetener,
    /// `spice-type`.
    Spice,
    /// `alcohol-type`.
    Alcohol,
    /// `sugar-type`, for tea.
    Sugar,
}

impl Kind {
    /// Every kind, in the order of the grammar.
    pub const ALL: [Kind; 6] = [Kind::Milk, Kind::Syrup, Kind::Sweetener, Kind::Spice, Kind::Alcohol, Kind::Sugar];

    /// The kind of the addition called `name`, whatever its case, with spaces and hyphens alike.
    pub fn of(name: &[u8]) -> Option<Kind> {
        Kind::find(name).map(|(kind, _)| kind)
    }

    /// The kind of the addition called `name` and how the protocol spells it: `oat milk` for `Oat-Milk`.
    pub fn find(name: &[u8]) -> Option<(Kind, &'static str)> {
        Kind::ALL.into_iter().find_map(|kind| {
            let value = kind.values().iter().find(|value| same_name(value.as_bytes(), name))?;
            Some((kind, *value))
        })
    }

    /// The kind in one word, in English.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Milk => "milk",
            Kind::Syrup => "syrup",
            Kind::Sweetener => "sweetener",
            Kind::Spice => "spice",
            Kind::Alcohol => "alcohol",
            Kind::Sugar => "sugar",
        }
    }

    /// The section that defines the kind.
    pub const fn section(self) -> &'static str {
        match self {
            Kind::Sugar => "RFC 7168 §2.2.1",
            _ => "RFC 2324 §2.2.2.1",
        }
    }

    /// The additions of this kind: the RFC's in its order, then the lab's, all in the lower case of the lab.
    ///
    /// RFC 2324 names `sweetener-type` and `spice-type` and gives them no values. We give each three that are
    /// common in coffee and that no other kind has; sugar itself is RFC 7168's.
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Kind::Milk => &[
                "cream",
                "half-and-half",
                "whole-milk",
                "part-skim",
                "skim",
                "non-dairy",
                "oat milk",
                "almond milk",
                "soya milk",
                "coconut milk",
            ],
            Kind::Syrup => &["vanilla", "almond", "raspberry", "chocolate"],
            Kind::Sweetener => &["honey", "saccharin", "sucralose"],
            Kind::Spice => &["cinnamon", "cardamom", "nutmeg"],
            Kind::Alcohol => &["whisky", "rum", "kahlua", "aquavit"],
            Kind::Sugar => &["sugar", "xylitol", "stevia"],
        }
    }
}

/// What stands between two commas: additions, each with the parameters that follow it.
struct Element<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Element<'a> {
    type Item = Addition<'a>;

    fn next(&mut self) -> Option<Addition<'a>> {
        let mut piece = b"".as_slice();
        while piece.is_empty() {
            if self.rest.is_empty() {
                return None;
            }
            (piece, self.rest) = next_piece(self.rest);
        }
        Some(Addition { name: without_kind_name(piece), parameters: self.take_parameters() })
    }
}

impl<'a> Element<'a> {
    fn take_parameters(&mut self) -> &'a [u8] {
        let all = self.rest;
        while !self.rest.is_empty() {
            let (piece, rest) = next_piece(self.rest);
            if !piece.is_empty() && Parameter::parse(piece).is_none() {
                break;
            }
            self.rest = rest;
        }
        &all[..all.len() - self.rest.len()]
    }
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b';').map(<[u8]>::trim_ascii)
}

/// The bytes up to the next `;`, trimmed, and what follows it.
fn next_piece(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b';');
    let (piece, rest) = match end {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &b""[..]),
    };
    (piece.trim_ascii(), rest)
}

fn split_pair(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = piece.iter().position(|byte| *byte == b'=')?;
    Some((piece[..at].trim_ascii(), piece[at + 1..].trim_ascii()))
}

/// `Cream` of `milk-type=Cream`; any other piece as it is.
fn without_kind_name(piece: &[u8]) -> &[u8] {
    match split_pair(piece) {
        Some((key, value)) if is_kind_name(key) && !value.is_empty() => value,
        _ => piece,
    }
}

/// Whether `key` is what the grammar calls a kind, `milk-type`.
fn is_kind_name(key: &[u8]) -> bool {
    let Some((stem, suffix)) = key.split_at_checked(key.len().saturating_sub(5)) else {
        return false;
    };
    suffix.eq_ignore_ascii_case(b"-type") && Kind::ALL.iter().any(|kind| stem.eq_ignore_ascii_case(kind.as_str().as_bytes()))
}

fn is_number(piece: &[u8]) -> bool {
    piece.iter().any(u8::is_ascii_digit) && piece.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

fn same_name(a: &[u8], b: &[u8]) -> bool {
    let fold = |byte: &u8| match byte {
        b' ' => b'-',
        _ => byte.to_ascii_lowercase(),
    };
    a.len() == b.len() && a.iter().map(fold).eq(b.iter().map(fold))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation;

    /// Additions are written one per string: the name, then its parameters in brackets.
    #[track_caller]
    fn check(value: &str, expected: &[&str]) {
        let found: Vec<_> = parse_accept_additions(value.as_bytes()).map(shown).collect();
        assert_eq!(found, expected, "{value}");
    }

    fn shown(addition: Addition<'_>) -> String {
        let text = String::from_utf8_lossy;
        let mut shown = text(addition.name).into_owned();
        for parameter in addition.parameters() {
            shown += &match parameter {
                Parameter::Number(number) => format!("[{}]", text(number)),
                Parameter::Pair(key, value) => format!("[{}={}]", text(key), text(value)),
            };
        }
        shown
    }

    #[test]
    fn the_lab_separates_by_semicolon() {
        check("cream; vanilla", &["cream", "vanilla"]);
        check("oat milk;kahlua ; half-and-half", &["oat milk", "kahlua", "half-and-half"]);
    }

    #[test]
    fn the_rfc_separates_by_comma() {
        check("Cream, Whisky", &["Cream", "Whisky"]);
        check("Cream;q=0.8;level=2, *;q=0", &["Cream[q=0.8][level=2]", "*[q=0]"]);
        check("*", &["*"]);
    }

    #[test]
    fn the_wild_is_read_too() {
        check("cream;1,whisky;3", &["cream[1]", "whisky[3]"]);
        check("cream; 0.5; vanilla; q = 1", &["cream[0.5]", "vanilla[q=1]"]);
        check("#Almond;2#Vanilla;5", &["Almond[2]", "Vanilla[5]"]);
        check("milk-type=Cream; Syrup-Type = Vanilla;2", &["Cream", "Vanilla[2]"]);
        check("\tskim\t,\r\nrum ", &["skim", "rum"]);
    }

    #[test]
    fn odd_lists_lose_nothing_but_what_is_empty() {
        check("", &[]);
        check(" ;,; ,;;", &[]);
        check(",cream;;1;,", &["cream[1]"]);
        check("1;cream", &["1", "cream"]);
        check("q=1;cream", &["q=1", "cream"]);
        check("milk-type=;cream", &["milk-type=", "cream"]);
        check("cream;-type=x;=;.;2oz", &["cream[-type=x][=]", ".", "2oz"]);
    }

    #[test]
    fn kinds_know_every_value_once() {
        for kind in Kind::ALL {
            for value in kind.values() {
                assert_eq!(Kind::of(value.as_bytes()), Some(kind), "{value}");
                assert_eq!(Kind::find(value.to_uppercase().as_bytes()), Some((kind, *value)));
            }
        }
    }

    #[test]
    fn kinds_tell_almond_from_its_milk_and_know_no_tea() {
        let kind = |name: &str| Kind::of(name.as_bytes());
        assert_eq!(kind("Almond"), Some(Kind::Syrup));
        assert_eq!(kind("almond-milk"), Some(Kind::Milk));
        assert_eq!(kind("Half-and-half"), Some(Kind::Milk));
        assert_eq!(kind("Stevia"), Some(Kind::Sugar));
        for unknown in ["", "*", "tea", "Chamomile", "decaf", "milk", "creams"] {
            assert_eq!(kind(unknown), None, "{unknown}");
        }
        let any = parse_accept_additions(b"*;q=0.1").next();
        assert!(any.is_some_and(|addition| addition.is_any() && addition.kind().is_none()));
    }

    #[test]
    fn damaged_lists_do_not_panic() {
        mutation::each(b"cream;1,whisky;q=3; milk-type=Cream#*;2", |value| {
            for addition in parse_accept_additions(value) {
                assert!(!addition.name.is_empty());
                addition.parameters().count();
            }
        });
    }
}
