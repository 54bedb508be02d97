//! `Proto`, `ProtoField` and `ProtoExpert`: what a script declares.
//!
//! As in Wireshark, fields are registered behind the scripts that declare them ([`Api::commit`]), so that a script may
//! add to `proto.fields` as long as it runs.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Result, Table, Value};

use super::super::field::{Base, ExpertId, Field, FieldId, FrameType, Group, Kind, ProtocolId, Severity, Strings};
use super::super::table::{Call, HandleId, Heuristic};
use super::argument::{bytes_of, integer, text, text_or};
use super::class::Classes;
use super::constant;
use super::failure::{bad, expected_class, fail};
use super::object::{Class, Object};
use super::{Api, Callback};

/// A protocol of a script.
pub(crate) struct Proto {
    pub(crate) id: ProtocolId,
    pub(crate) field: FieldId,
    pub(crate) handle: Option<HandleId>,
    pub(crate) init: Option<Callback>,
    pub(crate) prefs_changed: Option<Callback>,
    fields: Table,
    experts: Table,
}

/// A field of a script.
pub(crate) struct ProtoField {
    pub(crate) definition: Field,
    /// Where it is registered, and what is needed at each use of it.
    pub(crate) place: Option<(FieldId, Kind, u64)>,
    has_strings: bool,
}

/// A kind of expert info of a script.
pub(crate) struct ProtoExpert {
    abbreviation: String,
    text: String,
    group: Group,
    severity: Severity,
    pub(crate) id: Option<ExpertId>,
}

impl Api {
    /// The protocol at an argument.
    pub(crate) fn proto(&self, lua: &Lua, argument: usize, value: &Value) -> Result<u32> {
        match Object::of(value) {
            Some(object) if object.class == Class::Proto => Ok(object.index),
            _ => Err(expected_class(lua, argument, "Proto", value)),
        }
    }

    /// Registers what scripts have declared since the last time.
    pub(crate) fn commit(&self) -> Result<()> {
        let count = self.protos.borrow().len();
        for index in 0..count {
            let (id, fields, experts) = {
                let protos = self.protos.borrow();
                (protos[index].id, protos[index].fields.clone(), protos[index].experts.clone())
            };
            for pair in fields.pairs::<Value, Value>() {
                self.register_field(id, &pair?.1);
            }
            for pair in experts.pairs::<Value, Value>() {
                self.register_expert(id, &pair?.1);
            }
        }
        Ok(())
    }

    fn register_field(&self, protocol: ProtocolId, value: &Value) {
        let Some(object) = Object::of(value).filter(|object| object.class == Class::ProtoField) else { return };
        let mut fields = self.fields.borrow_mut();
        let field = &mut fields[object.index as usize];
        if field.place.is_none() {
            field.definition.protocol = protocol;
            let id = self.core.registry.borrow_mut().add_field(field.definition.clone());
            field.place = Some((id, field.definition.kind, field.definition.mask));
        }
    }

    fn register_expert(&self, protocol: ProtocolId, value: &Value) {
        let Some(object) = Object::of(value).filter(|object| object.class == Class::ProtoExpert) else { return };
        let mut experts = self.experts.borrow_mut();
        let expert = &mut experts[object.index as usize];
        if expert.id.is_none() {
            let mut registry = self.core.registry.borrow_mut();
            expert.id = Some(registry.add_expert(protocol, &expert.abbreviation, &expert.text, expert.group, expert.severity));
        }
    }

    /// Whether somebody looks at a protocol's items or any field of it; `handle` is its dissector.
    pub(crate) fn is_protocol_looked_at(&self, handle: u32) -> bool {
        if self.core.visible.get() {
            return true;
        }
        let protocol = self.core.tables.borrow().handle(HandleId(handle)).protocol;
        let registry = self.core.registry.borrow();
        registry.is_protocol_wanted(protocol)
    }

    /// The dissector of a protocol, made if it has none yet.
    fn handle_of(&self, index: u32) -> HandleId {
        let mut protos = self.protos.borrow_mut();
        let proto = &mut protos[index as usize];
        *proto.handle.get_or_insert_with(|| {
            let name = self.core.registry.borrow().protocol(proto.id).abbreviation.to_string();
            self.core.tables.borrow_mut().add_handle(&name, proto.id, Call::Script)
        })
    }
}

