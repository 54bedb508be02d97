//! `Dissector` and `DissectorTable`: calling others, and being called.

use mlua::{Lua, MultiValue, Result, Value, Variadic};

use super::super::buffer::Tvb;
use super::super::core::Exception;
use super::super::field::Kind;
use super::super::table::{HandleId, Table};
use super::super::tree::NodeId;
use super::Api;
use super::argument::{bytes_of, integer, text, text_or};
use super::class::Classes;
use super::constant;
use super::failure::{Ending, bad, expected, expected_class, fail};
use super::object::{Class, Object};

impl Api {
    /// The dissector at an argument: a `Dissector`, or the protocol of one.
    fn handle(&self, lua: &Lua, argument: usize, value: &Value) -> Result<HandleId> {
        match Object::of(value) {
            Some(object) if object.class == Class::Dissector => Ok(HandleId(object.index)),
            Some(object) if object.class == Class::Proto => {
                let (handle, id) = {
                    let protos = self.protos.borrow();
                    (protos[object.index as usize].handle, protos[object.index as usize].id)
                };
                handle.ok_or_else(|| {
                    let name = self.core.registry.borrow().protocol(id).short_name.clone();
                    fail(lua, format_args!("bad argument #{} (Dissector_table_add: Proto {name} has no dissector)", argument - 1))
                })
            }
            _ => Err(bad(lua, argument, "must be either Proto or Dissector")),
        }
    }

    fn table(&self, lua: &Lua, value: &Value) -> Result<String> {
        match Object::of(value) {
            Some(object) if object.class == Class::DissectorTable => Ok(self.tables.borrow()[object.index as usize].clone()),
            _ => Err(expected_class(lua, 1, "DissectorTable", value)),
        }
    }

    /// The object of a table by its name.
    fn table_object(&self, name: &str) -> Value {
        let mut tables = self.tables.borrow_mut();
        let index = tables.iter().position(|known| known == name).unwrap_or_else(|| {
            tables.push(name.to_owned());
            tables.len() - 1
        });
        Value::LightUserData(Object::lasting(Class::DissectorTable, index as u32).to_lua())
    }

    /// Where a dissector that a script calls works: buffer and item.
    fn place(&self, lua: &Lua, from: usize, tvb: &Value, pinfo: &Value, item: &Value) -> Result<(Tvb, NodeId)> {
        let tvb = self.tvb(lua, from, tvb)?.tvb;
        match Object::of(pinfo) {
            Some(object) if object.class == Class::Pinfo && object.is_of(self.core.generation.get()) => {}
            Some(object) if object.class == Class::Pinfo => return Err(bad(lua, from + 1, "expired Pinfo")),
            _ => return Err(expected_class(lua, from + 1, "Pinfo", pinfo)),
        }
        Ok((tvb, self.item(lua, from + 2, item)?))
    }
}

/// What became of a call: in 4.0 an exception ends the calling script, too; 4.4 raises an error that can be caught.
fn taken(lua: &Lua, result: std::result::Result<usize, Exception>) -> Result<Value> {
    match result {
        Ok(len) => Ok(Value::Integer(len as i64)),
        Err(Exception::Bug(what)) => Err(fail(lua, what)),
        Err(exception) if cfg!(feature = "lua52") => Err(mlua::Error::external(Ending::Exception(exception))),
        Err(_) => Err(fail(lua, "Malformed frame")),
    }
}

fn is_text(kind: Kind) -> bool {
    matches!(kind, Kind::String | Kind::Stringz | Kind::UintString)
}

