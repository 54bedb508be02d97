//! `Int64` and `UInt64`: numbers of 64 bits, which Lua 5.2 does not have.

use mlua::{Lua, MetaMethod, Result, UserData, UserDataFields, UserDataMethods, Value, Variadic};

use super::argument::{bytes_of, integer, truth};
use super::class::constructor;
use super::data::{self, Class};
use super::failure::{bad, expected_class, fail};

/// A signed number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Int64(pub(crate) i64);
/// An unsigned number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UInt64(pub(crate) u64);

/// The bits that a value gives; none if it is none that does.
pub(crate) fn bits_of(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(number) => Some(*number as u64),
        Value::Number(number) if *number < 0.0 => Some(*number as i64 as u64),
        Value::Number(number) => Some(*number as u64),
        Value::String(text) => {
            let text = text.to_string_lossy();
            let text = text.trim();
            let digits: String = text
                .char_indices()
                .take_while(|(at, char)| char.is_ascii_digit() || (*at == 0 && *char == '-'))
                .map(|(_, char)| char)
                .collect();
            Some(digits.parse::<u64>().ok().or_else(|| digits.parse::<i64>().ok().map(|number| number as u64)).unwrap_or(0))
        }
        Value::UserData(_) => UInt64::of(value).map(|number| number.0).or_else(|| Int64::of(value).map(|number| number.0 as u64)),
        _ => None,
    }
}

fn constructed(lua: &Lua, name: &str, arguments: &[Value]) -> Result<u64> {
    match arguments {
        [] => Ok(0),
        [low @ (Value::Integer(_) | Value::Number(_)), high, ..] => {
            let low = integer(lua, 1, low)? as u32;
            let high = integer(lua, 2, high)? as u32;
            Ok(u64::from(high) << 32 | u64::from(low))
        }
        [value, ..] => bits_of(value).ok_or_else(|| bad(lua, 1, format_args!("{name}_new: must be a number, UInt64, Int64, or string"))),
    }
}

/// Hexadecimal digits: as many as asked for, in capitals if the number is negative.
fn hex(lua: &Lua, bits: u64, digits: &Value) -> Result<String> {
    let digits = if digits.is_nil() { 16 } else { integer(lua, 2, digits)? };
    let count = digits.unsigned_abs().min(16) as usize;
    let text = if digits < 0 { format!("{bits:016X}") } else { format!("{bits:016x}") };
    Ok(text[16 - count..].to_owned())
}

