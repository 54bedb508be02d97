//! TLS records as filters see them: the bytes of a direction in, records with the frame that completed each out.
//!
//! Only what is sent in the clear is read. Source: RFC 8446 §4, §5; RFC 5246 §7.

use std::collections::HashMap;

use super::field::Tls;
use super::value::Value;
use crate::connection::Side;
use crate::message::tls::Hello;
use crate::time::Mark;

/// Longest record (RFC 8446 §5.2), header included; longer ones are no TLS.
const MAX_RECORD: usize = 5 + (1 << 14) + 2048;
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

/// What begins in a frame and is not complete there.
const BEGUN: u8 = 0;

/// A record, and the frame that completed it; or, of kind 0, the frame in which one begins.
#[derive(Clone, Debug)]
pub(crate) struct TlsRecord {
    pub mark: Mark,
    pub kind: u8,
    pub version: u16,
    len: u16,
    /// Of a handshake in the clear, and of an alert.
    content: Vec<u8>,
}

impl TlsRecord {
    /// The handshake messages in it: type and content.
    fn handshakes(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest = if self.kind == HANDSHAKE { &self.content[..] } else { &[] };
        std::iter::from_fn(move || {
            let (&[kind, high, middle, low], behind) = rest.split_first_chunk()?;
            let (content, behind) = behind.split_at_checked(u32::from_be_bytes([0, high, middle, low]) as usize)?;
            rest = behind;
            Some((kind, content))
        })
    }

    /// What is in it, as people call it.
    pub fn describe(&self) -> String {
        match self.kind {
            CHANGE_CIPHER_SPEC => "Change Cipher Spec".to_owned(),
            ALERT => "Alert".to_owned(),
            APPLICATION_DATA => "Application Data".to_owned(),
            BEGUN => "the beginning of a record".to_owned(),
            _ => {
                let names: Vec<String> = self
                    .handshakes()
                    .map(|(kind, content)| match kind {
                        1 => match Hello::parse(kind, content).server_name {
                            Some(name) => format!("Client Hello (SNI={name})"),
                            None => "Client Hello".to_owned(),
                        },
                        2 => "Server Hello".to_owned(),
                        11 => "Certificate".to_owned(),
                        12 => "Server Key Exchange".to_owned(),
                        14 => "Server Hello Done".to_owned(),
                        16 => "Client Key Exchange".to_owned(),
                        other => format!("Handshake type {other}"),
                    })
                    .collect();
                if names.is_empty() { "Encrypted Handshake Message".to_owned() } else { names.join(", ") }
            }
        }
    }

    /// Shows every value of a field.
    pub(super) fn each(&self, tls: Tls, visit: &mut dyn FnMut(Value<'_>)) {
        let mut number = |number: u64| visit(Value::Number(i128::from(number)));
        match tls {
            Tls::Protocol => visit(Value::Present),
            _ if self.kind == BEGUN => {}
            Tls::Record => visit(Value::Present),
            Tls::ContentType => number(u64::from(self.kind)),
            Tls::RecordVersion => number(u64::from(self.version)),
            Tls::RecordLength => number(u64::from(self.len)),
            Tls::Handshake if self.kind == HANDSHAKE => visit(Value::Present),
            Tls::HandshakeType => self.handshakes().for_each(|(kind, _)| number(u64::from(kind))),
            Tls::HandshakeLength => self.handshakes().for_each(|(_, content)| number(content.len() as u64)),
            Tls::HandshakeVersion => self.hellos(|hello| hello.legacy_version.into_iter().for_each(|version| number(u64::from(version)))),
            Tls::CipherSuite => self.hellos(|hello| hello.cipher_suites.iter().for_each(|suite| number(u64::from(*suite)))),
            Tls::ExtensionType => self.hellos(|hello| hello.extensions.iter().for_each(|kind| number(u64::from(*kind)))),
            Tls::SupportedVersion => self.hellos(|hello| hello.supported_versions.iter().for_each(|version| number(u64::from(*version)))),
            Tls::ServerName => self.hellos(|hello| hello.server_name.iter().for_each(|name| visit(Value::Bytes(name.as_bytes())))),
            Tls::Alpn => self.hellos(|hello| hello.protocols.iter().for_each(|name| visit(Value::Bytes(name.as_bytes())))),
            Tls::ApplicationData if self.kind == APPLICATION_DATA => visit(Value::Present),
            Tls::ChangeCipherSpec if self.kind == CHANGE_CIPHER_SPEC => visit(Value::Present),
            Tls::Alert if self.kind == ALERT => visit(Value::Present),
            Tls::AlertLevel | Tls::AlertDescription if self.kind == ALERT => {
                // An encrypted alert is longer.
                if let [level, description] = self.content[..] {
                    number(u64::from(if tls == Tls::AlertLevel { level } else { description }));
                }
            }
            _ => {}
        }
    }

    fn hellos(&self, mut then: impl FnMut(Hello)) {
        self.handshakes().filter(|(kind, _)| matches!(kind, 1 | 2)).for_each(|(kind, content)| then(Hello::parse(kind, content)));
    }
}

/// Cuts the bytes of connections into records.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    /// What is held of the record at hand, by connection and side; `None` where the framing was lost.
    held: HashMap<(u64, Side), Option<Vec<u8>>>,
}

impl Tally {
    /// Takes the next bytes of a direction; returns the records that they complete.
    pub fn push(&mut self, stream: u64, side: Side, bytes: &[u8], mark: Mark) -> Vec<TlsRecord> {
        let mut records = Vec::new();
        let Some(held) = self.held.entry((stream, side)).or_insert_with(|| Some(Vec::new())) else { return records };
        let before = held.len();
        held.extend_from_slice(bytes);
        let mut used = 0;
        while let Some(&[kind, major, minor, high, low]) = held[used..].first_chunk() {
            let len = u16::from_be_bytes([high, low]);
            let end = used + 5 + usize::from(len);
            if !(CHANGE_CIPHER_SPEC..=APPLICATION_DATA).contains(&kind) || major != 3 || end - used > MAX_RECORD {
                self.held.insert((stream, side), None);
                return records;
            }
            let Some(content) = held.get(used + 5..end) else { break };
            let clear = matches!(kind, HANDSHAKE | ALERT);
            let content = if clear { content.to_vec() } else { Vec::new() };
            records.push(TlsRecord { mark, kind, version: u16::from_be_bytes([major, minor]), len, content });
            used = end;
        }
        held.drain(..used);
        if !held.is_empty() && (used > 0 || before == 0) {
            records.push(TlsRecord { mark, kind: BEGUN, version: 0, len: 0, content: Vec::new() });
        }
        records
    }

    /// Forgets a connection that has ended.
    pub fn forget(&mut self, stream: u64) {
        Side::BOTH.into_iter().for_each(|side| drop(self.held.remove(&(stream, side))));
    }
}