/// `table:add(key, dissector)`: a number, a range of numbers as text, or a text.
pub(crate) fn add_to_table(api: &Api, lua: &Lua, this: &Value, arguments: &MultiValue) -> Result<()> {
    let (key, dissector) = (arguments.front().cloned().unwrap_or(Value::Nil), arguments.get(1).cloned().unwrap_or(Value::Nil));
    change(api, lua, this, &key, &dissector, |table, key, handle| match key {
        Key::Number(number) => table.add_number(number, handle),
        Key::Text(text) => table.add_text(text, handle),
    })
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Number(u64),
    Text(&'a str),
}

fn change(api: &Api, lua: &Lua, this: &Value, key: &Value, dissector: &Value, work: impl Fn(&mut Table, Key<'_>, HandleId)) -> Result<()> {
    let name = api.table(lua, this)?;
    let handle = match Object::of(dissector).map(|object| object.class) {
        Some(Class::Dissector | Class::Proto) => api.handle(lua, 3, dissector)?,
        _ => return Err(bad(lua, 3, "DissectorTable_add: must be either Proto or Dissector")),
    };
    let mut tables = api.core.tables.borrow_mut();
    let Some(table) = tables.by_name.get_mut(&*name) else { return Ok(()) };
    if is_text(table.kind) {
        drop(tables);
        let key = text(lua, 2, key)?;
        let mut tables = api.core.tables.borrow_mut();
        if let Some(table) = tables.by_name.get_mut(&*name) {
            work(table, Key::Text(&key), handle);
        }
        return Ok(());
    }
    match key {
        Value::Integer(_) | Value::Number(_) => {
            drop(tables);
            let number = integer(lua, 2, key)? as u32;
            if let Some(table) = api.core.tables.borrow_mut().by_name.get_mut(&*name) {
                work(table, Key::Number(u64::from(number)), handle);
            }
        }
        Value::String(range) => {
            let range = range.to_string_lossy();
            let Some(ranges) = ranges(&range) else {
                drop(tables);
                return Err(bad(lua, 2, "DissectorTable_add: invalid integer or range"));
            };
            if ranges.iter().map(|(from, to)| to.saturating_sub(*from)).fold(ranges.len() as u64, u64::saturating_add) > 70_000 {
                drop(tables);
                return Err(bad(lua, 2, "DissectorTable_add: the range is too large"));
            }
            for (from, to) in ranges {
                (from..=to).for_each(|number| work(table, Key::Number(number), handle));
            }
        }
        _ => {
            drop(tables);
            return Err(bad(lua, 2, "DissectorTable_add: must be a number or a range"));
        }
    }
    Ok(())
}

/// `5030,6000-6010` as pairs of first and last.
pub(crate) fn ranges(text: &str) -> Option<Vec<(u64, u64)>> {
    let mut ranges = Vec::new();
    for piece in text.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        let number = |text: &str| match text.trim().strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => text.trim().parse().ok(),
        };
        let (from, to) = match piece.split_once('-') {
            Some(("", to)) => (0, number(to)?),
            Some((from, "")) => (number(from)?, 65535),
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(piece)?, number(piece)?),
        };
        ranges.push((from.min(to), from.max(to)));
    }
    Some(ranges)
}

fn register_dissectors(classes: &mut Classes<'_>) -> Result<()> {
    let mut dissector = classes.class(Class::Dissector)?;
    dissector.function("get", |api, lua, name: Value| {
        let name = text(lua, 1, &name)?;
        match api.core.tables.borrow().handle_named(&name) {
            Some(handle) => Ok(Value::LightUserData(Object::lasting(Class::Dissector, handle.0).to_lua())),
            None => Ok(Value::Nil),
        }
    })?;
    dissector.function("list", |api, lua, ()| {
        let mut names: Vec<_> = api.core.tables.borrow().names().map(str::to_owned).collect();
        names.sort();
        lua.create_sequence_from(names)
    })?;
    dissector
        .method("call", |api, lua, (this, tvb, pinfo, item): (Value, Value, Value, Value)| call(api, lua, &this, &tvb, &pinfo, &item))?;
    dissector.call(|api, lua, (this, arguments): (Value, Variadic<Value>)| {
        let at = |index: usize| arguments.get(index).cloned().unwrap_or(Value::Nil);
        call(api, lua, &this, &at(0), &at(1), &at(2))
    })?;
    dissector.text(|api, lua, this| {
        let tables = api.core.tables.borrow();
        let handle = tables.handle(HandleId(this.index));
        let name = api.core.registry.borrow().protocol(handle.protocol).short_name.clone();
        lua.create_string(&*name).map(Value::String)
    });
    Ok(())
}