macro_rules! class {
    ($class:ident, $type:ty, $name:literal, $signed:literal) => {
        impl Class for $class {
            const NAME: &'static str = $name;
            const METHODS: &'static [&'static str] = &[
                "arshift", "band", "bnot", "bor", "bswap", "bxor", "encode", "higher", "lower", "lshift", "rol", "ror", "rshift",
                "tohex", "tonumber",
            ];
        }

        impl $class {
            fn operand(lua: &Lua, argument: usize, value: &Value) -> Result<$type> {
                bits_of(value).map(|bits| bits as $type).ok_or_else(|| expected_class(lua, argument, $name, value))
            }

            fn register(lua: &Lua) -> Result<()> {
                let table = data::table(lua, Self(0))?;
                let new = lua.create_function(|lua, arguments: Variadic<Value>| Ok(Self(constructed(lua, $name, &arguments)? as $type)))?;
                let called = lua.create_function(|lua, arguments: Variadic<Value>| {
                    Ok(Self(constructed(lua, $name, arguments.get(1..).unwrap_or_default())? as $type))
                })?;
                constructor(&table, &called)?;
                table.raw_set("new", new)?;
                table.raw_set("max", lua.create_function(|_, ()| Ok(Self(<$type>::MAX)))?)?;
                table.raw_set("min", lua.create_function(|_, ()| Ok(Self(<$type>::MIN)))?)?;
                table.raw_set(
                    "fromhex",
                    lua.create_function(|lua, text: Value| {
                        let text = String::from_utf8_lossy(&bytes_of(&text).unwrap_or_default()).into_owned();
                        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                            return Err(fail(lua, "Error decoding the passed-in hex string"));
                        }
                        Ok(Self(u64::from_str_radix(&text, 16).unwrap_or(u64::MAX) as $type))
                    })?,
                )?;
                table.raw_set(
                    "decode",
                    lua.create_function(|_, (text, little): (Value, Value)| {
                        let Some(Ok(bytes)) = bytes_of(&text).map(<[u8; 8]>::try_from) else { return Ok(None) };
                        let little = little.is_nil() || truth(&little);
                        Ok(Some(Self(if little { <$type>::from_le_bytes(bytes) } else { <$type>::from_be_bytes(bytes) })))
                    })?,
                )
            }
        }

        impl UserData for $class {
            fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
                data::name::<Self>(fields);
            }

            fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
                data::no_others::<Self>(methods);
                macro_rules! operator {
                    ($meta:expr, $lua:ident, $left:ident, $right:ident, $result:expr) => {
                        methods.add_meta_function($meta, |$lua, (left, right): (Value, Value)| {
                            let $left = Self::operand($lua, 1, &left)?;
                            let $right = Self::operand($lua, 2, &right)?;
                            Ok(Self($result))
                        });
                    };
                }
                operator!(MetaMethod::Add, lua, left, right, left.wrapping_add(right));
                operator!(MetaMethod::Sub, lua, left, right, left.wrapping_sub(right));
                operator!(MetaMethod::Mul, lua, left, right, left.wrapping_mul(right));
                operator!(MetaMethod::Div, lua, left, right, {
                    if right == 0 {
                        return Err(fail(lua, concat!("Trying to divide ", $name, " by zero")));
                    }
                    left.wrapping_div(right)
                });
                operator!(MetaMethod::Mod, lua, left, right, {
                    if right == 0 {
                        return Err(fail(lua, concat!("Trying to modulo ", $name, " by zero")));
                    }
                    left.wrapping_rem(right)
                });
                operator!(MetaMethod::Pow, lua, left, right, power(left as u64, right as u64) as $type);
                methods.add_meta_function(MetaMethod::Unm, |_, this: Value| {
                    let bits = bits_of(&this).unwrap_or(0);
                    Ok(Self(if $signed { bits.wrapping_neg() } else { bits } as $type))
                });
                macro_rules! comparison {
                    ($meta:expr, $left:ident, $right:ident, $result:expr) => {
                        methods.add_meta_function($meta, |lua, (left, right): (Value, Value)| {
                            let $left = Self::operand(lua, 1, &left)?;
                            let $right = Self::operand(lua, 2, &right)?;
                            Ok($result)
                        });
                    };
                }
                comparison!(MetaMethod::Eq, left, right, left == right);
                comparison!(MetaMethod::Lt, left, right, left < right);
                comparison!(MetaMethod::Le, left, right, left <= right);
                methods.add_meta_function(MetaMethod::Concat, |lua, (left, right): (Value, Value)| {
                    let mut joined = Vec::new();
                    for value in [&left, &right] {
                        match bytes_of(value) {
                            Some(bytes) => joined.extend(bytes),
                            None => joined.extend(value.to_string()?.into_bytes()),
                        }
                    }
                    lua.create_string(joined)
                });
                methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.to_string()));
                methods.add_method("tonumber", |_, this, ()| Ok(Value::Number(this.0 as f64)));
                methods.add_method("tohex", |lua, this, digits: Value| hex(lua, this.0 as u64, &digits));
                methods.add_method("higher", |_, this, ()| {
                    let negative = (this.0 as i64) < 0 && $signed;
                    let bits = if negative { (this.0 as u64).wrapping_neg() } else { this.0 as u64 };
                    let high = (bits >> 32) as f64;
                    Ok(Value::Number(if negative { -high } else { high }))
                });
                methods.add_method("lower", |_, this, ()| {
                    let negative = (this.0 as i64) < 0 && $signed;
                    let bits = if negative { (this.0 as u64).wrapping_neg() } else { this.0 as u64 };
                    Ok(Value::Number(f64::from(bits as u32)))
                });
                methods.add_method("encode", |lua, this, little: Value| {
                    let little = little.is_nil() || truth(&little);
                    lua.create_string(if little { this.0.to_le_bytes() } else { this.0.to_be_bytes() })
                });
                macro_rules! bitwise {
                    ($method:literal, $operator:tt) => {
                        methods.add_method($method, |_, this, others: Variadic<Value>| {
                            Ok(Self(others.iter().fold(this.0, |bits, other| bits $operator bits_of(other).unwrap_or(0) as $type)))
                        });
                    };
                }
                bitwise!("band", &);
                bitwise!("bor", |);
                bitwise!("bxor", ^);
                methods.add_method("bnot", |_, this, ()| Ok(Self(!this.0)));
                methods.add_method("bswap", |_, this, ()| Ok(Self(this.0.swap_bytes())));
                macro_rules! shift {
                    ($method:literal, $bits:ident, $count:ident, $result:expr) => {
                        methods.add_method($method, |lua, this, count: Value| {
                            let $count = (integer(lua, 2, &count)? & 63) as u32;
                            let $bits = this.0 as u64;
                            Ok(Self($result as $type))
                        });
                    };
                }
                shift!("lshift", bits, count, bits << count);
                shift!("rshift", bits, count, bits >> count);
                shift!("arshift", bits, count, (bits as i64) >> count);
                shift!("rol", bits, count, bits.rotate_left(count));
                shift!("ror", bits, count, bits.rotate_right(count));
            }
        }
    };
}

class!(Int64, i64, "Int64", true);
class!(UInt64, u64, "UInt64", false);

/// A power as repeated multiplication gives it, whatever overflows.
fn power(base: u64, exponent: u64) -> u64 {
    let (mut result, mut base, mut exponent) = (1_u64, base, exponent);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    result
}

/// Makes the classes.
pub(crate) fn register(lua: &Lua) -> Result<()> {
    Int64::register(lua)?;
    UInt64::register(lua)
}
