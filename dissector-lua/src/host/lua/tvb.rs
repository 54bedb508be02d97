//! `Tvb` and `TvbRange`: bytes of the current frame, and what they mean as numbers, texts and addresses.

use mlua::{Lua, Result, Value, Variadic};

use super::super::buffer::Tvb;
use super::super::text;
use super::argument::{integer, integer_or};
use super::bytes::ByteArray;
use super::class::{Classes, call_other};
use super::data::Class as _;
use super::failure::{bad, expected_class, fail};
use super::int64::{Int64, UInt64};
use super::object::{Class, Object};
use super::time::NsTime;
use super::{Api, address};

/// A `Tvb`, or a range of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// The bytes.
    pub(crate) tvb: Tvb,
    /// Where the buffer begins in its source, of which this is a range.
    pub(crate) start: u32,
}

/// How many ranges a frame has at most.
const MAX_SLOTS: usize = 8_000_000;

impl Api {
    /// A new object for bytes of the current frame.
    pub(crate) fn push(&self, class: Class, tvb: Tvb, start: u32) -> Object {
        let mut slots = self.slots.borrow_mut();
        if class == Class::Tvb
            && let Some(index) = self.tvbs.borrow().iter().copied().find(|index| slots[*index as usize].tvb == tvb)
        {
            return Object::passing(class, self.core.generation.get(), index);
        }
        let index = slots.len() as u32;
        // Beyond that a script runs in circles; its later ranges are the last one.
        if slots.len() >= MAX_SLOTS {
            return Object::passing(class, self.core.generation.get(), index - 1);
        }
        slots.push(Slot { tvb, start });
        if class == Class::Tvb {
            self.tvbs.borrow_mut().push(index);
        }
        Object::passing(class, self.core.generation.get(), index)
    }

    fn slot(&self, object: Object) -> Option<Slot> {
        if !object.is_of(self.core.generation.get()) {
            return None;
        }
        self.slots.borrow().get(object.index as usize).copied()
    }

    /// The bytes of a `Tvb` at an argument.
    pub(crate) fn tvb(&self, lua: &Lua, argument: usize, value: &Value) -> Result<Slot> {
        match Object::of(value) {
            Some(object) if object.class == Class::Tvb => self.slot(object).ok_or_else(|| bad(lua, argument, "expired Tvb")),
            _ => Err(expected_class(lua, argument, "Tvb", value)),
        }
    }

    /// The bytes of a `TvbRange` at an argument.
    pub(crate) fn range(&self, lua: &Lua, argument: usize, value: &Value) -> Result<Slot> {
        match Object::of(value) {
            Some(object) if object.class == Class::TvbRange => self.slot(object).ok_or_else(|| fail(lua, "expired tvb")),
            _ => Err(expected_class(lua, argument, "TvbRange", value)),
        }
    }

    /// The bytes of either, at `self`, and which it is.
    fn either(&self, lua: &Lua, value: &Value, other: Class) -> Result<(Class, Slot)> {
        match Object::of(value) {
            Some(object) if object.class == Class::Tvb => Ok((object.class, self.tvb(lua, 1, value)?)),
            Some(object) if object.class == Class::TvbRange => Ok((object.class, self.range(lua, 1, value)?)),
            _ => Err(expected_class(lua, 1, other.name(), value)),
        }
    }

    /// What stands there.
    pub(crate) fn copy(&self, tvb: Tvb) -> Vec<u8> {
        self.core.buffers.borrow().bytes(tvb).to_vec()
    }
}

/// A part of a buffer or range, as `tvb(offset, len)` makes it: it must be there.
fn part(api: &Api, lua: &Lua, (class, slot): (Class, Slot), offset: &Value, len: &Value) -> Result<Object> {
    let wanted = integer_or(lua, 2, offset, 0)?;
    let len = integer_or(lua, 3, len, -1)?;
    if class == Class::TvbRange && wanted > 0 && wanted >= i64::from(slot.tvb.len) {
        return Err(fail(lua, "Range is out of bounds"));
    }
    let (from, len) = clip(lua, slot.tvb.len, wanted, len)?;
    let tvb = Tvb { source: slot.tvb.source, offset: slot.tvb.offset + from, len, reported_len: len };
    let start = if class == Class::Tvb { slot.tvb.offset } else { slot.start };
    Ok(api.push(Class::TvbRange, tvb, start))
}

