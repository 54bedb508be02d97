//! What a script has of Lua itself, and what it may use up: dissectors are untrusted code.
//!
//! There are no files, processes or sockets, nothing that loads code but `require` of what the host was given, no
//! bytecode and no `debug`. Memory is limited by the allocator, instructions by a hook that coroutines inherit. What
//! ends a script cannot be caught: `pcall`, `xpcall`, `coroutine.resume` and `close` raise it again. Finalizers run without hooks,
//! so there are none. What C does in one call (a pattern over a long text) no hook sees: that is a limit of wall-clock
//! time, and another process's.

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Error, Function, HookTriggers, Lua, LuaOptions, MultiValue, Result, StdLib, Table, Value, VmState};

use super::super::Options;
use super::Api;
use super::argument::text;
use super::class::function;
use super::failure::{Ending, HOST, caught, fail, here, message};
use super::utility::lua_text;

/// How often the hook looks.
const STEP: u32 = 10_000;

/// What scripts may print between two looks of the driver.
const MAX_OUTPUT: usize = 16 << 20;

/// What Wireshark has and this host has not.
const ABSENT: &[&str] = &[
    "CaptureInfo",
    "CaptureInfoConst",
    "Dumper",
    "File",
    "FileHandler",
    "FrameInfo",
    "FrameInfoConst",
    "PseudoHeader",
    "deregister_filehandler",
    "dofile",
    "h225_cs_type",
    "h225_msg_type",
    "load",
    "loadfile",
    "package",
    "register_filehandler",
    "rex_pcre2",
    "wtap",
    "wtap_encaps",
    "wtap_filetypes",
    "wtap_comments",
    "wtap_presence_flags",
    "wtap_rec_types",
    "wtap_tsprecs",
];

/// The instructions that are left of a call into a script.
pub(crate) struct Budget {
    limit: u64,
    left: Cell<u64>,
    depth: Cell<u32>,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, left: Cell::new(limit), depth: Cell::new(0) }
    }

    /// Begins a call; the outermost has all of the budget.
    pub(crate) fn enter(&self) {
        if self.depth.get() == 0 {
            self.left.set(self.limit);
        }
        self.depth.set(self.depth.get() + 1);
    }

    pub(crate) fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    /// The error that ends a script that has none left; `place` says where it is.
    fn spent(&self, place: &str) -> Option<Error> {
        let what = || format!("{place}more than {} instructions", self.limit);
        (self.left.get() == 0).then(|| Error::external(Ending::Limit(what())))
    }
}

/// A Lua with the libraries that do no harm.
pub(crate) fn lua() -> Result<Lua> {
    let safe = StdLib::COROUTINE | StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::OS;
    #[cfg(feature = "lua54")]
    let safe = safe | StdLib::UTF8;
    #[cfg(feature = "lua52")]
    let safe = safe | StdLib::BIT;
    Lua::new_with(safe, LuaOptions::default())
}

/// What the globals of a script are: 4.4 gives each of them a table of its own, before the one that all share.
pub(crate) fn environment(lua: &Lua) -> Result<Table> {
    if cfg!(feature = "lua52") {
        return Ok(lua.globals());
    }
    let own = lua.create_table()?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", lua.globals())?;
    own.set_metatable(Some(meta))?;
    Ok(own)
}

/// The functions of Lua in their safe forms.
const PRELUDE: &str = r#"
local pcall, xpcall, resume, close, caught, check_metatable, setmetatable, traceback = ...
local function settle(ok, ...)
    if ok then return true, ... end
    return false, caught(...)
end
local function safe_pcall(f, ...) return settle(pcall(f, ...)) end
local function safe_xpcall(f, handler, ...)
    return settle(xpcall(f, function(e) return handler(caught(e)) end, ...))
end
local function safe_resume(co, ...) return settle(resume(co, ...)) end
local function safe_close(co) return settle(close(co)) end
local function safe_setmetatable(t, meta)
    check_metatable(meta)
    return setmetatable(t, meta)
end
return safe_pcall, safe_xpcall, safe_resume, close and safe_close, safe_setmetatable
"#;

fn nothing_here(lua: &Lua, name: &'static str) -> Result<Function> {
    lua.create_function(move |lua, _: MultiValue| -> Result<()> { Err(fail(lua, format_args!("{name} is not in this host"))) })
}

/// A table whose other members fail by name.
fn strict(lua: &Lua, table: &Table, name: &'static str) -> Result<()> {
    let meta = lua.create_table()?;
    let index = lua.create_function(move |lua, (_, key): (Value, Value)| -> Result<Value> {
        let key = lua_text(lua, key)?;
        Err(fail(lua, format_args!("{name}.{key} is not in this host")))
    })?;
    meta.raw_set("__index", index)?;
    table.set_metatable(Some(meta))
}

