//! Functions without a class: versions, times, menus, statistics, reports; `Dir`; `dissect_tcp_pdus`.

use mlua::{Function, Lua, MultiValue, Result, Value};

use super::super::builtin::show_exception;
use super::super::core::Exception;
use super::super::packet::ONE_MORE_SEGMENT;
use super::super::text;
use super::argument::{integer, number, text as text_argument, text_or, truth};
use super::class::{Classes, function, global};
use super::failure::{bad, ending, expected_class, fail, message};
use super::object::{Class, Object};
use super::{Api, Callback};

/// The version of Wireshark whose API this is.
pub(crate) const VERSION: &str = if cfg!(feature = "lua54") { "4.4.18" } else { "4.0.17" };

/// A statistic that a script offers (`tshark -z htcpcp,stat`).
pub(crate) struct Statistic {
    pub(crate) argument: String,
    pub(crate) action: Callback,
}

/// What tells the class of a value.
fn class_of(value: &Value) -> String {
    match value {
        Value::LightUserData(_) => Object::of(value).map_or_else(|| "userdata".to_owned(), |object| object.class.name().to_owned()),
        Value::UserData(data) => data.type_name().ok().flatten().unwrap_or_else(|| "userdata".to_owned()),
        Value::Table(table) => table
            .metatable()
            .and_then(|_| table.raw_get::<Option<String>>("__typeof").ok().flatten())
            .unwrap_or_else(|| "UNKNOWN".to_owned()),
        _ => "UNKNOWN".to_owned(),
    }
}

/// `Jun 27, 2023 09:39:59.342121000 UTC` of seconds since the epoch.
fn format_date(seconds: f64) -> String {
    let whole = seconds.floor();
    let nanos = ((seconds - whole) * 1e9) as i64;
    text::date(whole as i64, nanos as i32)
}

/// A duration in words.
fn format_time(seconds: f64) -> String {
    let total = seconds as i64;
    let nanos = ((seconds - total as f64) * 1e9) as i64;
    let (days, hours, minutes, secs) = (total / 86400, total / 3600 % 24, total / 60 % 60, total % 60);
    let mut words = Vec::new();
    for (count, word) in [(days, "day"), (hours, "hour"), (minutes, "minute")] {
        if count != 0 {
            words.push(format!("{count} {word}{}", if count == 1 { "" } else { "s" }));
        }
    }
    match (secs, nanos) {
        (0, 0) if !words.is_empty() => {}
        (0, 0) => words.push("0.000000000 seconds".to_owned()),
        (1, 0) => words.push("1 second".to_owned()),
        (secs, 0) => words.push(format!("{secs} seconds")),
        (secs, nanos) => words.push(format!("{secs}.{nanos:09} seconds")),
    }
    words.join(", ")
}

/// An error of a function that `dissect_tcp_pdus` was given; what ends the script does so here, too.
fn inside(name: &str, error: mlua::Error) -> mlua::Error {
    match ending(&error) {
        Some(_) => error,
        None => mlua::Error::runtime(format!("Lua Error in dissect_tcp_pdus {name}: {}", message(&error))),
    }
}

/// `dissect_tcp_pdus(tvb, tree, header length, length of a message, dissect)`: each message of known length by itself.
fn dissect_tcp_pdus(api: &Api, lua: &Lua, arguments: MultiValue) -> Result<()> {
    let at = |index: usize| arguments.get(index - 1).cloned().unwrap_or(Value::Nil);
    let tvb = api.tvb(lua, 1, &at(1))?.tvb;
    let item = at(2);
    api.item(lua, 2, &item)?;
    let header = integer(lua, 3, &at(3))?;
    let (Value::Function(length), Value::Function(dissect)) = (at(4), at(5)) else {
        return Err(fail(lua, "The third and fourth arguments need to be Lua functions"));
    };
    let desegment = at(6).is_nil() || truth(&at(6));
    let header = u32::try_from(header).unwrap_or(0);
    let pinfo = Value::LightUserData(Object::passing(Class::Pinfo, api.core.generation.get(), 0).to_lua());
    let mut offset = 0;
    while offset < tvb.reported_len {
        let rest = tvb.from(offset);
        let may_wait = desegment && api.core.packet.borrow().can_desegment > 0 && tvb.len == tvb.reported_len;
        let wait = |len: u32| {
            let mut packet = api.core.packet.borrow_mut();
            packet.desegment_offset = offset;
            packet.desegment_len = len;
        };
        if rest.reported_len < header && may_wait {
            wait(ONE_MORE_SEGMENT);
            return Ok(());
        }
        let whole = api.push(Class::Tvb, tvb, 0).to_lua();
        let len: Value = length.call((whole, pinfo.clone(), offset)).map_err(|error| inside("get_len_func", error))?;
        let len = u32::try_from(integer(lua, 4, &len)?).unwrap_or(u32::MAX);
        if len == 0 && may_wait {
            wait(ONE_MORE_SEGMENT);
            return Ok(());
        }
        if len < header {
            show_exception(&api.core, tvb, &Exception::Malformed);
            return Ok(());
        }
        if len > rest.reported_len && may_wait {
            wait(len - rest.reported_len);
            return Ok(());
        }
        let part = tvb.part(offset, len);
        let part = api.push(Class::Tvb, part, 0).to_lua();
        dissect.call::<()>((part, pinfo.clone(), item.clone())).map_err(|error| inside("dissect_func", error))?;
        offset = offset.saturating_add(len);
    }
    Ok(())
}