/// `Proto(name, description)`.
fn new(api: &Api, lua: &Lua, (name, description): (Value, Value)) -> Result<Value> {
    let name = text(lua, 1, &name)?;
    let description = text(lua, 2, &description)?;
    if name.is_empty() {
        return Err(bad(lua, 1, "Proto_new: must not be an empty string"));
    }
    if description.is_empty() {
        return Err(bad(lua, 2, "Proto_new: must not be an empty string"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(bad(lua, 1, "Proto_new: invalid character in name"));
    }
    let abbreviation = name.to_ascii_lowercase();
    let short_name = name.to_ascii_uppercase();
    let mut registry = api.core.registry.borrow_mut();
    if registry.protocols().iter().any(|known| *known.name == *description) {
        drop(registry);
        return Err(bad(lua, 2, "Proto_new: there cannot be two protocols with the same description"));
    }
    if registry.protocol_named(&abbreviation).is_some() || registry.protocols().iter().any(|known| *known.short_name == *short_name) {
        drop(registry);
        return Err(bad(lua, 1, "Proto_new: there cannot be two protocols with the same name"));
    }
    let id = registry.add_protocol(&description, &short_name, &abbreviation);
    let field = registry.protocol(id).field;
    drop(registry);
    let mut protos = api.protos.borrow_mut();
    let index = protos.len() as u32;
    protos.push(Proto {
        id,
        field,
        handle: None,
        init: None,
        prefs_changed: None,
        fields: lua.create_table()?,
        experts: lua.create_table()?,
    });
    Ok(Value::LightUserData(Object::lasting(Class::Proto, index).to_lua()))
}

/// `proto.fields = …` and `proto.experts = …`: one, or a table of them; what was there stays.
fn extend(lua: &Lua, table: &Table, value: &Value, class: Class, messages: [&str; 2]) -> Result<()> {
    let is_one = |value: &Value| Object::of(value).is_some_and(|object| object.class == class);
    match value {
        Value::Table(given) => {
            for pair in given.pairs::<Value, Value>() {
                let (key, value) = pair?;
                if !is_one(&value) {
                    return Err(fail(lua, messages[1]));
                }
                if key.is_string() {
                    table.raw_set(key, value)?;
                } else {
                    table.raw_push(value)?;
                }
            }
            Ok(())
        }
        value if is_one(value) => table.raw_push(value),
        _ => Err(fail(lua, messages[0])),
    }
}

fn register_protocols(classes: &mut Classes<'_>) -> Result<()> {
    let mut proto = classes.class(Class::Proto)?;
    proto.constructor(new)?;
    proto.get("name", |api, lua, this| {
        let id = api.protos.borrow()[this.index as usize].id;
        lua.create_string(&*api.core.registry.borrow().protocol(id).short_name).map(Value::String)
    });
    proto.get("description", |api, lua, this| {
        let id = api.protos.borrow()[this.index as usize].id;
        lua.create_string(&*api.core.registry.borrow().protocol(id).name).map(Value::String)
    });
    proto.get("fields", |api, _, this| Ok(Value::Table(api.protos.borrow()[this.index as usize].fields.clone())));
    proto.get("experts", |api, _, this| Ok(Value::Table(api.protos.borrow()[this.index as usize].experts.clone())));
    proto.get("prefs", |_, _, this| Ok(Value::LightUserData(Object::lasting(Class::Prefs, this.index).to_lua())));
    proto.get("dissector", |api, lua, this| match api.protos.borrow()[this.index as usize].handle {
        Some(handle) => Ok(Value::LightUserData(Object::lasting(Class::Dissector, handle.0).to_lua())),
        None => Err(fail(lua, "The protocol hasn't been registered yet")),
    });
    proto.set("fields", |api, lua, this, value| {
        let table = api.protos.borrow()[this.index as usize].fields.clone();
        let messages = ["either a ProtoField or an array of protofields", "only ProtoFields should be in the table"];
        extend(lua, &table, &value, Class::ProtoField, messages)
    });
    proto.set("experts", |api, lua, this, value| {
        let table = api.protos.borrow()[this.index as usize].experts.clone();
        let messages = ["either a ProtoExpert or an array of ProtoExperts", "only ProtoExperts should be in the table"];
        extend(lua, &table, &value, Class::ProtoExpert, messages)
    });
    proto.set("dissector", |api, lua, this, value| match value {
        Value::Function(function) => {
            let handle = api.handle_of(this.index);
            api.set_dissector(handle, function);
            Ok(())
        }
        _ => Err(bad(lua, 2, "The dissector of a protocol must be a function")),
    });
    proto.set("init", |api, lua, this, value| match value {
        Value::Function(function) => {
            api.protos.borrow_mut()[this.index as usize].init = Some(api.callback(function));
            Ok(())
        }
        _ => Err(bad(lua, 2, "The initializer of a protocol must be a function")),
    });
    proto.set("prefs_changed", |api, lua, this, value| match value {
        Value::Function(function) => {
            api.protos.borrow_mut()[this.index as usize].prefs_changed = Some(api.callback(function));
            Ok(())
        }
        _ => Err(bad(lua, 2, "The prefs of a protocol must be a function")),
    });
    proto.method("register_heuristic", |api, lua, (this, list, function): (Value, Value, Value)| {
        let index = api.proto(lua, 1, &this)?;
        let list = text(lua, 2, &list)?;
        register_heuristic(api, lua, index, &list, &function)
    })?;
    proto.text(|api, lua, this| {
        let id = api.protos.borrow()[this.index as usize].id;
        let name = api.core.registry.borrow().protocol(id).short_name.clone();
        lua.create_string(format!("Proto: {name}")).map(Value::String)
    });
    Ok(())
}

fn register_heuristic(api: &Api, lua: &Lua, index: u32, list: &str, function: &Value) -> Result<()> {
    let (protocol, name) = {
        let protos = api.protos.borrow();
        let id = protos[index as usize].id;
        (id, api.core.registry.borrow().protocol(id).abbreviation.to_string())
    };
    let mut tables = api.core.tables.borrow_mut();
    let Some(heuristics) = tables.heuristics.get(list) else {
        drop(tables);
        return Err(fail(lua, format_args!("there is no heuristic list for '{list}'")));
    };
    if heuristics.iter().any(|known| known.protocol == protocol) {
        drop(tables);
        return Err(fail(lua, format_args!("'{name}' is already registered as heuristic")));
    }
    let Value::Function(function) = function else {
        drop(tables);
        return Err(bad(lua, 3, "Proto_register_heuristic: must pass a function"));
    };
    let name = format!("{name}_{list}");
    let handle = tables.add_handle(&format!("{name} (heuristic)"), protocol, Call::Script);
    let heuristic = Heuristic { name: name.into(), protocol, handle, enabled: true };
    tables.heuristics.entry(list.into()).or_default().insert(0, heuristic);
    drop(tables);
    api.set_heuristic(handle, function.clone());
    Ok(())
}

/// The integers that a table has for keys, in their order, with their texts.
fn value_strings(lua: &Lua, argument: usize, table: &Table) -> Result<Strings> {
    let mut values = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let key = match key {
            Value::Integer(key) => key as u64,
            Value::Number(key) => key as i64 as u64,
            _ => return Err(bad(lua, argument, "All keys of a table used as value_string must be integers")),
        };
        let Some(value) = bytes_of(&value) else {
            return Err(bad(lua, argument, "All values of a table used as value_string must be strings"));
        };
        values.push((key, String::from_utf8_lossy(&value).into_owned().into_boxed_str()));
    }
    values.sort_by_key(|(key, _)| *key);
    Ok(Strings::Values(Rc::from(values)))
}

fn range_strings(lua: &Lua, argument: usize, table: &Table) -> Result<Strings> {
    let mut ranges = Vec::new();
    for value in table.sequence_values::<Value>() {
        let Value::Table(range) = value? else {
            return Err(bad(lua, argument, "All values of a table used as a range_string must be tables"));
        };
        if range.raw_len() != 3 {
            return Err(bad(lua, argument, "Values of a range string must be tables with exactly three elements"));
        }
        let (from, to, text) = (range.raw_get::<Value>(1)?, range.raw_get::<Value>(2)?, range.raw_get::<Value>(3)?);
        let (Value::Integer(from), Value::Integer(to)) = (from, to) else {
            return Err(bad(lua, argument, "First and second elements of a range string must be integers"));
        };
        let Some(text) = bytes_of(&text) else {
            return Err(bad(lua, argument, "Third element of a range string must be a string"));
        };
        ranges.push((from as u64, to as u64, String::from_utf8_lossy(&text).into_owned().into_boxed_str()));
    }
    Ok(Strings::Ranges(Rc::from(ranges)))
}

fn two_strings(table: &Table) -> Result<[Option<Box<str>>; 2]> {
    let text = |value: Value| bytes_of(&value).map(|text| String::from_utf8_lossy(&text).into_owned().into_boxed_str());
    Ok([text(table.raw_get(1)?), text(table.raw_get(2)?)])
}

fn true_false(table: &Table) -> Result<Strings> {
    let [yes, no] = two_strings(table)?;
    Ok(Strings::TrueFalse(Rc::new((yes.unwrap_or_else(|| "True".into()), no.unwrap_or_else(|| "False".into())))))
}

fn unit(lua: &Lua, argument: usize, table: &Table) -> Result<Strings> {
    let [one, more] = two_strings(table)?;
    let Some(one) = one else { return Err(bad(lua, argument, "The unit name table must have a singular entry (key value 1)")) };
    let more = more.unwrap_or_else(|| one.clone());
    Ok(Strings::Unit(Rc::new((one, more))))
}

/// The words of a field's values, from the table that a script gives.
fn strings(lua: &Lua, argument: usize, kind: Kind, flags: i64, value: &Value) -> Result<Strings> {
    let table = match value {
        Value::Nil if flags & constant::RANGE_STRING != 0 => {
            return Err(bad(lua, argument, "Base contains base.RANGE_STRING but no table was given"));
        }
        Value::Nil if flags & constant::UNIT_STRING != 0 => {
            return Err(bad(lua, argument, "Base contains base.UNIT_STRING but no table was given"));
        }
        Value::Nil => return Ok(Strings::None),
        Value::Table(table) => table,
        _ => return Err(bad(lua, argument, "must be a table")),
    };
    if kind == Kind::Boolean {
        true_false(table)
    } else if flags & constant::UNIT_STRING != 0 {
        unit(lua, argument, table)
    } else if flags & constant::RANGE_STRING != 0 {
        range_strings(lua, argument, table)
    } else {
        value_strings(lua, argument, table)
    }
}

/// Checks what filters shall call a field.
fn abbreviation(lua: &Lua, argument: usize, text: &str, empty: &str) -> Result<()> {
    if text.is_empty() {
        return Err(bad(lua, argument, empty));
    }
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if !fits || text.starts_with('.') || text.ends_with('.') || text.contains("..") {
        return Err(bad(lua, argument, "Invalid char in abbrev"));
    }
    Ok(())
}

/// A field as it is declared, before its protocol is known.
struct Declared {
    kind: Kind,
    abbreviation: String,
    name: String,
    base: Base,
    width: u32,
    strings: Strings,
    mask: u64,
    description: String,
}

fn push(api: &Api, declared: Declared) -> Value {
    let mut fields = api.fields.borrow_mut();
    let index = fields.len() as u32;
    let has_strings = !matches!(declared.strings, Strings::None | Strings::Frame(_));
    fields.push(ProtoField {
        definition: Field {
            abbreviation: declared.abbreviation.into(),
            name: declared.name.into(),
            description: declared.description.into(),
            kind: declared.kind,
            base: declared.base,
            strings: declared.strings,
            mask: declared.mask,
            width: declared.width,
            protocol: ProtocolId(0),
        },
        place: None,
        has_strings,
    });
    Value::LightUserData(Object::lasting(Class::ProtoField, index).to_lua())
}

const INTEGER_BASES: &str = "Base must be either base.DEC, base.HEX, base.OCT, base.DEC_HEX, base.HEX_DEC or base.UNIT_STRING";

/// `ProtoField.uint8` and the other integers: abbreviation, name, base, value string, mask, description.
fn integer_field(api: &Api, lua: &Lua, kind: Kind, arguments: &[Value]) -> Result<Value> {
    let at = |index: usize| arguments.get(index - 1).unwrap_or(&Value::Nil);
    let abbreviated = text(lua, 1, at(1))?;
    let name = text_or(lua, 2, at(2), &abbreviated)?;
    let default = match kind {
        Kind::Char => Base::Oct,
        Kind::Framenum => Base::None,
        _ => Base::Dec,
    };
    check(lua, &abbreviated, &name)?;
    let flags = if at(3).is_nil() { 0 } else { integer(lua, 3, at(3))? };
    let base = if at(3).is_nil() { Some(default) } else { constant::base(flags & 0xff) };
    let signed = matches!(kind, Kind::Int8 | Kind::Int16 | Kind::Int24 | Kind::Int32 | Kind::Int64);
    let base = match (kind, base) {
        (Kind::Framenum, Some(Base::None)) => Base::None,
        (Kind::Framenum, _) => return Err(bad(lua, 3, "FRAMENUM must use base.NONE")),
        (Kind::Char, Some(base @ (Base::Hex | Base::Oct | Base::None))) => base,
        (Kind::Char, _) => return Err(bad(lua, 3, "Base must be either base.NONE, base.HEX or base.OCT")),
        (_, Some(Base::Dec)) if signed => Base::Dec,
        (_, Some(Base::None)) if signed && flags & (constant::UNIT_STRING | constant::RANGE_STRING) != 0 => Base::Dec,
        _ if signed => return Err(bad(lua, 3, "Base must be either base.DEC or base.UNIT_STRING")),
        (_, Some(base @ (Base::Dec | Base::Hex | Base::Oct | Base::DecHex | Base::HexDec))) => base,
        (_, Some(Base::None)) if flags & (constant::UNIT_STRING | constant::RANGE_STRING) != 0 => Base::Dec,
        _ => return Err(bad(lua, 3, INTEGER_BASES)),
    };
    let (strings, mask) = if kind == Kind::Framenum {
        let frame = if at(4).is_nil() { 0 } else { integer(lua, 4, at(4))? };
        let frame = constant::frame_type(frame).ok_or_else(|| bad(lua, 4, "Invalid frametype"))?;
        if !at(5).is_nil() {
            return Err(bad(lua, 5, "FRAMENUM can not have a bitmask"));
        }
        (if frame == FrameType::None { Strings::None } else { Strings::Frame(frame) }, 0)
    } else {
        (strings(lua, 4, kind, flags, at(4))?, mask_of(at(5)))
    };
    let description = text_or(lua, 6, at(6), "")?;
    Ok(push(api, Declared { kind, abbreviation: abbreviated, name, base, width: 0, strings, mask, description }))
}

/// A mask as a number, or as text with its digits.
fn mask_of(value: &Value) -> u64 {
    match value {
        Value::Integer(mask) => *mask as u64,
        Value::Number(mask) => *mask as i64 as u64,
        Value::UserData(_) => super::int64::bits_of(value).unwrap_or(0),
        Value::String(text) => {
            let text = text.to_string_lossy();
            match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(hex) => u64::from_str_radix(hex, 16).unwrap_or(0),
                None => text.parse().unwrap_or(0),
            }
        }
        _ => 0,
    }
}

