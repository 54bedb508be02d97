//! CSV: one table, a header and a row for each connection, exchange or handshake.

use std::io::{self, Write};

use serde::Serialize;

use super::rows::{ConnectionRow, Counts, End, ExchangeRow, Micros, Program};
use crate::connection::{CloseKind, Connection};
use crate::exchange::{Exchange, Ports, Protocol, Sink, Talk};
use crate::finding::Finding;

/// Which table is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Table {
    /// A row for each TCP connection.
    Connections,
    /// A row for each request with its response.
    Exchanges,
    /// A row for each TCP handshake.
    Handshakes,
}

/// Collects the rows of a table.
pub struct Rows<'a> {
    table: Table,
    capture: &'a str,
    ports: Ports,
    rows: Vec<(u64, Vec<u8>)>,
    counts: Counts,
}

#[derive(Default, Serialize)]
struct ConnectionCsv<'a> {
    capture: &'a str,
    stream: u64,
    client_ip: String,
    client_port: u16,
    server_ip: String,
    server_port: u16,
    client_program: Option<Program>,
    server_program: Option<Program>,
    protocol: Option<Protocol>,
    syn: Option<u64>,
    syn_ack: Option<u64>,
    ack: Option<u64>,
    rtt_us: Option<Micros>,
    close_kind: Option<CloseKind>,
    close_first_by: Option<End>,
    client_fin: Option<u64>,
    server_fin: Option<u64>,
    rst: Option<u64>,
    packets: u64,
    bytes: u64,
    duration_us: Option<Micros>,
    client_payload_bytes: u64,
    server_payload_bytes: u64,
    client_retransmissions: u64,
    server_retransmissions: u64,
    client_out_of_order: u64,
    server_out_of_order: u64,
    client_lost_segments: u64,
    server_lost_segments: u64,
    client_zero_windows: u64,
    server_zero_windows: u64,
    client_keep_alives: u64,
    server_keep_alives: u64,
    exchanges: u64,
    tls_version: Option<String>,
    tls_server_name: Option<String>,
}

#[derive(Default, Serialize)]
struct HandshakeCsv<'a> {
    capture: &'a str,
    stream: u64,
    client: String,
    server: String,
    syn: Option<u64>,
    syn_ack: Option<u64>,
    ack: Option<u64>,
    complete: bool,
    rtt_us: Option<Micros>,
    repeated_syns: String,
    repeated_syn_acks: String,
}

#[derive(Default, Serialize)]
struct ExchangeCsv<'a> {
    capture: &'a str,
    stream: u64,
    protocol: Option<Protocol>,
    method: Option<String>,
    target: Option<String>,
    request_version: Option<String>,
    request_first_frame: Option<u64>,
    request_frame: Option<u64>,
    request_body_bytes: Option<u64>,
    status: Option<u16>,
    reason: Option<String>,
    response_version: Option<String>,
    response_first_frame: Option<u64>,
    response_frame: Option<u64>,
    response_body_bytes: Option<u64>,
    response_time_us: Option<Micros>,
}

impl<'a> Rows<'a> {
    /// An empty table of that kind.
    pub fn new(table: Table, capture: &'a str, ports: Ports) -> Self {
        Self { table, capture, ports, rows: Vec::new(), counts: Counts::default() }
    }

    /// Writes the rows in the order of the capture, and before them the header if it is asked for.
    pub fn write(mut self, header: Header, out: &mut dyn Write) -> io::Result<Counts> {
        if header == Header::Written {
            out.write_all(&self.header())?;
        }
        self.rows.sort_by_key(|(order, _)| *order);
        for (_, row) in &self.rows {
            out.write_all(row)?;
        }
        Ok(self.counts)
    }

    fn push(&mut self, order: u64, row: &impl Serialize) {
        self.rows.push((order, lines(row).1));
    }

    /// The names of the columns, also of a table without rows.
    fn header(&self) -> Vec<u8> {
        match self.table {
            Table::Connections => lines(&ConnectionCsv::default()).0,
            Table::Exchanges => lines(&ExchangeCsv::default()).0,
            Table::Handshakes => lines(&HandshakeCsv::default()).0,
        }
    }
}

/// Header and row of one record.
fn lines(row: &impl Serialize) -> (Vec<u8>, Vec<u8>) {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.serialize(row).expect("rows are plain data");
    let mut header = writer.into_inner().expect("memory takes everything");
    // Column names hold no line feeds.
    let row = header.split_off(memchr::memchr(b'\n', &header).map_or(0, |at| at + 1));
    (header, row)
}

