//! `Pinfo`, `Columns` and `Column`: facts about the current frame, and what the packet list says of it.

use mlua::{Lua, Result, Value};

use super::super::packet::{self, Column, Packet};
use super::super::table::HandleId;
use super::Api;
use super::address::Address;
use super::argument::{bytes, integer, text};
use super::class::Classes;
use super::data::Class as _;
use super::failure::{bad, expected_class, fail};
use super::object::{Class, Object};

/// The names of columns; the first two stand for themselves in [`packet::Columns`].
const COLUMNS: [&str; 45] = [
    "protocol",
    "info",
    "number",
    "abs_time",
    "utc_time",
    "cls_time",
    "rel_time",
    "date",
    "date_doy",
    "utc_date",
    "utc_date_doy",
    "delta_time",
    "delta_time_displayed",
    "src",
    "src_res",
    "src_unres",
    "dl_src",
    "dl_src_res",
    "dl_src_unres",
    "net_src",
    "net_src_res",
    "net_src_unres",
    "dst",
    "dst_res",
    "dst_unres",
    "dl_dst",
    "dl_dst_res",
    "dl_dst_unres",
    "net_dst",
    "net_dst_res",
    "net_dst_unres",
    "src_port",
    "src_port_res",
    "src_port_unres",
    "dst_port",
    "dst_port_res",
    "dst_port_unres",
    "packet_len",
    "cumulative_bytes",
    "direction",
    "vsan",
    "tx_rate",
    "rssi",
    "dce_call",
    "expert",
];

impl Api {
    fn alive(&self, lua: &Lua, argument: usize, object: Object) -> Result<()> {
        if object.is_of(self.core.generation.get()) {
            Ok(())
        } else {
            Err(bad(lua, argument, format_args!("expired {}", object.class.name())))
        }
    }

    /// The column at `self`.
    fn column(&self, lua: &Lua, value: &Value) -> Result<u32> {
        match Object::of(value) {
            Some(object) if object.class == Class::Column => self.alive(lua, 1, object).map(|()| object.index),
            _ => Err(expected_class(lua, 1, "Column", value)),
        }
    }

    fn with_column<T>(&self, index: u32, work: impl FnOnce(&mut Column) -> T) -> T {
        let mut packet = self.core.packet.borrow_mut();
        let columns = &mut packet.columns;
        work(match index {
            0 => &mut columns.protocol,
            1 => &mut columns.info,
            other => columns.others.entry(COLUMNS[other as usize]).or_default(),
        })
    }
}

fn seconds(nanos: Option<i64>) -> Value {
    Value::Number(nanos.unwrap_or(0) as f64 / 1e9)
}

fn flag(value: bool) -> Value {
    Value::Boolean(value)
}

/// `Pinfo's attribute `x' must be an integer`.
fn number(lua: &Lua, name: &str, value: &Value) -> Result<u32> {
    match value {
        Value::Integer(_) | Value::Number(_) => integer(lua, 3, value).map(|number| number as u32),
        _ => Err(fail(lua, format_args!("Pinfo's attribute `{name}' must be an integer"))),
    }
}

/// The lower and the higher end, as conversations order them.
fn ends(packet: &Packet) -> (packet::Address, packet::Address) {
    let (source, destination) = (packet.source, packet.destination);
    let source_first = match source.cmp(&destination) {
        std::cmp::Ordering::Equal => packet.source_port <= packet.destination_port,
        order => order.is_lt(),
    };
    if source_first { (source, destination) } else { (destination, source) }
}

