//! Coffee URIs: a request target comes in, its parts go out, and the table says which schemes mean coffee in
//! which languages.
//!
//! Tea has no scheme: RFC 7168 §2.1 asks for it by path. Which host and pot exist is left to the pot, and the
//! additions list to [`crate::addition`].

/// A request target that is a coffee URI, in its parts.
///
/// Shape: slices of the target, still percent-encoded; an empty part counts as absent.
/// Source: RFC 2324 §3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoffeeUri<'a> {
    /// Which scheme it is.
    pub scheme: &'static Scheme,
    /// The scheme as it was spelled, without the colon.
    pub scheme_bytes: &'a [u8],
    /// What follows `//`. A `:port`, which the grammar does not have, stays in.
    pub host: Option<&'a [u8]>,
    /// The pot designator without its slash, `pot-1`, whether or not it follows the grammar.
    pub pot: Option<&'a [u8]>,
    /// The additions list after the first `?`.
    pub additions: Option<&'a [u8]>,
}

impl<'a> CoffeeUri<'a> {
    /// The parts of `target`; `None` exactly when [`has_coffee_scheme`] says no.
    ///
    /// The slash before the pot may be missing, as in `coffee:pot-1`: pots in the wild meet such targets.
    pub fn parse(target: &'a [u8]) -> Option<CoffeeUri<'a>> {
        let (scheme, scheme_bytes, rest) = split_scheme(target)?;
        let (path, additions) = cut(rest, b'?');
        let (host, pot) = match path.strip_prefix(b"//") {
            Some(authority) => cut(authority, b'/'),
            None => (&b""[..], path.strip_prefix(b"/").unwrap_or(path)),
        };
        Some(CoffeeUri { scheme, scheme_bytes, host: present(host), pot: present(pot), additions: present(additions) })
    }

    /// The N of a `pot-N` designator.
    ///
    /// Source: RFC 2324 §3, `pot-designator`.
    pub fn pot_number(&self) -> Option<u32> {
        let digits = self.pot?.strip_prefix(b"pot-")?;
        if digits.is_empty() {
            return None;
        }
        digits.iter().try_fold(0_u32, |number, byte| {
            let digit = char::from(*byte).to_digit(10)?;
            number.checked_mul(10)?.checked_add(digit)
        })
    }
}

/// Whether `target` begins with one of the coffee schemes and its colon. Allocates nothing; the first byte
/// settles most targets that are not coffee.
pub fn has_coffee_scheme(target: &[u8]) -> bool {
    split_scheme(target).is_some()
}

/// One scheme of a coffee URI. All of them mean the same.
///
/// Source: RFC 2324 §3, `coffee-scheme`.
#[derive(Debug, PartialEq, Eq)]
pub struct Scheme {
    /// As the RFC prints it, percent-encoded.
    pub printed: &'static str,
    /// The word, decoded.
    pub spelling: &'static str,
    /// The languages the RFC gives it to, in its order.
    pub languages: &'static [Language],
    /// Further decoded forms that are read as this scheme.
    also: &'static [&'static [u8]],
}

/// A language that has a word for coffee.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// The name in English.
    pub name: &'static str,
    /// The ISO 639-1 code. Every language of the RFC has one.
    pub code: &'static str,
}

impl Scheme {
    /// Every scheme, in the order of the RFC.
    pub const ALL: &'static [Scheme] = &SCHEMES;

    /// The scheme that `spelled` (without the colon) spells: percent-encoded, as UTF-8, or partly so, in either
    /// case.
    ///
    /// Source: RFC 2324 §3; RFC 3986 §3.1 for the case. Departure: RFC 3986 does not encode schemes at all.
    pub fn find(spelled: &[u8]) -> Option<&'static Scheme> {
        if spelled.eq_ignore_ascii_case(COFFEE.spelling.as_bytes()) {
            return Some(&COFFEE);
        }
        let word = Word::decode(spelled)?;
        Scheme::ALL.iter().find(|scheme| scheme.is(word.as_bytes()))
    }

    /// Every decoded form that is read as this scheme, [`spelling`](Self::spelling) first; not all are UTF-8.
    pub fn forms(&self) -> impl Iterator<Item = &'static [u8]> {
        [self.spelling.as_bytes()].into_iter().chain(self.also.iter().copied())
    }

    fn is(&self, word: &[u8]) -> bool {
        self.forms().any(|form| same_word(word, form))
    }
}

