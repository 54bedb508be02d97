//! TCP's payload: which dissector is called with which bytes, and when it has to wait for more of them.
//!
//! The contract of Wireshark: a dissector that misses bytes says where its unit begins (`desegment_offset`) and how much
//! more it needs (`desegment_len`), and is called again with the whole unit, in the frame that completes it.

use super::super::super::buffer::Tvb;
use super::super::super::core::{Core, Exception};
use super::super::super::desegment::{Flow, More, Owner, Piece, Unit};
use super::super::super::frame::{Remarks, Segment};
use super::super::super::tree::{NodeId, ROOT};
use super::super::super::value::Value;
use super::super::pen::Pen;
use super::super::{call_data, call_of_conversation};
use super::Header;

/// Segments that Wireshark hands to no dissector, unless the user asks for it.
const REPEATED: [Remarks; 3] = [Remarks::RETRANSMISSION, Remarks::SPURIOUS_RETRANSMISSION, Remarks::OUT_OF_ORDER];
/// Whether what was sent again fills no gap in a unit: so in Wireshark 4.0, which has Lua 5.2; 4.4 lets it.
const IGNORES_REPEATED: bool = cfg!(feature = "lua52");
/// … and those that it calls sent again.
const SENT_AGAIN: [Remarks; 2] = [Remarks::RETRANSMISSION, Remarks::SPURIOUS_RETRANSMISSION];

/// The payload of a segment; `item` is the segment's.
pub(super) fn dissect(core: &Core, tvb: Tvb, item: NodeId, header: &Header, segment: Option<&Segment>) -> Result<(), Exception> {
    let payload = tvb.from(header.len);
    let Some(segment) = segment else {
        return if payload.reported_len > 0 { hand_on(core, payload, header.ports(), None) } else { Ok(()) };
    };
    let mut work = Work::new(core, tvb, item, header, segment);
    if header.has(Header::FIN) && work.ends()? {
        return Ok(());
    }
    if payload.reported_len == 0 {
        return Ok(());
    }
    if header.has(Header::RST) {
        return Ok(());
    }
    work.show_payload();
    // Bytes that the snap length cut off cannot be put together.
    if payload.len == payload.reported_len && core.state.desegments.get() {
        work.desegment()
    } else {
        core.packet.borrow_mut().fragmented = true;
        work.call(payload)
    }
}

/// A segment at work.
struct Work<'a> {
    core: &'a Core,
    tvb: Tvb,
    payload: Tvb,
    item: NodeId,
    ports: [u16; 2],
    segment: &'a Segment,
    flow: Flow,
    frame: u64,
    /// Where the payload begins and ends in its direction.
    start: u64,
    stop: u64,
}

impl<'a> Work<'a> {
    fn new(core: &'a Core, tvb: Tvb, item: NodeId, header: &Header, segment: &'a Segment) -> Self {
        let payload = tvb.from(header.len);
        let flow = Flow { stream: segment.stream.into(), side: segment.side };
        let start = core.state.desegment.borrow_mut().position(flow, segment.relative_sequence);
        let frame = core.packet.borrow().number.into();
        let stop = start + u64::from(payload.reported_len);
        Self { core, tvb, payload, item, ports: header.ports(), segment, flow, frame, start, stop }
    }

    /// Calls the dissector, but not for bytes that were sent again.
    fn call(&self, tvb: Tvb) -> Result<(), Exception> {
        if self.segment.remarks.any(&REPEATED) {
            return Ok(());
        }
        hand_on(self.core, tvb, self.ports, Some(self.segment))
    }

    /// A FIN ends a unit that a dissector wanted to have until then; whether it was dissected.
    fn ends(&mut self) -> Result<bool, Exception> {
        let core = self.core;
        let tvb = {
            let desegment = &mut *core.state.desegment.borrow_mut();
            let buffers = &mut *core.buffers.borrow_mut();
            let Some(start) = desegment.waits_for_fin(self.flow, self.start) else { return Ok(false) };
            desegment.end_unit(self.flow, start, self.start, buffers.bytes(self.payload), self.frame);
            let unit = desegment.unit(self.flow, start).filter(|unit| unit.whole_in() == Some(self.frame));
            let Some(unit) = unit else { return Ok(false) };
            let Some(tvb) = buffers.add("Reassembled TCP", unit.bytes(), unit.bytes().len() as u32) else { return Ok(false) };
            list_pieces(core, tvb, self.item, unit.pieces());
            desegment.dissected(self.flow, start);
            tvb
        };
        self.core.packet.borrow_mut().can_desegment = 0;
        self.call(tvb)?;
        Ok(true)
    }

