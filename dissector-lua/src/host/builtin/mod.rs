//! The protocols below a dissector: what a frame holds before it comes to a script's bytes.
//!
//! A file for each; they look as in Wireshark 4.4. `field` is how they declare fields, `pen` how they write the tree.

mod data;
mod eth;
mod field;
mod frame;
mod ip;
mod ipv6;
mod json;
mod null;
mod pen;
mod sll;
mod tcp;
mod text_lines;
mod udp;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;

pub(crate) use frame::show_exception;

use super::buffer::Tvb;
use super::core::{Core, Exception};
use super::desegment::Desegment;
use super::field::{Base, Kind, ProtocolId};
use super::frame::{Fragment, Frame, Segment};
use super::packet::Address;
use super::table::{Builtin, Call, Table};
use super::tree::ROOT;

/// What the built-in protocols keep.
pub(crate) struct State {
    protocols: OnceCell<Protocols>,
    /// What the driver knows of the current frame.
    facts: Cell<Facts>,
    /// A packet that the current frame made whole, and its fragments.
    datagram: RefCell<(Vec<u8>, Vec<Fragment>)>,
    /// The conversations of UDP by their two ends, numbered as they were seen first (`udp.stream`).
    streams: RefCell<HashMap<[(Address, u32); 2], u32>>,
    pub(crate) desegment: RefCell<Desegment>,
    /// Whether TCP puts units together at all (`tcp.desegment_tcp_streams`).
    pub(crate) desegments: Cell<bool>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            protocols: OnceCell::new(),
            facts: Cell::default(),
            datagram: RefCell::default(),
            streams: RefCell::default(),
            desegment: RefCell::default(),
            desegments: Cell::new(true),
        }
    }
}

/// What the driver knows of the current frame, beside what every dissector may know.
#[derive(Clone, Copy, Default)]
struct Facts {
    link_type: u16,
    interface: Option<u32>,
    segment: Option<Segment>,
    /// Whether the packet that was made whole has not been handed on.
    datagram: bool,
}

struct Protocols {
    frame: frame::Fields,
    eth: eth::Fields,
    vlan: eth::VlanFields,
    ethertype: ProtocolId,
    null: null::Fields,
    sll: sll::Fields,
    ip: ip::Fields,
    ipv6: ipv6::Fields,
    fragment_header: ipv6::FragmentFields,
    tcp: tcp::Fields,
    udp: udp::Fields,
    data: data::Fields,
    json: json::Fields,
    text_lines: text_lines::Fields,
}

impl Core {
    fn builtin(&self) -> &Protocols {
        self.state.protocols.get().expect("they are declared first of all")
    }
}

/// Declares the built-in protocols, their fields and their tables.
pub(crate) fn register(core: &Core) {
    let protocols = {
        let registry = &mut *core.registry.borrow_mut();
        Protocols {
            frame: frame::Fields::declare(registry),
            eth: eth::Fields::declare(registry),
            vlan: eth::VlanFields::declare(registry),
            ethertype: registry.add_protocol("Ethertype", "Ethertype", "ethertype"),
            null: null::Fields::declare(registry),
            sll: sll::Fields::declare(registry),
            ip: ip::Fields::declare(registry),
            ipv6: ipv6::Fields::declare(registry),
            fragment_header: ipv6::FragmentFields::declare(registry),
            tcp: tcp::Fields::declare(registry),
            udp: udp::Fields::declare(registry),
            data: data::Fields::declare(registry),
            json: json::Fields::declare(registry),
            text_lines: text_lines::Fields::declare(registry),
        }
    };
    add_tables(core, &protocols);
    assert!(core.state.protocols.set(protocols).is_ok(), "they are declared once");
}

