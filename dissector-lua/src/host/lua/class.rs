//! How the classes of [`object`](super::object) get their methods and attributes.
//!
//! All objects share one metatable. Its `__index` is a Lua function that looks into one table of methods, since that
//! costs a third of what a call into Rust does; attributes, and names that stand for different things in different
//! classes, go on to [`Attributes`].

use std::collections::HashMap;
use std::rc::Rc;

use mlua::{FromLuaMulti, Function, IntoLuaMulti, Lua, MultiValue, Result, Table, Value, Variadic};

use super::Api;
use super::failure::{self, HOST, fail};
use super::object::{CLASSES, Class, Object};

/// Reads an attribute.
pub(crate) type Getter = fn(&Api, &Lua, Object) -> Result<Value>;
/// Writes an attribute.
pub(crate) type Setter = fn(&Api, &Lua, Object, Value) -> Result<()>;
/// Reads or writes whatever name is asked for: what `pinfo.cols` and `proto.prefs` do.
pub(crate) type AnyGetter = fn(&Api, &Lua, Object, &str) -> Result<Value>;
/// The same for writing.
pub(crate) type AnySetter = fn(&Api, &Lua, Object, &str, Value) -> Result<()>;

enum Read {
    Method(Function),
    Attribute(Getter),
}

/// What one class has.
#[derive(Default)]
struct Members {
    readers: HashMap<&'static str, Read>,
    writers: HashMap<&'static str, Setter>,
    any_reader: Option<AnyGetter>,
    any_writer: Option<AnySetter>,
    call: Option<Function>,
    text: Option<Getter>,
}

/// What the classes have, by their numbers.
pub(crate) struct Attributes([Members; CLASSES.len()]);

impl Default for Attributes {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Members::default()))
    }
}

impl Attributes {
    fn of(&self, class: Class) -> &Members {
        &self.0[class as usize - 1]
    }

    fn of_mut(&mut self, class: Class) -> &mut Members {
        &mut self.0[class as usize - 1]
    }
}

/// The classes while they are made.
pub(crate) struct Classes<'a> {
    pub(crate) lua: &'a Lua,
    pub(crate) api: &'a Rc<Api>,
    attributes: Attributes,
}

/// A class while it is made.
pub(crate) struct Maker<'a, 'b> {
    classes: &'b mut Classes<'a>,
    class: Class,
    /// The global table of its name.
    pub(crate) table: Table,
}

/// A function that Lua can call, with the host at hand.
pub(crate) fn function<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    api: &Rc<Api>,
    call: impl Fn(&Api, &Lua, A) -> Result<R> + 'static,
) -> Result<Function> {
    let api = api.clone();
    lua.create_function(move |lua, arguments| call(&api, lua, arguments))
}

/// The global table of a class: its functions, and what is not there fails by name.
pub(crate) fn global(lua: &Lua, name: &'static str) -> Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("__typeof", name)?;
    let meta = lua.create_table()?;
    meta.raw_set(
        "__index",
        lua.create_function(move |lua, (_, key): (Value, Value)| -> Result<Value> {
            let key = key.to_string().unwrap_or_default();
            Err(fail(lua, format_args!("No such '{key}' function/property for object type '{name}'")))
        })?,
    )?;
    table.set_metatable(Some(meta))?;
    lua.globals().raw_set(name, &table)?;
    Ok(table)
}

/// Makes the table of a class callable: `call` is given the table first.
pub(crate) fn constructor(table: &Table, new: &Function) -> Result<()> {
    table.metatable().expect("it has one").raw_set("__call", new)
}

impl<'a> Classes<'a> {
    pub(crate) fn new(lua: &'a Lua, api: &'a Rc<Api>) -> Self {
        Self { lua, api, attributes: Attributes::default() }
    }

    /// Begins a class.
    pub(crate) fn class(&mut self, class: Class) -> Result<Maker<'a, '_>> {
        let table = global(self.lua, class.name())?;
        Ok(Maker { classes: self, class, table })
    }

