//! TCP (RFC 9293 §3.1): the header, and what connection tracking knows of the segment.
//!
//! What its payload means is found out in `payload`; options are in `options`.

mod options;
mod payload;

use super::super::buffer::Tvb;
use super::super::core::{Core, Exception};
use super::super::field::{FieldId, Kind};
use super::super::frame::{Remarks, Segment};
use super::super::packet::{Conversation, PortType};
use super::super::tree::NodeId;
use super::super::value::Value;
use super::field::{bit, field, frame_number, hex, protocol};
use super::pen::Pen;
use super::{beyond, header, u16_at, u32_at};

protocol! {
    /// Fields of TCP.
    Fields = "Transmission Control Protocol", "TCP", "tcp";
    source = field(Kind::Uint16, "tcp.srcport", "Source Port");
    destination = field(Kind::Uint16, "tcp.dstport", "Destination Port");
    port = field(Kind::Uint16, "tcp.port", "Source or Destination Port");
    stream = field(Kind::Uint32, "tcp.stream", "Stream index");
    completeness = field(Kind::Uint8, "tcp.completeness", "Conversation completeness");
    len = field(Kind::Uint32, "tcp.len", "TCP Segment Len");
    sequence = field(Kind::Uint32, "tcp.seq", "Sequence Number");
    raw_sequence = field(Kind::Uint32, "tcp.seq_raw", "Sequence Number (raw)");
    next_sequence = field(Kind::Uint32, "tcp.nxtseq", "Next Sequence Number");
    acknowledgment = field(Kind::Uint32, "tcp.ack", "Acknowledgment Number");
    raw_acknowledgment = field(Kind::Uint32, "tcp.ack_raw", "Acknowledgment number (raw)");
    header_len = field(Kind::Uint8, "tcp.hdr_len", "Header Length");
    flags = hex(Kind::Uint16, "tcp.flags", "Flags").bits(0x0fff);
    reserved = bit("tcp.flags.res", "Reserved", 12, 0xe00).words("Set", "Not set");
    accurate_ecn = bit("tcp.flags.ae", "Accurate ECN", 12, 0x100).words("Set", "Not set");
    window_reduced = bit("tcp.flags.cwr", "Congestion Window Reduced", 12, 0x080).words("Set", "Not set");
    ecn_echo = bit("tcp.flags.ece", "ECN-Echo", 12, 0x040).words("Set", "Not set");
    urgent = bit("tcp.flags.urg", "Urgent", 12, 0x020).words("Set", "Not set");
    ack = bit("tcp.flags.ack", "Acknowledgment", 12, 0x010).words("Set", "Not set");
    push = bit("tcp.flags.push", "Push", 12, 0x008).words("Set", "Not set");
    reset = bit("tcp.flags.reset", "Reset", 12, 0x004).words("Set", "Not set");
    syn = bit("tcp.flags.syn", "Syn", 12, 0x002).words("Set", "Not set");
    fin = bit("tcp.flags.fin", "Fin", 12, 0x001).words("Set", "Not set");
    flags_text = field(Kind::String, "tcp.flags.str", "TCP Flags");
    raw_window = field(Kind::Uint16, "tcp.window_size_value", "Window");
    window = field(Kind::Uint32, "tcp.window_size", "Calculated window size");
    scale_factor = field(Kind::Int32, "tcp.window_size_scalefactor", "Window size scaling factor");
    checksum = hex(Kind::Uint16, "tcp.checksum", "Checksum");
    checksum_status = field(Kind::Uint8, "tcp.checksum.status", "Checksum Status").named(&[(0, "Bad"), (1, "Good"), (2, "Unverified")]);
    urgent_pointer = field(Kind::Uint16, "tcp.urgent_pointer", "Urgent Pointer");
    options = field(Kind::Bytes, "tcp.options", "TCP Options");
    option_kind = field(Kind::Uint8, "tcp.option_kind", "Kind").named(&options::NAMES);
    option_len = field(Kind::Uint8, "tcp.option_len", "Length");
    end_of_options = field(Kind::Bytes, "tcp.options.eol", "TCP Option - End of Option List (EOL)");
    no_operation = field(Kind::Bytes, "tcp.options.nop", "TCP Option - No-Operation (NOP)");
    segment_size = field(Kind::Bytes, "tcp.options.mss", "TCP Option - Maximum segment size");
    segment_size_value = field(Kind::Uint16, "tcp.options.mss_val", "MSS Value");
    scale = field(Kind::Bytes, "tcp.options.wscale", "TCP Option - Window scale");
    scale_shift = field(Kind::Uint8, "tcp.options.wscale.shift", "Shift count");
    scale_multiplier = field(Kind::Uint16, "tcp.options.wscale.multiplier", "Multiplier");
    sack_permitted = field(Kind::Bytes, "tcp.options.sack_perm", "TCP Option - SACK permitted");
    sack = field(Kind::Bytes, "tcp.options.sack", "TCP Option - SACK");
    sack_left = field(Kind::Uint32, "tcp.options.sack_le", "TCP SACK Left Edge");
    sack_right = field(Kind::Uint32, "tcp.options.sack_re", "TCP SACK Right Edge");
    sack_count = field(Kind::Uint8, "tcp.options.sack.count", "TCP SACK Count");
    timestamps = field(Kind::Bytes, "tcp.options.timestamp", "TCP Option - Timestamps");
    timestamp = field(Kind::Uint32, "tcp.options.timestamp.tsval", "Timestamp value");
    timestamp_echo = field(Kind::Uint32, "tcp.options.timestamp.tsecr", "Timestamp echo reply");
    unknown_option = field(Kind::Bytes, "tcp.options.unknown", "TCP Option - Unknown");
    relative_time = field(Kind::RelativeTime, "tcp.time_relative", "Time since first frame in this TCP stream");
    delta_time = field(Kind::RelativeTime, "tcp.time_delta", "Time since previous frame in this TCP stream");
    analysis = field(Kind::None, "tcp.analysis", "SEQ/ACK analysis");
    initial_rtt = field(Kind::RelativeTime, "tcp.analysis.initial_rtt", "iRTT");
    remarks = field(Kind::None, "tcp.analysis.flags", "TCP Analysis Flags");
    retransmission = field(Kind::None, "tcp.analysis.retransmission", "This frame is a (suspected) retransmission");
    fast_retransmission = field(Kind::None, "tcp.analysis.fast_retransmission", "This frame is a (suspected) fast retransmission");
    spurious_retransmission = field(Kind::None, "tcp.analysis.spurious_retransmission", "This frame is a (suspected) spurious retransmission");
    out_of_order = field(Kind::None, "tcp.analysis.out_of_order", "This frame is a (suspected) out-of-order segment");
    lost_segment = field(Kind::None, "tcp.analysis.lost_segment", "Previous segment(s) not captured (common at capture start)");
    ack_lost_segment = field(Kind::None, "tcp.analysis.ack_lost_segment", "ACKed segment that wasn't captured (common at capture start)");
    window_update = field(Kind::None, "tcp.analysis.window_update", "TCP window update");
    window_full = field(Kind::None, "tcp.analysis.window_full", "TCP window specified by the receiver is now completely full");
    keep_alive = field(Kind::None, "tcp.analysis.keep_alive", "TCP keep-alive segment");
    keep_alive_ack = field(Kind::None, "tcp.analysis.keep_alive_ack", "ACK to a TCP keep-alive segment");
    duplicate_ack = field(Kind::None, "tcp.analysis.duplicate_ack", "This is a TCP duplicate ack");
    duplicate_ack_number = field(Kind::Uint32, "tcp.analysis.duplicate_ack_num", "Duplicate ACK #");
    duplicate_ack_frame = frame_number("tcp.analysis.duplicate_ack_frame", "Duplicate to the ACK in frame");
    zero_window_probe = field(Kind::None, "tcp.analysis.zero_window_probe", "TCP Zero Window Probe");
    zero_window = field(Kind::None, "tcp.analysis.zero_window", "TCP Zero Window segment");
    zero_window_probe_ack = field(Kind::None, "tcp.analysis.zero_window_probe_ack", "ACK to a TCP Zero Window Probe");
    payload = field(Kind::Bytes, "tcp.payload", "TCP payload");
    segment_data = field(Kind::Bytes, "tcp.segment_data", "TCP segment data");
    reassembled_in = frame_number("tcp.reassembled_in", "Reassembled PDU in frame");
    segments = field(Kind::None, "tcp.segments", "Reassembled TCP Segments");
    segment = frame_number("tcp.segment", "TCP Segment");
    segment_error = frame_number("tcp.segment.error", "Segment error");
    segment_overlap = field(Kind::Boolean, "tcp.segment.overlap", "Segment overlap");
    segment_conflict = field(Kind::Boolean, "tcp.segment.overlap.conflict", "Conflicting data in segment overlap");
    segment_count = field(Kind::Uint32, "tcp.segment.count", "Segment count");
    reassembled_len = field(Kind::Uint32, "tcp.reassembled.length", "Reassembled TCP length");
    reassembled = field(Kind::Bytes, "tcp.reassembled.data", "Reassembled TCP Data");
}