    fn desegment(&mut self) -> Result<(), Exception> {
        let mut at = 0;
        {
            let buffers = self.core.buffers.borrow();
            let bytes = buffers.bytes(self.payload);
            self.core.state.desegment.borrow_mut().repeat_beginnings(self.flow, self.start, bytes, self.frame);
        }
        self.core.packet.borrow_mut().can_desegment = 2;
        while at < self.payload.len {
            let from = self.start + u64::from(at);
            {
                let packet = &mut *self.core.packet.borrow_mut();
                (packet.desegment_offset, packet.desegment_len) = (0, 0);
            }
            let owner = self.core.state.desegment.borrow().owner(self.flow, from, self.stop);
            let step = match owner {
                Owner::Beginning(unit) => self.repeat(at, unit),
                Owner::Unit(_) if IGNORES_REPEATED && self.segment.remarks.any(&SENT_AGAIN) => {
                    self.show_data(at, self.payload.from(at).len, "Retransmitted ");
                    Step::Done
                }
                Owner::Unit(unit) => self.continue_unit(at, unit)?,
                Owner::Nobody => self.begin(at)?,
            };
            {
                let packet = &mut *self.core.packet.borrow_mut();
                (packet.desegment_offset, packet.desegment_len) = (0, 0);
                if matches!(step, Step::NextUnit(_)) {
                    // What follows may be incomplete, and must not take back what was said.
                    packet.columns.info.fence();
                    packet.columns.protocol.freeze();
                }
            }
            match step {
                Step::Done => break,
                Step::SameUnit(next) | Step::NextUnit(next) => at = next,
            }
        }
        let packet = &mut *self.core.packet.borrow_mut();
        packet.can_desegment = 0;
        packet.columns.protocol.thaw();
        Ok(())
    }

    /// A unit begins here that is known: from another segment like this one, or from the pass before.
    fn repeat(&self, at: u32, start: u64) -> Step {
        let desegment = self.core.state.desegment.borrow();
        let rest = self.payload.from(at);
        let Some(unit) = desegment.unit(self.flow, start) else { return Step::Done };
        if unit.first_frame() == self.frame {
            self.say_segment();
            self.show_whole_in(unit.shown_in());
            self.show_data(at, rest.len, "");
        } else {
            self.show_data(at, rest.len, "Retransmitted ");
        }
        Step::Done
    }

    /// No unit is known that these bytes belong to: a dissector has to say.
    fn begin(&self, at: u32) -> Result<Step, Exception> {
        let rest = self.payload.from(at);
        if self.segment.remarks.any(&SENT_AGAIN) {
            self.show_data(at, rest.len, "Retransmitted ");
            return Ok(Step::Done);
        }
        self.call(rest)?;
        let (offset, more) = self.asked();
        if let Some(more) = more {
            let at = at + offset.min(rest.len);
            let whole_in = self.begin_unit(at, more);
            if offset == 0 {
                self.say_segment();
            }
            self.show_whole_in(whole_in);
            self.show_data(at, self.payload.from(at).len, "");
        }
        Ok(Step::Done)
    }

    /// What a dissector has asked for.
    fn asked(&self) -> (u32, Option<More>) {
        let packet = self.core.packet.borrow();
        (packet.desegment_offset, More::of(packet.desegment_len))
    }

    /// A unit begins at this place of the payload, and is not whole; in which frame it will be, if that is known.
    fn begin_unit(&self, at: u32, more: More) -> Option<u64> {
        let rest = self.payload.from(at);
        let start = self.start + u64::from(at);
        let desegment = &mut *self.core.state.desegment.borrow_mut();
        desegment.begin_unit(self.flow, start, self.core.buffers.borrow().bytes(rest), self.frame, more);
        desegment.unit(self.flow, start).and_then(Unit::shown_in)
    }

    /// The bytes belong to a unit that began in an earlier segment.
    fn continue_unit(&self, at: u32, start: u64) -> Result<Step, Exception> {
        let core = self.core;
        let rest = self.payload.from(at);
        let (len, whole) = {
            let desegment = &mut *core.state.desegment.borrow_mut();
            let buffers = &mut *core.buffers.borrow_mut();
            let len = desegment.continue_unit(self.flow, start, self.start + u64::from(at), buffers.bytes(rest), self.frame) as u32;
            let unit = desegment.unit(self.flow, start).filter(|unit| unit.whole_in() == Some(self.frame));
            (len, unit.and_then(|unit| buffers.add("Reassembled TCP", unit.bytes(), unit.bytes().len() as u32)))
        };
        let next = if at + len < self.payload.len { Step::NextUnit(at + len) } else { Step::Done };
        let Some(tvb) = whole else {
            let whole_in = core.state.desegment.borrow().unit(self.flow, start).and_then(Unit::shown_in);
            self.say_segment();
            self.show_whole_in(whole_in);
            self.show_data(at, len, "");
            return Ok(next);
        };
        self.call(tvb)?;
        let (offset, more) = self.asked();
        let stop = self.start + u64::from(at + len);
        match more {
            Some(more) if offset <= tvb.len.saturating_sub(len) => {
                core.state.desegment.borrow_mut().extend_unit(self.flow, start, stop, self.stop, self.frame, more);
                if at + len < self.payload.len {
                    return Ok(Step::SameUnit(at + len));
                }
                if offset == 0 {
                    self.say_segment();
                }
                self.show_data(at, rest.len, "");
                Ok(Step::Done)
            }
            _ => {
                self.show_data(at, len, "");
                // The unit's last bytes are the segment's: what is left of one is left of the other.
                let left = more.map(|more| (tvb.len.saturating_sub(offset).min(len), more));
                {
                    let desegment = &mut *core.state.desegment.borrow_mut();
                    if let Some((left, _)) = left {
                        desegment.end_early(self.flow, start, stop - u64::from(left));
                    }
                    let pieces = desegment.unit(self.flow, start).map_or(&[][..], Unit::pieces);
                    list_pieces(core, tvb, self.item, pieces);
                    desegment.dissected(self.flow, start);
                }
                if let Some((left, more)) = left {
                    self.begin_unit(at + len - left, more);
                }
                Ok(next)
            }
        }
    }

