//! What was answered, and what stays readable behind TLS: tasks 6, 7 and 8.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::chain::chains;
use super::words::{arrow, both, count, list, quoted_text, start_line};
use super::{Answer, Evidence, Link, Notebook, Proof, field, pair};
use crate::exchange::Exchange;
use crate::message::Message;

/// 6
pub(super) fn reasons(notebook: &Notebook) -> Answer {
    let mut statuses = BTreeMap::<u16, Vec<&Exchange>>::new();
    for exchange in notebook.browser_exchanges() {
        if let Some(status) = exchange.complete_response().and_then(|response| response.head.status()) {
            statuses.entry(status).or_default().push(exchange);
        }
    }
    let mut answer = if statuses.is_empty() {
        "The capture shows no answer of the web app that can be read.".to_owned()
    } else {
        let counts = statuses.iter().map(|(status, exchanges)| format!("{} by {status}", exchanges.len()));
        format!("The web app's answers: {}.", list(counts))
    };
    for (status, meaning) in [
        (200, "200 (OK): the answer carries what was asked for."),
        (302, "302 (Found): what was asked for is done, and the browser shall go on to the address in Location, with a new GET."),
        (
            304,
            "304 (Not Modified): the browser asked whether its copy is still good (If-None-Match, If-Modified-Since), and it is; no body is sent.",
        ),
    ] {
        if statuses.contains_key(&status) {
            answer.push(' ');
            answer.push_str(meaning);
        } else {
            answer.push_str(&format!(" {status} does not occur here."));
        }
    }
    let proof = Proof::of(statuses.values().flatten(), |exchange| explain(exchange));
    let facts = || -> Map<String, Value> {
        let pairs = |exchanges: &[&Exchange]| json!(exchanges.iter().map(|exchange| pair(exchange)).collect::<Vec<_>>());
        statuses.iter().map(|(status, exchanges)| (status.to_string(), pairs(exchanges))).collect()
    };
    let filter = format!("http.response.code in {{200, 302, 304}} && ({})", Notebook::filter_of(&notebook.ports.http));
    Answer::new(notebook, answer, proof, filter, || json!({ "statuses": facts() }))
}

/// The header fields that explain a status.
fn explain(exchange: &Exchange) -> Evidence {
    let (asked, response) = (exchange.complete_request(), exchange.complete_response());
    let mut text = format!("{}: {}", arrow(exchange), response.map_or(String::new(), start_line));
    if let Some(request) = asked {
        text.push_str(&format!(" to {}", start_line(request)));
    }
    let of = |message: Option<&Message>, names: &[&str]| -> Vec<String> {
        let head = message.map(|message| &message.head);
        names.iter().filter_map(|name| Some(format!("`{name}: {}`", field(head?, name)?))).collect()
    };
    let why = match response.and_then(|response| response.head.status()) {
        Some(304) => [of(asked, &["If-None-Match", "If-Modified-Since"]), of(response, &["ETag", "Last-Modified"])].concat(),
        Some(300..=399) => of(response, &["Location"]),
        _ => of(response, &["Content-Type", "Content-Length"]),
    };
    if !why.is_empty() {
        text.push_str(&format!("; {}", why.join(", ")));
    }
    Evidence::new(both(exchange), text)
}

/// 7
pub(super) fn refusals(notebook: &Notebook) -> Answer {
    let chains = chains(notebook);
    let key = |coffee: &Exchange| (coffee.stream, coffee.request.as_ref().map(|request| request.offset));
    let causes: HashMap<_, &Exchange> =
        chains.iter().flat_map(|chain| chain.htcpcp.iter().map(|coffee| (key(coffee), chain.http))).collect();
    let mut answer = String::new();
    let mut evidence = Vec::new();
    let mut facts = Map::new();
    for (status, meaning) in [
        (406, "406 (Not Acceptable) says that the pot lacks an addition, or is busy"),
        (418, "418 (I'm a teapot) says that coffee was asked of a teapot"),
    ] {
        let refused: Vec<(&Exchange, Option<&Exchange>)> = notebook
            .htcpcp()
            .filter(|exchange| exchange.complete_response().and_then(|response| response.head.status()) == Some(status))
            .map(|exchange| (exchange, causes.get(&key(exchange)).copied()))
            .collect();
        answer.push_str(&match refused.len() {
            0 => format!("{meaning}; this capture has none. "),
            _ => format!(
                "{meaning}; the pot says so in {}. ",
                list(refused.iter().map(|(exchange, _)| format!("frame {}", pair(exchange)[1].unwrap_or(0))))
            ),
        });
        evidence.extend(refused.iter().map(|(coffee, http)| refusal(coffee, *http)));
        let rows = refused.iter().map(|(coffee, http)| json!({ "htcpcp": pair(coffee), "http": http.map(pair) }));
        facts.insert(status.to_string(), rows.collect());
    }
    let said: Vec<u64> = notebook
        .browser_exchanges()
        .filter_map(Exchange::complete_response)
        .filter(|response| matches!(response.head.status(), Some(406 | 418)))
        .map(|response| response.last.frame)
        .collect();
    if !evidence.is_empty() {
        answer.push_str("The browser speaks HTTP with the web app only, so that it gets a page of the web app's about the refusal.");
        if !said.is_empty() {
            answer.push_str(&format!(" The web app passes the status on in {}.", list(said.iter().map(|frame| format!("frame {frame}")))));
        }
    } else if !said.is_empty() {
        answer.push_str(&format!(
            "The web app itself answers so in {}, without an answer of the pot's in this capture.",
            list(said.iter().map(|frame| format!("frame {frame}")))
        ));
    }
    let answer = answer.trim_end().to_owned();
    Answer::new(
        notebook,
        answer,
        Proof::of(evidence, |piece| piece),
        "htcpcp.response.code in {406, 418} || http.response.code in {406, 418}",
        || Value::Object(facts),
    )
}

