//! Persistent or not, and why: task 5.3.

use serde_json::{Value, json};

use super::words::{count, list, quoted_text};
use super::{Answer, Evidence, Link, Notebook, Proof, field};
use crate::connection::CloseKind;
use crate::exchange::{Exchange, Protocol};
use crate::message::{Head, Message};

/// A server that closes this soon after its only response does not wait for another request: 1 s.
const AT_ONCE_NANOS: i64 = 1_000_000_000;

/// What is said of one connection.
pub(super) struct Verdict<'a> {
    link: &'a Link,
    exchanges: Vec<&'a Exchange>,
    /// The last ones.
    request: Option<&'a Message>,
    response: Option<&'a Message>,
    /// `None` where nothing tells.
    pub persistent: Option<bool>,
}

/// 5.3
pub(super) fn persistence(notebook: &Notebook) -> Answer {
    let spoken = notebook.connections.iter().filter(|link| link.talk.protocol == Some(Protocol::Http));
    let verdicts: Vec<Verdict<'_>> = spoken.map(|link| Verdict::new(link, notebook)).collect();
    let mut versions: Vec<String> = verdicts.iter().filter_map(Verdict::version).collect();
    versions.sort_unstable();
    versions.dedup();
    let of = |wanted: Option<bool>| {
        verdicts.iter().filter(|verdict| verdict.persistent == wanted).map(|verdict| verdict.link.stream()).collect::<Vec<_>>()
    };
    let (kept, closed, unknown) = (of(Some(true)), of(Some(false)), of(None));
    let mut answer = if verdicts.is_empty() {
        "The capture has no connection on which HTTP can be read.".to_owned()
    } else {
        format!("{} is spoken.", list(&versions))
    };
    if !closed.is_empty() {
        answer.push_str(&format!(" Not persistent: {}.", streams(&closed)));
    }
    if !kept.is_empty() {
        answer.push_str(&format!(" Persistent: {}.", streams(&kept)));
    }
    if !unknown.is_empty() {
        answer.push_str(&format!(" Of {} the capture does not tell.", streams(&unknown)));
    }
    answer.push_str(
        " In HTTP/1.1 a connection is persistent unless one side says `Connection: close`; what the browser asks for by `keep-alive` the \
         server may refuse.",
    );
    let simultaneous: Vec<u64> =
        verdicts.iter().filter(|verdict| closed_at_once(verdict.link)).map(|verdict| verdict.link.stream()).collect();
    if !simultaneous.is_empty() {
        answer.push_str(&format!(
            " On {} both sides sent a FIN before they saw the other's. Wireshark calls the FINs that follow retransmissions; no data was lost.",
            streams(&simultaneous)
        ));
    }
    let encrypted: Vec<u64> = notebook.tls_links().map(Link::stream).collect();
    if !encrypted.is_empty() {
        answer.push_str(&format!(" What {} speaks inside of TLS cannot be read.", streams(&encrypted)));
    }
    let proof = Proof::of(&verdicts, |verdict| {
        let what = match verdict.persistent {
            Some(true) => "persistent",
            Some(false) => "not persistent",
            None => "not known",
        };
        let version = verdict.version().unwrap_or("version not captured".to_owned());
        let (stream, client, server) = (verdict.link.stream(), verdict.link.client(), verdict.link.server());
        let (reasons, frames) = verdict.reasons();
        Evidence::new(frames, format!("stream {stream} ({client} → {server}), {version}, {what}: {}", reasons.join("; ")))
    });
    let fact = |verdict: &Verdict<'_>| -> Value {
        let link = verdict.link;
        json!({
            "stream": link.stream(),
            "version": verdict.version(),
            "persistent": verdict.persistent,
            "exchanges": verdict.exchanges.len(),
            "closed_first_by": link.connection.close.first_by().map(|side| link.end_name(side)),
            "reasons": verdict.reasons().0,
        })
    };
    let filter = "http.connection || tcp.flags.fin == 1 || tcp.flags.reset == 1";
    Answer::new(notebook, answer, proof, filter, || json!({ "connections": verdicts.iter().map(fact).collect::<Vec<_>>() }))
}

fn streams(numbers: &[u64]) -> String {
    format!("{} {}", if numbers.len() == 1 { "stream" } else { "streams" }, list(numbers))
}

