//! `ByteArray`: bytes that a script puts together.

use std::cell::Cell;

use mlua::{Lua, MetaMethod, Result, UserData, UserDataFields, UserDataMethods, Value};

use super::super::text;
use super::Api;
use super::argument::{bytes, integer, integer_or, text as text_argument, text_or, truth};
use super::class::function;
use super::data::{self, Class};
use super::failure::{bad, fail};
use super::int64::{Int64, UInt64};
use super::object::Class as Objects;
use super::tvb::{signed, unsigned};

/// What all arrays of a thread may hold: Lua's limit does not see it.
const MAX_HELD: usize = 256 << 20;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Bytes of a script's own.
#[derive(Debug, Default)]
pub(crate) struct ByteArray {
    bytes: Vec<u8>,
    /// What is counted of it.
    held: usize,
}

impl ByteArray {
    /// These bytes.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let mut array = Self { bytes, held: 0 };
        array.count();
        array
    }

    fn count(&mut self) {
        HELD.set(HELD.get() + self.bytes.len() - self.held);
        self.held = self.bytes.len();
    }
}

impl Clone for ByteArray {
    fn clone(&self) -> Self {
        Self::new(self.bytes.clone())
    }
}

impl Drop for ByteArray {
    fn drop(&mut self) {
        HELD.set(HELD.get() - self.held);
    }
}

impl PartialEq for ByteArray {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Class for ByteArray {
    const NAME: &'static str = "ByteArray";
    const METHODS: &'static [&'static str] = if cfg!(feature = "lua54") {
        &[
            "append",
            "base64_decode",
            "get_index",
            "int",
            "int64",
            "le_int",
            "le_int64",
            "le_uint",
            "le_uint64",
            "len",
            "prepend",
            "raw",
            "set_index",
            "set_size",
            "subset",
            "tohex",
            "tvb",
            "uint",
            "uint64",
        ]
    } else {
        &["append", "base64_decode", "get_index", "len", "prepend", "raw", "set_index", "set_size", "subset", "tohex", "tvb"]
    };
}

impl ByteArray {
    /// The bytes of a number at the arguments; `most` is what it takes at most.
    fn number(&self, lua: &Lua, offset: &Value, len: &Value, most: i64) -> Result<&[u8]> {
        let offset = integer_or(lua, 2, offset, 0)?;
        let len = integer_or(lua, 3, len, (self.bytes.len() as i64).saturating_sub(offset))?;
        if !(1..=most).contains(&len) {
            return Err(bad(lua, 3, "bad length"));
        }
        let range = usize::try_from(offset).ok().and_then(|from| self.bytes.get(from..from + len as usize));
        range.ok_or_else(|| fail(lua, "range out of bounds"))
    }

    fn index(&self, lua: &Lua, index: &Value) -> Result<usize> {
        let index = integer(lua, 2, index)?;
        usize::try_from(index).ok().filter(|index| *index < self.bytes.len()).ok_or_else(|| bad(lua, 2, "index out of range"))
    }

    fn part(&self, lua: &Lua, offset: &Value, len: &Value) -> Result<Self> {
        let (offset, len) = (integer(lua, 2, offset)?, integer(lua, 3, len)?);
        if offset < 0 || len < 1 || offset.saturating_add(len) > self.bytes.len() as i64 {
            return Err(fail(lua, "Out Of Bounds"));
        }
        grow(lua, len as usize)?;
        Ok(Self::new(self.bytes[offset as usize..(offset + len) as usize].to_vec()))
    }