fn refusal(coffee: &Exchange, http: Option<&Exchange>) -> Evidence {
    let line = |message: Option<&Message>| message.map_or("(not captured)".to_owned(), start_line);
    let mut text = format!("pot {}: {} to {}", arrow(coffee), line(coffee.complete_response()), line(coffee.complete_request()));
    if let Some(body) = coffee.complete_response().map(|response| &response.body).filter(|body| !body.is_empty()) {
        text.push_str(&format!(", with the body `{}`", quoted_text(body)));
    }
    text.push_str(&match http {
        Some(http) => format!("; the browser {} got {}", arrow(http), line(http.complete_response())),
        None => "; which request of a browser's caused it, the capture does not show".to_owned(),
    });
    Evidence::new(both(coffee).chain(http.into_iter().flat_map(both)), text)
}

/// 8
pub(super) fn encrypted(notebook: &Notebook) -> Answer {
    let links: Vec<&Link> = notebook.tls_links().collect();
    let coffee = notebook.htcpcp().count();
    let mut answer = if links.is_empty() {
        "This capture has no TLS connection. With HTTPS in front of the web app, requests and responses of the browser could not be read any \
         more; addresses, ports, sizes, times and the name in the ClientHello (SNI) could."
            .to_owned()
    } else {
        format!(
            "The capture has {}. Of them one can read addresses and ports, sizes and times, and what the hellos say: version and server name \
             (SNI). Requests, responses and their counts are encrypted.",
            count(links.len(), "TLS connection", "TLS connections")
        )
    };
    answer.push_str(&match (links.is_empty(), coffee) {
        (_, 0) => {
            " HTCPCP behind the web app would stay readable: TLS ends at the web app, and it speaks to the pot without TLS.".to_owned()
        }
        (true, _) => " HTCPCP would stay readable: TLS ends at the web app, and it speaks to the pot without TLS.".to_owned(),
        (false, _) => format!(
            " The {} behind it can be read all the same: TLS ends at the web app, and it speaks to the pot without TLS.",
            count(coffee, "HTCPCP exchange", "HTCPCP exchanges")
        ),
    });
    let proof = Proof::of(&links, |link| {
        let tls = link.talk.tls.as_ref();
        let version = tls.and_then(|tls| tls.version()).map_or("version not captured".to_owned(), |version| version.to_string());
        let name = tls.and_then(|tls| tls.server_name.as_ref()).map_or("no server name".to_owned(), |name| format!("server name `{name}`"));
        let (stream, client, server) = (link.stream(), link.client(), link.server());
        let frames = [link.connection.first.frame, link.connection.last.frame];
        Evidence::new(frames, format!("stream {stream} ({client} → {server}): {version}, {name}; encrypted"))
    });
    let fact = |link: &&Link| {
        let tls = link.talk.tls.as_ref();
        json!({
            "stream": link.stream(),
            "version": tls.and_then(|tls| tls.version()).map(|version| version.to_string()),
            "server_name": tls.and_then(|tls| tls.server_name.clone()),
        })
    };
    let filter = if links.is_empty() {
        "tls || htcpcp".to_owned()
    } else {
        "tls.handshake.type == 1 || tls.handshake.type == 2 || htcpcp".to_owned()
    };
    Answer::new(notebook, answer, proof, filter, || json!({ "tls": links.iter().map(fact).collect::<Vec<_>>() }))
}