fn add_tables(core: &Core, protocols: &Protocols) {
    let tables = &mut *core.tables.borrow_mut();
    let (number, text) = (Kind::Uint32, Kind::String);
    for (name, title, kind, base, protocol) in [
        ("wtap_encap", "Wiretap encapsulation type", number, Base::Dec, Some(protocols.frame.protocol)),
        ("ethertype", "Ethertype", number, Base::Hex, Some(protocols.ethertype)),
        ("null.type", "BSD AF_ type", number, Base::Dec, Some(protocols.null.protocol)),
        ("sll.ltype", "Linux SLL protocol type", number, Base::Hex, Some(protocols.sll.protocol)),
        ("vlan.id", "VLAN ID", number, Base::Dec, Some(protocols.vlan.protocol)),
        ("ip.proto", "IP protocol", number, Base::Dec, Some(protocols.ip.protocol)),
        ("tcp.port", "TCP port", number, Base::Dec, Some(protocols.tcp.protocol)),
        ("udp.port", "UDP port", number, Base::Dec, Some(protocols.udp.protocol)),
        ("media_type", "Internet media type", text, Base::None, None),
    ] {
        tables.by_name.insert(name.into(), Table::new(title, kind, base, protocol));
    }
    for list in ["eth", "ip", "ipv6", "tcp", "udp"] {
        tables.heuristics.entry(list.into()).or_default();
    }
    let dissectors: [(&str, ProtocolId, Builtin, &str, &[u64]); 14] = [
        ("frame", protocols.frame.protocol, frame::dissect, "", &[]),
        ("eth_withoutfcs", protocols.eth.protocol, eth::dissect, "wtap_encap", &[1]),
        ("eth", protocols.eth.protocol, eth::dissect, "", &[]),
        ("vlan", protocols.vlan.protocol, eth::dissect_vlan, "ethertype", &[0x8100, 0x88a8, 0x9100, 0x9200]),
        ("null", protocols.null.protocol, null::dissect, "wtap_encap", &[15]),
        ("loop", protocols.null.protocol, null::dissect_loop, "wtap_encap", &[174]),
        ("sll", protocols.sll.protocol, sll::dissect, "wtap_encap", &[25]),
        ("sll2", protocols.sll.protocol, sll::dissect_second, "wtap_encap", &[210]),
        ("ip", protocols.ip.protocol, ip::dissect, "ethertype", &[0x0800]),
        ("ipv6", protocols.ipv6.protocol, ipv6::dissect, "ethertype", &[0x86dd]),
        ("tcp", protocols.tcp.protocol, tcp::dissect, "ip.proto", &[6]),
        ("udp", protocols.udp.protocol, udp::dissect, "ip.proto", &[17]),
        ("data", protocols.data.protocol, data::dissect, "", &[]),
        ("json", protocols.json.protocol, json::dissect, "", &[]),
    ];
    for (name, protocol, builtin, table, keys) in dissectors {
        let handle = tables.add_handle(name, protocol, Call::Builtin(builtin));
        for &key in keys {
            tables.by_name.get_mut(table).expect("it was just made").add_number(key, handle);
        }
    }
    let lines = tables.add_handle("data-text-lines", protocols.text_lines.protocol, Call::Builtin(text_lines::dissect));
    let handle = |name: &str, tables: &super::table::Tables| tables.handle_named(name).expect("it was just made");
    let (ip, ipv6, json) = (handle("ip", tables), handle("ipv6", tables), handle("json", tables));
    let mut add = |table: &str, key: u64, handle| tables.by_name.get_mut(table).expect("it was just made").add_number(key, handle);
    add("null.type", 2, ip);
    for family in [10, 23, 24, 28, 30] {
        add("null.type", family, ipv6);
    }
    add("ip.proto", 4, ip);
    add("ip.proto", 41, ipv6);
    let media = tables.by_name.get_mut("media_type").expect("it was just made");
    media.add_text("application/json", json);
    media.add_text("text/plain", lines);
    media.add_text("text/html", lines);
}

/// Dissects a frame from its first byte on.
pub(crate) fn dissect(core: &Core, frame: &Frame<'_>, tvb: Tvb) -> Result<usize, Exception> {
    core.state.facts.set(Facts {
        link_type: frame.link_type,
        interface: frame.interface,
        segment: frame.segment,
        datagram: frame.datagram.is_some(),
    });
    if let Some(datagram) = &frame.datagram {
        let (bytes, fragments) = &mut *core.state.datagram.borrow_mut();
        bytes.clear();
        bytes.extend_from_slice(datagram.bytes);
        fragments.clear();
        fragments.extend_from_slice(datagram.fragments);
    }
    core.call_named("frame", tvb, ROOT)
}

/// Bytes whose protocol is not known.
fn call_data(core: &Core, tvb: Tvb) -> Result<usize, Exception> {
    if tvb.reported_len == 0 { Ok(0) } else { core.call_named("data", tvb, ROOT) }
}

/// Sets a preference of a built-in protocol; `None` if there is none of this name.
pub(crate) fn set_preference(core: &Core, name: &str, value: &str) -> Option<Result<(), String>> {
    let setting = match name {
        "tcp.desegment_tcp_streams" => &core.state.desegments,
        _ => return None,
    };
    let truth = [("TRUE", true), ("FALSE", false)].into_iter().find(|(word, _)| word.eq_ignore_ascii_case(value.trim()));
    Some(truth.map(|(_, truth)| setting.set(truth)).ok_or_else(|| format!("{name} is TRUE or FALSE, not {value:?}")))
}

/// Calls the dissector that a script set for the conversation; whether it took the bytes.
fn call_of_conversation(core: &Core, tvb: Tvb) -> Result<bool, Exception> {
    let set = {
        let packet = core.packet.borrow();
        let conversations = core.conversations.borrow();
        let set = packet.conversation.and_then(|conversation| conversations.get(&conversation).copied());
        set.filter(|(since, _)| *since <= packet.number).map(|(_, handle)| handle)
    };
    Ok(match set {
        Some(handle) => core.call(handle, tvb, ROOT)? > 0,
        None => false,
    })
}

/// Big-endian numbers of a header.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// A header of `N` bytes; an exception if it is not all there.
fn header<const N: usize>(core: &Core, tvb: Tvb) -> Result<[u8; N], Exception> {
    match core.buffers.borrow().bytes(tvb).first_chunk() {
        Some(header) => Ok(*header),
        None => Err(beyond(tvb, N)),
    }
}

/// What reading up to `end` fails with.
fn beyond(tvb: Tvb, end: usize) -> Exception {
    if (tvb.reported_len as usize) < end { Exception::Malformed } else { Exception::Cut }
}
