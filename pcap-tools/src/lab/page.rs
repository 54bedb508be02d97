//! Pages and what they need: tasks 5.1 and 5.4.

use serde_json::{Value, json};

use super::words::{arrow, both, count, list, place, quoted_text, start_line};
use super::{Answer, Evidence, Notebook, field, pair, path, query};
use crate::exchange::Exchange;
use crate::message::Message;

/// Why a request is taken for one of a document: what the messages say, in order of weight.
fn document_reasons(exchange: &Exchange) -> Option<Vec<String>> {
    let request = exchange.complete_request()?;
    let head = &request.head;
    if head.method() != b"GET" {
        return None;
    }
    let mut reasons = Vec::new();
    let destination = field(head, "Sec-Fetch-Dest");
    match destination.as_deref() {
        Some("document" | "iframe" | "frame") => reasons.push("`Sec-Fetch-Dest: document`".to_owned()),
        Some(_) => return None,
        None => {}
    }
    if let Some(accept) = field(head, "Accept").filter(|accept| accept.contains("text/html")) {
        reasons.push(format!("`Accept: {accept}`"));
    }
    let html =
        exchange.response.as_ref().and_then(|response| field(&response.head, "Content-Type")).filter(|kind| kind.contains("text/html"));
    if let Some(kind) = html {
        reasons.push(format!("the response's `Content-Type: {kind}`"));
    }
    let asset = path(request).contains(&b'.') || path(request).starts_with(b"/assets/");
    (!reasons.is_empty() && (destination.is_some() || !asset)).then_some(reasons)
}

/// Whether a request is for the base page: the site's root, and not a command to the pot, which is answered by a
/// page about that command or sent on.
fn is_base(request: &Message) -> bool {
    let method = query(request).into_iter().find(|(name, _)| name == "method").map(|(_, value)| value.to_ascii_lowercase());
    matches!(path(request), b"/" | b"/index.html") && method.is_none_or(|method| method.is_empty() || method == "get")
}

/// 5.1
pub(super) fn base(notebook: &Notebook) -> Answer {
    let documents: Vec<(&Exchange, Vec<String>)> =
        notebook.browser_exchanges().filter_map(|exchange| Some((exchange, document_reasons(exchange)?))).collect();
    let base: Vec<&(&Exchange, Vec<String>)> =
        documents.iter().filter(|(exchange, _)| exchange.complete_request().is_some_and(is_base)).collect();
    let frames: Vec<u64> = base.iter().filter_map(|(exchange, _)| pair(exchange)[0]).collect();
    let mut answer = match frames[..] {
        [] => "The capture has no request for the base page (`GET /`) that can be read.".to_owned(),
        [frame] => format!("Frame {frame} asks for the base HTML page."),
        _ => format!("Frames {} ask for the base HTML page: it was loaded {} times.", list(&frames), frames.len()),
    };
    if let Some((exchange, reasons)) = base.first() {
        answer.push_str(&format!(
            " That it is a page and no file of one is told by {}. The answer comes in frame {}.",
            list(reasons),
            pair(exchange)[1].map_or("–".to_owned(), |frame| frame.to_string())
        ));
    }
    let before: Vec<&Exchange> = notebook
        .browser_exchanges()
        .filter(|exchange| frames.first().is_some_and(|first| exchange.first_frame() < *first))
        .filter(|exchange| document_reasons(exchange).is_none())
        .collect();
    if !before.is_empty() {
        answer.push_str(&format!(
            " {} came earlier, but for an icon or another file, not for the page.",
            capitalised(&count(before.len(), "request", "requests"))
        ));
    }
    let others: Vec<u64> = documents
        .iter()
        .filter(|(exchange, _)| !exchange.complete_request().is_some_and(is_base))
        .filter_map(|(exchange, _)| pair(exchange)[0])
        .collect();
    if !others.is_empty() {
        answer.push_str(&format!(
            " {} {} for a document, too, but with a command for the pot in the query, or for another page.",
            if others.len() == 1 { "Frame" } else { "Frames" },
            list(&others) + if others.len() == 1 { " asks" } else { " ask" }
        ));
    }
    let encrypted = notebook.browser_links().chain(notebook.other_links()).filter(|link| link.talk.tls.is_some()).count();
    if frames.is_empty() && encrypted > 0 {
        answer.push_str(&format!(
            " {} encrypted by TLS, where the request may be.",
            capitalised(&count(encrypted, "connection is", "connections are"))
        ));
    }
    let evidence = base
        .iter()
        .filter_map(|(exchange, reasons)| {
            let request = exchange.complete_request()?;
            Some(Evidence::new(
                both(exchange),
                format!("{} in {}, {}: {}", start_line(request), place(request), arrow(exchange), list(reasons)),
            ))
        })
        .collect();
    let filter =
        format!("http.request.uri.path == \"/\" || http.request.uri == \"/\" || http.request_in in {{{}}}", frames_or_none(&frames));
    Answer::new(answer, evidence, filter, json!({ "frames": frames }))
}