fn check(lua: &Lua, abbreviated: &str, name: &str) -> Result<()> {
    abbreviation(lua, 1, abbreviated, "Empty field name abbreviation")?;
    if name.is_empty() {
        return Err(bad(lua, 2, "cannot be an empty string"));
    }
    Ok(())
}

/// `ProtoField.bool`: abbreviation, name, width or parent's width, true and false string, mask, description.
fn boolean_field(api: &Api, lua: &Lua, arguments: &[Value]) -> Result<Value> {
    let at = |index: usize| arguments.get(index - 1).unwrap_or(&Value::Nil);
    let abbreviated = text(lua, 1, at(1))?;
    let name = text_or(lua, 2, at(2), &abbreviated)?;
    check(lua, &abbreviated, &name)?;
    let width = if at(3).is_nil() { 0 } else { integer(lua, 3, at(3))? };
    let mask = mask_of(at(5));
    if mask == 0 && width != 0 {
        return Err(bad(lua, 3, "Fieldbase (fielddisplay) must be base.NONE if bitmask is zero."));
    }
    if mask != 0 && !(1..=64).contains(&width) {
        return Err(bad(lua, 3, "Fieldbase (fieldwidth) must be between 1 and 64 if using a mask"));
    }
    let strings = match at(4) {
        Value::Nil => Strings::None,
        Value::Table(table) => true_false(table)?,
        _ => return Err(bad(lua, 4, "must be a table")),
    };
    let description = text_or(lua, 6, at(6), "")?;
    let declared = Declared {
        kind: Kind::Boolean,
        abbreviation: abbreviated,
        name,
        base: Base::None,
        width: width as u32,
        strings,
        mask,
        description,
    };
    Ok(push(api, declared))
}