fn call(api: &Api, lua: &Lua, this: &Value, tvb: &Value, pinfo: &Value, item: &Value) -> Result<Value> {
    let handle = match Object::of(this) {
        Some(object) if object.class == Class::Dissector => HandleId(object.index),
        _ => return Err(expected_class(lua, 1, "Dissector", this)),
    };
    let (tvb, node) = api.place(lua, 2, tvb, pinfo, item)?;
    // Wireshark shows as data what a dissector does not take.
    match api.core.call(handle, tvb, node) {
        Ok(0) => {
            let data = api.core.call_named("data", tvb, node);
            taken(lua, data)
        }
        other => taken(lua, other),
    }
}

/// `table:try(key, tvb, pinfo, tree)`: without a match the bytes are data.
fn attempt(api: &Api, lua: &Lua, (this, key, tvb, pinfo, item): (Value, Value, Value, Value, Value)) -> Result<Value> {
    let name = api.table(lua, &this)?;
    let kind = api.core.tables.borrow().by_name.get(&*name).map_or(Kind::Uint32, |table| table.kind);
    let (tvb, node) = api.place(lua, 3, &tvb, &pinfo, &item)?;
    let result = if is_text(kind) {
        let key = text(lua, 2, &key)?;
        api.core.try_text(&name, &key, tvb, node)
    } else {
        let key = integer(lua, 2, &key)?;
        api.core.try_uint(&name, key as u32, tvb, node)
    };
    match result {
        Ok(0) => {
            let data = api.core.call_named("data", tvb, node);
            taken(lua, data)
        }
        other => taken(lua, other),
    }
}