/// A header without its options.
struct Header {
    bytes: [u8; 20],
    len: u32,
}

impl Header {
    const FIN: u8 = 1;
    const RST: u8 = 4;
    const ACK: u8 = 16;

    fn has(&self, flag: u8) -> bool {
        self.bytes[13] & flag != 0
    }

    fn ports(&self) -> [u16; 2] {
        [u16_at(&self.bytes, 0), u16_at(&self.bytes, 2)]
    }

    /// With the reserved bits.
    fn flags(&self) -> u16 {
        u16_at(&self.bytes, 12) & 0x0fff
    }

    /// `PSH, ACK`.
    fn flag_names(&self) -> String {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
        let set: Vec<_> = names.iter().enumerate().filter(|(bit, _)| self.flags() >> bit & 1 != 0).map(|(_, name)| *name).collect();
        match (&set[..], self.flags() & 0x0e00) {
            ([], 0) => "<None>".to_owned(),
            (_, 0) => set.join(", "),
            ([], _) => "Reserved".to_owned(),
            (_, _) => set.join(", ") + ", Reserved",
        }
    }

    /// The flags as a line of letters, most significant first.
    fn flag_letters(&self) -> String {
        let letters = ['R', 'R', 'R', 'A', 'C', 'E', 'U', 'A', 'P', 'R', 'S', 'F'];
        letters.into_iter().enumerate().map(|(bit, letter)| if self.flags() & 0x800 >> bit != 0 { letter } else { '·' }).collect()
    }
}