/// Where a part begins and how long it is; a negative offset counts from the end, a length of -1 goes up to it.
fn clip(lua: &Lua, all: u32, offset: i64, len: i64) -> Result<(u32, u32)> {
    let all = i64::from(all);
    let from = if offset < 0 { all + offset } else { offset };
    if offset < 0 && from >= 0 && len > 0 && offset == -len {
        return Ok((from as u32, len as u32));
    }
    if len == -1 {
        if from < 0 {
            return Err(fail(lua, "out of bounds"));
        }
        let from = from.min(all);
        return Ok((from as u32, (all - from) as u32));
    }
    if len < 0 {
        return Err(fail(lua, "negative length in tvb range"));
    }
    if offset < 0 || offset.saturating_add(len) > all {
        return Err(fail(lua, "Range is out of bounds"));
    }
    Ok((offset as u32, len as u32))
}

/// The bytes that `raw` and `bytes` are asked for.
fn chosen(lua: &Lua, (class, slot): (Class, Slot), offset: &Value, len: &Value, of: &str) -> Result<Tvb> {
    let offset = integer_or(lua, 2, offset, 0)?;
    let len = integer_or(lua, 3, len, -1)?;
    let what = class.name();
    if offset < 0 || offset > i64::from(slot.tvb.len) {
        return Err(bad(lua, 2, format_args!("{what}_{of}: offset beyond end of {what}")));
    }
    let (from, len) = clip(lua, slot.tvb.len, offset, len)?;
    Ok(Tvb { source: slot.tvb.source, offset: slot.tvb.offset + from, len, reported_len: len })
}

/// An unsigned number of up to eight bytes.
pub(crate) fn unsigned(bytes: &[u8], little_endian: bool) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    if little_endian { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) }
}

/// The same with a sign.
pub(crate) fn signed(bytes: &[u8], little_endian: bool) -> i64 {
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    ((unsigned(bytes, little_endian) << unused) as i64) >> unused
}

fn number(value: u64) -> Value {
    match i64::try_from(value) {
        Ok(value) => Value::Integer(value),
        Err(_) => Value::Number(value as f64),
    }
}

#[derive(Clone, Copy)]
enum Order {
    Big,
    Little,
}

impl Order {
    fn is_little(self) -> bool {
        matches!(self, Self::Little)
    }
}

impl Api {
    /// A number of the bytes of a range, of at most `most` of them.
    fn number<T>(&self, lua: &Lua, this: &Value, name: &str, most: u32, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let tvb = self.range(lua, 1, this)?.tvb;
        if !(1..=most).contains(&tvb.len) {
            return Err(fail(lua, format_args!("TvbRange:{name}() does not handle {} byte integers", tvb.len)));
        }
        Ok(read(self.core.buffers.borrow().bytes(tvb)))
    }

    fn float(&self, lua: &Lua, this: &Value, name: &str, order: Order) -> Result<f64> {
        let tvb = self.range(lua, 1, this)?.tvb;
        let buffers = self.core.buffers.borrow();
        let bits = unsigned(buffers.bytes(tvb), order.is_little());
        match tvb.len {
            4 => Ok(f64::from(f32::from_bits(bits as u32))),
            8 => Ok(f64::from_bits(bits)),
            len => Err(fail(lua, format_args!("TvbRange:{name}() does not handle {len} byte floating numbers"))),
        }
    }

    /// The bytes of a range of exactly `N`.
    fn exactly<const N: usize>(&self, lua: &Lua, this: &Value, message: &str) -> Result<[u8; N]> {
        let tvb = self.range(lua, 1, this)?.tvb;
        let buffers = self.core.buffers.borrow();
        buffers.bytes(tvb).try_into().map_err(|_| fail(lua, message))
    }

    /// The text of a range: 4.0 cuts it to the range's bytes, 4.4 at a NUL.
    fn string(&self, lua: &Lua, this: &Value, encoding: u32, stop: Stop) -> Result<(Value, u32)> {
        let tvb = self.range(lua, 1, this)?.tvb;
        let bytes = self.copy(tvb);
        let width = text::width(encoding);
        let bytes = match stop {
            Stop::Range => &bytes[..],
            Stop::Nul => match bytes.chunks(width).position(|unit| unit.iter().all(|byte| *byte == 0)) {
                Some(at) => &bytes[..at * width],
                None => return Err(fail(lua, "out of bounds")),
            },
        };
        let decoded = text::decode(bytes, encoding).into_bytes();
        let shown = if cfg!(feature = "lua54") || stop == Stop::Nul || width > 1 {
            &decoded[..decoded.iter().position(|byte| *byte == 0).unwrap_or(decoded.len())]
        } else {
            &decoded[..decoded.len().min(tvb.len as usize)]
        };
        let taken = bytes.len() as u32 + if stop == Stop::Nul { width as u32 } else { 0 };
        Ok((Value::String(lua.create_string(shown)?), taken))
    }
}