fn register_tables(classes: &mut Classes<'_>) -> Result<()> {
    let mut table = classes.class(Class::DissectorTable)?;
    table.function("get", |api, lua, name: Value| {
        let name = text(lua, 1, &name)?;
        if !api.core.tables.borrow().by_name.contains_key(&*name) {
            return Ok(Value::Nil);
        }
        Ok(api.table_object(&name))
    })?;
    table.function("new", |api, lua, (name, title, kind, base, proto): (Value, Value, Value, Value, Value)| {
        let name = text(lua, 1, &name)?;
        let title = text_or(lua, 2, &title, &name)?;
        let kind = if kind.is_nil() { Kind::Uint32 } else { constant::kind(integer(lua, 3, &kind)?).unwrap_or(Kind::None) };
        let base = if base.is_nil() { 1 } else { integer(lua, 4, &base)? };
        let number = constant::kind_number(kind);
        if !(is_text(kind) || (4..=7).contains(&number) || matches!(kind, Kind::None | Kind::Guid)) {
            return Err(bad(lua, 3, "DissectorTable_new: must be ftypes.UINT{8,16,24,32}, ftypes.STRING, ftypes.GUID or ftypes.NONE"));
        }
        let protocol = if proto.is_nil() { None } else { Some(api.protos.borrow()[api.proto(lua, 5, &proto)? as usize].id) };
        if api.core.tables.borrow().by_name.contains_key(&*name) {
            return Err(fail(lua, format_args!("The dissector table {name} already exists.")));
        }
        let base = constant::base(base & 0xff).unwrap_or_default();
        api.core.tables.borrow_mut().by_name.insert(name.as_str().into(), Table::new(&title, kind, base, protocol));
        Ok(api.table_object(&name))
    })?;
    table.function("list", |api, lua, ()| {
        let names: Vec<String> = api.core.tables.borrow().by_name.keys().map(|name| name.to_string()).collect();
        lua.create_sequence_from(names)
    })?;
    table.function("heuristic_list", |api, lua, ()| {
        let names: Vec<String> = api.core.tables.borrow().heuristics.keys().map(|name| name.to_string()).collect();
        lua.create_sequence_from(names)
    })?;
    table.function("heuristic_new", |api, lua, (name, proto): (Value, Value)| {
        let name = text(lua, 1, &name)?;
        api.proto(lua, 2, &proto)?;
        let mut tables = api.core.tables.borrow_mut();
        if tables.heuristics.contains_key(&*name) {
            drop(tables);
            return Err(bad(lua, 1, "DissectorTable_heuristic_new: there's already a heuristic list with that name"));
        }
        tables.heuristics.insert(name.into(), Vec::new());
        Ok(())
    })?;
    table.function("try_heuristics", |api, lua, (name, tvb, pinfo, item): (Value, Value, Value, Value)| {
        let name = text(lua, 1, &name)?;
        let (tvb, node) = api.place(lua, 2, &tvb, &pinfo, &item)?;
        if !api.core.tables.borrow().heuristics.contains_key(&*name) {
            return Err(fail(lua, format_args!("Heuristic list '{name}' does not exist")));
        }
        match api.core.try_heuristic(&name, tvb, node) {
            Ok(found) => Ok(Value::Boolean(found)),
            Err(exception) => taken(lua, Err(exception)),
        }
    })?;
    table.method("add", |api, lua, mut arguments: MultiValue| {
        let this = arguments.pop_front().unwrap_or(Value::Nil);
        add_to_table(api, lua, &this, &arguments)
    })?;
    table.method("set", |api, lua, (this, key, dissector): (Value, Value, Value)| {
        change(api, lua, &this, &key, &dissector, |table, key, handle| match key {
            Key::Number(number) => table.add_number(number, handle),
            Key::Text(text) => table.add_text(text, handle),
        })
    })?;
    table.method("remove", |api, lua, (this, key, dissector): (Value, Value, Value)| {
        change(api, lua, &this, &key, &dissector, |table, key, handle| match key {
            Key::Number(number) => table.remove_number(number, handle),
            Key::Text(text) => table.remove_text(text, handle),
        })
    })?;
    table.method("remove_all", |api, lua, (this, dissector): (Value, Value)| {
        let name = api.table(lua, &this)?;
        let handle = api.handle(lua, 2, &dissector)?;
        if let Some(table) = api.core.tables.borrow_mut().by_name.get_mut(&*name) {
            table.remove_all(handle);
        }
        Ok(())
    })?;
    table.method("try", attempt)?;
    table.method("get_dissector", |api, lua, (this, key): (Value, Value)| {
        let name = api.table(lua, &this)?;
        let tables = api.core.tables.borrow();
        let Some(table) = tables.by_name.get(&*name) else { return Ok(Value::Nil) };
        let handle = match &key {
            Value::String(text) if is_text(table.kind) => table.text(&text.to_string_lossy()),
            Value::Integer(number) if !is_text(table.kind) => table.number(*number as u64),
            Value::Number(number) if !is_text(table.kind) => table.number(*number as u64),
            other if is_text(table.kind) => match bytes_of(other) {
                Some(text) => table.text(&String::from_utf8_lossy(&text)),
                None => return Err(expected(lua, 2, "string", other)),
            },
            other => return Err(expected(lua, 2, "number", other)),
        };
        Ok(handle.map_or(Value::Nil, |handle| Value::LightUserData(Object::lasting(Class::Dissector, handle.0).to_lua())))
    })?;
    table.method("add_for_decode_as", |api, lua, (this, dissector): (Value, Value)| {
        let name = api.table(lua, &this)?;
        let handle = api.handle(lua, 2, &dissector)?;
        if let Some(table) = api.core.tables.borrow_mut().by_name.get_mut(&*name) {
            table.offer(handle);
        }
        Ok(())
    })?;
    table.text(|api, lua, this| {
        let name = api.tables.borrow()[this.index as usize].clone();
        let tables = api.core.tables.borrow();
        let Some(table) = tables.by_name.get(&*name) else { return lua.create_string(name).map(Value::String) };
        let keys = match table.kind {
            Kind::None => "only for Decode As".to_owned(),
            Kind::Guid => "GUID".to_owned(),
            kind if is_text(kind) => "String".to_owned(),
            _ => format!("Integer({})", constant::base_number(table.base)),
        };
        lua.create_string(format!("DissectorTable {name} {keys}:\n")).map(Value::String)
    });
    Ok(())
}

/// Makes the classes.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    register_dissectors(classes)?;
    register_tables(classes)
}
