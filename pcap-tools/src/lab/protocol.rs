//! What HTCPCP looks like here: tasks 4.1 and 4.4.

use std::collections::{BTreeMap, BTreeSet};

use htcpcp::Method;
use htcpcp::header::Field;
use serde_json::json;

use super::words::{frames, list, place, quoted_text, start_line};
use super::{Answer, Evidence, Notebook, Proof, pair};
use crate::exchange::Exchange;
use crate::message::Message;

/// 4.1
pub(super) fn formats(notebook: &Notebook) -> Answer {
    let exchanges: Vec<&Exchange> = notebook.htcpcp().collect();
    // The fullest example teaches most, a BREW with a body before a GET without one; of several, the first.
    let request = exchanges
        .iter()
        .rev()
        .filter_map(|exchange| exchange.complete_request())
        .max_by_key(|message| (message.body_bytes > 0, message.head.fields().len()));
    let response = exchanges
        .iter()
        .rev()
        .filter_map(|exchange| exchange.complete_response())
        .max_by_key(|message| (message.body_bytes > 0, message.head.fields().len()));
    let mut answer =
        "A request is `method coffee-URI version`, then header fields, an empty line, and for BREW a body of `start` or `stop`. A \
                      response is `version status reason`, header fields, an empty line, and a body. Every line ends with CR LF."
            .to_owned();
    let mut evidence: Vec<Evidence> =
        [("request", request), ("response", response)].into_iter().filter_map(|(kind, message)| Some(sample(kind, message?))).collect();
    let refusals =
        exchanges.iter().filter_map(|exchange| exchange.complete_response()).filter(|message| message.head.status() >= Some(400));
    let mut seen = BTreeSet::new();
    for refusal in refusals.filter(|message| seen.insert(message.head.status())) {
        let body = if refusal.body_bytes == 0 {
            "no body: it ends with the empty line".to_owned()
        } else {
            format!("a body: `{}`", quoted_text(&refusal.body))
        };
        evidence.push(Evidence::new(frames(refusal), format!("{} in {} has {body}", start_line(refusal), place(refusal))));
    }
    match (request, response) {
        (None, None) => answer.push_str(" This capture has no example of either."),
        (None, Some(_)) => answer.push_str(" This capture has no request as an example."),
        (Some(_), None) => answer.push_str(" This capture has no response as an example."),
        (Some(_), Some(_)) => {}
    }
    let has_no_length = |exchange: &&&Exchange| {
        let response = exchange.complete_response();
        response.is_some_and(|message| {
            message.body_bytes > 0 && ["Content-Length", "Transfer-Encoding"].iter().all(|name| message.head.field(name).is_none())
        })
    };
    if let Some(exchange) = exchanges.iter().find(has_no_length) {
        let link = notebook.link(exchange.stream);
        let fin = link.and_then(|link| link.connection.close.fins[link.talk.client.other()]);
        let place = pair(exchange)[1].zip(fin).map(|(frame, fin)| format!(" (that of frame {frame} by the FIN of frame {})", fin.frame));
        answer.push_str(" The pot's answers state no length: their body ends where the pot closes the connection");
        answer.push_str(&(place.unwrap_or_default() + "."));
    }
    let part = |message: &Message| {
        json!({
            "frame": message.last.frame,
            "start_line": quoted_text(message.head.start_line()),
            "headers": message.head.fields().iter().map(|(name, value)| [quoted_text(name), quoted_text(value)]).collect::<Vec<_>>(),
            "body": quoted_text(&message.body),
        })
    };
    Answer::new(
        notebook,
        answer,
        Proof::of(evidence, |piece| piece),
        "htcpcp",
        || json!({ "request": request.map(part), "response": response.map(part) }),
    )
}

fn sample(kind: &str, message: &Message) -> Evidence {
    let fields = message.head.fields();
    let lines = fields.iter().map(|(name, value)| format!("`{}: {}`", quoted_text(name), quoted_text(value)));
    let mut text =
        format!("{kind} in {}: {}; {}; an empty line", place(message), start_line(message), lines.collect::<Vec<_>>().join("; "));
    text.push_str(&match message.body_bytes {
        0 => "; no body".to_owned(),
        _ => format!("; the body `{}`", quoted_text(&message.body)),
    });
    Evidence::new(frames(message), text)
}

/// 4.4
pub(super) fn methods(notebook: &Notebook) -> Answer {
    let mut methods = BTreeMap::<String, Vec<u64>>::new();
    for request in notebook.htcpcp().filter_map(Exchange::complete_request) {
        methods.entry(quoted_text(request.head.method())).or_default().push(request.last.frame);
    }
    let headers = fields(notebook);
    let unseen: Vec<&str> = Method::ALL.into_iter().map(Method::as_str).filter(|method| !methods.contains_key(*method)).collect();
    let known: Vec<&str> = Field::ALL.into_iter().map(Field::as_str).collect();
    let names = |seen: &BTreeMap<String, Vec<u64>>| list(seen.keys());
    let mut answer = if methods.is_empty() {
        "The capture has no HTCPCP request, so it shows no method and no header field.".to_owned()
    } else {
        format!("Seen in this capture: the methods {} and the request header fields {}.", names(&methods), names(&headers))
    };
    if !unseen.is_empty() && !methods.is_empty() {
        answer.push_str(&format!(" Not seen here: {}.", list(&unseen)));
    }
    answer.push_str(&format!(
        " The protocol has the methods {} and knows the fields {}; a capture proves only what was used, not what would be accepted.",
        list(Method::ALL.into_iter().map(Method::as_str)),
        list(&known)
    ));
    let named = |what: &'static str, seen: &BTreeMap<String, Vec<u64>>| {
        seen.iter().map(|(name, frames)| (what, name.clone(), frames.clone())).collect::<Vec<_>>()
    };
    let proof = Proof::of([named("method", &methods), named("header field", &headers)].concat(), |(what, name, frames)| {
        let text = format!("{what} {name}: {}", frames_text(&frames));
        Evidence::new(frames, text)
    });
    Answer::new(notebook, answer, proof, "htcpcp.request", || {
        json!({
            "methods": methods,
            "headers": headers,
            "supported_methods": Method::ALL.map(Method::as_str),
            "known_headers": known,
        })
    })
}

/// The header fields of the requests, and the frames that have them.
pub(super) fn fields(notebook: &Notebook) -> BTreeMap<String, Vec<u64>> {
    let mut fields = BTreeMap::<String, Vec<u64>>::new();
    for request in notebook.htcpcp().filter_map(Exchange::complete_request) {
        let frame = request.last.frame;
        for (name, _) in request.head.fields() {
            let frames = fields.entry(spelled(name)).or_default();
            if frames.last() != Some(&frame) {
                frames.push(frame);
            }
        }
    }
    fields
}

/// A field's name as the protocol spells it, or as it was sent.
fn spelled(name: &[u8]) -> String {
    Field::from_bytes(name).map_or_else(|| quoted_text(name), |field| field.as_str().to_owned())
}

fn frames_text(frames: &[u64]) -> String {
    format!("{} {}", if frames.len() == 1 { "frame" } else { "frames" }, list(frames))
}