/// What is compressed stays so: no decompressor is at hand.
const UNCOMPRESS: [&str; 9] = [
    "uncompress",
    "uncompress_brotli",
    "uncompress_hpack_huff",
    "uncompress_lz77",
    "uncompress_lz77huff",
    "uncompress_lznt1",
    "uncompress_snappy",
    "uncompress_zlib",
    "uncompress_zstd",
];

#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Range,
    Nul,
}

/// Makes the classes.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    let mut tvb = classes.class(Class::Tvb)?;
    tvb.method("offset", |api, lua, this: Value| {
        let (class, slot) = api.either(lua, &this, Class::Tvb)?;
        Ok(if class == Class::Tvb { slot.tvb.offset } else { slot.tvb.offset - slot.start })
    })?;
    tvb.method("len", |api, lua, this: Value| Ok(api.either(lua, &this, Class::Tvb)?.1.tvb.len))?;
    tvb.method("captured_len", |api, lua, this: Value| Ok(api.tvb(lua, 1, &this)?.tvb.len))?;
    tvb.method("reported_len", |api, lua, this: Value| Ok(api.tvb(lua, 1, &this)?.tvb.reported_len))?;
    tvb.method("reported_length_remaining", |api, lua, (this, offset): (Value, Value)| {
        let all = i64::from(api.tvb(lua, 1, &this)?.tvb.reported_len);
        let offset = integer_or(lua, 2, &offset, 0)?;
        Ok(if offset < 0 { offset.saturating_neg().min(all) } else { (all - offset).max(0) })
    })?;
    tvb.method("range", |api, lua, (this, offset, len): (Value, Value, Value)| {
        Ok(part(api, lua, api.either(lua, &this, Class::Tvb)?, &offset, &len)?.to_lua())
    })?;
    tvb.method("raw", |api, lua, (this, offset, len): (Value, Value, Value)| {
        let tvb = chosen(lua, api.either(lua, &this, Class::Tvb)?, &offset, &len, "raw")?;
        lua.create_string(api.core.buffers.borrow().bytes(tvb))
    })?;
    tvb.method("bytes", |api, lua, (this, offset, len): (Value, Value, Value)| {
        let (class, slot) = api.either(lua, &this, Class::Tvb)?;
        if class == Class::TvbRange {
            return coded_bytes(api, lua, slot.tvb, &offset);
        }
        let offset = integer_or(lua, 2, &offset, 0)?;
        let len = integer_or(lua, 3, &len, -1)?;
        let (from, len) = clip(lua, slot.tvb.len, offset, len)?;
        ByteArray::new(api.copy(Tvb { offset: slot.tvb.offset + from, len, ..slot.tvb })).into_lua_many(lua)
    })?;
    tvb.text(|api, lua, object| {
        let Some(slot) = api.slot(object) else { return Err(bad(lua, 1, "expired Tvb")) };
        let buffers = api.core.buffers.borrow();
        let text = format!("TVB({}) : {}", slot.tvb.len, text::hex(buffers.bytes(slot.tvb), None, 36));
        lua.create_string(text).map(Value::String)
    });

    let mut range = classes.class(Class::TvbRange)?;
    for name in ["offset", "len", "range", "raw", "bytes"] {
        range.same(Class::Tvb, name)?;
    }
    for (names, order) in
        [(["uint", "uint64", "int", "int64"], Order::Big), (["le_uint", "le_uint64", "le_int", "le_int64"], Order::Little)]
    {
        let little = order.is_little();
        let [uint, uint64, int, int64] = names;
        range.method(uint, move |api, lua, this: Value| api.number(lua, &this, uint, 4, |bytes| unsigned(bytes, little)).map(number))?;
        range.method(uint64, move |api, lua, this: Value| {
            UInt64(api.number(lua, &this, uint64, 8, |bytes| unsigned(bytes, little))?).to_value(lua)
        })?;
        range.method(int, move |api, lua, this: Value| api.number(lua, &this, int, 4, |bytes| signed(bytes, little)))?;
        range.method(int64, move |api, lua, this: Value| {
            Int64(api.number(lua, &this, int64, 8, |bytes| signed(bytes, little))?).to_value(lua)
        })?;
    }
    range.method("float", |api, lua, this: Value| api.float(lua, &this, "float", Order::Big))?;
    range.method("le_float", |api, lua, this: Value| api.float(lua, &this, "le_float", Order::Little))?;
    range.method("ipv4", |api, lua, this: Value| {
        address::v4(lua, api.exactly(lua, &this, "TvbRange_ipv4: The range must be 4 octets long")?)
    })?;
    range.method("le_ipv4", |api, lua, this: Value| {
        let mut bytes: [u8; 4] = api.exactly(lua, &this, "TvbRange_ipv4: The range must be 4 octets long")?;
        bytes.reverse();
        address::v4(lua, bytes)
    })?;
    range.method("ipv6", |api, lua, this: Value| {
        address::v6(lua, api.exactly(lua, &this, "TvbRange_ipv6: The range must be 16 octets long")?)
    })?;
    range.method("ether", |api, lua, this: Value| {
        address::ether(lua, api.exactly(lua, &this, "TvbRange_ether: The range must be 6 bytes long")?)
    })?;
    range.method("nstime", |api, lua, (this, encoding): (Value, Value)| nstime(api, lua, &this, &encoding, Order::Big))?;
    range.method("le_nstime", |api, lua, this: Value| nstime(api, lua, &this, &Value::Nil, Order::Little))?;
    range.method("string", |api, lua, (this, encoding): (Value, Value)| {
        let encoding = integer_or(lua, 2, &encoding, 0)? as u32;
        Ok(api.string(lua, &this, encoding, Stop::Range)?.0)
    })?;
    range.method("ustring", |api, lua, this: Value| Ok(api.string(lua, &this, text::UTF_16, Stop::Range)?.0))?;
    range.method("le_ustring", |api, lua, this: Value| Ok(api.string(lua, &this, text::UTF_16 | text::LITTLE_ENDIAN, Stop::Range)?.0))?;
    range.method("stringz", |api, lua, (this, encoding): (Value, Value)| {
        let encoding = integer_or(lua, 2, &encoding, 0)? as u32;
        Ok(api.string(lua, &this, encoding, Stop::Nul)?.0)
    })?;
    range.method("strsize", |api, lua, (this, encoding): (Value, Value)| {
        let encoding = integer_or(lua, 2, &encoding, 0)? as u32;
        Ok(api.string(lua, &this, encoding, Stop::Nul)?.1)
    })?;
    range.method("ustringz", |api, lua, this: Value| api.string(lua, &this, text::UTF_16, Stop::Nul))?;
    range.method("le_ustringz", |api, lua, this: Value| api.string(lua, &this, text::UTF_16 | text::LITTLE_ENDIAN, Stop::Nul))?;
    range.method("bitfield", |api, lua, (this, position, len): (Value, Value, Value)| bitfield(api, lua, &this, &position, &len))?;
    range.method("tvb", |api, lua, this: Value| {
        let tvb = api.range(lua, 1, &this)?.tvb;
        if tvb.len == 0 && tvb.reported_len == 0 {
            let all = api.core.buffers.borrow().source(tvb.source).len() as u32;
            if tvb.offset > all {
                return Err(fail(lua, "out of bounds"));
            }
        }
        Ok(api.push(Class::Tvb, tvb, 0).to_lua())
    })?;
    for (name, url_safe) in [("decode_base64", false), ("decode_base64url", true)] {
        range.method(name, move |api, lua, this: Value| {
            let bytes = api.copy(api.range(lua, 1, &this)?.tvb);
            let decoded = super::bytes::base64(&bytes, url_safe);
            let tvb = api.core.buffers.borrow_mut().add(name, &decoded, decoded.len() as u32);
            let tvb = tvb.ok_or_else(|| fail(lua, "not enough memory"))?;
            Ok(api.push(Class::TvbRange, tvb, 0).to_lua())
        })?;
    }
    for name in UNCOMPRESS {
        range.method(name, move |api, lua, this: Value| -> Result<()> {
            api.range(lua, 1, &this)?;
            Err(fail(lua, format_args!("TvbRange:{name} is not in this host")))
        })?;
    }
    range.text(|api, lua, object| {
        let Some(slot) = api.slot(object) else { return Err(mlua::Error::RuntimeError("expired tvb".to_owned())) };
        let buffers = api.core.buffers.borrow();
        let bytes = buffers.bytes(slot.tvb);
        let text = if bytes.is_empty() { "<EMPTY>".to_owned() } else { text::hex(bytes, None, 36) };
        lua.create_string(text).map(Value::String)
    });
    Ok(())
}

