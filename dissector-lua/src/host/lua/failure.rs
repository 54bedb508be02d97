//! Errors as Wireshark's Lua API raises them: strings that begin with script and line, and those that no `pcall` holds.

use std::fmt;

use mlua::{Error, Lua, Result, Value};

use super::super::core::{Exception, Fault};
use super::object::Object;

/// The name of the host's own Lua, which is no place to point to.
pub(crate) const HOST: &str = "=[host]";

/// What ends a script whatever it does against it.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// It took too many instructions.
    Limit(String),
    /// A dissector that it called did not come to its end.
    Exception(Exception),
}

impl fmt::Display for Ending {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(what) => out.write_str(what),
            Self::Exception(exception) => write!(out, "{exception:?}"),
        }
    }
}

impl std::error::Error for Ending {}

/// Where the running host function was called: `script.lua:12: `; empty if not from a script.
fn place(lua: &Lua) -> String {
    (1..4).map_while(|level| level_of(lua, level)).find(|(own, _)| !own).and_then(|(_, place)| place).unwrap_or_default()
}

/// Where a script is at work, whatever functions of C lie between.
pub(crate) fn here(lua: &Lua) -> String {
    let mut levels = (0..20).map_while(|level| level_of(lua, level));
    levels.find_map(|(own, place)| place.filter(|_| !own)).unwrap_or_default()
}

/// A level of the stack: whether it is the host's own, and its place, if it has lines.
fn level_of(lua: &Lua, level: usize) -> Option<(bool, Option<String>)> {
    lua.inspect_stack(level, |debug| {
        let source = debug.source();
        let name = source.short_src.clone().unwrap_or_default().into_owned();
        (is_own(source.source.as_deref()), debug.current_line().map(|line| format!("{name}:{line}: ")))
    })
}

/// Whether a chunk is the host's or mlua's own.
fn is_own(source: Option<&str>) -> bool {
    source.is_some_and(|source| source == HOST || source.starts_with("=__mlua") || source.starts_with("__mlua"))
}

/// An error with its place (`luaL_error`).
pub(crate) fn fail(lua: &Lua, message: impl fmt::Display) -> Error {
    Error::RuntimeError(format!("{}{message}", place(lua)))
}

/// An error about an argument, counted from 1 with `self` (`luaL_argerror`).
pub(crate) fn bad(lua: &Lua, argument: usize, message: impl fmt::Display) -> Error {
    let names = lua.inspect_stack(0, |debug| {
        let names = debug.names();
        (names.name.map(|name| name.into_owned()), names.name_what == Some("method"))
    });
    let (name, method) = names.unwrap_or_default();
    let own = lua.inspect_stack(1, |debug| is_own(debug.source().source.as_deref())) == Some(true);
    // The host's own Lua calls what Lua would have called `__index`.
    let index = if cfg!(feature = "lua54") { "index" } else { "__index" };
    let name = if own { index.to_owned() } else { name.unwrap_or_else(|| "?".to_owned()) };
    match argument - usize::from(method) {
        0 => fail(lua, format_args!("calling '{name}' on bad self ({message})")),
        argument => fail(lua, format_args!("bad argument #{argument} to '{name}' ({message})")),
    }
}

/// What Lua's messages call a value: its type, or its class.
pub(crate) fn type_of(value: &Value) -> String {
    let named = match value {
        Value::LightUserData(_) => Object::of(value).map(|object| object.class.name().to_owned()),
        Value::UserData(data) => data.type_name().ok().flatten(),
        Value::Integer(_) | Value::Number(_) => Some("number".to_owned()),
        _ => None,
    };
    match named {
        Some(name) if cfg!(feature = "lua54") || name == "number" => name,
        Some(_) => "userdata".to_owned(),
        None => value.type_name().to_owned(),
    }
}

/// An argument of the wrong type (`luaL_typerror`). An argument that is nil is mostly one that is missing.
pub(crate) fn expected(lua: &Lua, argument: usize, what: &str, value: &Value) -> Error {
    let found = if value.is_nil() { "no value".to_owned() } else { type_of(value) };
    bad(lua, argument, format_args!("{what} expected, got {found}"))
}

/// Another object where one of a class is expected: Wireshark asks for userdata first, then for the class.
pub(crate) fn expected_class(lua: &Lua, argument: usize, class: &str, value: &Value) -> Error {
    match value {
        Value::LightUserData(_) | Value::UserData(_) => expected(lua, argument, class, value),
        _ => expected(lua, argument, "userdata", value),
    }
}

/// The error that began it all.
pub(crate) fn cause(error: &Error) -> &Error {
    match error {
        Error::CallbackError { cause: inner, .. } | Error::WithContext { cause: inner, .. } => cause(inner),
        _ => error,
    }
}

/// The ending that an error is, if it is one.
pub(crate) fn ending(error: &Error) -> Option<&Ending> {
    match cause(error) {
        Error::ExternalError(error) => error.downcast_ref(),
        _ => None,
    }
}

/// What an error says, without Rust's and Lua's ways to it.
pub(crate) fn message(error: &Error) -> String {
    let text = match cause(error) {
        Error::RuntimeError(text) => text.clone(),
        Error::SyntaxError { message, .. } => message.clone(),
        Error::MemoryError(_) => "not enough memory".to_owned(),
        Error::ExternalError(error) => error.to_string(),
        Error::BadArgument { to: Some(to), pos, cause, .. } => {
            let method = to.rsplit('.').next().unwrap_or(to);
            let found = match &**cause {
                Error::FromLuaConversionError { from, .. } => (*from).replace("missing argument", "no value"),
                _ => "another userdata".to_owned(),
            };
            format!("bad argument #{pos} to '{method}' (userdata expected, got {found})")
        }
        other => other.to_string(),
    };
    match text.find("\nstack traceback:") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// What a caught error is to the script that caught it; what no script may catch is raised again.
pub(crate) fn caught(_: &Lua, value: Value) -> Result<Value> {
    match value {
        Value::Error(error) if ending(&error).is_some() => Err(*error),
        other => Ok(other),
    }
}

/// An error as the host reports it.
pub(crate) fn fault(frame: Option<u32>, script: &str, error: &Error) -> Fault {
    let message = message(error);
    // `script:line: …`; the name may hold colons itself.
    let place = message.match_indices(':').find_map(|(at, _)| {
        let rest = &message[at + 1..];
        let end = rest.find(':')?;
        let line = rest[..end].parse().ok()?;
        Some((message[..at].to_owned(), line))
    });
    let (script, line) = place.map_or((script.to_owned(), None), |(script, line)| (script, Some(line)));
    Fault { frame, script, line, message }
}
