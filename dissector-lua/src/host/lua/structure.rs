//! `Struct`: values to bytes and back, by a format as C's structs have one.

use mlua::{Lua, MultiValue, Result, Value, Variadic};

use super::Api;
use super::argument::{bytes, integer_or, number, text, text_or, truth};
use super::bytes::room;
use super::class::{function, global};
use super::data::Class as _;
use super::failure::{bad, fail};
use super::int64::{Int64, UInt64, bits_of};
use super::tvb::{signed, unsigned};

/// One element of a format.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Element {
    /// A number of some bytes.
    Number {
        len: usize,
        signed: bool,
    },
    /// A number of 64 bits of its own class.
    Long {
        signed: bool,
    },
    Float,
    Double,
    /// Text of a length; 0 takes the length from the value before.
    Chars(Option<usize>),
    /// Text that ends with a NUL.
    Text,
    /// A byte of nothing.
    Padding,
    /// The position in the bytes.
    Place,
    /// What stands from here on, up to the other, is read but not given.
    Open,
    Close,
}

/// A format, read element by element.
struct Format<'a> {
    rest: &'a [u8],
    little: bool,
    alignment: usize,
}

impl<'a> Format<'a> {
    fn new(format: &'a str) -> Self {
        Self { rest: format.as_bytes(), little: cfg!(target_endian = "little"), alignment: 1 }
    }

    fn count(&mut self) -> Option<usize> {
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// The next element and how many bytes stand before it to align it at `at`.
    fn next(&mut self, lua: &Lua, at: usize) -> Result<Option<(Element, usize)>> {
        while let [letter, rest @ ..] = self.rest {
            self.rest = rest;
            let number = |len, signed| Element::Number { len, signed };
            let element = match letter {
                b'>' => {
                    self.little = false;
                    continue;
                }
                b'<' => {
                    self.little = true;
                    continue;
                }
                b'!' => {
                    let alignment = self.count().unwrap_or(8);
                    if !alignment.is_power_of_two() {
                        return Err(bad(lua, 1, "alignment must be power of 2"));
                    }
                    self.alignment = alignment;
                    continue;
                }
                b' ' => continue,
                b'b' => number(1, true),
                b'B' => number(1, false),
                b'h' => number(2, true),
                b'H' => number(2, false),
                b'l' => number(8, true),
                b'L' | b'T' => number(8, false),
                b'i' | b'I' => {
                    let len = self.count().unwrap_or(4);
                    if len > 32 {
                        return Err(fail(lua, format_args!("integral size {len} is larger than limit of 32")));
                    }
                    number(len, *letter == b'i')
                }
                b'e' => Element::Long { signed: true },
                b'E' => Element::Long { signed: false },
                b'f' => Element::Float,
                b'd' | b'n' => Element::Double,
                b's' => Element::Text,
                b'c' => match self.count().unwrap_or(1) {
                    0 => Element::Chars(None),
                    len => Element::Chars(Some(len)),
                },
                b'x' => Element::Padding,
                b'=' => Element::Place,
                b'(' => Element::Open,
                b')' => Element::Close,
                other => return Err(bad(lua, 1, format_args!("invalid format option [{}]", char::from(*other)))),
            };
            let size = element.len().unwrap_or(0);
            let natural = if size > 1 && !matches!(element, Element::Chars(_)) { size.min(self.alignment) } else { 1 };
            if !natural.is_power_of_two() {
                return Ok(Some((element, 0)));
            }
            return Ok(Some((element, (natural - at % natural) % natural)));
        }
        Ok(None)
    }
}

impl Element {
    /// How many bytes it takes, if that is always the same.
    fn len(self) -> Option<usize> {
        match self {
            Self::Number { len, .. } => Some(len),
            Self::Long { .. } | Self::Double => Some(8),
            Self::Float => Some(4),
            Self::Chars(len) => len,
            Self::Padding => Some(1),
            Self::Text => None,
            Self::Place | Self::Open | Self::Close => Some(0),
        }
    }