fn register_pinfo(classes: &mut Classes<'_>) -> Result<()> {
    let mut pinfo = classes.class(Class::Pinfo)?;
    macro_rules! read {
        ($($name:literal: |$lua:ident, $packet:ident| $value:expr;)*) => {
            $(pinfo.get($name, |api, $lua, this| {
                api.alive($lua, 1, this)?;
                let $packet = api.core.packet.borrow();
                $value
            });)*
        };
    }
    read! {
        "number": |lua, packet| Ok(Value::Integer(packet.number.into()));
        "visited": |lua, packet| Ok(flag(packet.visited));
        "len": |lua, packet| Ok(Value::Integer(packet.wire_len.into()));
        "caplen": |lua, packet| Ok(Value::Integer(packet.captured_len.into()));
        "abs_ts": |lua, packet| Ok(seconds(packet.time));
        "rel_ts": |lua, packet| Ok(seconds(packet.relative_time));
        "delta_ts": |lua, packet| Ok(seconds(packet.delta_time));
        "delta_dis_ts": |lua, packet| Ok(seconds(packet.displayed_delta_time));
        "src": |lua, packet| Address(packet.source).to_value(lua);
        "dst": |lua, packet| Address(packet.destination).to_value(lua);
        "dl_src": |lua, packet| Address(packet.link_source).to_value(lua);
        "dl_dst": |lua, packet| Address(packet.link_destination).to_value(lua);
        "net_src": |lua, packet| Address(packet.network_source).to_value(lua);
        "net_dst": |lua, packet| Address(packet.network_destination).to_value(lua);
        "lo": |lua, packet| Address(ends(&packet).0).to_value(lua);
        "hi": |lua, packet| Address(ends(&packet).1).to_value(lua);
        "src_port": |lua, packet| Ok(Value::Integer(packet.source_port.into()));
        "dst_port": |lua, packet| Ok(Value::Integer(packet.destination_port.into()));
        "port_type": |lua, packet| Ok(Value::Integer(packet.port_type as i64));
        "match_uint": |lua, packet| Ok(Value::Integer(packet.match_uint.into()));
        "match": |lua, packet| Ok(Value::Integer(packet.match_uint.into()));
        "match_string": |lua, packet| match packet.match_string.as_str() {
            "" => Ok(Value::Nil),
            text => lua.create_string(text).map(Value::String),
        };
        "can_desegment": |lua, packet| Ok(Value::Integer(packet.can_desegment.into()));
        "saved_can_desegment": |lua, packet| Ok(Value::Integer(packet.saved_can_desegment.into()));
        "desegment_len": |lua, packet| Ok(Value::Integer(packet.desegment_len.into()));
        "desegment_offset": |lua, packet| Ok(Value::Integer(packet.desegment_offset.into()));
        "fragmented": |lua, packet| Ok(flag(packet.fragmented));
        "in_error_pkt": |lua, packet| Ok(flag(packet.in_error_packet));
        "p2p_dir": |lua, packet| Ok(Value::Integer(packet.direction.into()));
    }
    pinfo.get("curr_proto", |api, lua, this| {
        api.alive(lua, 1, this)?;
        match api.core.packet.borrow().current {
            Some(current) => lua.create_string(&*api.core.registry.borrow().protocol(current).short_name).map(Value::String),
            None => Ok(Value::Nil),
        }
    });
    for name in ["cols", "columns"] {
        pinfo.get(name, |api, lua, this| {
            api.alive(lua, 1, this)?;
            Ok(Value::LightUserData(Object { class: Class::Columns, ..this }.to_lua()))
        });
    }
    pinfo.get("private", |api, lua, this| {
        api.alive(lua, 1, this)?;
        Ok(Value::LightUserData(Object { class: Class::PrivateTable, ..this }.to_lua()))
    });
    macro_rules! write {
        ($($name:literal: $field:ident;)*) => {
            $(pinfo.set($name, |api, lua, this, value| {
                api.alive(lua, 1, this)?;
                api.core.packet.borrow_mut().$field = number(lua, $name, &value)?;
                Ok(())
            });)*
        };
    }
    write! {
        "src_port": source_port;
        "dst_port": destination_port;
        "can_desegment": can_desegment;
        "desegment_len": desegment_len;
        "desegment_offset": desegment_offset;
    }
    macro_rules! write_address {
        ($($name:literal: $field:ident;)*) => {
            $(pinfo.set($name, |api, lua, this, value| {
                api.alive(lua, 1, this)?;
                let address = Address::of(&value).ok_or_else(|| expected_class(lua, 3, "Address", &value))?;
                api.core.packet.borrow_mut().$field = address.0;
                Ok(())
            });)*
        };
    }
    write_address! {
        "src": source;
        "dst": destination;
        "dl_src": link_source;
        "dl_dst": link_destination;
        "net_src": network_source;
        "net_dst": network_destination;
    }
    pinfo.set("in_error_pkt", |api, lua, this, value| {
        api.alive(lua, 1, this)?;
        let Value::Boolean(value) = value else { return Err(fail(lua, "Pinfo's attribute `in_error_pkt' must be a boolean")) };
        api.core.packet.borrow_mut().in_error_packet = value;
        Ok(())
    });
    pinfo.set("p2p_dir", |api, lua, this, value| {
        api.alive(lua, 1, this)?;
        api.core.packet.borrow_mut().direction = number(lua, "p2p_dir", &value)? as i32;
        Ok(())
    });
    pinfo.set("conversation", |api, lua, this, value| {
        api.alive(lua, 1, this)?;
        let handle = match Object::of(&value) {
            Some(object) if object.class == Class::Dissector => Some(HandleId(object.index)),
            Some(object) if object.class == Class::Proto => {
                let handle = api.protos.borrow()[object.index as usize].handle;
                let name = || api.core.registry.borrow().protocol(api.protos.borrow()[object.index as usize].id).short_name.clone();
                Some(handle.ok_or_else(|| fail(lua, format_args!("Proto {} has no registered dissector", name())))?)
            }
            _ => return Err(expected_class(lua, 2, "Proto", &value)),
        };
        let mut packet = api.core.packet.borrow_mut();
        packet.conversation_dissector = handle;
        if let (Some(conversation), Some(handle)) = (packet.conversation, handle) {
            api.core.conversations.borrow_mut().insert(conversation, (packet.number, handle));
        }
        Ok(())
    });
    pinfo.text(|_, lua, _| lua.create_string("a Pinfo").map(Value::String));
    Ok(())
}

