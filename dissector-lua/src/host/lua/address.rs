//! `Address`: where a packet comes from and goes to.

use std::net::{Ipv4Addr, Ipv6Addr};

use mlua::{Lua, MetaMethod, Result, UserData, UserDataFields, UserDataMethods, Value};

use super::super::packet;
use super::argument::text;
use super::data::{self, Class};

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address(pub(crate) packet::Address);

impl Class for Address {
    const NAME: &'static str = "Address";
    const METHODS: &'static [&'static str] = &[];
}

impl UserData for Address {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        data::name::<Self>(fields);
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        data::no_others::<Self>(methods);
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.to_string()));
        methods.add_meta_function(MetaMethod::Eq, |lua, (left, right): (Value, Value)| {
            Ok(Self::argument(lua, 1, &left)? == Self::argument(lua, 2, &right)?)
        });
        methods.add_meta_function(MetaMethod::Lt, |lua, (left, right): (Value, Value)| {
            Ok(Self::argument(lua, 1, &left)? < Self::argument(lua, 2, &right)?)
        });
        methods.add_meta_function(MetaMethod::Le, |lua, (left, right): (Value, Value)| {
            Ok(Self::argument(lua, 1, &left)? <= Self::argument(lua, 2, &right)?)
        });
    }
}

/// For Lua: an address of IPv4.
pub(crate) fn v4(lua: &Lua, bytes: [u8; 4]) -> Result<Value> {
    Address(packet::Address::Ipv4(bytes)).to_value(lua)
}

/// For Lua: an address of IPv6.
pub(crate) fn v6(lua: &Lua, bytes: [u8; 16]) -> Result<Value> {
    Address(packet::Address::Ipv6(bytes)).to_value(lua)
}

/// For Lua: an address of Ethernet.
pub(crate) fn ether(lua: &Lua, bytes: [u8; 6]) -> Result<Value> {
    Address(packet::Address::Ether(bytes)).to_value(lua)
}

/// Six bytes in hexadecimal digits with colons, dashes or dots between them; zeros if the text is nothing like it.
fn ether_of(text: &str) -> [u8; 6] {
    let bytes: Vec<u8> = text.split([':', '-', '.']).filter_map(|digits| u8::from_str_radix(digits, 16).ok()).collect();
    bytes.try_into().unwrap_or_default()
}

/// Makes the class.
pub(crate) fn register(lua: &Lua) -> Result<()> {
    let table = data::table(lua, Address(packet::Address::None))?;
    for name in ["ip", "ipv4"] {
        let new = lua.create_function(|lua, name: Value| {
            let address: Ipv4Addr = text(lua, 1, &name)?.parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
            v4(lua, address.octets())
        })?;
        table.raw_set(name, new)?;
    }
    table.raw_set(
        "ipv6",
        lua.create_function(|lua, name: Value| {
            let address: Ipv6Addr = text(lua, 1, &name)?.parse().unwrap_or(Ipv6Addr::UNSPECIFIED);
            v6(lua, address.octets())
        })?,
    )?;
    table.raw_set("ether", lua.create_function(|lua, name: Value| ether(lua, ether_of(&text(lua, 1, &name)?)))?)
}