/// Fields of abbreviation, name, and a base if they can have one, and description.
fn other_field(api: &Api, lua: &Lua, kind: Kind, bases: &[Base], complaint: &str, arguments: &[Value]) -> Result<Value> {
    let at = |index: usize| arguments.get(index - 1).unwrap_or(&Value::Nil);
    let abbreviated = text(lua, 1, at(1))?;
    let name = text_or(lua, 2, at(2), &abbreviated)?;
    check(lua, &abbreviated, &name)?;
    let default = if kind == Kind::AbsoluteTime { Base::Local } else { Base::None };
    let (base, description) = match (bases, at(3)) {
        ([], description) | (_, description @ Value::String(_)) => (default, text_or(lua, 3, description, "")?),
        (_, Value::Nil) => (default, text_or(lua, 4, at(4), "")?),
        (bases, number) => {
            let base = constant::base(integer(lua, 3, number)? & 0xff).filter(|base| bases.contains(base));
            (base.ok_or_else(|| bad(lua, 3, complaint))?, text_or(lua, 4, at(4), "")?)
        }
    };
    let declared = Declared { kind, abbreviation: abbreviated, name, base, width: 0, strings: Strings::None, mask: 0, description };
    Ok(push(api, declared))
}

/// Floating point fields: a base of none or a unit, whose table comes next.
fn float_field(api: &Api, lua: &Lua, kind: Kind, arguments: &[Value]) -> Result<Value> {
    let at = |index: usize| arguments.get(index - 1).unwrap_or(&Value::Nil);
    let abbreviated = text(lua, 1, at(1))?;
    let name = text_or(lua, 2, at(2), &abbreviated)?;
    check(lua, &abbreviated, &name)?;
    let (strings, description) = match at(3) {
        Value::Table(table) => (unit(lua, 3, table)?, text_or(lua, 4, at(4), "")?),
        Value::Integer(flags) if flags & constant::UNIT_STRING != 0 => match at(4) {
            Value::Table(table) => (unit(lua, 4, table)?, text_or(lua, 5, at(5), "")?),
            _ => return Err(bad(lua, 4, "Base contains base.UNIT_STRING but no table was given")),
        },
        Value::Integer(_) => (Strings::None, text_or(lua, 4, at(4), "")?),
        description => (Strings::None, text_or(lua, 3, description, "")?),
    };
    let declared = Declared { kind, abbreviation: abbreviated, name, base: Base::None, width: 0, strings, mask: 0, description };
    Ok(push(api, declared))
}

