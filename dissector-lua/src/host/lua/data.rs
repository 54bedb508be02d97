//! What the classes share whose objects are values of their own: `ByteArray`, `Int64`, `UInt64`, `NSTime`, `Address`.

use mlua::{Lua, MetaMethod, Result, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::class::global;
use super::failure::{expected_class, fail};

/// A class of values.
pub(crate) trait Class: UserData + Clone + Sized + 'static {
    /// What Lua calls it.
    const NAME: &'static str;
    /// What can be called on a value.
    const METHODS: &'static [&'static str];

    /// For Lua.
    fn to_value(self, lua: &Lua) -> Result<Value> {
        lua.create_userdata(self).map(Value::UserData)
    }

    /// From Lua.
    fn of(value: &Value) -> Option<Self> {
        value.as_userdata()?.borrow::<Self>().ok().map(|value| value.clone())
    }

    /// From an argument, counted from 1 with `self`.
    fn argument(lua: &Lua, argument: usize, value: &Value) -> Result<Self> {
        Self::of(value).ok_or_else(|| expected_class(lua, argument, Self::NAME, value))
    }
}

/// The name of the class, and what happens if something is asked for that it does not have.
pub(crate) fn name<T: Class>(fields: &mut impl UserDataFields<T>) {
    fields.add_meta_field(MetaMethod::Type, T::NAME);
}

/// The same for names of fields and methods.
pub(crate) fn no_others<T: Class>(methods: &mut impl UserDataMethods<T>) {
    methods.add_meta_function(MetaMethod::Index, |lua, (_, key): (Value, Value)| -> Result<Value> { Err(no_such::<T>(lua, &key)) });
    methods
        .add_meta_function(MetaMethod::NewIndex, |lua, (_, key, _): (Value, Value, Value)| -> Result<()> { Err(no_such::<T>(lua, &key)) });
}

fn no_such<T: Class>(lua: &Lua, key: &Value) -> mlua::Error {
    let key = key.to_string().unwrap_or_default();
    fail(lua, format_args!("No such '{key}' method/field for object type '{}'", T::NAME))
}

/// The global table of the class with its methods; `any` is one of its values.
pub(crate) fn table<T: Class>(lua: &Lua, any: T) -> Result<Table> {
    let table = global(lua, T::NAME)?;
    let any = lua.create_userdata(any)?;
    for name in T::METHODS {
        table.raw_set(*name, mlua::ObjectLike::get::<Value>(&any, *name)?)?;
    }
    Ok(table)
}