/// A segment.
pub(super) fn dissect(core: &Core, tvb: Tvb, node: NodeId) -> Result<usize, Exception> {
    let bytes = header::<20>(core, tvb)?;
    let header = Header { bytes, len: u32::from(bytes[12] >> 4) * 4 };
    let [source, destination] = header.ports();
    let segment = core.state.facts.get().segment;
    {
        let packet = &mut *core.packet.borrow_mut();
        (packet.source_port, packet.destination_port, packet.port_type) = (source.into(), destination.into(), PortType::Tcp);
        packet.conversation = segment.map(|segment| Conversation::Tcp(segment.stream));
    }
    if header.len < 20 {
        return Err(Exception::Malformed);
    }
    write_columns(core, &header, segment.as_ref(), tvb);
    let item = show(core, tvb, node, &header, segment.as_ref());
    if tvb.len < header.len {
        return Err(beyond(tvb, header.len as usize));
    }
    core.queue_tap("tcp");
    payload::dissect(core, tvb, item, &header, segment.as_ref())?;
    Ok(tvb.len as usize)
}

/// Ports, flags and numbers, as the Info column says them.
fn write_columns(core: &Core, header: &Header, segment: Option<&Segment>, tvb: Tvb) {
    let packet = &mut *core.packet.borrow_mut();
    if !packet.columns.built {
        return;
    }
    let [source, destination] = header.ports();
    let mut info = String::new();
    if let Some(segment) = segment {
        for (remark, text) in REMARKS {
            if segment.remarks.any(&[remark]) {
                info += &format!("[{text}] ");
            }
        }
    }
    let (sequence, acknowledgment, window) = numbers(header, segment);
    info += &format!("{source} → {destination} [{}] Seq={sequence}", header.flag_names());
    if header.has(Header::ACK) {
        info += &format!(" Ack={acknowledgment}");
    }
    info += &format!(" Win={window} Len={}", tvb.reported_len.saturating_sub(header.len));
    options::in_short(core.buffers.borrow().bytes(tvb.part(20, header.len - 20)), &mut info);
    packet.columns.protocol.set("TCP");
    packet.columns.info.set(&info);
}

