//! Arguments as Lua's own functions take them: numbers that are written as text, and the messages if one does not fit.

use mlua::{Lua, Result, Value};

use super::failure::{bad, expected};

/// An integer (`luaL_checkinteger`); `argument` counts from 1 with `self`.
pub(crate) fn integer(lua: &Lua, argument: usize, value: &Value) -> Result<i64> {
    match value {
        Value::Integer(number) => Ok(*number),
        Value::Number(number) => whole(lua, argument, *number),
        Value::String(text) => match text.to_str().ok().and_then(|text| number_in(&text)) {
            Some(number) => whole(lua, argument, number),
            None => Err(expected(lua, argument, "number", value)),
        },
        _ => Err(expected(lua, argument, "number", value)),
    }
}

/// Lua 5.4 takes no part of a number; 5.2 cuts it off.
fn whole(lua: &Lua, argument: usize, number: f64) -> Result<i64> {
    if cfg!(feature = "lua54") && number.fract() != 0.0 {
        return Err(bad(lua, argument, "number has no integer representation"));
    }
    Ok(number as i64)
}

/// A number in a text as Lua reads it.
pub(crate) fn number_in(text: &str) -> Option<f64> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        let number = u64::from_str_radix(hex, 16).ok()? as f64;
        return Some(if negative { -number } else { number });
    }
    text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)).then(|| text.parse().ok())?
}

/// An integer that may be missing (`luaL_optinteger`).
pub(crate) fn integer_or(lua: &Lua, argument: usize, value: &Value, other: i64) -> Result<i64> {
    if value.is_nil() { Ok(other) } else { integer(lua, argument, value) }
}

/// A number (`luaL_checknumber`).
pub(crate) fn number(lua: &Lua, argument: usize, value: &Value) -> Result<f64> {
    match value {
        Value::Integer(number) => Ok(*number as f64),
        Value::Number(number) => Ok(*number),
        Value::String(text) => text.to_str().ok().and_then(|text| number_in(&text)).ok_or_else(|| expected(lua, argument, "number", value)),
        _ => Err(expected(lua, argument, "number", value)),
    }
}

/// A text (`luaL_checklstring`): its bytes.
pub(crate) fn bytes(lua: &Lua, argument: usize, value: &Value) -> Result<Vec<u8>> {
    bytes_of(value).ok_or_else(|| expected(lua, argument, "string", value))
}

/// What `lua_tolstring` makes of a value.
pub(crate) fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        Value::Number(number) => Some(float(*number).into_bytes()),
        _ => None,
    }
}

/// A text as C takes it: up to a NUL.
pub(crate) fn text(lua: &Lua, argument: usize, value: &Value) -> Result<String> {
    Ok(until_nul(&bytes(lua, argument, value)?))
}

/// The same of what may be missing.
pub(crate) fn text_or(lua: &Lua, argument: usize, value: &Value, other: &str) -> Result<String> {
    if value.is_nil() { Ok(other.to_owned()) } else { text(lua, argument, value) }
}

/// The text before a NUL, if there is one.
pub(crate) fn until_nul(bytes: &[u8]) -> String {
    let len = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..len]).into_owned()
}

/// Whether Lua takes a value for true.
pub(crate) fn truth(value: &Value) -> bool {
    !matches!(value, Value::Nil | Value::Boolean(false))
}

/// A number as C's `%.14g` writes it, and as Lua 5.4 adds `.0`.
pub(crate) fn float(number: f64) -> String {
    let text = general(number, 14);
    let looks_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if cfg!(feature = "lua54") && looks_whole { format!("{text}.0") } else { text }
}

/// C's `%.{digits}g`.
pub(crate) fn general(number: f64, digits: usize) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    if number == 0.0 {
        return if number.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{number:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("there is an exponent");
    let exponent: i32 = exponent.parse().expect("it is a number");
    let trim = |text: &str| if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
    } else {
        trim(&format!("{number:.*}", (digits as i32 - 1 - exponent).max(0) as usize))
    }
}
