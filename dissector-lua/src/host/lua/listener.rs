//! `Listener`: a script that hears of frames after they were dissected.

use mlua::{Lua, MultiValue, Result, Value};

use super::address::Address;
use super::argument::text_or;
use super::class::Classes;
use super::data::Class as _;
use super::failure::{expected_class, fail};
use super::object::{Class, Object};
use super::{Api, Callback};

/// The taps that frames come through here.
const TAPS: [&str; 12] = ["data", "eth", "frame", "http", "ip", "ipv6", "json", "null", "sll", "tcp", "tcp_follow", "udp"];

/// What a tap tells of a frame, by the field that has it. Of IP and of others Wireshark's taps tell nothing that scripts use.
pub(super) fn details(tap: &str) -> &'static [(&'static str, &'static str)] {
    match tap {
        "udp" => &[
            ("uh_sport", "udp.srcport"),
            ("uh_dport", "udp.dstport"),
            ("uh_ulen", "udp.length"),
            ("uh_sum_cov", "udp.length"),
            ("uh_sum", "udp.checksum"),
            ("uh_stream", "udp.stream"),
        ],
        "tcp" => &[
            ("th_sport", "tcp.srcport"),
            ("th_dport", "tcp.dstport"),
            ("th_seq", "tcp.seq"),
            ("th_rawseq", "tcp.seq_raw"),
            ("th_ack", "tcp.ack"),
            ("th_rawack", "tcp.ack_raw"),
            ("th_seglen", "tcp.len"),
            ("th_win", "tcp.window_size"),
            ("th_flags", "tcp.flags"),
            ("th_hlen", "tcp.hdr_len"),
            ("th_stream", "tcp.stream"),
        ],
        _ => &[],
    }
}

/// A listener of a script.
pub(crate) struct Listener {
    pub(crate) tap: String,
    pub(crate) filter: String,
    pub(crate) packet: Option<Callback>,
    pub(crate) draw: Option<Callback>,
    pub(crate) reset: Option<Callback>,
    pub(crate) removed: bool,
}

fn new(api: &Api, lua: &Lua, (tap, filter): (Value, Value)) -> Result<Value> {
    let tap = text_or(lua, 1, &tap, "frame")?;
    let filter = text_or(lua, 2, &filter, "")?;
    if !TAPS.contains(&tap.as_str()) {
        return Err(fail(lua, format_args!("Error while registering tap:\nTap {tap} not found")));
    }
    let mut listeners = api.listeners.borrow_mut();
    listeners.push(Listener { tap, filter, packet: None, draw: None, reset: None, removed: false });
    Ok(Value::LightUserData(Object::lasting(Class::Listener, listeners.len() as u32 - 1).to_lua()))
}

fn callback(api: &Api, lua: &Lua, name: &str, value: Value) -> Result<Option<Callback>> {
    match value {
        Value::Function(function) => Ok(Some(api.callback(function))),
        _ => Err(fail(lua, format_args!("Listener's attribute `{name}' must be a function"))),
    }
}

/// Makes the class.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    let mut listener = classes.class(Class::Listener)?;
    listener.function("new", new)?;
    listener.function("list", |_, lua, ()| lua.create_sequence_from(TAPS))?;
    listener.method("remove", |api, lua, this: Value| match Object::of(&this) {
        Some(object) if object.class == Class::Listener => {
            api.listeners.borrow_mut()[object.index as usize].removed = true;
            Ok(())
        }
        Some(object) if object.class == Class::DissectorTable => Err(fail(lua, "missing arguments")),
        _ => Err(expected_class(lua, 1, "Listener", &this)),
    })?;
    listener.set("packet", |api, lua, this, value| {
        let callback = callback(api, lua, "packet", value)?;
        api.listeners.borrow_mut()[this.index as usize].packet = callback;
        Ok(())
    });
    listener.set("draw", |api, lua, this, value| {
        let callback = callback(api, lua, "draw", value)?;
        api.listeners.borrow_mut()[this.index as usize].draw = callback;
        Ok(())
    });
    listener.set("reset", |api, lua, this, value| {
        let callback = callback(api, lua, "reset", value)?;
        api.listeners.borrow_mut()[this.index as usize].reset = callback;
        Ok(())
    });
    listener.text(|api, lua, this| {
        let listeners = api.listeners.borrow();
        let listener = &listeners[this.index as usize];
        let filter = if listener.filter.is_empty() { "NONE" } else { &listener.filter };
        let info = if listener.tap == "frame" { "NO" } else { "YES" };
        lua.create_string(format!("Listener({}) filter: {filter}  tapinfo: {info}", listener.tap)).map(Value::String)
    });
    Ok(())
}

impl Api {
    /// Calls a listener's `packet` with what was dissected last.
    pub(crate) fn tap(&self, lua: &Lua, index: u32) {
        let listener = {
            let listeners = self.listeners.borrow();
            let listener = listeners.get(index as usize).filter(|listener| !listener.removed);
            listener.and_then(|listener| Some((listener.packet.clone()?, listener.tap.clone())))
        };
        let Some((callback, tap)) = listener else { return };
        let generation = self.core.generation.get();
        let whole = {
            let buffers = self.core.buffers.borrow();
            let len = buffers.source(0).len() as u32;
            super::super::buffer::Tvb { source: 0, offset: 0, len, reported_len: len }
        };
        let tvb = self.push(Class::Tvb, whole, 0);
        let pinfo = Value::LightUserData(Object::passing(Class::Pinfo, generation, 0).to_lua());
        // Without memory for it, a script hears nothing of the details.
        let details = self.tapped(lua, &tap).unwrap_or(Value::Nil);
        let arguments: MultiValue = [pinfo, Value::LightUserData(tvb.to_lua()), details].into_iter().collect();
        self.tell(&callback, arguments);
    }

    /// The details of a tap as a table; nil of those that have none.
    fn tapped(&self, lua: &Lua, tap: &str) -> Result<Value> {
        let details = details(tap);
        if details.is_empty() {
            return Ok(Value::Nil);
        }
        let table = lua.create_table()?;
        for (key, field) in details {
            let number = self.found(field).first().map(|node| self.look(*node, |item| item.value()));
            if let Some(super::super::value::Value::Unsigned(number)) = number {
                table.raw_set(*key, number)?;
            }
        }
        let (source, destination) = {
            let packet = self.core.packet.borrow();
            (packet.source, packet.destination)
        };
        table.raw_set("ip_src", Address(source).to_value(lua)?)?;
        table.raw_set("ip_dst", Address(destination).to_value(lua)?)?;
        Ok(Value::Table(table))
    }
}
