//! The language: tokens in, a tree of tests on typed fields out.
//!
//! Source: the Wireshark User's Guide, §6.4, and wireshark-filter(4) of Wireshark 4.0. Left out of it: arithmetic,
//! field references (`${…}`), layers (`ip.addr#2`), and the functions beside `len`, `count`, `upper` and `lower`.

use std::ops::Range;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

use super::Error;
use super::lexer::{Kind, Token, tokens};
use super::value::{self, Constant, Type};

/// Brackets and negations inside of each other.
const MAX_DEPTH: u32 = 200;

/// The names that a filter may use.
pub(super) trait Fields {
    /// What a compiled filter remembers a field by.
    type Field: Copy + std::fmt::Debug;

    /// The field of that name, and what kind of values it has.
    fn find(&self, name: &str) -> Option<(Self::Field, Type)>;

    /// The number that a field calls by that name.
    fn number_called(&self, _field: Self::Field, _name: &str) -> Option<i128> {
        None
    }

    /// Why there is no field of that name; best with one that is like it.
    fn unknown(&self, name: &str) -> String;
}

/// What a filter asks of a frame; `F` is what remembers a field.
#[derive(Clone, Debug)]
pub(super) enum Node<F> {
    And(Vec<Node<F>>),
    Or(Vec<Node<F>>),
    Not(Box<Node<F>>),
    Test(Test<F>),
}

/// One comparison.
#[derive(Clone, Debug)]
pub(super) struct Test<F> {
    pub left: Operand<F>,
    pub quantifier: Quantifier,
    pub how: How<F>,
}

/// How many of a field's values have to pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quantifier {
    Any,
    All,
}

/// What the values have to be.
#[derive(Clone, Debug)]
pub(super) enum How<F> {
    /// There.
    Present,
    /// Not zero.
    NonZero,
    /// Equal to a constant, less, …
    Order(Relation, Constant),
    /// The same of another field's values.
    OrderOf(Relation, Operand<F>),
    /// In one of these ranges, ends included; an end for itself is a range of one.
    In(Vec<(Constant, Constant)>),
    /// With these bytes inside.
    Contains(Box<Finder<'static>>),
    /// Like this.
    Matches(Regex),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

/// Where values come from.
#[derive(Clone, Debug)]
pub(super) enum Operand<F> {
    Field(F, Type),
    Slice(Box<Operand<F>>, Vec<Piece>),
    Masked(Box<Operand<F>>, i128),
    Call(Function, Box<Operand<F>>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Function {
    Len,
    Count,
    Upper,
    Lower,
}

/// A piece of a value's bytes; negative places count from the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub start: i64,
    pub end: End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// So many bytes.
    Len(i64),
    /// The byte there is the last.
    Last(i64),
    /// As many as there are.
    Open,
}

impl<F: Copy> Operand<F> {
    fn kind(&self) -> Type {
        match self {
            Self::Field(_, kind) => *kind,
            Self::Slice(..) => Type::Bytes,
            Self::Masked(operand, _) => operand.kind(),
            Self::Call(Function::Len | Function::Count, _) => Type::Unsigned(32),
            Self::Call(Function::Upper | Function::Lower, _) => Type::Text,
        }
    }

    /// The field that it is, whose numbers may have names.
    fn named(&self) -> Option<F> {
        match self {
            Self::Field(field, _) => Some(*field),
            Self::Slice(..) | Self::Masked(..) | Self::Call(..) => None,
        }
    }

    /// The field that it begins with.
    pub fn field(&self) -> F {
        match self {
            Self::Field(field, _) => *field,
            Self::Slice(operand, _) | Self::Masked(operand, _) | Self::Call(_, operand) => operand.field(),
        }
    }
}

impl<F: Copy> Node<F> {
    /// Shows every field that is asked for.
    pub fn each_field(&self, visit: &mut dyn FnMut(F)) {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|node| node.each_field(visit)),
            Self::Not(node) => node.each_field(visit),
            Self::Test(test) => {
                visit(test.left.field());
                if let How::OrderOf(_, right) = &test.how {
                    visit(right.field());
                }
            }
        }
    }
}

/// Reads a filter; an empty one has no test.
pub(super) fn parse<T: Fields>(text: &str, fields: &T) -> Result<Option<Node<T::Field>>, Error> {
    let mut parser = Parser { text, fields, tokens: tokens(text)?, at: 0, depth: 0 };
    if parser.peek().kind == Kind::End {
        return Ok(None);
    }
    let node = parser.or()?;
    match parser.peek().kind {
        Kind::End => Ok(Some(node)),
        _ => Err(parser.unexpected("\"and\", \"or\" or the end")),
    }
}

struct Parser<'a, T> {
    text: &'a str,
    fields: &'a T,
    tokens: Vec<Token>,
    at: usize,
    depth: u32,
}