/// `__call` of all objects: ranges of bytes first, since they are made for every field.
pub(crate) fn call(api: &Api, lua: &Lua, (this, offset, len, rest): (Value, Value, Value, Variadic<Value>)) -> Result<Variadic<Value>> {
    match Object::of(&this) {
        Some(object) if matches!(object.class, Class::Tvb | Class::TvbRange) => {
            let range = part(api, lua, api.either(lua, &this, Class::Tvb)?, &offset, &len)?;
            Ok([Value::LightUserData(range.to_lua())].into_iter().collect())
        }
        _ => call_other(api, lua, &this, [offset, len].into_iter().chain(rest).collect()),
    }
}

fn nstime(api: &Api, lua: &Lua, this: &Value, encoding: &Value, order: Order) -> Result<Variadic<Value>> {
    let tvb = api.range(lua, 1, this)?.tvb;
    let bytes = api.copy(tvb);
    let little = order.is_little();
    if encoding.is_nil() {
        let (secs, nanos) = match bytes.len() {
            4 => (unsigned(&bytes, little), 0),
            8 => (unsigned(&bytes[..4], little), unsigned(&bytes[4..], little)),
            _ => {
                return Err(fail(lua, "TvbRange_nstime: The range must be 4 or 8 bytes long"));
            }
        };
        let time = NsTime { secs: secs as i64, nanos: nanos as i32 }.to_value(lua)?;
        let len = Value::Integer(bytes.len() as i64);
        // The one of them that takes an encoding says how much it read.
        return Ok(if little { [time].into_iter().collect() } else { [time, len].into_iter().collect() });
    }
    let encoding = integer(lua, 2, encoding)? as u32;
    if encoding & text::STR_TIME == 0 || encoding & text::CHARACTERS != 0 {
        return Err(bad(lua, 2, "TvbRange_nstime: invalid encoding value"));
    }
    match text::time(&bytes, encoding) {
        Some((secs, nanos, len)) => Ok([NsTime { secs, nanos }.to_value(lua)?, Value::Integer(len as i64)].into_iter().collect()),
        None => Ok([Value::Nil, Value::Nil].into_iter().collect()),
    }
}

