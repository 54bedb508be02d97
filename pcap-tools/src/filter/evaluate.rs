//! Evaluation: a tree of tests and the facts of a frame in, yes or no out.

use std::cmp::Ordering;

use super::parser::{End, Function, How, Node, Operand, Piece, Quantifier, Relation, Test};
use super::value::{Constant, Value, order};

/// A frame, as a filter sees it.
pub(super) trait Facts<F> {
    /// Shows every value that a field has there.
    fn each(&self, field: F, visit: &mut dyn FnMut(Value<'_>));
}

/// Whether a frame passes.
pub(super) fn passes<F: Copy>(node: &Node<F>, facts: &impl Facts<F>) -> bool {
    match node {
        Node::And(nodes) => nodes.iter().all(|node| passes(node, facts)),
        Node::Or(nodes) => nodes.iter().any(|node| passes(node, facts)),
        Node::Not(node) => !passes(node, facts),
        Node::Test(test) => test.passes(facts),
    }
}

impl<F: Copy> Test<F> {
    /// A field that a frame does not have passes no test.
    fn passes(&self, facts: &impl Facts<F>) -> bool {
        let (mut any, mut all, mut there) = (false, true, false);
        each(&self.left, facts, &mut |value| {
            there = true;
            // Further values change nothing any more.
            let decided = match self.quantifier {
                Quantifier::Any => any,
                Quantifier::All => !all,
            };
            if !decided {
                let passes = self.how.passes(value, self.quantifier, facts);
                any |= passes;
                all &= passes;
            }
        });
        match self.quantifier {
            Quantifier::Any => any,
            Quantifier::All => there && all,
        }
    }
}

impl<F: Copy> How<F> {
    fn passes(&self, value: Value<'_>, quantifier: Quantifier, facts: &impl Facts<F>) -> bool {
        match self {
            Self::Present => true,
            Self::NonZero => !matches!(value, Value::Number(0)),
            Self::Order(relation, constant) => constant.order(value).is_some_and(|order| relation.holds(order)),
            Self::OrderOf(relation, right) => {
                let (mut any, mut all, mut there) = (false, true, false);
                each(right, facts, &mut |right| {
                    let passes = compare(value, right).is_some_and(|order| relation.holds(order));
                    there = true;
                    any |= passes;
                    all &= passes;
                });
                match quantifier {
                    Quantifier::Any => any,
                    Quantifier::All => there && all,
                }
            }
            Self::In(ranges) => ranges.iter().any(|(first, last)| within(value, first, last)),
            Self::Contains(finder) => value.with_bytes(|bytes| finder.find(bytes).is_some()).unwrap_or(false),
            Self::Matches(regex) => value.with_bytes(|bytes| regex.is_match(bytes)).unwrap_or(false),
        }
    }
}

fn within(value: Value<'_>, first: &Constant, last: &Constant) -> bool {
    first.order(value).is_some_and(|order| order != Ordering::Less) && last.order(value).is_some_and(|order| order != Ordering::Greater)
}

/// How the values of two fields compare: bytes with bytes, whatever they stand for.
fn compare(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    order(left, right).or_else(|| left.with_bytes(|left| right.with_bytes(|right| left.cmp(right))).flatten())
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order == Ordering::Equal,
            Self::NotEqual => order != Ordering::Equal,
            Self::Greater => order == Ordering::Greater,
            Self::Less => order == Ordering::Less,
            Self::GreaterOrEqual => order != Ordering::Less,
            Self::LessOrEqual => order != Ordering::Greater,
        }
    }
}

/// Shows every value of an operand.
fn each<F: Copy>(operand: &Operand<F>, facts: &impl Facts<F>, visit: &mut dyn FnMut(Value<'_>)) {
    match operand {
        Operand::Field(field, _) => facts.each(*field, visit),
        Operand::Masked(operand, mask) => each(operand, facts, &mut |value| {
            if let Value::Number(number) = value {
                visit(Value::Number(number & mask));
            }
        }),
        Operand::Slice(operand, pieces) => each(operand, facts, &mut |value| {
            value.with_bytes(|bytes| match &pieces[..] {
                [piece] => {
                    if let Some(bytes) = cut(bytes, *piece) {
                        visit(Value::Bytes(bytes));
                    }
                }
                pieces => {
                    let cuts: Option<Vec<&[u8]>> = pieces.iter().map(|piece| cut(bytes, *piece)).collect();
                    if let Some(cuts) = cuts {
                        visit(Value::Bytes(&cuts.concat()));
                    }
                }
            });
        }),
        Operand::Call(Function::Len, operand) => each(operand, facts, &mut |value| {
            value.with_bytes(|bytes| visit(Value::Number(bytes.len() as i128)));
        }),
        Operand::Call(Function::Count, operand) => {
            let mut count = 0;
            each(operand, facts, &mut |_| count += 1);
            if count > 0 {
                visit(Value::Number(count));
            }
        }
        Operand::Call(function @ (Function::Upper | Function::Lower), operand) => each(operand, facts, &mut |value| {
            let upper = *function == Function::Upper;
            value.with_bytes(|bytes| visit(Value::Bytes(&if upper { bytes.to_ascii_uppercase() } else { bytes.to_ascii_lowercase() })));
        }),
    }
}

/// A piece of bytes; `None` if it does not lie within them.
fn cut(bytes: &[u8], piece: Piece) -> Option<&[u8]> {
    let place = |at: i64| usize::try_from(if at < 0 { bytes.len() as i64 + at } else { at }).ok();
    let start = place(piece.start)?;
    let end = match piece.end {
        End::Len(len) => start.checked_add(usize::try_from(len).ok()?)?,
        End::Last(last) => place(last)? + 1,
        End::Open => bytes.len(),
    };
    bytes.get(start..end)
}