    /// The methods by which no two classes mean different things. `add` is called for every field of every packet: the
    /// one of `TreeItem` stays here and hands others on.
    fn methods(&self) -> Result<Table> {
        let mut named: HashMap<&'static str, Option<Function>> = HashMap::new();
        for members in &self.attributes.0 {
            for (name, read) in &members.readers {
                let function = match read {
                    Read::Method(function) => Some(function.clone()),
                    Read::Attribute(_) => None,
                };
                let known = named.entry(name).or_insert_with(|| function.clone());
                if *known != function {
                    *known = None;
                }
            }
        }
        if let Some(Read::Method(add)) = self.attributes.of(Class::TreeItem).readers.get("add") {
            named.insert("add", Some(add.clone()));
        }
        let methods = self.lua.create_table()?;
        named.into_iter().try_for_each(|(name, function)| methods.raw_set(name, function))?;
        Ok(methods)
    }

    /// Sets the metatable that all objects share.
    pub(crate) fn finish(self) -> Result<()> {
        let methods = self.methods()?;
        *self.api.attributes.borrow_mut() = Rc::new(self.attributes);
        let (lua, api) = (self.lua, self.api);
        let get = function(lua, api, |api, lua, (this, key): (Value, Value)| get(api, lua, &this, &key))?;
        let set = function(lua, api, |api, lua, (this, key, value): (Value, Value, Value)| set(api, lua, &this, &key, value))?;
        let index: Function = lua
            .load(
                "local methods, get = ...
                return function(this, name)
                    local method = methods[name]
                    if method then return method end
                    return get(this, name)
                end",
            )
            .set_name(HOST)
            .call((methods, get))?;
        let meta = lua.create_table()?;
        meta.raw_set("__index", index)?;
        meta.raw_set("__newindex", set)?;
        meta.raw_set("__call", function(lua, api, super::call)?)?;
        meta.raw_set("__tostring", function(lua, api, |api, lua, this: Value| text_of(api, lua, &this))?)?;
        meta.raw_set("__concat", function(lua, api, |api, lua, (left, right): (Value, Value)| concat(api, lua, &left, &right))?)?;
        meta.raw_set("__metatable", false)?;
        lua.set_type_metatable::<mlua::LightUserData>(Some(meta));
        Ok(())
    }
}

impl Maker<'_, '_> {
    /// A method.
    pub(crate) fn method<A: FromLuaMulti, R: IntoLuaMulti>(
        &mut self,
        name: &'static str,
        call: impl Fn(&Api, &Lua, A) -> Result<R> + 'static,
    ) -> Result<&mut Self> {
        let function = function(self.classes.lua, self.classes.api, call)?;
        self.table.raw_set(name, &function)?;
        self.members().readers.insert(name, Read::Method(function));
        Ok(self)
    }

    /// The method that another class has by this name, which looks what it is called for.
    pub(crate) fn same(&mut self, other: Class, name: &'static str) -> Result<&mut Self> {
        let Some(Read::Method(function)) = self.classes.attributes.of(other).readers.get(name) else { return Ok(self) };
        let function = function.clone();
        self.table.raw_set(name, &function)?;
        self.members().readers.insert(name, Read::Method(function));
        Ok(self)
    }

    fn members(&mut self) -> &mut Members {
        self.classes.attributes.of_mut(self.class)
    }

    /// A function of the class itself.
    pub(crate) fn function<A: FromLuaMulti, R: IntoLuaMulti>(
        &mut self,
        name: &'static str,
        call: impl Fn(&Api, &Lua, A) -> Result<R> + 'static,
    ) -> Result<&mut Self> {
        self.table.raw_set(name, function(self.classes.lua, self.classes.api, call)?)?;
        Ok(self)
    }

    /// Its function `new`, which is called by the name of the class, too.
    pub(crate) fn constructor<A: FromLuaMulti, R: IntoLuaMulti>(
        &mut self,
        call: impl Fn(&Api, &Lua, A) -> Result<R> + 'static,
    ) -> Result<&mut Self> {
        let call = Rc::new(call);
        let called = call.clone();
        self.table.raw_set("new", function(self.classes.lua, self.classes.api, move |api, lua, arguments| call(api, lua, arguments))?)?;
        let new = function(self.classes.lua, self.classes.api, move |api, lua, mut arguments: MultiValue| {
            arguments.pop_front();
            called(api, lua, A::from_lua_multi(arguments, lua)?)
        })?;
        constructor(&self.table, &new)?;
        Ok(self)
    }

    /// What it is called with: `tvb(0, 4)`.
    pub(crate) fn call<A: FromLuaMulti, R: IntoLuaMulti>(
        &mut self,
        call: impl Fn(&Api, &Lua, A) -> Result<R> + 'static,
    ) -> Result<&mut Self> {
        let function = function(self.classes.lua, self.classes.api, call)?;
        self.members().call = Some(function);
        Ok(self)
    }