/// The longest spelling, decoded: Hindi, Japanese and Thai have four letters of three bytes.
pub const LONGEST_BYTES: usize = 12;

/// The scheme of `target`, its spelling, and what follows its colon.
fn split_scheme(target: &[u8]) -> Option<(&'static Scheme, &[u8], &[u8])> {
    if !may_begin_scheme(*target.first()?) {
        return None;
    }
    let colon = target.iter().take(3 * LONGEST_BYTES + 1).position(|byte| *byte == b':')?;
    let (spelled, rest) = target.split_at(colon);
    Some((Scheme::find(spelled)?, spelled, &rest[1..]))
}

fn may_begin_scheme(byte: u8) -> bool {
    matches!(byte.to_ascii_lowercase(), b'a' | b'c' | b'k' | b'q' | b'%' | 0x80..)
}

/// What stands before the first `separator`, and what after it.
fn cut(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == separator) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, b""),
    }
}

fn present(part: &[u8]) -> Option<&[u8]> {
    (!part.is_empty()).then_some(part)
}

/// The same letters, whatever their case.
///
/// Equal lengths keep out letters that only fold to the same one, such as the Kelvin sign to k.
fn same_word(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // No letter beyond ASCII folds to as many ASCII letters as it has bytes. Most words need nothing else.
    if a.is_ascii() || b.is_ascii() {
        return a.eq_ignore_ascii_case(b);
    }
    match (str::from_utf8(a), str::from_utf8(b)) {
        (Ok(a), Ok(b)) => lower(a).eq(lower(b)),
        _ => a.eq_ignore_ascii_case(b),
    }
}

fn lower(word: &str) -> impl Iterator<Item = char> + '_ {
    word.chars().flat_map(char::to_lowercase)
}

/// A decoded word, short enough to be a scheme.
struct Word {
    bytes: [u8; LONGEST_BYTES],
    len: usize,
}