/// Whether the header is written: once for several captures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// It is.
    Written,
    /// An earlier capture has it.
    Left,
}

impl Sink for Rows<'_> {
    fn exchange(&mut self, exchange: Exchange) {
        self.counts.add(&exchange);
        if self.table != Table::Exchanges {
            return;
        }
        let ExchangeRow { stream, protocol, request, response, response_time_us, .. } = ExchangeRow::new(&exchange);
        let capture = self.capture;
        let mut row = ExchangeCsv { capture, stream, protocol: Some(protocol), response_time_us, ..Default::default() };
        if let Some(request) = request {
            row.method = Some(request.method.into_owned());
            row.target = Some(request.target.into_owned());
            row.request_version = Some(request.message.version.into_owned());
            row.request_first_frame = Some(request.message.first_frame);
            row.request_frame = request.message.frame;
            row.request_body_bytes = Some(request.message.body_bytes);
        }
        if let Some(response) = response {
            row.status = response.status;
            row.reason = Some(response.reason.into_owned());
            row.response_version = Some(response.message.version.into_owned());
            row.response_first_frame = Some(response.message.first_frame);
            row.response_frame = response.message.frame;
            row.response_body_bytes = Some(response.message.body_bytes);
        }
        self.push(exchange.first_frame(), &row);
    }

    fn connection(&mut self, connection: Connection, talk: Talk) {
        self.counts.add_connection(&talk);
        let row = ConnectionRow::new(&connection, &talk, &self.ports);
        match self.table {
            Table::Exchanges => {}
            Table::Connections => {
                let row = self.connection_row(&row);
                self.rows.push((connection.stream, lines(&row).1));
            }
            Table::Handshakes => {
                let frames = |frames: &[u64]| frames.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
                let row = HandshakeCsv {
                    capture: self.capture,
                    stream: row.stream,
                    client: row.client.to_string(),
                    server: row.server.to_string(),
                    syn: row.handshake.syn,
                    syn_ack: row.handshake.syn_ack,
                    ack: row.handshake.ack,
                    complete: row.handshake.complete,
                    rtt_us: row.handshake.rtt_us,
                    repeated_syns: frames(row.repeated_syns),
                    repeated_syn_acks: frames(row.repeated_syn_acks),
                };
                self.push(connection.stream, &row);
            }
        }
    }

    fn finding(&mut self, _: Finding) {}
}

impl<'a> Rows<'a> {
    fn connection_row(&self, row: &ConnectionRow<'_>) -> ConnectionCsv<'a> {
        ConnectionCsv {
            capture: self.capture,
            stream: row.stream,
            client_ip: row.client.ip.to_string(),
            client_port: row.client.port,
            server_ip: row.server.ip.to_string(),
            server_port: row.server.port,
            client_program: row.client_program,
            server_program: row.server_program,
            protocol: row.protocol,
            syn: row.handshake.syn,
            syn_ack: row.handshake.syn_ack,
            ack: row.handshake.ack,
            rtt_us: row.handshake.rtt_us,
            close_kind: Some(row.close.kind),
            close_first_by: row.close.first_by,
            client_fin: row.client_fin,
            server_fin: row.server_fin,
            rst: row.rst,
            packets: row.packets,
            bytes: row.bytes,
            duration_us: row.duration_us,
            client_payload_bytes: row.from_client.payload_bytes,
            server_payload_bytes: row.from_server.payload_bytes,
            client_retransmissions: row.from_client.retransmissions,
            server_retransmissions: row.from_server.retransmissions,
            client_out_of_order: row.from_client.out_of_order,
            server_out_of_order: row.from_server.out_of_order,
            client_lost_segments: row.from_client.lost_segments,
            server_lost_segments: row.from_server.lost_segments,
            client_zero_windows: row.from_client.zero_windows,
            server_zero_windows: row.from_server.zero_windows,
            client_keep_alives: row.from_client.keep_alives,
            server_keep_alives: row.from_server.keep_alives,
            exchanges: row.exchanges,
            tls_version: row.tls.as_ref().and_then(|tls| tls.version.clone()),
            tls_server_name: row.tls.as_ref().and_then(|tls| tls.server_name.map(str::to_owned)),
        }
    }
}
