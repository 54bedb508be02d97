//! Links: where on the page a frame, an exchange or a connection is shown.

use std::collections::{HashMap, HashSet};

use crate::connection::Connection;
use crate::exchange::{Exchange, Talk};

/// A frame number, and where it leads.
pub(super) struct FrameLink {
    pub frame: u64,
    /// The id of an element; `None` if nothing on the page belongs to the frame.
    pub target: Option<String>,
}

/// Where things are.
pub(super) struct Links {
    /// Rows of the frames that begin or complete something.
    rows: HashMap<u64, String>,
    /// Arrows of the diagram, by frame.
    arrows: HashMap<u64, String>,
    streams: HashSet<u64>,
    /// Places of the exchanges, by stream.
    exchanges: HashMap<u64, Vec<usize>>,
}

/// The id of an exchange's row.
pub(super) fn exchange_id(at: usize) -> String {
    format!("x{}", at + 1)
}

/// The id of a connection's row.
pub(super) fn connection_id(stream: u64) -> String {
    format!("c{stream}")
}

impl Links {
    pub fn new(exchanges: &[Exchange], connections: &[(&Connection, &Talk)], arrows: HashMap<u64, String>) -> Self {
        let mut rows = HashMap::new();
        let mut by_stream: HashMap<u64, Vec<usize>> = HashMap::new();
        for (at, exchange) in exchanges.iter().enumerate() {
            by_stream.entry(exchange.stream).or_default().push(at);
            for message in exchange.request.iter().chain(&exchange.interim).chain(&exchange.response) {
                for frame in [message.last.frame, message.first.frame] {
                    rows.entry(frame).or_insert_with(|| exchange_id(at));
                }
            }
        }
        for (connection, _) in connections {
            let handshake = &connection.handshake;
            let marks = [handshake.syn, handshake.syn_ack, handshake.ack, Some(connection.first), Some(connection.last)];
            let repeated = handshake.repeated_syns.iter().chain(&handshake.repeated_syn_acks).copied();
            let frames = marks.into_iter().flatten().map(|mark| mark.frame).chain(repeated).chain(connection.close.frames());
            for frame in frames {
                rows.entry(frame).or_insert_with(|| connection_id(connection.stream));
            }
        }
        let streams = connections.iter().map(|(connection, _)| connection.stream).collect();
        Self { rows, arrows, streams, exchanges: by_stream }
    }

    /// A link to the row of what the frame belongs to or, if it has none, to its arrow.
    pub fn row(&self, frame: u64) -> FrameLink {
        FrameLink { frame, target: self.rows.get(&frame).or_else(|| self.arrows.get(&frame)).cloned() }
    }

    /// A link to the frame's arrow in the diagram.
    pub fn arrow(&self, frame: u64) -> FrameLink {
        FrameLink { frame, target: self.arrows.get(&frame).cloned() }
    }

    /// The id of a connection's row, if it has one.
    pub fn connection(&self, stream: u64) -> Option<String> {
        self.streams.contains(&stream).then(|| connection_id(stream))
    }

    /// Places of the exchanges of a connection.
    pub fn exchanges_of(&self, stream: u64) -> &[usize] {
        self.exchanges.get(&stream).map_or(&[], Vec::as_slice)
    }
}