    fn has_value(self) -> bool {
        !matches!(self, Self::Padding | Self::Place | Self::Open | Self::Close)
    }
}

fn put(bytes: &mut Vec<u8>, bits: u64, len: usize, little: bool, fill: u8) {
    let mut number: Vec<u8> = bits.to_le_bytes().into_iter().chain(std::iter::repeat(fill)).take(len).collect();
    if !little {
        number.reverse();
    }
    bytes.extend(number);
}

fn pack(lua: &Lua, mut values: MultiValue) -> Result<Variadic<Value>> {
    let written = text(lua, 1, &values.pop_front().unwrap_or(Value::Nil))?;
    let mut format = Format::new(&written);
    let mut packed = Vec::new();
    let mut argument = 1;
    let mut places = Vec::new();
    while let Some((element, gap)) = format.next(lua, packed.len())? {
        room(lua, packed.len().saturating_add(gap), 1)?;
        packed.extend(std::iter::repeat_n(0, gap));
        let mut next = || {
            argument += 1;
            values.pop_front().ok_or_else(|| bad(lua, argument, "number expected, got no value"))
        };
        match element {
            Element::Number { len, .. } => {
                let value = next()?;
                let number = number(lua, argument, &value)?;
                let bits = if number < 0.0 { number as i64 as u64 } else { number as u64 };
                put(&mut packed, bits, len, format.little, if number < 0.0 { 0xff } else { 0 });
            }
            Element::Long { .. } => {
                let value = next()?;
                let bits = bits_of(&value).ok_or_else(|| bad(lua, argument, "Int64 or UInt64 expected"))?;
                put(&mut packed, bits, 8, format.little, 0);
            }
            Element::Float => {
                let value = next()?;
                put(&mut packed, u64::from((number(lua, argument, &value)? as f32).to_bits()), 4, format.little, 0);
            }
            Element::Double => {
                let value = next()?;
                put(&mut packed, number(lua, argument, &value)?.to_bits(), 8, format.little, 0);
            }
            Element::Chars(len) => {
                let value = next()?;
                let bytes = bytes(lua, argument, &value)?;
                let len = len.unwrap_or(bytes.len());
                if bytes.len() < len {
                    return Err(bad(lua, argument + 1, "string too short"));
                }
                packed.extend(&bytes[..len]);
            }
            Element::Text => {
                let value = next()?;
                packed.extend(bytes(lua, argument, &value)?);
                packed.push(0);
            }
            Element::Padding => packed.push(0),
            Element::Place => places.push(Value::Integer(packed.len() as i64 + 1)),
            Element::Open | Element::Close => {}
        }
    }
    let packed = Value::String(lua.create_string(packed)?);
    Ok(std::iter::once(packed).chain(places).collect())
}

fn unpack(lua: &Lua, (format, packed, from): (Value, Value, Value)) -> Result<Variadic<Value>> {
    let written = text(lua, 1, &format)?;
    let packed = bytes(lua, 2, &packed)?;
    let from = integer_or(lua, 3, &from, 1)?;
    let mut at = usize::try_from(from.saturating_sub(1)).map_err(|_| bad(lua, 3, "offset must be 1 or greater"))?;
    let mut format = Format::new(&written);
    let mut values = Variadic::new();
    let mut hidden_from = None;
    while let Some((element, gap)) = format.next(lua, at)? {
        at += gap;
        let rest = packed.get(at..).unwrap_or_default();
        let short = || bad(lua, 2, "data string too short");
        let len = match element {
            Element::Text => rest.iter().position(|byte| *byte == 0).ok_or_else(|| fail(lua, "unfinished string in data"))? + 1,
            Element::Chars(None) => match values.pop() {
                Some(Value::Integer(len)) => usize::try_from(len).map_err(|_| short())?,
                Some(Value::Number(len)) => len as usize,
                _ => return Err(fail(lua, "format `c0' needs a previous size")),
            },
            other => other.len().unwrap_or(0),
        };
        let bytes = rest.get(..len).ok_or_else(short)?;
        match element {
            Element::Number { signed: has_sign, .. } => {
                let low = if format.little { &bytes[..len.min(8)] } else { &bytes[len - len.min(8)..] };
                let value = if len == 0 {
                    0.0
                } else if has_sign {
                    signed(low, format.little) as f64
                } else {
                    unsigned(low, format.little) as f64
                };
                values.push(whole(value));
            }
            Element::Long { signed: true } => values.push(Int64(signed(bytes, format.little)).to_value(lua)?),
            Element::Long { signed: false } => values.push(UInt64(unsigned(bytes, format.little)).to_value(lua)?),
            Element::Float => values.push(Value::Number(f64::from(f32::from_bits(unsigned(bytes, format.little) as u32)))),
            Element::Double => values.push(Value::Number(f64::from_bits(unsigned(bytes, format.little)))),
            Element::Chars(_) => values.push(Value::String(lua.create_string(bytes)?)),
            Element::Text => values.push(Value::String(lua.create_string(&bytes[..len - 1])?)),
            Element::Place => values.push(Value::Integer(at as i64 + 1)),
            Element::Open => hidden_from = Some(values.len()),
            Element::Close => {
                let kept = hidden_from.take().unwrap_or(values.len());
                values.truncate(kept);
            }
            Element::Padding => {}
        }
        at += len;
    }
    values.push(Value::Integer(at as i64 + 1));
    Ok(values)
}

/// A number as the API gives it: what 32 bits do not hold is a float.
fn whole(value: f64) -> Value {
    if value.abs() < 4_294_967_296.0 { Value::Integer(value as i64) } else { Value::Number(value) }
}

fn size(lua: &Lua, format: Value) -> Result<usize> {
    let written = text(lua, 1, &format)?;
    let mut format = Format::new(&written);
    let mut at = 0;
    while let Some((element, gap)) = format.next(lua, at)? {
        let len = match element {
            Element::Text => return Err(bad(lua, 1, "option 's' has no fixed size")),
            Element::Chars(None) => return Err(bad(lua, 1, "option 'c0' has no fixed size")),
            other => other.len().unwrap_or(0),
        };
        at = at.saturating_add(gap).saturating_add(len);
    }
    Ok(at)
}

fn values(lua: &Lua, format: Value) -> Result<usize> {
    let written = text(lua, 1, &format)?;
    let mut format = Format::new(&written);
    let (mut count, mut hidden) = (0, false);
    while let Some((element, _)) = format.next(lua, 0)? {
        hidden = (hidden || element == Element::Open) && element != Element::Close;
        count += usize::from(element.has_value() && !hidden);
    }
    Ok(count)
}

/// Makes the class.
pub(crate) fn register(lua: &Lua, api: &std::rc::Rc<Api>) -> Result<()> {
    let table = global(lua, "Struct")?;
    table.raw_set("pack", function(lua, api, |_, lua, values: MultiValue| pack(lua, values))?)?;
    table.raw_set("unpack", function(lua, api, |_, lua, arguments: (Value, Value, Value)| unpack(lua, arguments))?)?;
    table.raw_set("size", function(lua, api, |_, lua, format: Value| size(lua, format))?)?;
    table.raw_set("values", function(lua, api, |_, lua, format: Value| values(lua, format))?)?;
    table.raw_set(
        "tohex",
        function(lua, api, |_, lua, (data, lower, between): (Value, Value, Value)| {
            let data = bytes(lua, 1, &data)?;
            let between = text_or(lua, 3, &between, "")?;
            room(lua, data.len(), 2 + between.len())?;
            let digits = data.iter().map(|byte| if truth(&lower) { format!("{byte:02x}") } else { format!("{byte:02X}") });
            Ok(digits.collect::<Vec<_>>().join(&between))
        })?,
    )?;
    table.raw_set(
        "fromhex",
        function(lua, api, |_, lua, (written, between): (Value, Value)| {
            let written = text(lua, 1, &written)?;
            let between = text_or(lua, 2, &between, "")?;
            let digits: String = if between.is_empty() { written } else { written.replace(&between, "") };
            let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
            let bytes: Vec<u8> =
                digits.chunks_exact(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
            lua.create_string(bytes)
        })?,
    )
}
