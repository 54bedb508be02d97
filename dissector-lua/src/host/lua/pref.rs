//! `Pref` and `proto.prefs`: what a user can set about a protocol.

use mlua::{Lua, Result, Table, Value};

use super::Api;
use super::argument::{bytes_of, integer, text, text_or, truth};
use super::class::Classes;
use super::dissector::ranges;
use super::failure::{bad, expected, expected_class, fail};
use super::object::{Class, Object};

/// What a preference is set to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Setting {
    Bool(bool),
    Number(i64),
    Text(String),
    /// As it is written: `5030,6000-6010`; and the highest number it may hold.
    Range(String, u64),
    /// One of some numbers, each with its name and its description.
    Choice(i64, Vec<(String, String, i64)>),
    /// Words between preferences.
    Words,
}

/// A preference of a script.
#[derive(Clone, Debug)]
pub(crate) struct Pref {
    /// Whose it is and what it is called there, as soon as it is.
    pub(crate) place: Option<(u32, String)>,
    pub(crate) setting: Setting,
    pub(crate) default: Setting,
}

impl Setting {
    fn value(&self, lua: &Lua) -> Result<Value> {
        match self {
            Self::Bool(value) => Ok(Value::Boolean(*value)),
            Self::Number(value) | Self::Choice(value, _) => Ok(Value::Integer(*value)),
            Self::Text(text) | Self::Range(text, _) => lua.create_string(text).map(Value::String),
            Self::Words => Err(fail(lua, "Prefs__index: Unknown Pref type")),
        }
    }

    /// The same kind of setting, from the text of a command line or a file.
    pub(crate) fn parsed(&self, text: &str) -> Option<Self> {
        Some(match self {
            Self::Bool(_) if text.eq_ignore_ascii_case("true") => Self::Bool(true),
            Self::Bool(_) if text.eq_ignore_ascii_case("false") => Self::Bool(false),
            Self::Bool(_) => return None,
            Self::Number(_) => Self::Number(text.parse().ok()?),
            Self::Text(_) => Self::Text(text.to_owned()),
            Self::Range(_, most) => Self::Range(written(&ranges(text)?, *most)?, *most),
            Self::Choice(_, choices) => {
                let matches = |(name, description, number): &&(String, String, i64)| {
                    name.eq_ignore_ascii_case(text) || description.eq_ignore_ascii_case(text) || number.to_string() == text
                };
                Self::Choice(choices.iter().find(matches)?.2, choices.clone())
            }
            Self::Words => return None,
        })
    }
}

/// A range as Wireshark writes it; none if it holds too high a number.
fn written(ranges: &[(u64, u64)], most: u64) -> Option<String> {
    if ranges.iter().any(|(_, to)| *to > most) {
        return None;
    }
    let piece = |(from, to): &(u64, u64)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    Some(ranges.iter().map(piece).collect::<Vec<_>>().join(","))
}

fn push(api: &Api, setting: Setting) -> Value {
    let mut prefs = api.prefs.borrow_mut();
    prefs.push(Pref { place: None, default: setting.clone(), setting });
    Value::LightUserData(Object::lasting(Class::Pref, prefs.len() as u32 - 1).to_lua())
}

fn register_kinds(classes: &mut Classes<'_>) -> Result<()> {
    let mut pref = classes.class(Class::Pref)?;
    pref.function("bool", |api, _, (_, default): (Value, Value)| Ok(push(api, Setting::Bool(truth(&default)))))?;
    pref.function("uint", |api, lua, (_, default): (Value, Value)| {
        let default = if default.is_nil() { 0 } else { integer(lua, 2, &default)? };
        Ok(push(api, Setting::Number(i64::from(default as u32))))
    })?;
    pref.function("string", |api, lua, (_, default): (Value, Value)| Ok(push(api, Setting::Text(text_or(lua, 2, &default, "")?))))?;
    pref.function("statictext", |api, _, ()| Ok(push(api, Setting::Words)))?;
    pref.function("range", |api, lua, (_, default, _, most): (Value, Value, Value, Value)| {
        let default = text_or(lua, 2, &default, "")?;
        let most = if most.is_nil() { 0 } else { integer(lua, 4, &most)? as u64 };
        let Some(parsed) = ranges(&default) else { return Err(bad(lua, 2, "Pref_range: syntax error in default range")) };
        let Some(text) = written(&parsed, most) else { return Err(bad(lua, 2, "Pref_range: value too large in default range")) };
        Ok(push(api, Setting::Range(text, most)))
    })?;
    pref.function("enum", |api, lua, (_, default, _, table): (Value, Value, Value, Value)| {
        let default = if default.is_nil() { 0 } else { integer(lua, 2, &default)? };
        let Value::Table(table) = table else { return Err(expected(lua, 4, "table", &table)) };
        Ok(push(api, Setting::Choice(default, choices(lua, &table)?)))
    })?;
    pref.text(|_, lua, this| {
        lua.create_string(format!("{}: {:#014x}", if cfg!(feature = "lua54") { "Pref" } else { "userdata" }, this.index + 1))
            .map(Value::String)
    });
    Ok(())
}