/// `ProtoField.new(name, abbreviation, type, value string, base, mask, description)`.
fn any_field(api: &Api, lua: &Lua, arguments: &[Value]) -> Result<Value> {
    let at = |index: usize| arguments.get(index - 1).unwrap_or(&Value::Nil);
    let name = text(lua, 1, at(1))?;
    if name.is_empty() {
        return Err(bad(lua, 1, "ProtoField_new: cannot be an empty string"));
    }
    let abbreviated = text(lua, 2, at(2))?;
    abbreviation(lua, 2, &abbreviated, "Empty field name abbreviation")?;
    let kind = constant::kind(integer(lua, 3, at(3))?).ok_or_else(|| bad(lua, 3, "ProtoField_new: Invalid ProtoField field type"))?;
    let flags = if at(5).is_nil() { -1 } else { integer(lua, 5, at(5))? };
    let integral = constant::is_integral(kind);
    let base = match (flags, kind) {
        (-1, Kind::AbsoluteTime) => Base::Local,
        (-1, _) => {
            if integral {
                Base::Dec
            } else {
                Base::None
            }
        }
        (flags, Kind::Boolean) => constant::base(flags & 0xff).map_or(Base::None, |_| Base::None),
        (flags, _) => constant::base(flags & 0xff).unwrap_or(Base::None),
    };
    if matches!(kind, Kind::String | Kind::Stringz) && base != Base::None {
        return Err(bad(lua, 5, "ProtoField_new: Display must be base.NONE"));
    }
    let width = if kind == Kind::Boolean && flags > 0 { flags as u32 } else { 0 };
    let strings = match (kind, at(4)) {
        (Kind::Framenum, Value::Integer(frame)) => constant::frame_type(*frame).map_or(Strings::None, Strings::Frame),
        (_, value) => strings(lua, 4, kind, if kind == Kind::Boolean { 0 } else { flags.max(0) }, value)?,
    };
    let description = text_or(lua, 7, at(7), "")?;
    let mask = mask_of(at(6));
    Ok(push(api, Declared { kind, abbreviation: abbreviated, name, base, width, strings, mask, description }))
}