/// What the Info column remarks.
const REMARKS: [(Remarks, &str); 13] = [
    (Remarks::RETRANSMISSION, "TCP Retransmission"),
    (Remarks::FAST_RETRANSMISSION, "TCP Fast Retransmission"),
    (Remarks::SPURIOUS_RETRANSMISSION, "TCP Spurious Retransmission"),
    (Remarks::OUT_OF_ORDER, "TCP Out-Of-Order"),
    (Remarks::LOST_SEGMENT, "TCP Previous segment not captured"),
    (Remarks::ACK_LOST_SEGMENT, "TCP ACKed unseen segment"),
    (Remarks::WINDOW_UPDATE, "TCP Window Update"),
    (Remarks::WINDOW_FULL, "TCP Window Full"),
    (Remarks::KEEP_ALIVE, "TCP Keep-Alive"),
    (Remarks::KEEP_ALIVE_ACK, "TCP Keep-Alive ACK"),
    (Remarks::ZERO_WINDOW_PROBE, "TCP ZeroWindowProbe"),
    (Remarks::ZERO_WINDOW, "TCP ZeroWindow"),
    (Remarks::ZERO_WINDOW_PROBE_ACK, "TCP ZeroWindowProbeAck"),
];

/// Relative numbers and the whole window, where the connection is known.
fn numbers(header: &Header, segment: Option<&Segment>) -> (u32, u32, u32) {
    match segment {
        Some(segment) => (segment.relative_sequence, segment.relative_acknowledgment, segment.window),
        None => (u32_at(&header.bytes, 4), u32_at(&header.bytes, 8), u16_at(&header.bytes, 14).into()),
    }
}