/// Whether a Connection field has this option (RFC 9110 §7.6.1).
fn has_option(head: &Head, option: &str) -> bool {
    let words = head.field("Connection").into_iter().flat_map(|value| value.split(|&byte| byte == b','));
    words.into_iter().any(|word| word.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
}

impl<'a> Verdict<'a> {
    pub fn new(link: &'a Link, notebook: &'a Notebook) -> Self {
        let exchanges: Vec<&Exchange> = notebook.exchanges_of(link.stream()).collect();
        let request = exchanges.iter().rev().find_map(|exchange| exchange.request.as_ref());
        let response = exchanges.iter().rev().find_map(|exchange| exchange.response.as_ref());
        let mut verdict = Self { link, exchanges, request, response, persistent: None };
        verdict.persistent = verdict.judge();
        verdict
    }

    fn judge(&self) -> Option<bool> {
        let mut messages = self.request.into_iter().chain(self.response);
        let last = self.response.or(self.request)?;
        let persistent = self.exchanges.len() > 1
            || !messages.any(|message| has_option(&message.head, "close")) && !is_old(last) && !self.server_hangs_up();
        Some(persistent)
    }

    /// Whether the server was the first to close, as soon as its response was sent.
    fn server_hangs_up(&self) -> bool {
        let server = self.link.talk.client.other();
        let close = &self.link.connection.close;
        let waited = close.fins[server].zip(self.response).and_then(|(fin, response)| fin.time.since(response.last.time));
        close.first_by() == Some(server) && waited.is_some_and(|waited| waited < AT_ONCE_NANOS)
    }

    /// Of the last response or, without one, of the last request.
    pub fn version(&self) -> Option<String> {
        self.response.or(self.request).map(|message| quoted_text(message.head.version()))
    }

    /// What the verdict rests on, and frames that show it.
    fn reasons(&self) -> (Vec<String>, Vec<u64>) {
        let mut frames = Vec::new();
        let mut reasons = Vec::new();
        for (who, message) in [("client", self.request), ("server", self.response)] {
            if let Some(message) = message {
                reasons.push(says(who, message));
                frames.push(message.last.frame);
            }
        }
        reasons.push(format!("it carried {}", count(self.exchanges.len(), "exchange", "exchanges")));
        let (sentence, close_frames) = close(self.link);
        reasons.push(sentence);
        frames.extend(close_frames);
        let announced = self.request.into_iter().chain(self.response).any(|message| has_option(&message.head, "close"));
        if self.persistent == Some(false) && !announced {
            reasons.push(match self.response.or(self.request) {
                Some(last) if is_old(last) => "HTTP/1.0 closes after each response unless both sides agree on keep-alive".to_owned(),
                _ => "the server closed right after its only response, without saying so before".to_owned(),
            });
        }
        reasons.extend(self.exchanges.iter().find_map(|exchange| upgrade(exchange)));
        (reasons, frames)
    }
}

/// Whether a message of HTTP/1.0 ends its connection (RFC 9112 §9.3).
fn is_old(message: &Message) -> bool {
    message.head.version() == b"HTTP/1.0" && !has_option(&message.head, "keep-alive")
}

fn says(who: &str, message: &Message) -> String {
    match field(&message.head, "Connection") {
        Some(value) => format!("the {who} says `Connection: {value}` (frame {})", message.last.frame),
        None => format!("the {who} sends no Connection field (frame {})", message.last.frame),
    }
}

/// How the connection ended, and the frames that show it.
fn close(link: &Link) -> (String, Vec<u64>) {
    let close = &link.connection.close;
    let sentence = match (close.kind(), close.first_by()) {
        (CloseKind::Open, _) | (_, None) => "it was still open when the capture ended".to_owned(),
        (CloseKind::Rst, Some(side)) => format!("the {} broke it off by RST", link.end_name(side)),
        (CloseKind::Fin, Some(_)) if closed_at_once(link) => {
            format!("both sides closed at once (FINs in frames {}): the FINs that are repeated are no loss of data", list(close.frames()))
        }
        (CloseKind::Fin, Some(side)) => {
            let frame = close.fins[side].map_or(0, |mark| mark.frame);
            format!("the {} closed first (FIN in frame {frame})", link.end_name(side))
        }
    };
    (sentence, close.frames())
}

/// Whether both ends sent a FIN without having received the other's: each repeats its own.
fn closed_at_once(link: &Link) -> bool {
    link.connection.close.is_simultaneous()
}

/// What came of a request to speak another protocol.
fn upgrade(exchange: &Exchange) -> Option<String> {
    let request = exchange.request.as_ref()?;
    let wanted = field(&request.head, "Upgrade")?;
    let outcome = match exchange.response.as_ref().and_then(|response| response.head.status()) {
        Some(101) => "and the server switched to it (101)".to_owned(),
        Some(status) => format!("and the server stayed with HTTP/1.1 (it answered {status}, not 101)"),
        None => "and no answer was captured".to_owned(),
    };
    Some(format!("the client offered an upgrade to `{wanted}` (frame {}), {outcome}", request.last.frame))
}