fn register_dir(lua: &Lua, api: &std::rc::Rc<Api>) -> Result<()> {
    let dir = global(lua, "Dir")?;
    // A script may ask where things are; there is nothing there for it.
    for name in ["global_config_path", "global_plugins_path", "personal_config_path", "personal_plugins_path"] {
        dir.raw_set(
            name,
            function(lua, api, |_, lua, file: Value| if file.is_nil() { Ok(String::new()) } else { text_argument(lua, 1, &file) })?,
        )?;
    }
    dir.raw_set("exists", function(lua, api, |_, lua, path: Value| text_argument(lua, 1, &path).map(|_| Value::Nil))?)?;
    for name in ["open", "make", "remove", "remove_all", "close"] {
        dir.raw_set(
            name,
            function(lua, api, move |_, lua, _: MultiValue| -> Result<()> {
                Err(fail(lua, format_args!("Dir.{name} is not in this host: scripts have no files")))
            })?,
        )?;
    }
    Ok(())
}

/// Puts them where scripts look.
pub(crate) fn register(classes: &Classes<'_>) -> Result<()> {
    let (lua, api) = (classes.lua, classes.api);
    let globals = lua.globals();
    let set = |name: &str, function: Function| globals.raw_set(name, function);
    set("get_version", function(lua, api, |_, _, ()| Ok(VERSION))?)?;
    set("gui_enabled", function(lua, api, |_, _, ()| Ok(false))?)?;
    globals.raw_set("GUI_ENABLED", false)?;
    globals.raw_set("running_superuser", false)?;
    set("typeof", function(lua, api, |_, _, value: Value| Ok(class_of(&value)))?)?;
    set("format_date", function(lua, api, |_, lua, seconds: Value| Ok(format_date(number(lua, 1, &seconds)?)))?)?;
    set("format_time", function(lua, api, |_, lua, seconds: Value| Ok(format_time(number(lua, 1, &seconds)?)))?)?;
    set(
        "set_plugin_info",
        function(lua, api, |_, lua, info: Value| match info {
            Value::Table(info) if info.raw_get::<Value>("version")?.is_string() => Ok(()),
            Value::Table(_) => Err(fail(lua, "the Lua table must have a 'version' key entry with a string value")),
            _ => Err(fail(lua, "a Lua table with at least a 'version' string entry")),
        })?,
    )?;
    set(
        "report_failure",
        function(lua, api, |api, lua, what: Value| {
            let what = text_argument(lua, 1, &what)?;
            api.say(&format!("{what}\n"));
            Ok(())
        })?,
    )?;
    // They write into Wireshark's log, which nobody reads here.
    for name in ["critical", "warn", "message", "info"] {
        set(name, lua.create_function(|_, _: MultiValue| Ok(()))?)?;
    }
    set(
        "register_stat_cmd_arg",
        function(lua, api, |api, lua, (argument, action): (Value, Value)| {
            let argument = text_argument(lua, 1, &argument)?;
            if let Value::Function(action) = action {
                api.statistics.borrow_mut().push(Statistic { argument, action: api.callback(action) });
            }
            Ok(())
        })?,
    )?;
    for name in [
        "register_menu",
        "register_packet_menu",
        "retap_packets",
        "redissect_packets",
        "reload_packets",
        "reload_lua_plugins",
        "reload",
        "copy_to_clipboard",
        "open_capture_file",
        "set_filter",
        "get_filter",
        "apply_filter",
        "set_color_filter_slot",
        "get_color_filter_slot",
        "browser_open_url",
        "browser_open_data_file",
        "new_dialog",
    ] {
        // What belongs to a window does nothing in tshark, or fails.
        let called = match name {
            "retap_packets" => "wslua_retap_packets",
            "reload_packets" | "redissect_packets" => "reload",
            other => other,
        };
        let quiet = matches!(name, "register_menu" | "register_packet_menu");
        set(
            name,
            function(
                lua,
                api,
                move |_, lua, _: MultiValue| {
                    if quiet { Ok(()) } else { Err(fail(lua, format_args!("{called}: GUI not available"))) }
                },
            )?,
        )?;
    }
    set(
        "register_postdissector",
        function(lua, api, |api, lua, (proto, _): (Value, Value)| {
            let index = match Object::of(&proto) {
                Some(object) if object.class == Class::Proto => object.index,
                _ => return Err(expected_class(lua, 1, "Proto", &proto)),
            };
            let handle = api.protos.borrow()[index as usize].handle;
            let Some(handle) = handle else { return Err(bad(lua, 1, "this protocol has no dissector")) };
            let mut tables = api.core.tables.borrow_mut();
            if tables.post.contains(&handle) {
                drop(tables);
                return Err(bad(lua, 1, "this protocol is already registered as postdissector"));
            }
            tables.post.push(handle);
            Ok(())
        })?,
    )?;
    set("dissect_tcp_pdus", function(lua, api, dissect_tcp_pdus)?)?;
    for name in ["TextWindow", "ProgDlg"] {
        let window = global(lua, name)?;
        let new =
            lua.create_function(move |lua, _: MultiValue| -> Result<()> { Err(fail(lua, format_args!("{name}_new: GUI not available"))) })?;
        window.raw_set("new", new)?;
    }
    register_dir(lua, api)?;
    // Names of files that are not there.
    for name in ["persconffile_path", "datafile_path"] {
        set(name, function(lua, api, |_, lua, file: Value| text_or(lua, 1, &file, ""))?)?;
    }
    set("file_exists", function(lua, api, |_, lua, file: Value| text_argument(lua, 1, &file).map(|_| false))?)?;
    globals.raw_set("USER_DIR", "")?;
    globals.raw_set("DATA_DIR", "")?;
    Ok(())
}

/// What `tostring` makes of a value.
pub(crate) fn lua_text(lua: &Lua, value: Value) -> Result<String> {
    let text: Function = lua.globals().raw_get("tostring")?;
    text.call::<mlua::String>(value).map(|text| text.to_string_lossy())
}