fn register_fields(classes: &mut Classes<'_>) -> Result<()> {
    let mut field = classes.class(Class::ProtoField)?;
    for (name, kind) in [
        ("uint8", Kind::Uint8),
        ("uint16", Kind::Uint16),
        ("uint24", Kind::Uint24),
        ("uint32", Kind::Uint32),
        ("uint64", Kind::Uint64),
        ("int8", Kind::Int8),
        ("int16", Kind::Int16),
        ("int24", Kind::Int24),
        ("int32", Kind::Int32),
        ("int64", Kind::Int64),
        ("char", Kind::Char),
        ("framenum", Kind::Framenum),
    ] {
        field.function(name, move |api, lua, arguments: MultiValue| integer_field(api, lua, kind, &list(arguments)))?;
    }
    field.function("bool", |api, lua, arguments: MultiValue| boolean_field(api, lua, &list(arguments)))?;
    field.function("float", |api, lua, arguments: MultiValue| float_field(api, lua, Kind::Float, &list(arguments)))?;
    field.function("double", |api, lua, arguments: MultiValue| float_field(api, lua, Kind::Double, &list(arguments)))?;
    const TEXT: &[Base] = &[Base::None];
    const BYTES: &[Base] = &[Base::None, Base::Dot, Base::Dash, Base::Colon, Base::Space];
    const TIME: &[Base] = &[Base::Local, Base::Utc, Base::DoyUtc, Base::NtpUtc, Base::Unix];
    for (name, kind, bases, complaint) in [
        ("string", Kind::String, TEXT, "Display must be base.NONE"),
        ("stringz", Kind::Stringz, TEXT, "Display must be base.NONE"),
        ("bytes", Kind::Bytes, BYTES, "Display must be either base.NONE, base.DOT, base.DASH, base.COLON or base.SPACE"),
        ("ubytes", Kind::UintBytes, BYTES, "Display must be either base.NONE, base.DOT, base.DASH, base.COLON or base.SPACE"),
        ("absolute_time", Kind::AbsoluteTime, TIME, "Base must be either base.LOCAL, base.UTC, or base.DOY_UTC"),
        ("ipv4", Kind::Ipv4, &[], ""),
        ("ipv6", Kind::Ipv6, &[], ""),
        ("ether", Kind::Ether, &[], ""),
        ("guid", Kind::Guid, &[], ""),
        ("oid", Kind::Oid, &[], ""),
        ("rel_oid", Kind::RelOid, &[], ""),
        ("systemid", Kind::SystemId, &[], ""),
        ("eui64", Kind::Eui64, &[], ""),
        ("ipx", Kind::IpxNet, &[], ""),
        ("none", Kind::None, &[], ""),
        ("protocol", Kind::Protocol, &[], ""),
        ("relative_time", Kind::RelativeTime, &[], ""),
    ] {
        field.function(name, move |api, lua, arguments: MultiValue| other_field(api, lua, kind, bases, complaint, &list(arguments)))?;
    }
    field.function("new", |api, lua, arguments: MultiValue| any_field(api, lua, &list(arguments)))?;
    field.get("name", |api, lua, this| lua.create_string(&*definition(api, this).name).map(Value::String));
    field.get("abbr", |api, lua, this| lua.create_string(&*definition(api, this).abbreviation).map(Value::String));
    field.get("description", |api, lua, this| match definition(api, this).description {
        text if text.is_empty() => Ok(Value::Nil),
        text => lua.create_string(&*text).map(Value::String),
    });
    field.get("type", |api, _, this| Ok(Value::Integer(constant::kind_number(definition(api, this).kind))));
    field.get("base", |api, _, this| Ok(Value::Integer(constant::base_number(definition(api, this).base))));
    field.get("mask", |api, _, this| Ok(Value::Integer(definition(api, this).mask as i64)));
    field.get("valuestring", |_, _, _| Ok(Value::Nil));
    field.text(|api, lua, this| {
        let fields = api.fields.borrow();
        let field = &fields[this.index as usize];
        let of = &field.definition;
        let id = field.place.map_or("-2".to_owned(), |(id, ..)| id.0.to_string());
        let mask = if cfg!(feature = "lua54") { format!("{:016}x", of.mask) } else { format!("{:08x}", of.mask) };
        let strings = if field.has_strings { "0x000000000001" } else { "(nil)" };
        let kind = constant::kind_name(of.kind);
        let base = constant::base_name(of.base);
        let description = if of.description.is_empty() { "(null)" } else { &*of.description };
        lua.create_string(format!("ProtoField({id}): {} {} {kind} {base} {strings} {mask} {description}", of.name, of.abbreviation))
            .map(Value::String)
    });
    Ok(())
}

