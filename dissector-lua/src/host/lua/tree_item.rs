//! `TreeItem`: what a dissector adds to the tree.

use mlua::{LightUserData, Lua, MultiValue, Result, Value as LuaValue, Variadic};

use super::super::buffer::Tvb;
use super::super::core::Exception;
use super::super::field::{ExpertId, FieldId, Group, Kind, Severity};
use super::super::text;
use super::super::tree::{MAX_ITEMS, MAX_TREE_DEPTH, NodeId, Place, ROOT};
use super::super::value::Value;
use super::address::Address;
use super::argument::{bytes, bytes_of, integer, integer_or, number, text as text_argument, until_nul};
use super::class::Classes;
use super::data::Class as _;
use super::failure::{Ending, bad, expected, expected_class, fail};
use super::int64::{Int64, UInt64};
use super::object::{Class, Object};
use super::time::NsTime;
use super::tvb::{optional, signed, unsigned};
use super::{Api, address};
use crate::host::View as Shown;
use crate::host::packet;

/// What a tree item holds in all: text and bytes of a frame's items.
const MAX_STORE: usize = 64 << 20;

/// Where a value comes from in the frame.
#[derive(Clone, Copy)]
struct Source {
    tvb: Tvb,
    little_endian: bool,
    encoding: u32,
}

impl Api {
    /// A tree item at an argument.
    pub(crate) fn item(&self, lua: &Lua, argument: usize, value: &LuaValue) -> Result<NodeId> {
        match Object::of(value) {
            Some(object) if object.class == Class::TreeItem => {
                if object.is_of(self.core.generation.get()) {
                    Ok(NodeId(object.index))
                } else {
                    Err(bad(lua, argument, "expired TreeItem"))
                }
            }
            _ => Err(expected_class(lua, argument, "TreeItem", value)),
        }
    }

    /// An item for Lua.
    pub(crate) fn item_object(&self, node: NodeId) -> Object {
        Object::passing(Class::TreeItem, self.core.generation.get(), node.0)
    }

    /// Adds an item, unless there are too many.
    fn hang(&self, lua: &Lua, parent: NodeId, field: Option<FieldId>, value: Value, place: Place) -> Result<NodeId> {
        let mut tree = self.core.tree.borrow_mut();
        let message = if tree.len() > MAX_ITEMS || tree.store_len() > MAX_STORE {
            format!("More than {MAX_ITEMS} items in the tree -- possible infinite loop")
        } else if tree.node(parent).depth >= MAX_TREE_DEPTH {
            format!("Maximum tree depth {MAX_TREE_DEPTH} exceeded")
        } else {
            return Ok(tree.add(parent, field, value, place));
        };
        drop(tree);
        Err(fail(lua, message))
    }

    /// The buffer of the dissector that is at work.
    fn current_tvb(&self) -> Tvb {
        self.current_tvb.get().unwrap_or(Tvb { source: 0, offset: 0, len: 0, reported_len: 0 })
    }
}

