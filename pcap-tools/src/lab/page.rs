//! Pages and what they need: tasks 5.1 and 5.4.

use memchr::memmem;
use serde_json::{Value, json};

use super::words::{arrow, both, count, list, place, quoted_text, start_line};
use super::{Answer, Evidence, MAX_EVIDENCE, Notebook, Proof, field, pair, path};
use crate::exchange::Exchange;
use crate::message::{Head, Message};

/// What a browser asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    /// The site's root; a query that asks for the coffee as it is asks for the same page.
    Base,
    /// Another document, also one whose query has a command for the pot.
    Document,
    /// A file that a page needs.
    File,
}

impl Wanted {
    /// Told by what the browser says of the destination, or else by what it accepts, what came, and the path.
    pub(super) fn of(exchange: &Exchange) -> Option<Self> {
        let request = exchange.complete_request().filter(|request| request.head.method() == b"GET")?;
        let html = |head: &Head, name: &str| head.field(name).is_some_and(|value| memmem::find(value, b"text/html").is_some());
        let document = match request.head.field("Sec-Fetch-Dest") {
            Some(destination) => matches!(destination, b"document" | b"iframe" | b"frame"),
            None => {
                let file = path(request).contains(&b'.') || path(request).starts_with(b"/assets/");
                let answered = exchange.response.as_ref().is_some_and(|response| html(&response.head, "Content-Type"));
                !file && (html(&request.head, "Accept") || answered)
            }
        };
        Some(match (document, is_base(request)) {
            (true, true) => Self::Base,
            (true, false) => Self::Document,
            (false, _) => Self::File,
        })
    }
}

/// Whether a request is for the site's root, and has no command for the pot.
fn is_base(request: &Message) -> bool {
    matches!(path(request), b"/" | b"/index.html")
        && request.head.query().iter().all(|(name, value)| name != "method" || value.is_empty() || value.eq_ignore_ascii_case("get"))
}

/// The fields that tell a request for a document.
fn reasons(exchange: &Exchange) -> Vec<String> {
    let of = |message: Option<&Message>, name: &str, whose: &str| {
        let value = message.and_then(|message| field(&message.head, name));
        value.map(|value| format!("{whose}`{name}: {value}`"))
    };
    let (request, response) = (exchange.complete_request(), exchange.response.as_ref());
    let accept = of(request, "Accept", "").filter(|accept| accept.contains("text/html"));
    [of(request, "Sec-Fetch-Dest", ""), accept, of(response, "Content-Type", "the response's ")].into_iter().flatten().collect()
}

/// 5.1
pub(super) fn base(notebook: &Notebook) -> Answer {
    let wanted: Vec<(&Exchange, Wanted)> =
        notebook.browser_exchanges().filter_map(|exchange| Some((exchange, Wanted::of(exchange)?))).collect();
    let of = |kind: Wanted| wanted.iter().filter(move |(_, wanted)| *wanted == kind).map(|(exchange, _)| *exchange);
    let base: Vec<&Exchange> = of(Wanted::Base).collect();
    let frames: Vec<u64> = base.iter().filter_map(|exchange| pair(exchange)[0]).collect();
    let mut answer = match frames[..] {
        [] => "The capture has no request for the base page (`GET /`) that can be read.".to_owned(),
        [frame] => format!("Frame {frame} asks for the base HTML page."),
        _ => format!("Frames {} ask for the base HTML page: it was loaded {} times.", list(&frames), frames.len()),
    };
    if let Some(exchange) = base.first() {
        answer.push_str(&format!(
            " That it is a page and no file of one is told by {}. The answer comes in frame {}.",
            list(reasons(exchange)),
            pair(exchange)[1].map_or("–".to_owned(), |frame| frame.to_string())
        ));
    }
    let before = of(Wanted::File).filter(|exchange| frames.first().is_some_and(|first| exchange.first_frame() < *first)).count();
    if before > 0 {
        answer.push_str(&format!(
            " {} came earlier, but for an icon or another file, not for the page.",
            capitalised(&count(before, "request", "requests"))
        ));
    }
    let others: Vec<u64> = of(Wanted::Document).filter_map(|exchange| pair(exchange)[0]).collect();
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
    let proof = Proof::of(&base, |exchange| {
        let request = exchange.complete_request();
        let line = request.map_or(String::new(), |request| format!("{} in {}", start_line(request), place(request)));
        Evidence::new(both(exchange), format!("{line}, {}: {}", arrow(exchange), list(reasons(exchange))))
    });
    let shown = if frames.is_empty() {
        "0".to_owned()
    } else {
        frames.iter().take(MAX_EVIDENCE).map(u64::to_string).collect::<Vec<_>>().join(", ")
    };
    let filter = format!("http.request.uri == \"/\" || frame.number in {{{shown}}} || http.request_in in {{{shown}}}");
    Answer::new(notebook, answer, proof, filter, || json!({ "frames": frames }))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// 5.4
pub(super) fn assets(notebook: &Notebook) -> Answer {
    let assets: Vec<&Exchange> = notebook.browser_exchanges().filter(|exchange| Wanted::of(exchange) == Some(Wanted::File)).collect();
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
    let fact = |exchange: &&Exchange| -> Value {
        let [request, response] = pair(exchange);
        let target = exchange.complete_request().map(|request| quoted_text(request.head.target()));
        json!({ "target": target, "request": request, "response": response, "status": status(exchange), "stream": exchange.stream })
    };
    let filter = format!("http.request && ({}) && !(http.request.uri == \"/\")", Notebook::filter_of(&notebook.ports.http));
    Answer::new(
        notebook,
        answer,
        Proof::of(&assets, |exchange| asset_evidence(exchange)),
        filter,
        || json!({ "assets": assets.iter().map(fact).collect::<Vec<_>>() }),
    )
}

fn asset_evidence(exchange: &Exchange) -> Evidence {
    let request = exchange.complete_request();
    let mut text = format!("{}, {}, on stream {}", request.map_or(String::new(), start_line), arrow(exchange), exchange.stream);
    for name in ["Referer", "If-None-Match", "If-Modified-Since"] {
        if let Some(value) = request.and_then(|request| field(&request.head, name)) {
            text.push_str(&format!("; `{name}: {value}`"));
        }
    }
    text.push_str(&match status(exchange) {
        Some(status) => format!("; answered by {status}"),
        None => "; no answer captured".to_owned(),
    });
    Evidence::new(both(exchange), text)
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