fn list(arguments: MultiValue) -> Vec<Value> {
    arguments.into_iter().collect()
}

fn definition(api: &Api, this: Object) -> Field {
    api.fields.borrow()[this.index as usize].definition.clone()
}

fn register_experts(classes: &mut Classes<'_>) -> Result<()> {
    let mut expert = classes.class(Class::ProtoExpert)?;
    expert.function("new", |api, lua, (abbreviated, words, group, severity): (Value, Value, Value, Value)| {
        let string = |argument, value: &Value| match value {
            Value::String(text) => Ok(text.to_string_lossy()),
            _ => Err(bad(lua, argument, "must be a Lua string")),
        };
        let abbreviated = string(1, &abbreviated)?;
        abbreviation(lua, 1, &abbreviated, "Empty field name abbrev")?;
        let words = string(2, &words)?;
        if words.is_empty() {
            return Err(bad(lua, 2, "Empty text"));
        }
        let group = integer(lua, 3, &group)?;
        let severity = integer(lua, 4, &severity)?;
        let group = Group::of(group as u32).ok_or_else(|| bad(lua, 3, "Group must be one of expert.group.*"))?;
        let severity = Severity::of(severity as u32).ok_or_else(|| bad(lua, 4, "Severity must be one of expert.severity.*"))?;
        let mut experts = api.experts.borrow_mut();
        let index = experts.len() as u32;
        experts.push(ProtoExpert { abbreviation: abbreviated, text: words, group, severity, id: None });
        Ok(Object::lasting(Class::ProtoExpert, index).to_lua())
    })?;
    expert.text(|api, lua, this| {
        let experts = api.experts.borrow();
        let expert = &experts[this.index as usize];
        let (ei, hf) = expert.id.map_or((-1, -2), |id| (i64::from(id.0), i64::from(id.0)));
        let text = format!(
            "ProtoExpert: ei={ei}, hf={hf}, abbr={}, text={}, group={}, severity={}",
            expert.abbreviation, expert.text, expert.group as u32, expert.severity as u32
        );
        lua.create_string(text).map(Value::String)
    });
    Ok(())
}

/// Makes the classes.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    register_protocols(classes)?;
    register_fields(classes)?;
    register_experts(classes)
}