fn bitfield(api: &Api, lua: &Lua, this: &Value, position: &Value, len: &Value) -> Result<Value> {
    let tvb = api.range(lua, 1, this)?.tvb;
    let position = integer_or(lua, 2, position, 0)?;
    let len = integer_or(lua, 3, len, 1)?;
    if position.saturating_add(len) > i64::from(tvb.len) * 8 {
        return Err(fail(lua, "Requested bitfield out of range"));
    }
    if position < 0 || !(0..=64).contains(&len) {
        return Err(fail(lua, format_args!("TvbRange:bitfield() does not handle {len} bits")));
    }
    let buffers = api.core.buffers.borrow();
    let bytes = buffers.bytes(tvb);
    let bits = (position..position + len).fold(0_u64, |bits, at| bits << 1 | u64::from(bytes[(at / 8) as usize] >> (7 - at % 8) & 1));
    drop(buffers);
    if len <= 32 { Ok(number(bits)) } else { UInt64(bits).to_value(lua) }
}

/// `TvbRange:bytes(encoding)`: the bytes, or those that are written there in hexadecimal digits.
fn coded_bytes(api: &Api, lua: &Lua, tvb: Tvb, encoding: &Value) -> Result<Variadic<Value>> {
    let bytes = api.copy(tvb);
    let encoding = integer_or(lua, 2, encoding, 0)? as u32;
    if encoding & text::STR_HEX == 0 {
        let len = Value::Integer(bytes.len() as i64);
        return Ok([ByteArray::new(bytes).to_value(lua)?, len].into_iter().collect());
    }
    match text::hex_digits(&bytes, encoding) {
        Some((decoded, len)) => Ok([ByteArray::new(decoded).to_value(lua)?, Value::Integer(len as i64)].into_iter().collect()),
        None => Ok([Value::Nil, Value::Nil].into_iter().collect()),
    }
}

impl ByteArray {
    fn into_lua_many(self, lua: &Lua) -> Result<Variadic<Value>> {
        Ok([self.to_value(lua)?].into_iter().collect())
    }
}

/// A `Tvb` or a `TvbRange` that may stand at an argument: its bytes.
pub(crate) fn optional(api: &Api, lua: &Lua, argument: usize, value: &Value) -> Result<Option<Slot>> {
    match Object::of(value).map(|object| object.class) {
        Some(Class::TvbRange) => api.range(lua, argument, value).map(Some),
        Some(Class::Tvb) => api.tvb(lua, argument, value).map(Some),
        _ => Ok(None),
    }
}
