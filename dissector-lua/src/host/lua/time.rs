//! `NSTime`: seconds and nanoseconds.

use mlua::{Lua, MetaMethod, Result, UserData, UserDataFields, UserDataMethods, Value};

use super::argument::integer_or;
use super::class::constructor;
use super::data::{self, Class};
use super::failure::fail;

/// A time, or a duration; a negative one has both parts negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NsTime {
    pub(crate) secs: i64,
    pub(crate) nanos: i32,
}

impl NsTime {
    fn total(self) -> i128 {
        i128::from(self.secs) * 1_000_000_000 + i128::from(self.nanos)
    }

    fn of_total(total: i128) -> Self {
        Self { secs: (total / 1_000_000_000) as i64, nanos: (total % 1_000_000_000) as i32 }
    }

    /// As `tostring` and a relative time of no base write it.
    pub(crate) fn text(self) -> String {
        let sign = if self.secs < 0 || self.nanos < 0 { "-" } else { "" };
        if self.secs < 0 && self.nanos > 0 {
            // What Wireshark makes of parts with different signs.
            return format!("{}.{:09}", self.secs.saturating_sub(1), 1_000_000_000 - i64::from(self.nanos));
        }
        format!("{sign}{}.{:09}", self.secs.unsigned_abs(), self.nanos.unsigned_abs())
    }

    /// As a number of seconds.
    pub(crate) fn number(self) -> f64 {
        self.secs as f64 + f64::from(self.nanos) / 1e9
    }
}

impl Class for NsTime {
    const NAME: &'static str = "NSTime";
    const METHODS: &'static [&'static str] = &["tonumber"];
}

impl UserData for NsTime {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        data::name::<Self>(fields);
        fields.add_field_method_get("secs", |_, this| Ok(this.secs));
        fields.add_field_method_get("nsecs", |_, this| Ok(this.nanos));
        fields.add_field_method_set("secs", |lua, this, value: Value| {
            this.secs = part(lua, "secs", &value)?;
            Ok(())
        });
        fields.add_field_method_set("nsecs", |lua, this, value: Value| {
            this.nanos = part(lua, "nsecs", &value)? as i32;
            Ok(())
        });
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        data::no_others::<Self>(methods);
        methods.add_method("tonumber", |_, this, ()| Ok(Value::Number(this.number())));
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.text()));
        methods.add_meta_function(MetaMethod::Add, |lua, (left, right): (Value, Value)| {
            let (left, right) = (Self::argument(lua, 1, &left)?, Self::argument(lua, 2, &right)?);
            Ok(Self::of_total(left.total() + right.total()))
        });
        methods.add_meta_function(MetaMethod::Sub, |lua, (left, right): (Value, Value)| {
            let (left, right) = (Self::argument(lua, 1, &left)?, Self::argument(lua, 2, &right)?);
            Ok(Self::of_total(left.total() - right.total()))
        });
        methods.add_meta_function(MetaMethod::Unm, |lua, this: Value| {
            let this = Self::argument(lua, 1, &this)?;
            Ok(Self { secs: this.secs.saturating_neg(), nanos: this.nanos.saturating_neg() })
        });
        methods.add_meta_function(MetaMethod::Eq, |lua, (left, right): (Value, Value)| {
            Ok(Self::argument(lua, 1, &left)?.total() == Self::argument(lua, 2, &right)?.total())
        });
        methods.add_meta_function(MetaMethod::Lt, |lua, (left, right): (Value, Value)| {
            Ok(Self::argument(lua, 1, &left)?.total() < Self::argument(lua, 2, &right)?.total())
        });
        methods.add_meta_function(MetaMethod::Le, |lua, (left, right): (Value, Value)| {
            Ok(Self::argument(lua, 1, &left)?.total() <= Self::argument(lua, 2, &right)?.total())
        });
    }
}

fn part(lua: &Lua, name: &str, value: &Value) -> Result<i64> {
    match value {
        Value::Integer(number) => Ok(*number),
        Value::Number(number) if number.fract() == 0.0 || cfg!(feature = "lua52") => Ok(*number as i64),
        _ => Err(fail(lua, format_args!("NSTime's attribute `{name}' must be an integer"))),
    }
}

/// Makes the class.
pub(crate) fn register(lua: &Lua) -> Result<()> {
    let table = data::table(lua, NsTime { secs: 0, nanos: 0 })?;
    let new = lua.create_function(|lua, (secs, nanos): (Value, Value)| {
        Ok(NsTime { secs: integer_or(lua, 1, &secs, 0)?, nanos: integer_or(lua, 2, &nanos, 0)? as i32 })
    })?;
    let called = lua.create_function(|lua, (_, secs, nanos): (Value, Value, Value)| {
        Ok(NsTime { secs: integer_or(lua, 1, &secs, 0)?, nanos: integer_or(lua, 2, &nanos, 0)? as i32 })
    })?;
    constructor(&table, &called)?;
    table.raw_set("new", new)
}
