//! What there is to have: the pots, the beans, the teas, and the additions each of them takes. Tables only;
//! what the names mean in the protocol is `htcpcp`'s business.

use htcpcp::addition::Kind;
use serde::Serialize;

/// One of the two pots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pot {
    /// Makes coffee and no tea.
    Ducky,
    /// Makes tea and no coffee.
    Tea,
}

impl Pot {
    /// Both pots, each at the place of its number.
    pub const ALL: [Pot; 2] = [Pot::Tea, Pot::Ducky];

    /// The name that `Use-Pot` carries. Source: lab dialect.
    pub const fn name(self) -> &'static str {
        match self {
            Pot::Ducky => htcpcp::HOST,
            Pot::Tea => "tea",
        }
    }

    /// The number of the `pot-N` designator (RFC 2324 §3).
    ///
    /// Tea is `pot-0`, as in the examples of RFC 7168 §2.1.1, and coffee `pot-1`, for which clients in the wild ask.
    pub const fn number(self) -> u32 {
        match self {
            Pot::Tea => 0,
            Pot::Ducky => 1,
        }
    }

    /// The pot called `name`, whatever its case.
    pub fn named(name: &[u8]) -> Option<Pot> {
        Pot::ALL.into_iter().find(|pot| pot.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// The pot with this number.
    pub fn numbered(number: u32) -> Option<Pot> {
        Pot::ALL.into_iter().find(|pot| pot.number() == number)
    }

    /// The kinds of additions in stock, in the order of the menu.
    ///
    /// Coffee comes with all that RFC 2324 names, sweeteners and spices included; sugar is for tea (RFC 7168 §2.2.1).
    pub const fn stock(self) -> &'static [Kind] {
        match self {
            Pot::Ducky => &[Kind::Milk, Kind::Syrup, Kind::Alcohol, Kind::Sweetener, Kind::Spice],
            Pot::Tea => &[Kind::Milk, Kind::Sugar],
        }
    }

    /// Every addition in stock, as the value of an `Accept-Additions` field that would get them all.
    pub fn menu(self) -> String {
        let names: Vec<_> = self.stock().iter().flat_map(|kind| kind.values()).copied().collect();
        names.join("; ")
    }
}

/// A bean, as PROPFIND describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bean {
    /// What it is sold as.
    pub name: &'static str,
    /// What it tastes of.
    pub profile: &'static str,
    /// Where it grew.
    pub origin: &'static str,
    /// From one place, or a blend.
    #[serde(rename = "type")]
    pub sort: &'static str,
    /// Out of five.
    pub strength: &'static str,
    /// How dark it is.
    pub roast: &'static str,
}

/// The beans, which are brewed in turn. Short enough that a brew with every addition fits into one answer of 768 bytes.
pub const BEANS: [Bean; 6] = [
    bean("Para\u{ed}so Gold", "Chocolate, Nutty", "Brazil", "Single Origin", "2/5", "Medium light"),
    bean("Yirgacheffe", "Floral, Citrus", "Ethiopia", "Single Origin", "2/5", "Light"),
    bean("Antigua", "Cocoa, Spicy", "Guatemala", "Single Origin", "3/5", "Medium"),
    bean("Nyeri AA", "Blackcurrant", "Kenya", "Single Origin", "3/5", "Medium light"),
    bean("Mandheling", "Earthy, Cedar", "Sumatra", "Single Origin", "4/5", "Dark"),
    bean("Duckling Espresso", "Caramel, Nutty", "Brazil, India", "Blend", "5/5", "Dark"),
];

const fn bean(
    name: &'static str,
    profile: &'static str,
    origin: &'static str,
    sort: &'static str,
    strength: &'static str,
    roast: &'static str,
) -> Bean {
    Bean { name, profile, origin, sort, strength, roast }
}

/// A variety of tea.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tea {
    /// Its name, which is its path: `/earl-grey` (RFC 7168 §2.1).
    pub name: &'static str,
    /// The kinds of additions that suit it. The others are forbidden (RFC 7168 §2.3.2).
    pub takes: &'static [Kind],
}

impl Tea {
    /// Every variety.
    pub const ALL: [Tea; 3] = [
        Tea { name: "earl-grey", takes: &[Kind::Milk, Kind::Sugar] },
        Tea { name: "darjeeling", takes: &[Kind::Sugar] },
        Tea { name: "peppermint", takes: &[Kind::Sugar] },
    ];

    /// The variety called `name`, whatever its case.
    pub fn find(name: &[u8]) -> Option<Tea> {
        Tea::ALL.into_iter().find(|tea| tea.name.as_bytes().eq_ignore_ascii_case(name))
    }

    /// The value of the Alternates field: where each variety is found (RFC 7168 §2.1.1, RFC 2295 §8.3).
    pub fn alternates() -> String {
        let each = Tea::ALL.map(|tea| format!("{{\"/{}\" {{type {}}}}}", tea.name, htcpcp::header::TEAPOT));
        each.join(", ")
    }
}

/// What is brewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beverage {
    /// Of a bean.
    Coffee(Bean),
    /// Of a variety.
    Tea(Tea),
}

impl Beverage {
    /// The pot that makes it.
    pub const fn pot(self) -> Pot {
        match self {
            Beverage::Coffee(_) => Pot::Ducky,
            Beverage::Tea(_) => Pot::Tea,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pots_are_found_by_name_and_number() {
        for pot in Pot::ALL {
            assert_eq!(Pot::named(pot.name().to_uppercase().as_bytes()), Some(pot));
            assert_eq!(Pot::numbered(pot.number()), Some(pot));
            assert_eq!(Pot::ALL[pot.number() as usize], pot);
        }
        assert_eq!(Pot::named(b"psyduck"), None);
        assert_eq!(Pot::numbered(7), None);
    }

    #[test]
    fn the_menu_can_be_ordered_as_it_is() {
        for pot in Pot::ALL {
            for addition in htcpcp::parse_accept_additions(pot.menu().as_bytes()) {
                assert!(addition.kind().is_some_and(|kind| pot.stock().contains(&kind)), "{addition:?}");
            }
        }
    }

    #[test]
    fn alternates_are_written_as_in_rfc_7168() {
        assert!(Tea::alternates().starts_with(r#"{"/earl-grey" {type message/teapot}}, {"/darjeeling" "#));
    }
}