fn frames_or_none(frames: &[u64]) -> String {
    if frames.is_empty() { "0".to_owned() } else { frames.iter().map(u64::to_string).collect::<Vec<_>>().join(", ") }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// 5.4
pub(super) fn assets(notebook: &Notebook) -> Answer {
    let is_asset = |exchange: &&Exchange| {
        exchange.complete_request().is_some_and(|request| request.head.method() == b"GET" && !is_base(request))
            && document_reasons(exchange).is_none()
    };
    let assets: Vec<&Exchange> = notebook.browser_exchanges().filter(is_asset).collect();
    let mut streams: Vec<u64> = assets.iter().map(|exchange| exchange.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    let unchanged = assets.iter().filter(|exchange| status(exchange) == Some(304)).count();
    let mut answer = if assets.is_empty() {
        "The capture shows no request for a further file of the page (style sheet, script, picture, icon).".to_owned()
    } else {
        format!(
            "By a GET request for each file: {} on {}. The Referer field names the page that needs the file.",
            count(assets.len(), "request", "requests"),
            count(streams.len(), "connection", "connections")
        )
    };
    if overlap(&assets) {
        answer.push_str(" The browser opens several connections at once, so that the files come in parallel.");
    }
    if unchanged > 0 {
        answer.push_str(&format!(
            " {} answered by 304: the browser has the file already and asks whether it has changed (If-None-Match, If-Modified-Since); it has \
             not, so no body is sent.",
            capitalised(&count(unchanged, "request is", "requests are"))
        ));
    }
    let facts: Vec<Value> = assets
        .iter()
        .map(|exchange| {
            let [request, response] = pair(exchange);
            let target = exchange.complete_request().map(|request| quoted_text(request.head.target()));
            json!({ "target": target, "request": request, "response": response, "status": status(exchange), "stream": exchange.stream })
        })
        .collect();
    let evidence = assets.iter().filter_map(|exchange| asset_evidence(exchange)).collect();
    let filter = format!("http.request && ({}) && !(http.request.uri == \"/\")", Notebook::filter_of(&notebook.ports.http));
    Answer::new(answer, evidence, filter, json!({ "assets": facts }))
}

fn asset_evidence(exchange: &Exchange) -> Option<Evidence> {
    let request = exchange.complete_request()?;
    let mut text = format!("{}, {}, on stream {}", start_line(request), arrow(exchange), exchange.stream);
    for name in ["Referer", "If-None-Match", "If-Modified-Since"] {
        if let Some(value) = field(&request.head, name) {
            text.push_str(&format!("; `{name}: {value}`"));
        }
    }
    text.push_str(&match status(exchange) {
        Some(status) => format!("; answered by {status}"),
        None => "; no answer captured".to_owned(),
    });
    Some(Evidence::new(both(exchange), text))
}

fn status(exchange: &Exchange) -> Option<u16> {
    exchange.complete_response().and_then(|response| response.head.status())
}

/// Whether two requests on different connections were open at the same time.
fn overlap(exchanges: &[&Exchange]) -> bool {
    let mut open: Option<(u64, u64)> = None;
    exchanges.iter().any(|exchange| {
        let end = pair(exchange)[1].unwrap_or(u64::MAX);
        let begin = exchange.first_frame();
        let overlaps = open.is_some_and(|(stream, until)| stream != exchange.stream && begin < until);
        if open.is_none_or(|(_, until)| end > until) {
            open = Some((exchange.stream, end));
        }
        overlaps
    })
}