fn show(core: &Core, tvb: Tvb, node: NodeId, header: &Header, segment: Option<&Segment>) -> NodeId {
    let fields = &core.builtin().tcp;
    let [source, destination] = header.ports();
    let bytes = &header.bytes;
    let payload_len = tvb.reported_len.saturating_sub(header.len);
    let (sequence, acknowledgment, window) = numbers(header, segment);
    let pen = &mut Pen::new(core, tvb);
    let item = pen.put(node, fields.item, 0, header.len, Value::Place);
    let acknowledged = if header.has(Header::ACK) { format!(", Ack: {acknowledgment}") } else { String::new() };
    pen.label(
        item,
        format_args!(
            "Transmission Control Protocol, Src Port: {source}, Dst Port: {destination}, Seq: {sequence}{acknowledged}, Len: {payload_len}"
        ),
    );
    pen.number(item, fields.source, 0, 2, source);
    pen.number(item, fields.destination, 2, 2, destination);
    for (at, port) in [(0, source), (2, destination)] {
        let same = pen.number(item, fields.port, at, 2, port);
        pen.hidden(same);
    }
    if let Some(segment) = segment {
        let stream = pen.number(item, fields.stream, 0, 0, segment.stream);
        pen.generated(stream);
        let complete = pen.number(item, fields.completeness, 0, 0, segment.completeness);
        pen.label(complete, format_args!("Conversation completeness: {} ({})", completeness(segment.completeness), segment.completeness));
        pen.generated(complete);
    }
    let len = pen.number(item, fields.len, 0, 0, payload_len);
    pen.generated(len);
    let relative = |told: &str| if segment.is_some() { format!("    (relative {told} number)") } else { String::new() };
    if pen.is_wanted(fields.sequence) {
        let number = pen.number(item, fields.sequence, 4, 4, sequence);
        pen.label(number, format_args!("Sequence Number: {sequence}{}", relative("sequence")));
    }
    pen.number(item, fields.raw_sequence, 4, 4, u32_at(bytes, 4));
    if let Some(segment) = segment {
        let next = pen.number(item, fields.next_sequence, 0, 0, segment.next_sequence);
        pen.label(next, format_args!("Next Sequence Number: {}    (relative sequence number)", segment.next_sequence));
        pen.generated(next);
    }
    if pen.is_wanted(fields.acknowledgment) {
        let number = pen.number(item, fields.acknowledgment, 8, 4, acknowledgment);
        let told = if header.has(Header::ACK) { relative("ack") } else { String::new() };
        pen.label(number, format_args!("Acknowledgment Number: {acknowledgment}{told}"));
    }
    pen.number(item, fields.raw_acknowledgment, 8, 4, u32_at(bytes, 8));
    let len = pen.number(item, fields.header_len, 12, 1, header.len);
    pen.label(len, format_args!("{:04b} .... = Header Length: {} bytes ({})", bytes[12] >> 4, header.len, header.len / 4));
    show_flags(pen, fields, item, header);
    pen.number(item, fields.raw_window, 14, 2, u16_at(bytes, 14));
    let calculated = pen.number(item, fields.window, 14, 2, window);
    pen.generated(calculated);
    if let Some(factor) = segment.and_then(|segment| segment.scale_factor) {
        let scale = pen.put(item, fields.scale_factor, 14, 2, Value::Signed(factor.into()));
        match factor {
            -1 => pen.label(scale, format_args!("Window size scaling factor: -1 (unknown)")),
            -2 => pen.label(scale, format_args!("Window size scaling factor: -2 (no window scaling used)")),
            _ => {}
        }
        pen.generated(scale);
    }
    let checksum = pen.number(item, fields.checksum, 16, 2, u16_at(bytes, 16));
    pen.label(checksum, format_args!("Checksum: 0x{:04x} [unverified]", u16_at(bytes, 16)));
    let status = pen.number(item, fields.checksum_status, 16, 0, 2_u64);
    pen.label(status, format_args!("Checksum Status: Unverified"));
    pen.generated(status);
    pen.number(item, fields.urgent_pointer, 18, 2, u16_at(bytes, 18));
    if header.len > 20 {
        let buffers = core.buffers.borrow();
        options::show(pen, fields, item, buffers.bytes(tvb.part(20, header.len - 20)), segment);
    }
    if let Some(segment) = segment {
        show_times(pen, fields, item, segment);
        show_analysis(pen, fields, item, segment);
    }
    item
}

/// What of a conversation was seen, in words.
fn completeness(seen: u8) -> String {
    let open = match seen & 7 {
        7 if seen & 8 != 0 => "WITH_DATA",
        7 => "NO_DATA",
        3 => "CLIENT_ESTABLISHED",
        1 => "SYN_SENT",
        0 => return "Incomplete".to_owned(),
        _ => return "Incomplete".to_owned(),
    };
    match (seen & 7, seen & 0x30) {
        (7, 0) if seen & 8 != 0 => "Incomplete, DATA".to_owned(),
        (7, 0) => "Incomplete, ESTABLISHED".to_owned(),
        (7, _) => format!("Complete, {open}"),
        _ => format!("Incomplete, {open}"),
    }
}