    /// The numbers in it, which 4.0 does not have.
    fn add_numbers(methods: &mut impl UserDataMethods<Self>) {
        methods.add_method("uint", |lua, this, (at, len): (Value, Value)| Ok(unsigned(this.number(lua, &at, &len, 4)?, false)));
        methods.add_method("le_uint", |lua, this, (at, len): (Value, Value)| Ok(unsigned(this.number(lua, &at, &len, 4)?, true)));
        methods.add_method("int", |lua, this, (at, len): (Value, Value)| Ok(signed(this.number(lua, &at, &len, 4)?, false)));
        methods.add_method("le_int", |lua, this, (at, len): (Value, Value)| Ok(signed(this.number(lua, &at, &len, 4)?, true)));
        methods.add_method("uint64", |lua, this, (at, len): (Value, Value)| Ok(UInt64(unsigned(this.number(lua, &at, &len, 8)?, false))));
        methods.add_method("le_uint64", |lua, this, (at, len): (Value, Value)| Ok(UInt64(unsigned(this.number(lua, &at, &len, 8)?, true))));
        methods.add_method("int64", |lua, this, (at, len): (Value, Value)| Ok(Int64(signed(this.number(lua, &at, &len, 8)?, false))));
        methods.add_method("le_int64", |lua, this, (at, len): (Value, Value)| Ok(Int64(signed(this.number(lua, &at, &len, 8)?, true))));
    }
}

impl UserData for ByteArray {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        data::name::<Self>(fields);
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        data::no_others::<Self>(methods);
        methods.add_method("len", |_, this, ()| Ok(this.bytes.len()));
        methods.add_method_mut("append", |lua, this, other: Value| {
            let other = Self::argument(lua, 2, &other)?;
            grow(lua, other.bytes.len())?;
            this.bytes.extend_from_slice(&other.bytes);
            this.count();
            Ok(())
        });
        methods.add_method_mut("prepend", |lua, this, other: Value| {
            let other = Self::argument(lua, 2, &other)?;
            grow(lua, other.bytes.len())?;
            this.bytes.splice(0..0, other.bytes.iter().copied());
            this.count();
            Ok(())
        });
        methods.add_method_mut("set_size", |lua, this, size: Value| {
            let size = integer(lua, 2, &size)?;
            let Ok(size) = usize::try_from(size) else {
                return Err(fail(lua, "ByteArray_set_size: ByteArray size must be non-negative"));
            };
            grow(lua, size.saturating_sub(this.bytes.len()))?;
            this.bytes.resize(size, 0);
            this.count();
            Ok(())
        });
        methods.add_method("get_index", |lua, this, index: Value| Ok(this.bytes[this.index(lua, &index)?]));
        methods.add_method_mut("set_index", |lua, this, (index, value): (Value, Value)| {
            let index = this.index(lua, &index)?;
            this.bytes[index] = u8::try_from(integer(lua, 3, &value)?).map_err(|_| bad(lua, 3, "Byte out of range"))?;
            Ok(())
        });
        methods.add_method("subset", |lua, this, (offset, len): (Value, Value)| this.part(lua, &offset, &len));
        methods.add_meta_method(MetaMethod::Call, |lua, this, (offset, len): (Value, Value)| this.part(lua, &offset, &len));
        methods.add_method("raw", |lua, this, (offset, len): (Value, Value)| {
            let all = this.bytes.len() as i64;
            let offset = integer_or(lua, 2, &offset, 0)?;
            if offset < 0 || offset > all {
                return Err(bad(lua, 2, "ByteArray_raw: offset beyond end of byte array"));
            }
            let len = integer_or(lua, 3, &len, -1)?;
            let end = if len < 0 { all } else { offset.saturating_add(len).min(all) };
            lua.create_string(&this.bytes[offset as usize..end as usize])
        });
        methods.add_method("tohex", |lua, this, (lower, between): (Value, Value)| {
            let between = text_or(lua, 3, &between, "")?;
            room(lua, this.bytes.len(), 2 + between.len())?;
            let digits = this.bytes.iter().map(|byte| if truth(&lower) { format!("{byte:02x}") } else { format!("{byte:02X}") });
            Ok(digits.collect::<Vec<_>>().join(&between))
        });
        if cfg!(feature = "lua54") {
            Self::add_numbers(methods);
        }
        methods.add_method("base64_decode", |lua, this, ()| {
            grow(lua, this.bytes.len())?;
            Ok(Self::new(base64(&this.bytes, false)))
        });
        methods.add_method("tvb", |lua, this, name: Value| {
            let api = lua.app_data_ref::<std::rc::Rc<Api>>().expect("the API is there").clone();
            let name = text_or(lua, 2, &name, "Unnamed")?;
            if !api.in_dissector.get() {
                return Err(fail(lua, "Tvbs can only be created and used in dissectors"));
            }
            let tvb = api.core.buffers.borrow_mut().add(&name, &this.bytes, this.bytes.len() as u32);
            let tvb = tvb.ok_or_else(|| fail(lua, "not enough memory"))?;
            Ok(api.push(Objects::Tvb, tvb, 0).to_lua())
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(text::hex(&this.bytes, None, usize::MAX).to_uppercase()));
        methods.add_meta_function(MetaMethod::Concat, |lua, (left, right): (Value, Value)| {
            let mut joined = Self::argument(lua, 1, &left)?;
            let right = Self::argument(lua, 2, &right)?;
            grow(lua, right.bytes.len())?;
            joined.bytes.extend_from_slice(&right.bytes);
            joined.count();
            Ok(joined)
        });
        methods.add_meta_function(MetaMethod::Eq, |lua, (left, right): (Value, Value)| {
            Ok(Self::argument(lua, 1, &left)? == Self::argument(lua, 2, &right)?)
        });
    }
}