    /// An attribute that can be read.
    pub(crate) fn get(&mut self, name: &'static str, getter: Getter) -> &mut Self {
        self.members().readers.insert(name, Read::Attribute(getter));
        self
    }

    /// An attribute that can be written.
    pub(crate) fn set(&mut self, name: &'static str, setter: Setter) -> &mut Self {
        self.members().writers.insert(name, setter);
        self
    }

    /// Attributes of any name.
    pub(crate) fn any(&mut self, getter: AnyGetter, setter: AnySetter) -> &mut Self {
        self.members().any_reader = Some(getter);
        self.members().any_writer = Some(setter);
        self
    }

    /// What `tostring` makes of it.
    pub(crate) fn text(&mut self, getter: Getter) -> &mut Self {
        self.members().text = Some(getter);
        self
    }
}

fn name_of(key: &Value) -> String {
    match key {
        Value::String(text) => text.to_string_lossy(),
        other => other.to_string().unwrap_or_default(),
    }
}

fn no_such(lua: &Lua, class: &str, name: &str) -> mlua::Error {
    fail(lua, format_args!("No such '{name}' method/field for object type '{class}'"))
}

fn get(api: &Api, lua: &Lua, this: &Value, key: &Value) -> Result<Value> {
    let attributes = api.attributes.borrow().clone();
    let Some(object) = Object::of(this) else { return Err(fail(lua, "attempt to index a userdata value")) };
    let members = attributes.of(object.class);
    let read = |name: &str| match members.readers.get(name) {
        Some(Read::Method(function)) => Ok(Value::Function(function.clone())),
        Some(Read::Attribute(getter)) => getter(api, lua, object),
        None => match members.any_reader {
            Some(getter) => getter(api, lua, object, name),
            None => Err(no_such(lua, object.class.name(), name)),
        },
    };
    match key {
        Value::String(name) => match name.to_str() {
            Ok(name) => read(&name),
            Err(_) => read(&name.to_string_lossy()),
        },
        other => read(&name_of(other)),
    }
}

fn set(api: &Api, lua: &Lua, this: &Value, key: &Value, value: Value) -> Result<()> {
    let attributes = api.attributes.borrow().clone();
    let Some(object) = Object::of(this) else { return Err(fail(lua, "attempt to index a userdata value")) };
    let name = name_of(key);
    let members = attributes.of(object.class);
    if let Some(setter) = members.writers.get(name.as_str()) {
        return setter(api, lua, object, value);
    }
    match members.any_writer {
        Some(setter) => setter(api, lua, object, &name, value),
        None => Err(no_such(lua, object.class.name(), &name)),
    }
}

/// Calls what a class is called with, if it is neither a `Tvb` nor a `TvbRange`, which come first.
pub(crate) fn call_other(api: &Api, lua: &Lua, this: &Value, arguments: Variadic<Value>) -> Result<Variadic<Value>> {
    let function = Object::of(this).and_then(|object| api.attributes.borrow().of(object.class).call.clone());
    match function {
        Some(function) => function.call((this.clone(), arguments)),
        None => Err(fail(lua, format_args!("attempt to call a {} value", failure::type_of(this)))),
    }
}

/// `tostring`.
pub(crate) fn text_of(api: &Api, lua: &Lua, this: &Value) -> Result<Value> {
    let attributes = api.attributes.borrow().clone();
    let Some(object) = Object::of(this) else { return lua.create_string("userdata").map(Value::String) };
    match attributes.of(object.class).text {
        Some(getter) => getter(api, lua, object),
        None => lua.create_string(object.class.name()).map(Value::String),
    }
}

fn concat(api: &Api, lua: &Lua, left: &Value, right: &Value) -> Result<Value> {
    let mut joined = Vec::new();
    for value in [left, right] {
        match Object::of(value) {
            Some(object) if matches!(object.class, Class::TvbRange | Class::Column | Class::Field) => {
                let text = text_of(api, lua, value)?;
                joined.extend(super::argument::bytes_of(&text).unwrap_or_default());
            }
            _ => match super::argument::bytes_of(value) {
                Some(bytes) => joined.extend(bytes),
                None => return Err(fail(lua, format_args!("attempt to concatenate a {} value", failure::type_of(value)))),
            },
        }
    }
    lua.create_string(joined).map(Value::String)
}