/// What is between two operands.
enum Between {
    Relation(Relation, Quantifier),
    Contains,
    Matches,
    In,
    NotIn,
}

impl<T: Fields> Parser<'_, T> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek().kind, Kind::Sign(other) if other == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(other) if other.eq_ignore_ascii_case(word))
    }

    /// Steps over one of these, if it comes next.
    fn take(&mut self, sign: &str, word: &str) -> bool {
        let taken = self.is_sign(sign) || self.is_word(word);
        self.at += usize::from(taken);
        taken
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>) -> Error {
        Error::new(self.text, span, message)
    }

    fn unexpected(&self, expected: &str) -> Error {
        let token = self.peek();
        let found = match token.kind {
            Kind::End => "the filter ends".to_owned(),
            _ => format!("\"{}\" stands", &self.text[token.span.clone()]),
        };
        self.error(token.span.clone(), format!("{found} where {expected} was expected"))
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Error> {
        if self.is_sign(sign) {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected(&format!("\"{sign}\"")))
    }

    fn or(&mut self) -> Result<Node<T::Field>, Error> {
        let mut nodes = vec![self.and()?];
        while self.take("||", "or") {
            nodes.push(self.and()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Or(nodes) })
    }

    fn and(&mut self) -> Result<Node<T::Field>, Error> {
        let mut nodes = vec![self.not()?];
        while self.take("&&", "and") {
            nodes.push(self.not()?);
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::And(nodes) })
    }

    fn not(&mut self) -> Result<Node<T::Field>, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(self.peek().span.clone(), "this filter is nested too deeply"));
        }
        let node = if self.take("!", "not") {
            Node::Not(Box::new(self.not()?))
        } else if self.is_sign("(") {
            self.at += 1;
            let node = self.or()?;
            self.expect(")")?;
            node
        } else {
            self.relation()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn relation(&mut self) -> Result<Node<T::Field>, Error> {
        let quantifier = if self.take("", "any") {
            Some(Quantifier::Any)
        } else if self.take("", "all") {
            Some(Quantifier::All)
        } else {
            None
        };
        let begin = self.peek().span.start;
        let left = self.operand()?;
        let span = begin..self.tokens[self.at - 1].span.end;
        let sign = self.peek().span.clone();
        let Some(between) = self.between() else {
            if quantifier.is_some() {
                return Err(self.unexpected("a comparison"));
            }
            let how = if matches!(left, Operand::Masked(..)) { How::NonZero } else { How::Present };
            return Ok(Node::Test(Test { left, quantifier: Quantifier::Any, how }));
        };
        let kind = left.kind();
        if kind == Type::Presence {
            let name = &self.text[span.clone()];
            return Err(self.error(span.clone(), format!("\"{name}\" has no values to compare: it is there or not")));
        }
        let (default, how) = match between {
            Between::Relation(relation, quantifier) => (quantifier, self.right(&left, relation)?),
            Between::In => (Quantifier::Any, How::In(self.set(&left)?)),
            Between::NotIn => {
                let how = How::In(self.set(&left)?);
                let quantifier = quantifier.unwrap_or(Quantifier::Any);
                return Ok(Node::Not(Box::new(Node::Test(Test { left, quantifier, how }))));
            }
            Between::Contains | Between::Matches if !kind.has_bytes() => {
                let verb = &self.text[sign.clone()];
                return Err(self.error(sign, format!("\"{verb}\" looks into text or bytes, and this is {}", kind.describe())));
            }
            Between::Contains => {
                let kind = if kind == Type::Text { Type::Text } else { Type::Bytes };
                match self.constant(kind, None)? {
                    Constant::Bytes(bytes) => (Quantifier::Any, How::Contains(Box::new(Finder::new(&bytes).into_owned()))),
                    _ => unreachable!("constants of text and bytes are bytes"),
                }
            }
            Between::Matches => (Quantifier::Any, How::Matches(self.regex()?)),
        };
        Ok(Node::Test(Test { left, quantifier: quantifier.unwrap_or(default), how }))
    }

    /// The operator, if one comes next. Without a quantifier, every value has to differ for `!=`, and any one may
    /// pass for the others.
    fn between(&mut self) -> Option<Between> {
        use Quantifier::{All, Any};
        let name = match &self.peek().kind {
            Kind::Sign(sign) => (*sign).to_owned(),
            Kind::Word(word) => word.to_ascii_lowercase(),
            _ => return None,
        };
        let between = match name.as_str() {
            "==" | "eq" | "any_eq" => Between::Relation(Relation::Equal, Any),
            "!=" | "ne" | "all_ne" => Between::Relation(Relation::NotEqual, All),
            "===" | "all_eq" => Between::Relation(Relation::Equal, All),
            "!==" | "any_ne" | "~=" => Between::Relation(Relation::NotEqual, Any),
            ">" | "gt" => Between::Relation(Relation::Greater, Any),
            "<" | "lt" => Between::Relation(Relation::Less, Any),
            ">=" | "ge" => Between::Relation(Relation::GreaterOrEqual, Any),
            "<=" | "le" => Between::Relation(Relation::LessOrEqual, Any),
            "contains" => Between::Contains,
            "~" | "matches" => Between::Matches,
            "in" => Between::In,
            "not" => {
                let next = self.tokens.get(self.at + 1).map(|token| &token.kind);
                if !matches!(next, Some(Kind::Word(word)) if word.eq_ignore_ascii_case("in")) {
                    return None;
                }
                self.at += 1;
                Between::NotIn
            }
            _ => return None,
        };
        self.at += 1;
        Some(between)
    }

    /// A field, with what is done to it.
    fn operand(&mut self) -> Result<Operand<T::Field>, Error> {
        let token = self.next();
        let Kind::Word(word) = &token.kind else {
            self.at -= 1;
            return Err(self.unexpected("a field"));
        };
        let function = match word.to_ascii_lowercase().as_str() {
            "len" => Some(Function::Len),
            "count" => Some(Function::Count),
            "upper" => Some(Function::Upper),
            "lower" => Some(Function::Lower),
            _ => None,
        };
        let mut operand = match function {
            Some(function) if self.is_sign("(") => {
                self.at += 1;
                let inner = self.operand()?;
                self.expect(")")?;
                if function != Function::Count && !inner.kind().has_bytes() {
                    return Err(self.error(token.span, format!("\"{word}\" takes text or bytes, not {}", inner.kind().describe())));
                }
                Operand::Call(function, Box::new(inner))
            }
            _ => match self.fields.find(word) {
                Some((field, kind)) => Operand::Field(field, kind),
                None => return Err(self.error(token.span.clone(), self.fields.unknown(word))),
            },
        };
        if self.is_sign("[") {
            if !operand.kind().has_bytes() {
                return Err(self.error(self.peek().span.clone(), format!("{} has no pieces", operand.kind().describe())));
            }
            operand = Operand::Slice(Box::new(operand), self.slice()?);
        }
        if self.take("&", "bitand") || self.take("", "bitwise_and") {
            if !operand.kind().is_number() {
                return Err(self.error(token.span, format!("\"&\" takes numbers, not {}", operand.kind().describe())));
            }
            let mask = self.next();
            let number = match &mask.kind {
                Kind::Word(word) => value::number(word),
                _ => None,
            };
            let number = number.ok_or_else(|| self.error(mask.span, "a number was expected behind \"&\""))?;
            operand = Operand::Masked(Box::new(operand), number);
        }
        Ok(operand)
    }

    /// `[first:len]`, `[first-last]`, `[:len]`, `[first:]`, `[at]`, several with commas.
    fn slice(&mut self) -> Result<Vec<Piece>, Error> {
        self.expect("[")?;
        let mut pieces = Vec::new();
        loop {
            let start = if self.is_sign(":") { 0 } else { self.place()? };
            let end = if self.take(":", "") {
                if self.is_sign("]") || self.is_sign(",") { End::Open } else { End::Len(self.place()?) }
            } else if self.take("-", "") {
                End::Last(self.place()?)
            } else {
                End::Len(1)
            };
            pieces.push(Piece { start, end });
            if !self.take(",", "") {
                break;
            }
        }
        self.expect("]")?;
        Ok(pieces)
    }

    fn place(&mut self) -> Result<i64, Error> {
        let negative = self.take("-", "");
        let token = self.next();
        let number = match &token.kind {
            Kind::Word(word) => value::number(word).and_then(|number| i32::try_from(number).ok()),
            _ => None,
        };
        let number = number.ok_or_else(|| self.error(token.span, "a place in bytes was expected"))?;
        Ok(i64::from(if negative { -number } else { number }))
    }

    /// What stands behind a relation: another field, or a constant.
    fn right(&mut self, left: &Operand<T::Field>, relation: Relation) -> Result<How<T::Field>, Error> {
        let kind = left.kind();
        let token = self.peek().clone();
        if let Kind::Word(word) = &token.kind
            && (self.fields.find(word).is_some() || matches!(self.tokens.get(self.at + 1), Some(Token { kind: Kind::Sign("("), .. })))
        {
            let right = self.operand()?;
            let other = right.kind();
            let fits = kind == other || kind.is_number() && other.is_number() || kind.has_bytes() && other.has_bytes();
            if !fits {
                return Err(self.error(token.span, format!("{} cannot be compared with {}", kind.describe(), other.describe())));
            }
            return Ok(How::OrderOf(relation, right));
        }
        Ok(How::Order(relation, self.constant(kind, left.named())?))
    }

    /// A constant, which may be a number's name where it is compared with a field.
    fn constant(&mut self, kind: Type, field: Option<T::Field>) -> Result<Constant, Error> {
        let token = self.next();
        let name = match &token.kind {
            Kind::Word(word) => word.as_str(),
            Kind::Text(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
            _ => "",
        };
        let named =
            field.filter(|_| kind.is_number() && value::number(name).is_none()).and_then(|field| self.fields.number_called(field, name));
        if let Some(number) = named {
            return Ok(Constant::Number(number));
        }
        let constant = match &token.kind {
            Kind::Word(word) => value::constant(kind, word),
            Kind::Text(bytes) if matches!(kind, Type::Text | Type::Bytes | Type::Protocol) => Ok(Constant::Bytes(bytes.clone())),
            Kind::Text(bytes) => value::constant(kind, &String::from_utf8_lossy(bytes)),
            Kind::Char(byte) if kind.has_bytes() => Ok(Constant::Bytes(vec![*byte])),
            Kind::Char(byte) if kind.is_number() => Ok(Constant::Number(i128::from(*byte))),
            _ => {
                self.at -= 1;
                return Err(self.unexpected(&format!("{} to compare with", kind.describe())));
            }
        };
        constant.map_err(|message| self.error(token.span, message))
    }

    /// `{a, b..c}`
    fn set(&mut self, left: &Operand<T::Field>) -> Result<Vec<(Constant, Constant)>, Error> {
        self.expect("{")?;
        let mut ranges = Vec::new();
        while !self.is_sign("}") {
            let first = self.constant(left.kind(), left.named())?;
            let last = if self.take("..", "") { self.constant(left.kind(), left.named())? } else { first.clone() };
            ranges.push((first, last));
            // Blanks separated the elements before commas did.
            self.take(",", "");
        }
        if ranges.is_empty() {
            return Err(self.unexpected("at least one value"));
        }
        self.expect("}")?;
        Ok(ranges)
    }

    fn regex(&mut self) -> Result<Regex, Error> {
        let token = self.next();
        let pattern = match &token.kind {
            Kind::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Kind::Word(word) => word.clone(),
            _ => {
                self.at -= 1;
                return Err(self.unexpected("a regular expression in quotes"));
            }
        };
        RegexBuilder::new(&pattern).case_insensitive(true).unicode(false).build().map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.error(token.span, format!("this regular expression cannot be read: {reason}"))
        })
    }
}
