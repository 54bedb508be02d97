//! Words that the answers share: lists, counts, quotes.

use crate::exchange::Exchange;
use crate::message::{Message, text};

/// Bytes of a quote.
const MAX_QUOTE: usize = 300;
/// Numbers that a sentence lists.
const MAX_LISTED: usize = 20;

/// Bytes of the capture as text, not too many; without backticks, which end quotes.
pub(super) fn quoted_text(bytes: &[u8]) -> String {
    let shown = text(&bytes[..bytes.len().min(MAX_QUOTE)]).replace('`', "'");
    if bytes.len() > MAX_QUOTE { shown + "…" } else { shown }
}

/// `"1, 2 and 3"`; of many, the first ones.
pub(super) fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    let more = items.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        items.truncate(MAX_LISTED);
        items.push(format!("{more} more"));
    }
    match &items[..] {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// `"1 request"`, `"2 requests"`, `"no requests"`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// A start line in quotes.
pub(super) fn start_line(message: &Message) -> String {
    format!("`{}`", quoted_text(message.head.start_line()))
}

/// Where a message is: its completing frame and, if another one, that of its first byte.
pub(super) fn place(message: &Message) -> String {
    match (message.first.frame, message.last.frame) {
        (first, last) if first == last => format!("frame {last}"),
        (first, last) => format!("frame {last} (begins in frame {first})"),
    }
}

/// The frames of a message's first and last byte.
pub(super) fn frames(message: &Message) -> Vec<u64> {
    let mut frames = vec![message.first.frame, message.last.frame];
    frames.dedup();
    frames
}

/// `"5 → 21"`, with a dash for what was not captured.
pub(super) fn arrow(exchange: &Exchange) -> String {
    let [request, response] = super::pair(exchange).map(|frame| frame.map_or("–".to_owned(), |frame| frame.to_string()));
    format!("{request} → {response}")
}

/// The frames that are there of an exchange's two.
pub(super) fn both(exchange: &Exchange) -> impl Iterator<Item = u64> {
    super::pair(exchange).into_iter().flatten()
}