    fn show_payload(&self) {
        let fields = &self.core.builtin().tcp;
        let len = self.payload.len;
        let pen = &mut Pen::new(self.core, self.payload);
        let data = pen.put(self.item, fields.payload, 0, len, Value::Place);
        pen.label(data, format_args!("TCP payload ({len} byte{})", plural(len)));
    }

    /// Bytes that are shown as TCP's own.
    fn show_data(&self, at: u32, len: u32, before: &str) {
        if len == 0 {
            return;
        }
        let fields = &self.core.builtin().tcp;
        let pen = &mut Pen::new(self.core, self.payload);
        let data = pen.put(self.item, fields.segment_data, at, len, Value::Place);
        pen.label(data, format_args!("{before}TCP segment data ({len} byte{})", plural(len)));
    }

    fn show_whole_in(&self, frame: Option<u64>) {
        if let Some(frame) = frame {
            let fields = &self.core.builtin().tcp;
            let pen = &mut Pen::new(self.core, self.tvb);
            let item = pen.number(self.item, fields.reassembled_in, 0, 0, frame);
            pen.generated(item);
        }
    }

    /// Says in the columns that the bytes are part of something.
    fn say_segment(&self) {
        let packet = &mut *self.core.packet.borrow_mut();
        if packet.columns.built {
            packet.columns.protocol.set("TCP");
            packet.columns.info.append(" [TCP segment of a reassembled PDU]");
        }
    }
}

/// How to go on with a payload.
enum Step {
    /// All of it was looked at.
    Done,
    /// The same unit wants what stands there, too.
    SameUnit(u32),
    /// Something else begins there.
    NextUnit(u32),
}

fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The segments that a unit was put together of: behind the last of them, before what was found in it.
fn list_pieces(core: &Core, tvb: Tvb, segment: NodeId, pieces: &[Piece]) {
    let fields = &core.builtin().tcp;
    let pen = &mut Pen::new(core, tvb);
    let all = pen.put(ROOT, fields.segments, 0, tvb.len, Value::None);
    if pen.is_visible() {
        pen.tree.move_behind(segment, all);
        let parts: Vec<_> = pieces.iter().map(|piece| format!("#{}({})", piece.frame, piece.len)).collect();
        let (count, parts) = (pieces.len(), parts.join(", "));
        pen.label(
            all,
            format_args!("{count} Reassembled TCP Segment{} ({} byte{}): {parts}", plural(count as u32), tvb.len, plural(tvb.len)),
        );
    }
    pen.generated(all);
    for piece in pieces {
        let Piece { frame, offset, len, .. } = *piece;
        let field = if piece.conflict { fields.segment_error } else { fields.segment };
        let part = pen.number(all, field, offset as u32, len, frame);
        match len {
            0 => pen.label(part, format_args!("Frame: {frame} (no data)")),
            _ => pen
                .label(part, format_args!("Frame: {frame}, payload: {offset}-{} ({len} byte{})", offset + u64::from(len) - 1, plural(len))),
        }
        pen.generated(part);
        for (field, holds) in [(fields.segment_overlap, piece.overlap), (fields.segment_conflict, piece.conflict)] {
            if holds {
                let item = pen.number(part, field, offset as u32, 0, 1_u64);
                pen.generated(item);
            }
        }
    }
    let count = pen.number(all, fields.segment_count, 0, 0, pieces.len() as u64);
    pen.generated(count);
    let len = pen.number(all, fields.reassembled_len, 0, 0, tvb.len);
    pen.generated(len);
    let data = pen.put(all, fields.reassembled, 0, tvb.len, Value::Place);
    pen.generated(data);
}

/// The dissector that a script set for the conversation; then by port: the server's, the lower, the higher; then by
/// heuristics.
fn hand_on(core: &Core, tvb: Tvb, ports: [u16; 2], segment: Option<&Segment>) -> Result<(), Exception> {
    if call_of_conversation(core, tvb)? {
        return Ok(());
    }
    let [source, destination] = ports;
    let server = segment.and_then(|segment| segment.server_port).unwrap_or(0);
    for port in [server, source.min(destination), source.max(destination)] {
        if port != 0 && core.try_uint("tcp.port", port.into(), tvb, ROOT)? > 0 {
            return Ok(());
        }
    }
    if !core.try_heuristic("tcp", tvb, ROOT)? {
        call_data(core, tvb)?;
    }
    Ok(())
}