/// Makes the libraries safe and sets the limits.
pub(crate) fn register(lua: &Lua, api: &Rc<Api>, options: &Options) -> Result<()> {
    let globals = lua.globals();
    protect(lua, api)?;
    let all: Table = globals.raw_get("os")?;
    let os = lua.create_table()?;
    for name in ["clock", "date", "difftime", "time"] {
        os.raw_set(name, all.raw_get::<Value>(name)?)?;
    }
    strict(lua, &os, "os")?;
    globals.raw_set("os", os)?;
    let io = lua.create_table()?;
    io.raw_set("write", function(lua, api, |api, lua, words: MultiValue| print(api, lua, words, "", ""))?)?;
    for (name, written) in [("stdout", true), ("stderr", false)] {
        let stream = lua.create_table()?;
        stream.raw_set(
            "write",
            function(lua, api, move |api, lua, mut words: MultiValue| {
                let this = words.pop_front();
                if written {
                    print(api, lua, words, "", "")?;
                }
                Ok(this)
            })?,
        )?;
        strict(lua, &stream, name)?;
        io.raw_set(name, stream)?;
    }
    strict(lua, &io, "io")?;
    globals.raw_set("io", io)?;
    let strings: Table = globals.raw_get("string")?;
    strings.raw_set("dump", nothing_here(lua, "string.dump")?)?;
    let debug = lua.create_table()?;
    debug.raw_set(
        "traceback",
        lua.create_function(|lua, (message, level): (Value, Option<usize>)| {
            let message = if message.is_nil() { None } else { Some(lua_text(lua, message)?) };
            lua.traceback(message.as_deref(), level.unwrap_or(1))
        })?,
    )?;
    strict(lua, &debug, "debug")?;
    let quiet = lua.create_function(|_, _: MultiValue| Ok(()))?;
    debug.metatable().expect("it has one").raw_set("__call", quiet)?;
    globals.raw_set("debug", debug)?;
    globals.raw_set("print", function(lua, api, |api, lua, words: MultiValue| print(api, lua, words, "\t", "\n"))?)?;
    globals.raw_set("require", function(lua, api, require)?)?;
    for name in ["load", "loadfile", "loadstring", "dofile", "package"] {
        globals.raw_set(name, Value::Nil)?;
    }
    bit(lua)?;
    let meta = lua.create_table()?;
    meta.raw_set(
        "__index",
        lua.create_function(|lua, (_, key): (Value, Value)| {
            let Value::String(key) = key else { return Ok(Value::Nil) };
            let key = key.to_string_lossy();
            if ABSENT.contains(&key.as_str()) { Err(fail(lua, format_args!("{key} is not in this host"))) } else { Ok(Value::Nil) }
        })?,
    )?;
    globals.set_metatable(Some(meta))?;
    lua.set_memory_limit(options.memory_limit)?;
    let api = Rc::downgrade(api);
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(STEP), move |lua, _| {
        let Some(api) = api.upgrade() else { return Ok(VmState::Continue) };
        api.budget.left.set(api.budget.left.get().saturating_sub(u64::from(STEP)));
        if api.budget.left.get() > 0 {
            return Ok(VmState::Continue);
        }
        api.budget.spent(&here(lua)).map_or(Ok(VmState::Continue), Err)
    })
}

/// Errors are texts, as in Wireshark, and the end of a script cannot be caught.
fn protect(lua: &Lua, api: &Rc<Api>) -> Result<()> {
    let globals = lua.globals();
    let coroutine: Table = globals.raw_get("coroutine")?;
    let settle = function(lua, api, |api, lua, error: Value| {
        match caught(lua, error)? {
            // What was lost on the way (an error in the handler of an error) is found again.
            _ if api.budget.left.get() == 0 => api.budget.spent("").map_or(Ok(Value::Nil), Err),
            Value::Error(error) => lua.create_string(message(&error)).map(Value::String),
            other => Ok(other),
        }
    })?;
    let check = lua.create_function(|lua, meta: Value| match meta {
        Value::Table(meta) if !meta.raw_get::<Value>("__gc")?.is_nil() => Err(fail(lua, "__gc is not in this host")),
        _ => Ok(()),
    })?;
    let functions: (Function, Function, Function, Option<Function>, Function) = lua.load(PRELUDE).set_name(HOST).call((
        globals.raw_get::<Function>("pcall")?,
        globals.raw_get::<Function>("xpcall")?,
        coroutine.raw_get::<Function>("resume")?,
        coroutine.raw_get::<Option<Function>>("close")?,
        settle,
        check,
        globals.raw_get::<Function>("setmetatable")?,
    ))?;
    globals.raw_set("pcall", functions.0)?;
    globals.raw_set("xpcall", functions.1)?;
    coroutine.raw_set("resume", functions.2)?;
    coroutine.raw_set("close", functions.3)?;
    globals.raw_set("setmetatable", functions.4)
}