impl Word {
    /// The bytes with every `%XX` decoded, once; a `%` without two digits stands for itself (RFC 3986 §2.1).
    fn decode(mut encoded: &[u8]) -> Option<Word> {
        let mut word = Word { bytes: [0; LONGEST_BYTES], len: 0 };
        while let [first, rest @ ..] = encoded {
            let (byte, rest) = match percent_triplet(encoded) {
                Some(byte) => (byte, &encoded[3..]),
                None => (*first, rest),
            };
            *word.bytes.get_mut(word.len)? = byte;
            word.len += 1;
            encoded = rest;
        }
        Some(word)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn percent_triplet(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

const fn scheme(printed: &'static str, spelling: &'static str, languages: &'static [Language]) -> Scheme {
    Scheme { printed, spelling, languages, also: &[] }
}

const fn language(name: &'static str, code: &'static str) -> Language {
    Language { name, code }
}

/// What nearly everybody asks for.
const COFFEE: Scheme = scheme("coffee", "coffee", &[language("English", "en")]);

static SCHEMES: [Scheme; 23] = [
    scheme("koffie", "koffie", &[language("Afrikaans", "af"), language("Dutch", "nl")]),
    scheme("q%C3%A6hv%C3%A6", "qæhvæ", &[language("Azerbaijani", "az")]),
    scheme("%D9%82%D9%87%D9%88%D8%A9", "قهوة", &[language("Arabic", "ar")]),
    scheme("akeita", "akeita", &[language("Basque", "eu")]),
    scheme("koffee", "koffee", &[language("Bengali", "bn")]),
    scheme("kahva", "kahva", &[language("Bosnian", "bs")]),
    scheme("kafe", "kafe", &[language("Bulgarian", "bg"), language("Czech", "cs")]),
    // The printed form is not UTF-8: é is %C3%A9 and è is %C3%A8. The RFC's own bytes and both letters are read.
    Scheme {
        printed: "caf%C3%E8",
        spelling: "café",
        languages: &[language("Catalan", "ca"), language("French", "fr"), language("Galician", "gl")],
        also: &["cafè".as_bytes(), b"caf\xC3\xE8"],
    },
    scheme("%E5%92%96%E5%95%A1", "咖啡", &[language("Chinese", "zh")]),
    scheme("kava", "kava", &[language("Croatian", "hr")]),
    scheme("k%C3%A1va", "káva", &[language("Czech", "cs")]),
    scheme("kaffe", "kaffe", &[language("Danish", "da"), language("Norwegian", "no"), language("Swedish", "sv")]),
    COFFEE,
    scheme("kafo", "kafo", &[language("Esperanto", "eo")]),
    scheme("kohv", "kohv", &[language("Estonian", "et")]),
    scheme("kahvi", "kahvi", &[language("Finnish", "fi")]),
    // German nouns keep their capital, and a scheme only keeps it encoded.
    scheme("%4Baffee", "Kaffee", &[language("German", "de")]),
    scheme("%CE%BA%CE%B1%CF%86%CE%AD", "καφέ", &[language("Greek", "el")]),
    scheme("%E0%A4%95%E0%A5%8C%E0%A4%AB%E0%A5%80", "कौफी", &[language("Hindi", "hi")]),
    scheme("%E3%82%B3%E3%83%BC%E3%83%92%E3%83%BC", "コーヒー", &[language("Japanese", "ja")]),
    scheme("%EC%BB%A4%ED%94%BC", "커피", &[language("Korean", "ko")]),
    scheme("%D0%BA%D0%BE%D1%84%D0%B5", "кофе", &[language("Russian", "ru")]),
    scheme("%E0%B8%81%E0%B8%B2%E0%B9%81%E0%B8%9F", "กาแฟ", &[language("Thai", "th")]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation;

    type Parts<'a> = (&'a str, Option<&'a str>, Option<&'a str>, Option<&'a str>);

    #[track_caller]
    fn check(target: impl AsRef<[u8]>, expected: Option<Parts<'_>>) {
        let target = target.as_ref();
        let text = |part: Option<&[u8]>| part.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let found = CoffeeUri::parse(target).map(|uri| (uri.scheme.spelling, text(uri.host), text(uri.pot), text(uri.additions)));
        let expected = expected
            .map(|(scheme, host, pot, additions)| (scheme, host.map(str::to_owned), pot.map(str::to_owned), additions.map(str::to_owned)));
        assert_eq!(found, expected, "{}", target.escape_ascii());
        assert_eq!(has_coffee_scheme(target), expected.is_some());
    }

    #[test]
    fn parts_follow_the_grammar() {
        let ducky = Some("ducky");
        check("coffee:", Some(("coffee", None, None, None)));
        check("coffee://ducky", Some(("coffee", ducky, None, None)));
        check("coffee://ducky/", Some(("coffee", ducky, None, None)));
        check("coffee:/pot-1", Some(("coffee", None, Some("pot-1"), None)));
        check("coffee:pot-1", Some(("coffee", None, Some("pot-1"), None)));
        check("coffee:///pot-1", Some(("coffee", None, Some("pot-1"), None)));
        check("coffee:?cream", Some(("coffee", None, None, Some("cream"))));
        check("coffee://ducky?a/b?c", Some(("coffee", ducky, None, Some("a/b?c"))));
        check("koffie://ducky/pot-0?#Almond;2#Vanilla;5", Some(("koffie", ducky, Some("pot-0"), Some("#Almond;2#Vanilla;5"))));
        check("coffee://ducky:5030", Some(("coffee", Some("ducky:5030"), None, None)));
    }

    #[test]
    fn other_targets_are_not_coffee() {
        for target in [
            "",
            "/",
            "*",
            "pot-1",
            "/pot-1",
            "/coffee:",
            "http://ducky/",
            "https://ducky/",
            "caffeine://ducky",
            "coffee",
            "coffee//ducky",
            "tea://ducky",
            "/earl-grey",
            ":",
            "%",
            "%4",
            "%%%:",
            "coffees:",
            "kaf:",
            "%254Baffee:",
            "\u{212a}affee:",
            "kaffffffffffffffffffffffffffffffffffffffffffffffffffffffe:",
        ] {
            check(target, None);
        }
    }

    #[test]
    fn the_scheme_of_the_rfc_cafe_is_not_utf8_and_is_read_all_the_same() {
        for cafe in ["caf%C3%E8:", "caf%C3%A9:", "CAF%c3%a8:", "café:", "cafè:", "CAFÉ:", "c%61fé:"] {
            check(cafe, Some(("café", None, None, None)));
        }
        check(b"caf\xC3\xE8:", Some(("café", None, None, None)));
        check("cafe:", None);
    }

    #[test]
    fn the_german_capital_may_be_encoded_or_not() {
        for kaffee in ["%4Baffee:", "%4baffee:", "kaffee:", "Kaffee:", "%6Baffee:", "KAFFEE:"] {
            check(kaffee, Some(("Kaffee", None, None, None)));
        }
    }

    #[test]
    fn every_scheme_is_read_in_every_form() {
        for scheme in Scheme::ALL {
            let word = scheme.spelling;
            let encoded: String = word.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let first_encoded = [&encoded.as_bytes()[..3], &word.as_bytes()[1..]].concat();
            let forms = [
                scheme.printed.into(),
                scheme.printed.to_lowercase().into_bytes(),
                scheme.printed.to_uppercase().into_bytes(),
                word.into(),
                word.to_uppercase().into_bytes(),
                encoded.into_bytes(),
                first_encoded,
            ];
            for form in forms {
                let target = [&form, &b"://ducky"[..]].concat();
                check(target, Some((word, Some("ducky"), None, None)));
            }
        }
    }

    #[test]
    fn the_table_is_the_one_of_the_rfc() {
        let longest = Scheme::ALL.iter().map(|scheme| scheme.spelling.len()).max();
        assert_eq!(longest, Some(LONGEST_BYTES));
        let languages = Scheme::ALL.iter().flat_map(|scheme| scheme.languages);
        assert_eq!(languages.clone().count(), 29);
        assert!(languages.clone().all(|language| language.code.len() == 2));
        for scheme in Scheme::ALL {
            assert!(Scheme::find(scheme.printed.as_bytes()).is_some_and(|found| found == scheme));
        }
    }

    #[test]
    fn pots_are_numbered() {
        let number = |target: &'static str| CoffeeUri::parse(target.as_bytes())?.pot_number();
        assert_eq!(number("coffee://ducky/pot-0"), Some(0));
        assert_eq!(number("coffee://ducky/pot-17?cream"), Some(17));
        for none in ["", "/", "/pot-", "/pot-x", "/pot--1", "/pot-+1", "/pot-99999999999", "/Pot-1", "/pot-1/x"] {
            let target = format!("coffee://ducky{none}");
            let uri = CoffeeUri::parse(target.as_bytes()).expect("the test gives coffee URIs");
            assert_eq!(uri.pot_number(), None, "{none}");
        }
    }

    #[test]
    fn damaged_targets_do_not_panic() {
        for sample in ["caf%C3%E8://ducky/pot-1?cream;1", "コーヒー:/pot-2", "%4Baffee:"] {
            mutation::each(sample.as_bytes(), |target| {
                let uri = CoffeeUri::parse(target);
                assert_eq!(uri.is_some(), has_coffee_scheme(target));
                uri.and_then(|uri| uri.pot_number());
            });
        }
    }
}
