//! Persistent or not, and why: task 5.3.

use serde_json::{Value, json};

use super::words::{count, list, quoted_text};
use super::{Answer, Evidence, Link, Notebook, field};
use crate::connection::{CloseKind, Side};
use crate::exchange::{Exchange, Protocol};
use crate::message::{Head, Message};

/// A server that closes this soon after its only response does not wait for another request: 1 s.
const AT_ONCE_NANOS: i64 = 1_000_000_000;

/// What is said of one connection.
struct Verdict<'a> {
    link: &'a Link,
    /// Of the last response or, without one, of the last request.
    version: Option<String>,
    /// `None` where nothing tells.
    persistent: Option<bool>,
    reasons: Vec<String>,
    /// Frames that show them.
    frames: Vec<u64>,
}

/// 5.3
pub(super) fn persistence(notebook: &Notebook) -> Answer {
    let spoken = notebook.connections.iter().filter(|link| link.talk.protocol == Some(Protocol::Http));
    let verdicts: Vec<Verdict<'_>> = spoken.map(|link| judge(link, notebook)).collect();
    let mut versions: Vec<&str> = verdicts.iter().filter_map(|verdict| verdict.version.as_deref()).collect();
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
    let facts: Vec<Value> = verdicts
        .iter()
        .map(|verdict| {
            json!({
                "stream": verdict.link.stream(),
                "version": verdict.version,
                "persistent": verdict.persistent,
                "exchanges": verdict.link.talk.exchanges,
                "closed_first_by": verdict.link.connection.close.first_by().map(|side| verdict.link.end_name(side)),
                "reasons": verdict.reasons,
            })
        })
        .collect();
    let evidence = verdicts
        .iter()
        .map(|verdict| {
            let what = match verdict.persistent {
                Some(true) => "persistent",
                Some(false) => "not persistent",
                None => "not known",
            };
            let version = verdict.version.as_deref().unwrap_or("version not captured");
            let link = verdict.link;
            let text = format!(
                "stream {} ({} → {}), {version}, {what}: {}",
                link.stream(),
                link.client(),
                link.server(),
                verdict.reasons.join("; ")
            );
            Evidence::new(verdict.frames.iter().copied(), text)
        })
        .collect();
    Answer::new(answer, evidence, "http.connection || tcp.flags.fin == 1 || tcp.flags.reset == 1", json!({ "connections": facts }))
}

fn streams(numbers: &[u64]) -> String {
    format!("{} {}", if numbers.len() == 1 { "stream" } else { "streams" }, list(numbers))
}

/// Whether a Connection field has this option (RFC 9110 §7.6.1).
fn has_option(head: &Head, option: &str) -> bool {
    field(head, "Connection").is_some_and(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case(option)))
}

fn judge<'a>(link: &'a Link, notebook: &'a Notebook) -> Verdict<'a> {
    let exchanges: Vec<&Exchange> = notebook.exchanges_of(link.stream()).collect();
    let request = exchanges.iter().rev().find_map(|exchange| exchange.request.as_ref());
    let response = exchanges.iter().rev().find_map(|exchange| exchange.response.as_ref());
    let mut reasons = Vec::new();
    let mut frames = Vec::new();
    for (who, message) in [("client", request), ("server", response)] {
        if let Some(message) = message {
            reasons.push(says(who, message));
            frames.push(message.last.frame);
        }
    }
    let carried = exchanges.len();
    reasons.push(format!("it carried {}", count(carried, "exchange", "exchanges")));
    let (sentence, close_frames) = close(link);
    reasons.push(sentence);
    frames.extend(close_frames);
    let messages = || request.into_iter().chain(response);
    let says_close = messages().any(|message| has_option(&message.head, "close"));
    let old = response.or(request).is_some_and(|message| message.head.version() == b"HTTP/1.0" && !has_option(&message.head, "keep-alive"));
    let hasty = response.is_some_and(|response| hangs_up(link, response));
    let persistent = if carried > 1 {
        Some(true)
    } else if messages().next().is_none() {
        None
    } else if says_close {
        Some(false)
    } else if old {
        reasons.push("HTTP/1.0 closes after each response unless both sides agree on keep-alive".to_owned());
        Some(false)
    } else if hasty {
        reasons.push("the server closed right after its only response, without saying so before".to_owned());
        Some(false)
    } else {
        Some(true)
    };
    if let Some(upgrade) = exchanges.iter().find_map(|exchange| upgrade(exchange)) {
        reasons.push(upgrade);
    }
    let version = response.or(request).map(|message| quoted_text(message.head.version()));
    Verdict { link, version, persistent, reasons, frames }
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

/// Whether the server was the first to close, as soon as its response was sent.
fn hangs_up(link: &Link, response: &Message) -> bool {
    let server: Side = link.talk.client.other();
    let close = &link.connection.close;
    close.first_by() == Some(server)
        && close.fins[server].and_then(|fin| fin.time.since(response.last.time)).is_some_and(|waited| waited < AT_ONCE_NANOS)
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