/// Makes room for more bytes, if there is some.
fn grow(lua: &Lua, by: usize) -> Result<()> {
    if HELD.get().saturating_add(by) > MAX_HELD {
        lua.gc_collect()?;
    }
    room(lua, HELD.get().saturating_add(by), 1)
}

/// Whether so many things of that size are no more than is made at once.
pub(crate) fn room(lua: &Lua, count: usize, len: usize) -> Result<()> {
    if count.saturating_mul(len) > MAX_HELD { Err(fail(lua, "not enough memory")) } else { Ok(()) }
}

/// The bytes of a text of hexadecimal digits, up to what is none; between two bytes stands one separator, or blanks.
fn digits(text: &str, separator: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [high, low, after @ ..] = rest {
        let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16)) else { break };
        bytes.push((high * 16 + low) as u8);
        let skipped = after.iter().take_while(|byte| separator.as_bytes().contains(byte)).count();
        rest = &after[skipped..];
    }
    bytes
}

/// The bytes of a text in base 64: whole groups of four digits only.
pub(crate) fn base64(text: &[u8], url_safe: bool) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' if url_safe => Some(62),
        b'_' if url_safe => Some(63),
        b'+' if !url_safe => Some(62),
        b'/' if !url_safe => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte == b'=' || value(*byte).is_some()).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks_exact(4) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 6 | u32::from(value(*byte).unwrap_or(0)));
        let padding = group.iter().filter(|byte| **byte == b'=').count().min(2);
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    bytes
}

/// Makes the class.
pub(crate) fn register(lua: &Lua, api: &std::rc::Rc<Api>) -> Result<()> {
    let table = data::table(lua, ByteArray::default())?;
    let new = function(lua, api, |_, lua, (written, form): (Value, Value)| {
        if written.is_nil() {
            return Ok(ByteArray::default());
        }
        if matches!(form, Value::Boolean(true)) {
            let bytes = bytes(lua, 1, &written)?;
            grow(lua, bytes.len())?;
            return Ok(ByteArray::new(bytes));
        }
        let separator = if form.is_nil() || form.is_boolean() { " ".to_owned() } else { text_argument(lua, 2, &form)? };
        let written = text_argument(lua, 1, &written)?;
        grow(lua, written.len() / 2)?;
        Ok(ByteArray::new(digits(&written, &separator)))
    })?;
    table.raw_set("new", new)
}