fn show_flags(pen: &mut Pen<'_>, fields: &Fields, item: NodeId, header: &Header) {
    let flags = header.flags();
    let all = pen.number(item, fields.flags, 12, 2, flags);
    if pen.is_visible() {
        pen.label(all, format_args!("Flags: 0x{flags:03x} ({})", header.flag_names()));
    }
    let upper = [(fields.reserved, 0xe00), (fields.accurate_ecn, 0x100)];
    let lower = [
        (fields.window_reduced, 0x80),
        (fields.ecn_echo, 0x40),
        (fields.urgent, 0x20),
        (fields.ack, 0x10),
        (fields.push, 0x08),
        (fields.reset, 0x04),
        (fields.syn, 0x02),
        (fields.fin, 0x01),
    ];
    for (field, mask) in upper {
        pen.number(all, field, 12, 1, u64::from(flags & mask != 0));
    }
    for (field, mask) in lower {
        pen.number(all, field, 13, 1, u64::from(flags & mask != 0));
    }
    if pen.is_wanted(fields.flags_text) {
        let text = pen.text(all, fields.flags_text, 12, 2, &header.flag_letters());
        pen.generated(text);
    }
}

fn show_times(pen: &mut Pen<'_>, fields: &Fields, item: NodeId, segment: &Segment) {
    let times = [(fields.relative_time, segment.relative_time), (fields.delta_time, segment.delta_time)];
    if times.iter().all(|(field, nanos)| nanos.is_none() || !pen.is_wanted(*field)) {
        return;
    }
    let all = pen.line(item, 0, 0, "Timestamps");
    pen.generated(all);
    for (field, nanos) in times {
        if let Some(nanos) = nanos {
            let time = pen.duration(all, field, nanos);
            pen.generated(time);
        }
    }
}

fn show_analysis(pen: &mut Pen<'_>, fields: &Fields, item: NodeId, segment: &Segment) {
    let Segment { initial_rtt, remarks, duplicate_ack, .. } = segment;
    if initial_rtt.is_none() && *remarks == Remarks::default() {
        return;
    }
    let all = pen.put(item, fields.analysis, 0, 0, Value::None);
    pen.generated(all);
    if let Some(nanos) = initial_rtt {
        let time = pen.duration(all, fields.initial_rtt, *nanos);
        pen.generated(time);
    }
    let shown: [(Remarks, FieldId); 14] = [
        (Remarks::RETRANSMISSION, fields.retransmission),
        (Remarks::FAST_RETRANSMISSION, fields.fast_retransmission),
        (Remarks::SPURIOUS_RETRANSMISSION, fields.spurious_retransmission),
        (Remarks::OUT_OF_ORDER, fields.out_of_order),
        (Remarks::LOST_SEGMENT, fields.lost_segment),
        (Remarks::ACK_LOST_SEGMENT, fields.ack_lost_segment),
        (Remarks::WINDOW_UPDATE, fields.window_update),
        (Remarks::WINDOW_FULL, fields.window_full),
        (Remarks::KEEP_ALIVE, fields.keep_alive),
        (Remarks::KEEP_ALIVE_ACK, fields.keep_alive_ack),
        (Remarks::DUPLICATE_ACK, fields.duplicate_ack),
        (Remarks::ZERO_WINDOW_PROBE, fields.zero_window_probe),
        (Remarks::ZERO_WINDOW, fields.zero_window),
        (Remarks::ZERO_WINDOW_PROBE_ACK, fields.zero_window_probe_ack),
    ];
    if *remarks == Remarks::default() {
        return;
    }
    let flags = pen.put(all, fields.remarks, 0, 0, Value::None);
    pen.generated(flags);
    for (remark, field) in shown {
        if remarks.any(&[remark]) {
            let item = pen.put(flags, field, 0, 0, Value::None);
            pen.generated(item);
        }
    }
    // Wireshark calls a fast or spurious one a retransmission, too.
    if remarks.any(&[Remarks::FAST_RETRANSMISSION, Remarks::SPURIOUS_RETRANSMISSION]) {
        let item = pen.put(flags, fields.retransmission, 0, 0, Value::None);
        pen.generated(item);
    }
    if let Some((number, frame)) = duplicate_ack {
        for (field, value) in [(fields.duplicate_ack_number, number), (fields.duplicate_ack_frame, frame)] {
            let item = pen.number(all, field, 0, 0, *value);
            pen.generated(item);
        }
    }
}