/// Numbers of bytes that are no number of the field's type.
enum Unfit {
    /// Wireshark adds an expert info about it; the value is what the first bytes give.
    Length(&'static str, u32),
    /// It reads on beyond the range, and the dissector ends there if nothing is there.
    Beyond,
}

/// The value of a field where it stands.
fn fetch(api: &Api, kind: Kind, mask: u64, source: Source) -> std::result::Result<Value, (Unfit, Value)> {
    let buffers = api.core.buffers.borrow();
    let bytes = buffers.bytes(source.tvb);
    let len = bytes.len();
    let little = source.little_endian;
    let masked = |value: u64| if mask == 0 { value } else { (value & mask) >> mask.trailing_zeros() };
    let text_of = |bytes: &[u8]| {
        let decoded = text::decode(bytes, source.encoding);
        let shown = decoded.split('\0').next().unwrap_or_default();
        api.core.tree.borrow_mut().text_value(shown)
    };
    match kind {
        Kind::None => Ok(Value::None),
        Kind::Protocol | Kind::Bytes | Kind::Oid | Kind::RelOid | Kind::SystemId | Kind::UintBytes | Kind::Vines => Ok(Value::Place),
        Kind::Uint8 | Kind::Uint16 | Kind::Uint24 | Kind::Uint32 | Kind::Char | Kind::IpxNet => match len {
            0 => Err((Unfit::Length("an unsigned integer", 0), Value::Unsigned(0))),
            1..=4 => Ok(Value::Unsigned(masked(unsigned(bytes, little)))),
            _ => {
                let value = Value::Unsigned(masked(unsigned(&bytes[..4], little)));
                Err((Unfit::Length("an unsigned integer", len as u32), value))
            }
        },
        Kind::Boolean | Kind::Uint40 | Kind::Uint48 | Kind::Uint56 | Kind::Uint64 => match len {
            0 => Err((Unfit::Length("an unsigned integer", 0), Value::Unsigned(0))),
            1..=8 => Ok(Value::Unsigned(masked(unsigned(bytes, little)))),
            _ => {
                let value = Value::Unsigned(masked(unsigned(&bytes[..8], little)));
                Err((Unfit::Length("an unsigned integer", len as u32), value))
            }
        },
        Kind::Int8 | Kind::Int16 | Kind::Int24 | Kind::Int32 => match len {
            0 => Err((Unfit::Length("a signed integer", 0), Value::Signed(0))),
            1..=4 => Ok(Value::Signed(sign(mask, unsigned(bytes, little), signed(bytes, little)))),
            _ => Err((Unfit::Length("a signed integer", len as u32), Value::Signed(signed(&bytes[..4], little)))),
        },
        Kind::Int40 | Kind::Int48 | Kind::Int56 | Kind::Int64 => match len {
            0 => Err((Unfit::Length("a signed integer", 0), Value::Signed(0))),
            1..=8 => Ok(Value::Signed(sign(mask, unsigned(bytes, little), signed(bytes, little)))),
            _ => Err((Unfit::Length("a signed integer", len as u32), Value::Signed(signed(&bytes[..8], little)))),
        },
        Kind::Float => match len {
            4 => Ok(Value::Float(f64::from(f32::from_bits(unsigned(bytes, little) as u32)))),
            _ => Err((Unfit::Length("a single-precision floating point number", len as u32), Value::Float(0.0))),
        },
        Kind::Double => match len {
            8 => Ok(Value::Float(f64::from_bits(unsigned(bytes, little)))),
            _ => Err((Unfit::Length("a double-precision floating point number", len as u32), Value::Float(0.0))),
        },
        Kind::String | Kind::StringzPad | Kind::StringzTrunc | Kind::UintString => Ok(text_of(bytes)),
        Kind::Stringz if bytes.contains(&0) => Ok(text_of(bytes)),
        Kind::Stringz => Err((Unfit::Beyond, Value::None)),
        Kind::Ether => exactly(bytes, "an Ethernet address").map(Value::Ether),
        Kind::Ipv4 => exactly(bytes, "an IPv4 address").map(|mut bytes: [u8; 4]| {
            if little {
                bytes.reverse();
            }
            Value::Ipv4(bytes)
        }),
        Kind::Ipv6 => exactly(bytes, "an IPv6 address").map(Value::Ipv6),
        Kind::Guid => exactly(bytes, "a GUID").map(|mut bytes: [u8; 16]| {
            if little {
                bytes[..4].reverse();
                bytes[4..6].reverse();
                bytes[6..8].reverse();
            }
            Value::Guid(bytes)
        }),
        Kind::Eui64 | Kind::Fcwwn => exactly(bytes, "an EUI-64 address").map(|mut bytes: [u8; 8]| {
            if little {
                bytes.reverse();
            }
            Value::Eui64(bytes)
        }),
        Kind::AbsoluteTime | Kind::RelativeTime => {
            if source.encoding & 0x003f_0fff & !text::LITTLE_ENDIAN != 0
                && let Some((secs, nanos, _)) = text::time(bytes, source.encoding)
            {
                return Ok(Value::Time { secs, nanos });
            }
            match len {
                4 => Ok(Value::Time { secs: unsigned(bytes, little) as i64, nanos: 0 }),
                8 => Ok(Value::Time { secs: unsigned(&bytes[..4], little) as i64, nanos: unsigned(&bytes[4..], little) as i32 }),
                _ => Err((Unfit::Length("a time", len as u32), Value::Time { secs: 0, nanos: 0 })),
            }
        }
        Kind::Framenum => Ok(Value::None),
    }
}

/// A signed number under a mask takes its sign from the mask's highest bit.
fn sign(mask: u64, bits: u64, whole: i64) -> i64 {
    if mask == 0 {
        return whole;
    }
    let value = (bits & mask) >> mask.trailing_zeros();
    let unused = 64 - mask.count_ones();
    ((value << unused) as i64) >> unused
}

fn exactly<const N: usize>(bytes: &[u8], what: &'static str) -> std::result::Result<[u8; N], (Unfit, Value)> {
    bytes.try_into().map_err(|_| (Unfit::Length(what, bytes.len() as u32), Value::None))
}

/// A value that a script gives, for a field of a type.
fn given(api: &Api, lua: &Lua, kind: Kind, mask: u64, value: &LuaValue, place: &mut Place) -> Result<Value> {
    let low = |value: u64| if mask == 0 { value } else { value & (mask >> mask.trailing_zeros()) };
    Ok(match kind {
        Kind::Protocol => Value::Place,
        Kind::Boolean => match value {
            LuaValue::Boolean(value) => Value::Unsigned(shifted(mask, u64::from(*value))),
            LuaValue::Integer(_) | LuaValue::Number(_) => Value::Unsigned(shifted(mask, integer(lua, 1, value)? as u64)),
            LuaValue::Nil => Value::Unsigned(0),
            _ => return Err(bad(lua, 1, "must be a integer, boolean or nil")),
        },
        Kind::Uint8 | Kind::Uint16 | Kind::Uint24 | Kind::Uint32 | Kind::Char | Kind::Framenum => {
            Value::Unsigned(low(u64::from(integer(lua, 1, value)? as u32)))
        }
        Kind::Uint40 | Kind::Uint48 | Kind::Uint56 | Kind::Uint64 => Value::Unsigned(shifted(mask, UInt64::argument(lua, 1, value)?.0)),
        Kind::Int8 | Kind::Int16 | Kind::Int24 | Kind::Int32 => Value::Signed(i64::from(integer(lua, 1, value)? as i32)),
        Kind::Int40 | Kind::Int48 | Kind::Int56 | Kind::Int64 => Value::Signed(Int64::argument(lua, 1, value)?.0),
        Kind::Float => Value::Float(f64::from(number(lua, 1, value)? as f32)),
        Kind::Double => Value::Float(number(lua, 1, value)?),
        Kind::AbsoluteTime | Kind::RelativeTime => {
            let time = NsTime::argument(lua, 1, value)?;
            Value::Time { secs: time.secs, nanos: time.nanos }
        }
        Kind::String | Kind::Stringz | Kind::StringzPad | Kind::StringzTrunc => {
            let text = text_argument(lua, 1, value)?;
            if kind == Kind::Stringz {
                let buffers = api.core.buffers.borrow();
                let rest = buffers.place(place.source, place.offset, u32::MAX - place.offset);
                if let Some(end) = rest.iter().position(|byte| *byte == 0) {
                    place.len = end as u32 + 1;
                }
            }
            api.core.tree.borrow_mut().text_value(&text)
        }
        Kind::Bytes => {
            let bytes = bytes(lua, 1, value)?;
            place.len = place.len.min(bytes.len() as u32);
            Value::Bytes(api.core.tree.borrow_mut().keep(&bytes))
        }
        Kind::Ipv4 | Kind::Ipv6 | Kind::Ether => match (kind, Address::argument(lua, 1, value)?.0) {
            (Kind::Ipv4, packet::Address::Ipv4(bytes)) => Value::Ipv4(bytes),
            (Kind::Ipv6, packet::Address::Ipv6(bytes)) => Value::Ipv6(bytes),
            (Kind::Ether, packet::Address::Ether(bytes)) => Value::Ether(bytes),
            (Kind::Ipv4, _) => return Err(fail(lua, "Expected IPv4 address for FT_IPv4 field")),
            (Kind::Ipv6, _) => return Err(fail(lua, "Expected IPv6 address for FT_IPv6 field")),
            _ => return Err(fail(lua, "Expected MAC address for FT_ETHER field")),
        },
        _ => return Err(fail(lua, "FT_ not yet supported")),
    })
}

fn shifted(mask: u64, value: u64) -> u64 {
    if mask == 0 { value } else { (value & mask) >> mask.trailing_zeros() }
}

/// What a script names first: a field or a protocol that is registered.
fn field_of(api: &Api, value: &LuaValue) -> Option<std::result::Result<(FieldId, Kind, u64), ()>> {
    let object = Object::of(value)?;
    match object.class {
        Class::ProtoField => Some(api.fields.borrow()[object.index as usize].place.ok_or(())),
        Class::Proto => {
            let protos = api.protos.borrow();
            Some(Ok((protos[object.index as usize].field, Kind::Protocol, 0)))
        }
        _ => None,
    }
}

fn add(api: &Api, lua: &Lua, mut arguments: MultiValue, little_endian: bool) -> Result<Option<LightUserData>> {
    let this = arguments.pop_front().unwrap_or(LuaValue::Nil);
    let parent = match Object::of(&this) {
        Some(object) if object.class == Class::TreeItem => {
            if !object.is_of(api.core.generation.get()) {
                return Err(fail(lua, "expired TreeItem"));
            }
            NodeId(object.index)
        }
        Some(object) if object.class == Class::DissectorTable => {
            super::dissector::add_to_table(api, lua, &this, &arguments)?;
            return Ok(None);
        }
        _ => return Err(fail(lua, "not a TreeItem!")),
    };
    let field = arguments.front().and_then(|first| field_of(api, first));
    if field.is_some() {
        arguments.pop_front();
    } else if matches!(arguments.front(), Some(LuaValue::Nil)) {
        return Err(fail(lua, "first argument to TreeItem:add is nil!"));
    }
    let slot = match arguments.front() {
        Some(value) if Object::of(value).is_some_and(|object| object.class == Class::TvbRange) => {
            let slot = optional(api, lua, 2, value)?;
            arguments.pop_front();
            slot
        }
        _ => None,
    };
    let tvb = slot.map_or_else(|| api.current_tvb().part(0, 0), |slot| slot.tvb);
    let mut place = Place::from(tvb);
    let node = match field {
        Some(Ok((id, kind, mask))) => {
            let fetched = arguments.is_empty();
            if fetched {
                place.len = field_len(api, kind, tvb);
            }
            let (value, unfit) = match arguments.pop_front() {
                Some(value) if kind == Kind::Protocol => {
                    arguments.push_front(value);
                    (Value::Place, None)
                }
                Some(value) => (given(api, lua, kind, mask, &value, &mut place)?, None),
                None if kind == Kind::Framenum => return Err(fail(lua, "ProtoField FRAMENUM cannot fetch value from Tvb")),
                None => {
                    let encoding = if little_endian { text::LITTLE_ENDIAN } else { 0 };
                    match fetch(api, kind, mask, Source { tvb, little_endian, encoding }) {
                        Ok(value) => (value, None),
                        Err((unfit, value)) => (value, Some(unfit)),
                    }
                }
            };
            let node = match unfit {
                Some(unfit) => misfit(api, lua, parent, id, value, place, &unfit)?,
                None => api.hang(lua, parent, Some(id), value, place)?,
            };
            api.core.tree.borrow_mut().node_mut(node).little_endian = little_endian;
            if fetched {
                remark_trailing(api, node, kind, tvb, 0);
            }
            if let Some(label) = arguments.pop_front()
                && let Some(label) = bytes_of(&label)
            {
                api.core.tree.borrow_mut().set_label(node, &until_bad(&label));
            }
            node
        }
        _ => {
            let Some(label) = arguments.pop_front() else {
                return Err(fail(lua, "Tree item ProtoField/Protocol handle is invalid (ProtoField/Proto not registered?)"));
            };
            if field.is_some() && arguments.is_empty() && slot.is_none() && Object::of(&label).is_some() {
                return Err(fail(lua, "Tree item ProtoField/Protocol handle is invalid (ProtoField/Proto not registered?)"));
            }
            let label = bytes_of(&label).map_or_else(|| "(null)".to_owned(), |label| until_bad(&label));
            let node = api.hang(lua, parent, Some(api.text_field), Value::None, place)?;
            api.core.tree.borrow_mut().set_label(node, &label);
            node
        }
    };
    for more in arguments {
        if let Some(more) = bytes_of(&more) {
            api.append(node, &format!(" {}", until_bad(&more)), "");
        }
    }
    Ok(Some(api.item_object(node).to_lua()))
}

/// How many bytes a field takes of those that are there: a string that ends with a NUL, up to it.
fn field_len(api: &Api, kind: Kind, tvb: Tvb) -> u32 {
    if kind != Kind::Stringz {
        return tvb.len;
    }
    let buffers = api.core.buffers.borrow();
    let end = buffers.bytes(tvb).iter().position(|byte| *byte == 0);
    end.map_or(tvb.len, |end| end as u32 + 1)
}

/// What stands in a string of ASCII or UTF-8 behind its NUL is worth a remark.
fn remark_trailing(api: &Api, node: NodeId, kind: Kind, tvb: Tvb, encoding: u32) {
    let is_of_bytes = matches!(encoding & 0xfffe, 0 | 2);
    if kind != Kind::String || !is_of_bytes {
        return;
    }
    let trailing = {
        let buffers = api.core.buffers.borrow();
        let bytes = buffers.bytes(tvb);
        bytes.iter().position(|byte| *byte == 0).is_some_and(|end| bytes[end..].iter().any(|byte| *byte != 0))
    };
    if trailing {
        api.core.add_expert(node, api.core.experts().trailing(), None);
    }
}

/// What `add` returns: an item, or nothing from a table.
fn one_or_none(item: Option<LightUserData>) -> Variadic<LightUserData> {
    item.into_iter().collect()
}

/// Text as labels take it: 4.4 cuts it where it is no UTF-8 any more, both cut it at a NUL.
fn until_bad(label: &[u8]) -> String {
    let label = &label[..label.iter().position(|byte| *byte == 0).unwrap_or(label.len())];
    match std::str::from_utf8(label) {
        Ok(label) => label.to_owned(),
        Err(error) if cfg!(feature = "lua54") => String::from_utf8_lossy(&label[..error.valid_up_to()]).into_owned(),
        Err(_) => until_nul(label),
    }
}

/// A field of the wrong length: Wireshark says so by an expert info, and ends the dissector if there is nothing to read.
fn misfit(api: &Api, lua: &Lua, parent: NodeId, id: FieldId, value: Value, place: Place, unfit: &Unfit) -> Result<NodeId> {
    match unfit {
        Unfit::Beyond => Err(fail(lua, "out of bounds")),
        // Nobody minds if 64 bits are followed by more.
        Unfit::Length(_, 9..) if matches!(value, Value::Unsigned(_) | Value::Signed(_)) && is_long(api, id) => {
            api.hang(lua, parent, Some(id), value, place)
        }
        Unfit::Length(what, len @ 5..) if matches!(value, Value::Unsigned(_) | Value::Signed(_)) => {
            let message = format!("Trying to fetch {what} with length {len}");
            api.core.add_expert(parent, api.core.experts().length_excess(), Some(&message));
            api.hang(lua, parent, Some(id), value, place)
        }
        Unfit::Length(what, len) => {
            let message = format!("Trying to fetch {what} with length {len}");
            let node = if *len == 0 || value == Value::None || !matches!(value, Value::Unsigned(_) | Value::Signed(_)) {
                None
            } else {
                Some(api.hang(lua, parent, Some(id), value, place)?)
            };
            let on = node.unwrap_or(parent);
            api.core.add_expert(on, api.core.experts().length_mismatch(), Some(&message));
            node.ok_or_else(|| mlua::Error::external(Ending::Exception(Exception::Malformed)))
        }
    }
}

/// Whether a field has more than 32 bits.
fn is_long(api: &Api, id: FieldId) -> bool {
    let kind = api.core.registry.borrow().field(id).kind;
    !matches!(
        kind,
        Kind::Uint8 | Kind::Uint16 | Kind::Uint24 | Kind::Uint32 | Kind::Char | Kind::Int8 | Kind::Int16 | Kind::Int24 | Kind::Int32
    )
}

impl Api {
    /// Puts text behind and before the label of an item.
    pub(crate) fn append(&self, node: NodeId, text: &str, before: &str) {
        if !self.core.visible.get() || self.core.tree.borrow().store_len() > MAX_STORE {
            return;
        }
        self.label(node, |tree| tree.extend_label(node, before, text, ""));
    }