/// `{ { 1, "name", 10 }, … }`: a number of no meaning, a name, a value.
fn choices(lua: &Lua, table: &Table) -> Result<Vec<(String, String, i64)>> {
    let mut choices = Vec::new();
    for row in table.sequence_values::<Value>() {
        let row = row?;
        let Value::Table(row) = row else { return Err(expected(lua, 4, "table", &row)) };
        let word = |at: i64| -> Result<String> {
            Ok(bytes_of(&row.raw_get::<Value>(at)?).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default())
        };
        let number = match row.raw_get::<Value>(3)? {
            Value::Integer(number) => number,
            Value::Number(number) => number as i64,
            _ => return Err(bad(lua, 4, "Third value of an enum table must be an integer")),
        };
        choices.push((word(1)?, word(2)?, number));
    }
    Ok(choices)
}

/// Makes the classes.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    register_kinds(classes)?;
    let mut prefs = classes.class(Class::Prefs)?;
    prefs.any(
        |api, lua, this, name| match api.pref(this.index, name) {
            Some(index) => {
                let setting = api.prefs.borrow()[index].setting.clone();
                setting.value(lua)
            }
            None => Err(bad(lua, 2, "Prefs__index: no preference named like this")),
        },
        |api, lua, this, name, value| {
            let object = match Object::of(&value) {
                Some(object) if object.class == Class::Pref => object,
                _ => return Err(expected_class(lua, 3, "Pref", &value)),
            };
            if api.pref(this.index, name).is_some() {
                return Err(fail(lua, format_args!("a preference named {name} exists already")));
            }
            if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte)) {
                return Err(fail(
                    lua,
                    format_args!(
                        "illegal preference name \"{name}\", only lower-case ASCII letters, numbers, underscores and dots may be used"
                    ),
                ));
            }
            let place = &mut api.prefs.borrow_mut()[object.index as usize].place;
            if place.is_some() {
                return Err(bad(lua, 2, "Prefs__newindex: cannot change existing preference"));
            }
            *place = Some((this.index, name.to_owned()));
            Ok(())
        },
    );
    prefs.text(|_, lua, this| {
        lua.create_string(format!("{}: {:#014x}", if cfg!(feature = "lua54") { "Prefs" } else { "userdata" }, this.index + 1))
            .map(Value::String)
    });
    classes.lua.globals().raw_set("Prefs", Value::Nil)?;
    let (lua, api) = (classes.lua, classes.api);
    let globals = lua.globals();
    globals.raw_set(
        "get_preference",
        super::class::function(lua, api, |api, lua, name: Value| {
            let name = text(lua, 1, &name)?;
            match api.pref_named(&name) {
                Some(index) => {
                    let setting = api.prefs.borrow()[index].setting.clone();
                    match &setting {
                        Setting::Choice(number, choices) => {
                            let name = choices.iter().find(|(.., value)| value == number).map_or("", |(name, ..)| name);
                            lua.create_string(name).map(Value::String)
                        }
                        other => other.value(lua),
                    }
                }
                None if name == "tcp.desegment_tcp_streams" => Ok(Value::Boolean(true)),
                None => Ok(Value::Nil),
            }
        })?,
    )?;
    globals.raw_set(
        "set_preference",
        super::class::function(lua, api, |api, lua, (name, value): (Value, Value)| {
            let name = text(lua, 1, &name)?;
            let Some(index) = api.pref_named(&name) else { return Ok(None) };
            let written = match &value {
                Value::Boolean(value) => value.to_string(),
                other => text(lua, 2, other)?,
            };
            let mut prefs = api.prefs.borrow_mut();
            let pref = &mut prefs[index];
            let Some(setting) = pref.setting.parsed(&written) else { return Ok(Some(false)) };
            let changed = setting != pref.setting;
            pref.setting = setting;
            Ok(Some(changed))
        })?,
    )?;
    globals.raw_set(
        "reset_preference",
        super::class::function(lua, api, |api, lua, name: Value| {
            let name = text(lua, 1, &name)?;
            let Some(index) = api.pref_named(&name) else { return Ok(None) };
            let mut prefs = api.prefs.borrow_mut();
            prefs[index].setting = prefs[index].default.clone();
            Ok(Some(true))
        })?,
    )?;
    globals.raw_set(
        "apply_preferences",
        super::class::function(lua, api, |api, _, ()| {
            api.tell_of_preferences();
            Ok(())
        })?,
    )
}

impl Api {
    fn pref(&self, proto: u32, name: &str) -> Option<usize> {
        let is = |pref: &Pref| pref.place.as_ref().is_some_and(|(of, known)| *of == proto && known == name);
        self.prefs.borrow().iter().position(is)
    }

    /// A preference by its whole name: `htcpcp.ports`.
    pub(crate) fn pref_named(&self, name: &str) -> Option<usize> {
        let (protos, registry) = (self.protos.borrow(), self.core.registry.borrow());
        self.prefs.borrow().iter().position(|pref| {
            pref.place.as_ref().is_some_and(|(of, known)| {
                let protocol = registry.protocol(protos[*of as usize].id);
                name.strip_prefix(&*protocol.abbreviation).and_then(|rest| rest.strip_prefix('.')) == Some(known)
            })
        })
    }

    /// Calls `prefs_changed` of all protocols.
    pub(crate) fn tell_of_preferences(&self) {
        let changed: Vec<_> = self.protos.borrow().iter().filter_map(|proto| proto.prefs_changed.clone()).collect();
        changed.iter().for_each(|changed| self.tell(changed, ()));
    }
}