fn print(api: &Api, lua: &Lua, words: MultiValue, between: &str, end: &str) -> Result<()> {
    let mut line = String::new();
    for (at, word) in words.into_iter().enumerate() {
        if at > 0 {
            line.push_str(between);
        }
        line.push_str(&lua_text(lua, word)?);
    }
    line.push_str(end);
    if api.core.output.borrow().len() + line.len() > MAX_OUTPUT {
        return Err(fail(lua, "too much output"));
    }
    api.say(&line);
    Ok(())
}

/// `require`: what the host was given by that name, once.
fn require(api: &Api, lua: &Lua, name: Value) -> Result<Value> {
    let name = text(lua, 1, &name)?;
    let loaded = match lua.named_registry_value::<Table>("loaded modules") {
        Ok(loaded) => loaded,
        Err(_) => {
            let loaded = lua.create_table()?;
            lua.set_named_registry_value("loaded modules", &loaded)?;
            loaded
        }
    };
    let known: Value = loaded.raw_get(name.as_str())?;
    if !known.is_nil() {
        return Ok(known);
    }
    if let Ok(library) = lua.globals().raw_get::<Table>(name.as_str()) {
        return Ok(Value::Table(library));
    }
    let source = api.modules.borrow().iter().find(|(known, _)| *known == name).map(|(_, source)| source.clone());
    let Some(source) = source else {
        return Err(fail(lua, format_args!("module '{name}' not found: it is not in this host, and was not given to it")));
    };
    let module = lua.load(source).set_name(format!("@{name}.lua")).set_mode(mlua::ChunkMode::Text);
    let value: Value = module.call(name.as_str())?;
    let value = if value.is_nil() { Value::Boolean(true) } else { value };
    loaded.raw_set(name, &value)?;
    Ok(value)
}

/// `bit`: operations on 32 bits, with results that have a sign.
fn bit(lua: &Lua) -> Result<()> {
    fn bits(value: &Value) -> Option<i32> {
        match value {
            Value::Integer(number) => Some(*number as i32),
            Value::Number(number) => Some(number.round_ties_even() as i64 as i32),
            Value::String(text) => super::argument::number_in(&text.to_string_lossy()).map(|number| number as i64 as i32),
            _ => None,
        }
    }
    fn all(lua: &Lua, values: &MultiValue) -> Result<Vec<i32>> {
        let value = |(at, value)| bits(value).ok_or_else(|| super::failure::expected(lua, at + 1, "number", value));
        if values.is_empty() {
            return Err(super::failure::bad(lua, 1, "number expected, got no value"));
        }
        values.iter().enumerate().map(value).collect()
    }
    let table = lua.create_table()?;
    let fold = |name: &str, work: fn(i32, i32) -> i32| {
        let function = lua.create_function(move |lua, values: MultiValue| {
            let values = all(lua, &values)?;
            Ok(values[1..].iter().fold(values[0], |left, right| work(left, *right)))
        });
        table.raw_set(name, function?)
    };
    fold("band", |left, right| left & right)?;
    fold("bor", |left, right| left | right)?;
    fold("bxor", |left, right| left ^ right)?;
    fold("lshift", |bits, by| ((bits as u32) << (by & 31)) as i32)?;
    fold("rshift", |bits, by| (bits as u32 >> (by & 31)) as i32)?;
    fold("arshift", |bits, by| bits >> (by & 31))?;
    fold("rol", |bits, by| bits.rotate_left(by as u32 & 31))?;
    fold("ror", |bits, by| bits.rotate_right(by as u32 & 31))?;
    let each = |name: &str, work: fn(i32) -> i32| {
        table.raw_set(name, lua.create_function(move |lua, values: MultiValue| Ok(work(all(lua, &values)?[0])))?)
    };
    each("tobit", |bits| bits)?;
    each("bnot", |bits| !bits)?;
    each("bswap", i32::swap_bytes)?;
    table.raw_set(
        "tohex",
        lua.create_function(|lua, values: MultiValue| {
            let values = all(lua, &values)?;
            let digits = values.get(1).copied().unwrap_or(8);
            let count = digits.unsigned_abs().min(8) as usize;
            let text = if digits < 0 { format!("{:08X}", values[0]) } else { format!("{:08x}", values[0]) };
            Ok(text[8 - count..].to_owned())
        })?,
    )?;
    lua.globals().raw_set("bit", table)
}