    /// Makes sure that an item has a label of its own, and changes it.
    fn label(&self, node: NodeId, change: impl FnOnce(&mut super::super::tree::Tree)) {
        if node == ROOT {
            return;
        }
        let label: Option<String> = {
            let tree = self.core.tree.borrow();
            match tree.node(node).label {
                Some(_) => None,
                None => {
                    let (registry, buffers, packet) = (self.core.registry.borrow(), self.core.buffers.borrow(), self.core.packet.borrow());
                    let view = Shown { tree: &tree, registry: &registry, buffers: &buffers, packet: &packet };
                    Some(view.item(node).plain_label())
                }
            }
        };
        let mut tree = self.core.tree.borrow_mut();
        if let Some(label) = label {
            tree.set_label(node, &label);
        }
        change(&mut tree);
    }
}

/// Adds what is wrong, or worth a word, to an item: one of the registered kinds.
fn add_proto_expert(api: &Api, lua: &Lua, (this, expert, text): (LuaValue, LuaValue, LuaValue)) -> Result<LuaValue> {
    let node = api.item(lua, 1, &this)?;
    let id = expert_of(api, lua, 2, &expert)?;
    let text = match &text {
        LuaValue::Nil => None,
        LuaValue::String(text) => Some(until_bad(&text.as_bytes())),
        _ => return Err(bad(lua, 3, "must be a Lua string")),
    };
    api.core.add_expert(node, id, text.as_deref());
    Ok(this)
}

fn expert_of(api: &Api, lua: &Lua, argument: usize, value: &LuaValue) -> Result<ExpertId> {
    match Object::of(value) {
        Some(object) if object.class == Class::ProtoExpert => {
            let known = api.experts.borrow()[object.index as usize].id;
            known.ok_or_else(|| fail(lua, "ProtoExpert is not registered"))
        }
        _ => Err(expected_class(lua, argument, "ProtoExpert", value)),
    }
}

fn add_tvb_expert(api: &Api, lua: &Lua, (this, expert, range, text): (LuaValue, LuaValue, LuaValue, LuaValue)) -> Result<LuaValue> {
    let node = api.item(lua, 1, &this)?;
    let id = expert_of(api, lua, 2, &expert)?;
    let text = match (&range, &text) {
        (_, LuaValue::Nil) if !matches!(range, LuaValue::String(_)) => None,
        // Without a range, the text may come in its place.
        (LuaValue::String(text), LuaValue::Nil) => Some(until_bad(&text.as_bytes())),
        _ => Some(text_argument(lua, 4, &text)?),
    };
    let is_range = Object::of(&range).is_some_and(|object| object.class == Class::TvbRange);
    let place = match optional(api, lua, 3, &range) {
        Ok(Some(slot)) if is_range => slot.tvb.into(),
        _ => Place { len: 0, ..api.core.tree.borrow().node(node).place },
    };
    let label = text.clone().unwrap_or_else(|| api.core.registry.borrow().expert(id).text.to_string());
    let line = api.hang(lua, node, None, Value::None, place)?;
    api.core.tree.borrow_mut().set_label(line, &label);
    api.core.add_expert(line, id, text.as_deref());
    Ok(this)
}

/// The older way: group, severity and text.
fn add_expert_info(api: &Api, lua: &Lua, (this, group, severity, text): (LuaValue, LuaValue, LuaValue, LuaValue)) -> Result<LuaValue> {
    let node = api.item(lua, 1, &this)?;
    let group = integer_or(lua, 2, &group, i64::from(Group::Debug as u32))?;
    let severity = integer_or(lua, 3, &severity, i64::from(Severity::Chat as u32))?;
    let text = if text.is_nil() { None } else { Some(text_argument(lua, 4, &text)?) };
    let id = match (Group::of(group as u32), Severity::of(severity as u32)) {
        (Some(group), Some(severity)) => api.core.experts().of_script(&api.core.registry, group, severity),
        _ => api.core.experts().lua_error(),
    };
    api.core.add_expert(node, id, text.as_deref());
    Ok(this)
}

/// Adds a field and gives its value and where it ends, too.
fn add_packet_field(api: &Api, lua: &Lua, mut arguments: MultiValue) -> Result<MultiValue> {
    let this = arguments.pop_front().unwrap_or(LuaValue::Nil);
    let parent = match Object::of(&this) {
        Some(object) if object.class == Class::TreeItem && !object.is_of(api.core.generation.get()) => {
            return Err(fail(lua, "expired TreeItem"));
        }
        Some(object) if object.class == Class::TreeItem => NodeId(object.index),
        _ => return Err(fail(lua, "not a TreeItem!")),
    };
    let first = arguments.pop_front().unwrap_or(LuaValue::Nil);
    let (id, kind, mask) = match Object::of(&first).map(|object| object.class) {
        Some(Class::ProtoField) => match field_of(api, &first) {
            Some(Ok(field)) => field,
            _ => return Err(fail(lua, "ProtoField unregistered/invalid")),
        },
        _ => return Err(fail(lua, "TreeField:add_packet_field not passed a ProtoField")),
    };
    let range = arguments.pop_front().unwrap_or(LuaValue::Nil);
    let slot = match Object::of(&range).map(|object| object.class) {
        Some(Class::TvbRange) => api.range(lua, 2, &range)?,
        _ => return Err(fail(lua, "TreeItem:add_packet_field not passed a TvbRange")),
    };
    let Some(encoding) = arguments.pop_front() else { return Err(fail(lua, "TreeItem:add_packet_field not passed an encoding")) };
    let encoding = integer(lua, 1, &encoding)? as u32;
    let source = Source { tvb: slot.tvb, little_endian: encoding & text::LITTLE_ENDIAN != 0, encoding };
    let place = Place { len: field_len(api, kind, slot.tvb), ..slot.tvb.into() };
    if kind == Kind::Framenum {
        return Err(fail(lua, "TreeItem_add_packet_field: Lua programming error"));
    }
    let fetched = if encoding & text::STR_HEX != 0 && kind == Kind::Bytes {
        let (decoded, _) = text::hex_digits(&api.copy(slot.tvb), encoding).unwrap_or_default();
        Ok(Value::Bytes(api.core.tree.borrow_mut().keep(&decoded)))
    } else if encoding & text::STR_NUM != 0 && matches!(kind, Kind::Uint8 | Kind::Uint16 | Kind::Uint24 | Kind::Uint32) {
        Ok(Value::Unsigned(String::from_utf8_lossy(&api.copy(slot.tvb)).trim().parse().unwrap_or(0)))
    } else {
        fetch(api, kind, mask, source)
    };
    let node = match fetched {
        Ok(value) => api.hang(lua, parent, Some(id), value, place)?,
        Err((unfit, value)) => misfit(api, lua, parent, id, value, place, &unfit)?,
    };
    api.core.tree.borrow_mut().node_mut(node).little_endian = source.little_endian;
    remark_trailing(api, node, kind, slot.tvb, encoding);
    let mut results = MultiValue::new();
    results.push_back(LuaValue::LightUserData(api.item_object(node).to_lua()));
    // 4.0 gives no values, and neither gives those of some types.
    if cfg!(feature = "lua52") || matches!(kind, Kind::None | Kind::Guid | Kind::Eui64) {
        results.push_back(LuaValue::Nil);
        results.push_back(LuaValue::Nil);
    } else {
        results.push_back(api.value_of(lua, kind, node)?);
        results.push_back(LuaValue::Integer(i64::from(slot.tvb.offset - slot.start + place.len)));
    }
    for more in arguments {
        if let Some(more) = bytes_of(&more) {
            api.append(node, &format!(" {}", until_bad(&more)), "");
        }
    }
    Ok(results)
}

impl Api {
    /// The value of an item for Lua.
    pub(crate) fn value_of(&self, lua: &Lua, kind: Kind, node: NodeId) -> Result<LuaValue> {
        let (value, place) = {
            let tree = self.core.tree.borrow();
            let node = tree.node(node);
            (node.value, node.place)
        };
        match value {
            Value::None => Ok(LuaValue::Nil),
            Value::Unsigned(number) => match kind {
                Kind::Boolean => Ok(LuaValue::Boolean(number != 0)),
                Kind::Uint40 | Kind::Uint48 | Kind::Uint56 | Kind::Uint64 => UInt64(number).to_value(lua),
                _ => Ok(LuaValue::Integer(number as i64)),
            },
            Value::Signed(number) => match kind {
                Kind::Int40 | Kind::Int48 | Kind::Int56 | Kind::Int64 => Int64(number).to_value(lua),
                _ => Ok(LuaValue::Integer(number)),
            },
            Value::Float(number) => Ok(LuaValue::Number(number)),
            Value::Text(span) => {
                let text = self.core.tree.borrow().kept(span).to_vec();
                lua.create_string(text).map(LuaValue::String)
            }
            Value::Bytes(span) => {
                let bytes = self.core.tree.borrow().kept(span).to_vec();
                super::bytes::ByteArray::new(bytes).to_value(lua)
            }
            Value::Place => {
                let bytes = self.core.buffers.borrow().place(place.source, place.offset, place.len).to_vec();
                super::bytes::ByteArray::new(bytes).to_value(lua)
            }
            Value::Time { secs, nanos } => NsTime { secs, nanos }.to_value(lua),
            Value::Ipv4(bytes) => address::v4(lua, bytes),
            Value::Ipv6(bytes) => address::v6(lua, bytes),
            Value::Ether(bytes) => address::ether(lua, bytes),
            Value::Eui64(bytes) => UInt64(u64::from_be_bytes(bytes)).to_value(lua),
            Value::Guid(bytes) => super::bytes::ByteArray::new(bytes.to_vec()).to_value(lua),
        }
    }
}

/// A flag that is set unless it is told otherwise.
fn flag(lua: &Lua, value: &LuaValue) -> Result<bool> {
    match value {
        LuaValue::Nil => Ok(true),
        LuaValue::Boolean(value) => Ok(*value),
        _ => Err(bad(lua, 2, "must be a boolean")),
    }
}

/// Makes the class.
pub(crate) fn register(classes: &mut Classes<'_>) -> Result<()> {
    let mut item = classes.class(Class::TreeItem)?;
    item.method("add", |api, lua, arguments: MultiValue| add(api, lua, arguments, false).map(one_or_none))?;
    item.method("add_le", |api, lua, arguments: MultiValue| add(api, lua, arguments, true).map(one_or_none))?;
    item.method("add_packet_field", add_packet_field)?;
    item.method("add_proto_expert_info", add_proto_expert)?;
    item.method("add_tvb_expert_info", add_tvb_expert)?;
    item.method("add_expert_info", add_expert_info)?;
    item.method("set_text", |api, lua, (this, text): (LuaValue, LuaValue)| {
        let node = api.item(lua, 1, &this)?;
        let text = until_bad(&bytes(lua, 2, &text)?);
        let mut tree = api.core.tree.borrow_mut();
        if api.core.visible.get() && node != ROOT && tree.store_len() <= MAX_STORE {
            tree.set_label(node, &text);
        }
        drop(tree);
        Ok(this)
    })?;
    item.method("append_text", |api, lua, (this, text): (LuaValue, LuaValue)| {
        let node = api.item(lua, 1, &this)?;
        api.append(node, &until_bad(&bytes(lua, 2, &text)?), "");
        Ok(this)
    })?;
    item.method("prepend_text", |api, lua, (this, text): (LuaValue, LuaValue)| {
        let node = api.item(lua, 1, &this)?;
        api.append(node, "", &until_bad(&bytes(lua, 2, &text)?));
        Ok(this)
    })?;
    item.method("set_generated", |api, lua, (this, value): (LuaValue, LuaValue)| {
        let node = api.item(lua, 1, &this)?;
        api.core.tree.borrow_mut().node_mut(node).generated = flag(lua, &value)?;
        Ok(this)
    })?;
    item.method("set_hidden", |api, lua, (this, value): (LuaValue, LuaValue)| {
        let node = api.item(lua, 1, &this)?;
        api.core.tree.borrow_mut().node_mut(node).hidden = flag(lua, &value)?;
        Ok(this)
    })?;
    item.method("set_len", |api, lua, (this, len): (LuaValue, LuaValue)| {
        let node = api.item(lua, 1, &this)?;
        let len = integer(lua, 2, &len)?;
        set_len(api, lua, node, len)?;
        Ok(this)
    })?;
    item.method("referenced", |api, lua, (this, what): (LuaValue, LuaValue)| {
        api.item(lua, 1, &this)?;
        match Object::of(&what) {
            Some(object) if object.class == Class::ProtoField => {
                let place = api.fields.borrow()[object.index as usize].place;
                Ok(place.is_some_and(|(id, ..)| api.core.is_looked_at(id)))
            }
            Some(object) if object.class == Class::Dissector => Ok(api.is_protocol_looked_at(object.index)),
            _ => Err(match &what {
                LuaValue::LightUserData(_) | LuaValue::UserData(_) => expected(lua, 2, "Dissector", &what),
                _ => expected(lua, 2, "userdata", &what),
            }),
        }
    })?;
    item.get("text", |api, lua, this| {
        let node = alive(api, lua, this)?;
        if node == ROOT {
            return lua.create_string("Wireshark Lua fake item").map(LuaValue::String);
        }
        let (tree, registry) = (api.core.tree.borrow(), api.core.registry.borrow());
        let (buffers, packet) = (api.core.buffers.borrow(), api.core.packet.borrow());
        let view = Shown { tree: &tree, registry: &registry, buffers: &buffers, packet: &packet };
        lua.create_string(view.item(node).plain_label().as_bytes()).map(LuaValue::String)
    });
    item.get("len", |api, lua, this| {
        let node = alive(api, lua, this)?;
        Ok(LuaValue::Integer(i64::from(api.core.tree.borrow().node(node).place.len)))
    });
    item.get("visible", |api, lua, this| alive(api, lua, this).map(|_| LuaValue::Boolean(api.core.visible.get())));
    item.get("generated", |api, lua, this| {
        let node = alive(api, lua, this)?;
        Ok(LuaValue::Boolean(api.core.tree.borrow().node(node).generated))
    });
    item.get("hidden", |api, lua, this| {
        let node = alive(api, lua, this)?;
        Ok(LuaValue::Boolean(node == ROOT || api.core.tree.borrow().node(node).hidden))
    });
    item.set("text", |api, lua, this, value| {
        let node = alive(api, lua, this)?;
        let text = until_bad(&bytes(lua, 2, &value)?);
        api.core.tree.borrow_mut().set_label(node, &text);
        Ok(())
    });
    item.set("generated", |api, lua, this, value| {
        let node = alive(api, lua, this)?;
        api.core.tree.borrow_mut().node_mut(node).generated = flag(lua, &value)?;
        Ok(())
    });
    item.set("hidden", |api, lua, this, value| {
        let node = alive(api, lua, this)?;
        api.core.tree.borrow_mut().node_mut(node).hidden = flag(lua, &value)?;
        Ok(())
    });
    item.set("len", |api, lua, this, value| {
        let node = alive(api, lua, this)?;
        set_len(api, lua, node, integer(lua, 3, &value)?)
    });
    item.text(|api, lua, object| {
        let expired = !object.is_of(api.core.generation.get());
        let text = format!("TreeItem: expired={expired}, has item=true, has subtree=true, they are the same");
        lua.create_string(text).map(LuaValue::String)
    });
    Ok(())
}

fn alive(api: &Api, lua: &Lua, this: Object) -> Result<NodeId> {
    api.item(lua, 1, &LuaValue::LightUserData(this.to_lua()))
}

fn set_len(api: &Api, lua: &Lua, node: NodeId, len: i64) -> Result<()> {
    let Ok(len) = u32::try_from(len) else { return Err(bad(lua, 2, "must be a positive value")) };
    api.core.tree.borrow_mut().node_mut(node).place.len = len;
    Ok(())
}
