//! JSON (RFC 8259): objects, members and values, as far as they are well formed.

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::Kind;
use super::super::tree::NodeId;
use super::super::value::Value;
use super::field::{field, protocol};
use super::pen::Pen;

protocol! {
    /// Fields of JSON.
    Fields = "JavaScript Object Notation", "JSON", "json";
    object = field(if cfg!(feature = "lua54") { Kind::String } else { Kind::None }, "json.object", "Object");
    array = field(Kind::None, "json.array", "Array");
    member = field(Kind::String, "json.member", "Member");
    key = field(Kind::String, "json.key", "Key");
    path = field(Kind::String, "json.path", "Path");
    path_with_value = field(Kind::String, "json.path_with_value", "Path with value");
    member_with_value = field(Kind::String, "json.member_with_value", "Member with value");
    string = field(Kind::String, "json.value.string", "String value");
    number = field(Kind::String, "json.value.number", "Number value");
    truth = field(Kind::None, "json.value.true", "True value");
    falsehood = field(Kind::None, "json.value.false", "False value");
    null = field(Kind::None, "json.value.null", "Null value");
}

/// What is nested deeper is not looked at.
const MAX_DEPTH: usize = 100;

/// Shows a text of JSON.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let fields = &core.builtin().json;
    {
        let columns = &mut core.packet.borrow_mut().columns;
        columns.protocol.append("/JSON");
        columns.info.append(if cfg!(feature = "lua54") { ", JSON" } else { ", JavaScript Object Notation" });
    }
    let buffers = core.buffers.borrow();
    let bytes = buffers.bytes(tvb);
    let pen = &mut Pen::new(core, tvb);
    let item = pen.put(node, fields.item, 0, tvb.len, Value::Place);
    Reader { fields, bytes, at: 0 }.value(pen, item, "", MAX_DEPTH);
    Ok(tvb.len as usize)
}

struct Reader<'a> {
    fields: &'a Fields,
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn skip_blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    /// Whether the next byte is this one, which is then read.
    fn eat(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let there = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    /// A value; `None` if there is no well-formed one.
    fn value(&mut self, pen: &mut Pen<'_>, parent: NodeId, path: &str, depth: usize) -> Option<()> {
        self.skip_blanks();
        let from = self.at;
        match self.bytes.get(self.at)? {
            b'{' if depth > 0 => self.object(pen, parent, path, depth - 1),
            b'[' if depth > 0 => self.array(pen, parent, path, depth - 1),
            b'"' => {
                let text = self.string()?;
                self.with_value(pen, parent, path, from, &text);
                let item = pen.text(parent, self.fields.string, from as u32, (self.at - from) as u32, &text);
                pen.label(item, format_args!("String value: {text}"));
                Some(())
            }
            b'-' | b'0'..=b'9' => {
                let len =
                    self.bytes[from..].iter().take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')).count();
                self.at += len;
                let text = String::from_utf8_lossy(&self.bytes[from..self.at]).into_owned();
                self.with_value(pen, parent, path, from, &text);
                let item = pen.text(parent, self.fields.number, from as u32, len as u32, &text);
                pen.label(item, format_args!("Number value: {text}"));
                Some(())
            }
            _ => {
                let words = [("true", self.fields.truth), ("false", self.fields.falsehood), ("null", self.fields.null)];
                let (word, field) = words.into_iter().find(|(word, _)| self.bytes[from..].starts_with(word.as_bytes()))?;
                self.at += word.len();
                self.with_value(pen, parent, path, from, word);
                pen.put(parent, field, from as u32, word.len() as u32, Value::None);
                Some(())
            }
        }
    }

    /// The value that was just read, with where it is: in the whole text, and in what is next around it.
    fn with_value(&self, pen: &mut Pen<'_>, parent: NodeId, path: &str, from: usize, value: &str) {
        let Some((_, member)) = path.rsplit_once('/') else { return };
        for (field, place) in [(self.fields.path_with_value, path), (self.fields.member_with_value, member)] {
            let item = pen.text(parent, field, from as u32, (self.at - from) as u32, &format!("{place}:{value}"));
            pen.generated(item);
        }
    }

    fn object(&mut self, pen: &mut Pen<'_>, parent: NodeId, path: &str, depth: usize) -> Option<()> {
        let from = self.at;
        let object = pen.put(parent, self.fields.object, from as u32, 0, Value::None);
        let read = self.members(pen, object, path, depth);
        let len = (self.at.min(self.bytes.len()) - from) as u32;
        pen.lengthen(object, len);
        if cfg!(feature = "lua54") {
            let text = String::from_utf8_lossy(&self.bytes[from..from + len as usize]);
            pen.value(object, &text);
            pen.label(object, format_args!("Object"));
        }
        read
    }

    fn members(&mut self, pen: &mut Pen<'_>, object: NodeId, path: &str, depth: usize) -> Option<()> {
        self.at += 1;
        if self.eat(b'}') {
            return Some(());
        }
        loop {
            self.skip_blanks();
            let from = self.at;
            let key = self.string()?;
            let key_len = (self.at - from) as u32;
            if !self.eat(b':') {
                return None;
            }
            let member = pen.text(object, self.fields.member, from as u32, 0, &key);
            pen.label(member, format_args!("Member: {key}"));
            let path = format!("{path}/{key}");
            self.value(pen, member, &path, depth)?;
            pen.lengthen(member, (self.at - from) as u32);
            let shown = pen.text(member, self.fields.key, from as u32, key_len, &key);
            pen.label(shown, format_args!("Key: {key}"));
            let shown = pen.text(member, self.fields.path, from as u32, (self.at - from) as u32, &path);
            pen.generated(shown);
            if self.eat(b'}') {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn array(&mut self, pen: &mut Pen<'_>, parent: NodeId, path: &str, depth: usize) -> Option<()> {
        let from = self.at;
        let array = pen.put(parent, self.fields.array, from as u32, 0, Value::None);
        let read = self.elements(pen, array, path, depth);
        pen.lengthen(array, (self.at.min(self.bytes.len()) - from) as u32);
        read
    }

    fn elements(&mut self, pen: &mut Pen<'_>, array: NodeId, path: &str, depth: usize) -> Option<()> {
        self.at += 1;
        if self.eat(b']') {
            return Some(());
        }
        loop {
            self.value(pen, array, &format!("{path}/[]"), depth)?;
            if self.eat(b']') {
                return Some(());
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    /// A string without its quotes, escapes resolved where they are simple.
    fn string(&mut self) -> Option<String> {
        if self.bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let from = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = String::from_utf8_lossy(&self.bytes[from..self.at.min(self.bytes.len())]);
        Some(quoted.trim_matches('"').replace("\\\"", "\"").replace("\\/", "/").replace("\\\\", "\\"))
    }
}