/// What dissectors leave for each other: names and texts.
fn register_private(classes: &mut Classes<'_>) -> Result<()> {
    let mut private = classes.class(Class::PrivateTable)?;
    private.any(
        |api, lua, this, name| {
            api.alive(lua, 1, this)?;
            match api.core.packet.borrow().private.get(name) {
                Some(text) => lua.create_string(text).map(Value::String),
                None => Ok(Value::Nil),
            }
        },
        |api, lua, this, name, value| {
            api.alive(lua, 1, this)?;
            let value = if value.is_nil() { None } else { Some(text(lua, 3, &value)?) };
            let mut packet = api.core.packet.borrow_mut();
            match value {
                Some(value) => packet.private.insert(name.to_owned(), value),
                None => packet.private.remove(name),
            };
            Ok(())
        },
    );
    private.text(|api, lua, this| {
        api.alive(lua, 1, this)?;
        let names: Vec<_> = api.core.packet.borrow().private.keys().cloned().collect();
        lua.create_string(names.join("\n")).map(Value::String)
    });
    Ok(())
}

fn index_of(lua: &Lua, name: &str) -> Result<u32> {
    match COLUMNS.iter().position(|known| *known == name) {
        Some(index) => Ok(index as u32),
        None => Err(bad(lua, 2, "Columns__newindex: the column name must be a valid column")),
    }
}

fn register_columns(classes: &mut Classes<'_>) -> Result<()> {
    let mut columns = classes.class(Class::Columns)?;
    columns.any(
        |api, lua, this, name| {
            api.alive(lua, 1, this)?;
            let Some(index) = COLUMNS.iter().position(|known| *known == name) else { return Ok(Value::Nil) };
            let column = Object { class: Class::Column, index: index as u32, ..this };
            Ok(Value::LightUserData(column.to_lua()))
        },
        |api, lua, this, name, value| {
            api.alive(lua, 1, this)?;
            let text = shown(lua, 3, &value)?;
            let index = index_of(lua, name)?;
            api.with_column(index, |column| column.set(&text));
            Ok(())
        },
    );
    columns.text(|_, lua, _| lua.create_string("Columns").map(Value::String));
    let mut column = classes.class(Class::Column)?;
    macro_rules! change {
        ($($name:literal: |$column:ident, $text:ident| $work:expr;)*) => {
            $(column.method($name, |api, lua, (this, text): (Value, Value)| {
                let index = api.column(lua, &this)?;
                let $text = shown(lua, 2, &text)?;
                api.with_column(index, |$column| $work);
                Ok(())
            })?;)*
        };
    }
    change! {
        "set": |column, text| column.set(&text);
        "append": |column, text| column.append(&text);
        "prepend": |column, text| column.prepend(&text);
        "preppend": |column, text| column.prepend(&text);
    }
    column.method("clear", |api, lua, this: Value| {
        let index = api.column(lua, &this)?;
        api.with_column(index, Column::clear);
        Ok(())
    })?;
    column.method("fence", |api, lua, this: Value| {
        let index = api.column(lua, &this)?;
        api.with_column(index, Column::fence);
        Ok(())
    })?;
    column.method("clear_fence", |api, lua, this: Value| {
        let index = api.column(lua, &this)?;
        api.with_column(index, Column::clear_fence);
        Ok(())
    })?;
    column.text(|api, lua, this| {
        api.alive(lua, 1, this)?;
        if !api.core.packet.borrow().columns.built {
            return lua.create_string(format!("({})", COLUMNS[this.index as usize])).map(Value::String);
        }
        if this.index > 1 {
            return lua.create_string("(nil)").map(Value::String);
        }
        let text = api.with_column(this.index, |column| column.text().to_owned());
        lua.create_string(text).map(Value::String)
    });
    Ok(())
}

/// Text as columns take it.
fn shown(lua: &Lua, argument: usize, value: &Value) -> Result<String> {
    let bytes = bytes(lua, argument, value)?;
    Ok(super::argument::until_nul(&bytes))
}

/// Makes the classes.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    register_pinfo(classes)?;
    register_private(classes)?;
    register_columns(classes)?;
    // They have no tables of their own in Wireshark.
    for name in ["Pinfo", "Columns", "PrivateTable"] {
        classes.lua.globals().raw_set(name, Value::Nil)?;
    }
    Ok(())
}
