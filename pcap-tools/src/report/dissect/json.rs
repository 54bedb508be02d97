//! JSON (`tshark -T json --no-duplicate-keys`): an array with an object for each frame, whose fields are its keys.
//!
//! Where several items beside each other have one name, its value is an array. What hangs on an item with a value is
//! under the same name with `_tree` behind it. Values are the texts that `tshark -T fields` shows, but for booleans.

use dissector_lua::host::View;
use dissector_lua::host::field::Kind;
use dissector_lua::host::item::Item;
use dissector_lua::host::value::Value;

use super::{Format, name};
use crate::time::Time;

/// Trees as JSON.
#[derive(Debug, Default)]
pub struct Json {
    frames: u64,
}

impl Format for Json {
    fn begin(&self, out: &mut String) {
        out.push('[');
    }

    fn frame(&mut self, view: View<'_>, out: &mut String) {
        out.push_str(if self.frames == 0 { "\n  " } else { ",\n  " });
        self.frames += 1;
        let mut pen = Pen { out, depth: 1 };
        pen.object(|pen| {
            pen.key("_index");
            let day = view.packet.time.map_or(String::new(), |nanos| Time::from(nanos).to_string());
            pen.string(&format!("packets-{}", day.get(..10).unwrap_or_default()));
            pen.key("_type");
            pen.string("doc");
            pen.key("_score");
            pen.out.push_str("null");
            pen.key("_source");
            pen.object(|pen| {
                pen.key("layers");
                pen.items(view.protocols().collect());
            });
        });
    }

    fn end(&self) -> &'static str {
        if self.frames == 0 { "]\n" } else { "\n]\n" }
    }
}

/// Writes indented JSON.
struct Pen<'a> {
    out: &'a mut String,
    depth: usize,
}

impl Pen<'_> {
    fn line(&mut self) {
        self.out.push('\n');
        (0..self.depth).for_each(|_| self.out.push_str("  "));
    }

    fn string(&mut self, text: &str) {
        self.out.push_str(&serde_json::to_string(text).expect("a text is JSON"));
    }

    /// What is inside writes each of its parts behind [`key`](Self::key) or [`element`](Self::element).
    fn within(&mut self, open: char, close: char, inside: impl FnOnce(&mut Self)) {
        self.out.push(open);
        let before = self.out.len();
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        if self.out.len() > before {
            self.line();
        }
        self.out.push(close);
    }

    fn object(&mut self, inside: impl FnOnce(&mut Self)) {
        self.within('{', '}', inside);
    }

    fn element(&mut self) {
        if !self.out.ends_with(['[', '{']) {
            self.out.push(',');
        }
        self.line();
    }

    fn key(&mut self, key: &str) {
        self.element();
        self.string(key);
        self.out.push_str(": ");
    }

    /// One value, or an array of several.
    fn values<'i>(&mut self, items: &[Item<'i>], mut value: impl FnMut(&mut Self, Item<'i>)) {
        if let [item] = items {
            return value(self, *item);
        }
        self.within('[', ']', |pen| {
            for item in items {
                pen.element();
                value(pen, *item);
            }
        });
    }

    fn items(&mut self, items: Vec<Item<'_>>) {
        self.object(|pen| grouped(items).into_iter().for_each(|(key, items)| pen.group(&key, &items)));
    }

    /// The items of one name beside each other; the first tells what they are like.
    fn group(&mut self, key: &str, items: &[Item<'_>]) {
        let has_values = items[0].field().is_some_and(|field| !matches!(field.kind, Kind::None | Kind::Protocol));
        if has_values {
            self.key(key);
            self.values(items, |pen, item| match (item.field().map(|field| field.kind), item.value()) {
                (Some(Kind::Boolean), Value::Unsigned(number)) => pen.string(if number == 0 { "0" } else { "1" }),
                _ => pen.string(&item.show()),
            });
        }
        if items.iter().any(|item| item.children().next().is_some()) {
            self.key(&if has_values { format!("{key}_tree") } else { key.to_owned() });
            self.values(items, |pen, item| {
                let children: Vec<_> = item.children().collect();
                if children.is_empty() { pen.bare(item) } else { pen.items(children) }
            });
        } else if !has_values {
            self.key(key);
            self.values(items, Self::bare);
        }
    }

    /// An item without a value and with nothing below it.
    fn bare(&mut self, item: Item<'_>) {
        let is_protocol = item.field().is_some_and(|field| field.kind == Kind::Protocol);
        let text = if is_protocol { item.plain_label() } else { String::new() };
        self.string(&text);
    }
}

/// Items by their names, in the order in which the names first come.
fn grouped(items: Vec<Item<'_>>) -> Vec<(String, Vec<Item<'_>>)> {
    let mut groups: Vec<(String, Vec<Item<'_>>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for item in items {
        let key = if item.field().is_some() { name(item).into() } else { item.plain_label() };
        let place = *places.entry(key.clone()).or_insert_with(|| {
            groups.push((key, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(item);
    }
    groups
}
