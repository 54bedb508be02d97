//! The facts: a notebook in, the rows of each table out.
//!
//! What the answers to the lab's questions say comes from the same functions: chains, pages, verdicts, header fields.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, Class, Column, Fact, Row, Table, wording};
use crate::connection::CloseKind;
use crate::exchange::{Exchange, Protocol};
use crate::lab::chain::{Chain, Parameter, chains};
use crate::lab::page::Wanted;
use crate::lab::verdict::Verdict;
use crate::lab::words::{both, frames, place, quoted_text};
use crate::lab::{Link, Notebook, field, pair, protocol};
use crate::message::{Fate, Message};
use crate::time::Mark;

/// Characters of a request that a question quotes.
const MAX_QUOTED: usize = 60;

/// All tables; of a capture without such things they have no rows.
pub(super) fn tables(notebook: &Notebook) -> Vec<Table> {
    let chains = chains(notebook);
    let mut tables =
        vec![openings(notebook), closes(notebook), browsers(notebook), pots(notebook), requests(notebook), responses(notebook)];
    tables.extend([statuses(notebook), coffees(notebook), fields(notebook), coffee_responses(notebook), chain_table(&chains)]);
    tables.extend([causes(&chains), parameters(&chains), refusals(&chains), refused(notebook), encrypted(notebook)]);
    tables.extend(totals(notebook));
    tables
}

fn frame(message: Option<&Message>) -> Option<Cell> {
    message.map(|message| Cell::number(message.last.frame))
}

fn status(message: Option<&Message>) -> Option<Cell> {
    message?.head.status().map(Cell::number)
}

fn nanos(nanos: Option<i64>) -> Option<Cell> {
    let nanos = nanos.filter(|nanos| *nanos >= 0)?;
    Some(Cell { fact: Fact::Nanos(nanos), lures: Vec::new() })
}

fn words(words: impl IntoIterator<Item = String>) -> impl Iterator<Item = Fact> {
    words.into_iter().map(Fact::Word)
}

fn numbers(numbers: impl IntoIterator<Item = u64>) -> impl Iterator<Item = Fact> {
    numbers.into_iter().map(Fact::Number)
}

/// Whether everything that was sent on a connection was captured.
fn is_whole(link: &Link) -> bool {
    link.connection.flows.0.iter().all(|flow| flow.lost_bytes == 0) && link.talk.tls.is_none() && !link.talk.http2
}

/// Whether all that is said on these connections can be counted.
fn can_be_counted<'a>(notebook: &'a Notebook, mut links: impl Iterator<Item = &'a Link>) -> bool {
    let whole = |exchange: &Exchange| exchange.request.iter().chain(&exchange.response).all(|message| message.fate == Fate::Complete);
    let is_silent = |link: &Link| link.connection.flows.0.iter().all(|flow| flow.payload_bytes == 0);
    links.all(|link| is_whole(link) && (link.talk.protocol.is_some() || is_silent(link)) && notebook.exchanges_of(link.stream()).all(whole))
}

fn in_order(frames: impl IntoIterator<Item = u64>) -> Vec<u64> {
    frames.into_iter().collect::<BTreeSet<u64>>().into_iter().collect()
}

/// Of a connection, seen in the frames with which it begins.
fn link_row(link: &Link, cells: Vec<Option<Cell>>) -> Row {
    let handshake = &link.connection.handshake;
    let begin = [handshake.syn, handshake.syn_ack, handshake.ack].map(|mark| mark.unwrap_or(link.connection.first).frame);
    Row {
        name: format!("TCP stream {}", link.stream()),
        label: format!("TCP stream {}", link.stream()),
        frames: in_order(begin),
        filter: format!("tcp.stream == {}", link.stream()),
        cells,
    }
}

fn openings(notebook: &Notebook) -> Table {
    let row = |link: &Link| {
        let handshake = &link.connection.handshake;
        let mark = |mark: Option<Mark>| mark.map(|mark| Cell::number(mark.frame));
        let cells = vec![
            mark(handshake.syn).map(|cell| cell.luring(numbers(handshake.repeated_syns.iter().copied()))),
            mark(handshake.syn_ack).map(|cell| cell.luring(numbers(handshake.repeated_syn_acks.iter().copied()))),
            mark(handshake.ack.filter(|_| handshake.complete())),
            nanos(handshake.rtt()),
        ];
        link_row(link, cells)
    };
    Table { columns: &wording::OPENINGS, rows: notebook.connections.iter().map(row).collect() }
}

/// How connections end, and what they carry until then.
fn closes(notebook: &Notebook) -> Table {
    let row = |link: &Link| {
        let close = &link.connection.close;
        let whole = link.connection.flows.0.iter().all(|flow| flow.lost_bytes == 0);
        let closer = match (close.kind(), close.first_by()) {
            (CloseKind::Fin, _) if close.is_simultaneous() => Some(wording::BOTH_CLOSE),
            (CloseKind::Fin, Some(side)) if side == link.talk.client => Some(wording::CLIENT_CLOSES),
            (CloseKind::Fin, Some(_)) => Some(wording::SERVER_CLOSES),
            (CloseKind::Rst, _) if close.fins.0 == [None, None] => Some(wording::RST_CLOSES),
            _ => None,
        };
        let fins = close.fins.0.into_iter().flatten().map(|mark| mark.frame);
        let first_fin = fins.clone().min().filter(|_| whole && close.kind() == CloseKind::Fin);
        let speaks_http = link.talk.protocol == Some(Protocol::Http);
        let requests = notebook.exchanges_of(link.stream()).filter(|exchange| exchange.request.is_some()).count();
        let countable = speaks_http && link.role_is_seen() && can_be_counted(notebook, std::iter::once(link));
        let persistent = Verdict::new(link, notebook).persistent.filter(|_| speaks_http);
        let cells = vec![
            Some(Cell::number(link.stream())),
            closer.filter(|_| whole && (link.role_is_seen() || speaks_http)).map(Cell::word),
            first_fin.map(|frame| Cell::number(frame).luring(numbers(fins))),
            countable.then(|| Cell::number(requests as u64)),
            persistent.map(Cell::claim),
        ];
        let row = link_row(link, cells);
        let end = in_order(close.frames());
        Row { frames: if end.is_empty() { row.frames } else { end }, ..row }
    };
    Table { columns: &wording::CLOSES, rows: notebook.connections.iter().map(row).collect() }
}

fn browsers(notebook: &Notebook) -> Table {
    let row = |link: &Link| link_row(link, vec![Some(Cell::number(link.client().port).luring(numbers([link.server().port.into()])))]);
    Table { columns: &wording::BROWSERS, rows: notebook.browser_links().map(row).collect() }
}

fn pots(notebook: &Notebook) -> Table {
    let row = |link: &Link| {
        let port = Cell::number(link.client().port).luring(numbers([link.server().port.into()]));
        link_row(link, vec![Some(port), link.role_is_seen().then(|| Cell::word("the web app"))])
    };
    Table { columns: &wording::POTS, rows: notebook.pot_links().map(row).collect() }
}

/// Method and target of a request in quotes, not too much of them.
fn asked(request: &Message) -> String {
    let text = quoted_text(&[request.head.method(), b" ", request.head.target()].concat());
    let mut short: String = text.chars().take(MAX_QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{short}`")
}

fn filter_of(exchange: &Exchange) -> String {
    format!("tcp.stream == {}", exchange.stream)
}

fn requests(notebook: &Notebook) -> Table {
    let row = |exchange: &Exchange| {
        let request = exchange.complete_request()?;
        let response = exchange.complete_response();
        let number = request.last.frame;
        let wanted = Wanted::of(exchange);
        let asset = wanted == Some(Wanted::File);
        let names = request.head.fields().into_iter().map(|(name, _)| quoted_text(name));
        let conditions: Vec<&str> =
            ["If-None-Match", "If-Modified-Since"].into_iter().filter(|name| request.head.field(name).is_some()).collect();
        let condition = match (response.and_then(|response| response.head.status()), &conditions[..]) {
            (Some(304), [one]) => Some(Cell::word(*one).luring(words(names.filter(|name| !name.to_ascii_lowercase().starts_with("if-"))))),
            _ => None,
        };
        let redirects = response.filter(|response| matches!(response.head.status(), Some(300..=399)));
        let beginning = response.filter(|response| response.first.frame != response.last.frame).map(|response| response.first.frame);
        let cells = vec![
            Some(Cell::number(number)),
            frame(response).map(|cell| cell.luring(numbers(beginning))),
            nanos(exchange.response_time()),
            Some(Cell::number(exchange.stream)),
            Some(Cell::word(quoted_text(request.head.version()))),
            status(response),
            condition,
            redirects.and_then(|response| field(&response.head, "Location")).map(Cell::word),
            (wanted == Some(Wanted::Base)).then(|| Cell::number(number)),
            asset.then(|| Cell::number(number)),
            frame(response).filter(|_| asset),
        ];
        Some(Row {
            name: format!("the request in {} ({})", place(request), asked(request)),
            label: format!("frame {number}: {}", asked(request)),
            frames: both(exchange).collect(),
            filter: filter_of(exchange),
            cells,
        })
    };
    Table { columns: &wording::REQUESTS, rows: notebook.browser_exchanges().filter_map(row).collect() }
}

fn responses(notebook: &Notebook) -> Table {
    let row = |exchange: &Exchange| {
        let response = exchange.complete_response()?;
        let number = response.last.frame;
        let spread = response.first.frame != number;
        let first = Cell::number(response.first.frame).luring(numbers(frames(response).into_iter().chain(both(exchange))));
        let name = format!("the HTTP response that frame {number} completes");
        let cells = vec![Some(Cell::number(number)), spread.then_some(first)];
        Some(Row { label: format!("frame {number}"), name, frames: frames(response), filter: filter_of(exchange), cells })
    };
    Table { columns: &wording::RESPONSES, rows: notebook.browser_exchanges().filter_map(row).collect() }
}

fn statuses(notebook: &Notebook) -> Table {
    let mut counts = BTreeMap::<u16, Vec<u64>>::new();
    for response in notebook.browser_exchanges().filter_map(Exchange::complete_response) {
        if let Some(status) = response.head.status() {
            counts.entry(status).or_default().push(response.last.frame);
        }
    }
    if !can_be_counted(notebook, notebook.browser_links()) {
        counts.clear();
    }
    let row = |(status, frames): (u16, Vec<u64>)| Row {
        name: status.to_string(),
        label: status.to_string(),
        filter: format!("http.response.code == {status} && ({})", Notebook::filter_of(&notebook.ports.http)),
        cells: vec![Some(Cell::number(frames.len() as u64))],
        frames: in_order(frames),
    };
    Table { columns: &wording::STATUSES, rows: counts.into_iter().map(row).collect() }
}

fn coffees(notebook: &Notebook) -> Table {
    let row = |exchange: &Exchange| {
        let request = exchange.complete_request()?;
        let response = exchange.complete_response();
        let number = request.last.frame;
        let values = request.head.fields().into_iter().map(|(_, value)| quoted_text(&value));
        let additions = field(&request.head, "Accept-Additions").filter(|value| !value.is_empty());
        let uri = quoted_text(request.head.target());
        let lures = uri.split_once("://").map(|(_, rest)| format!("http://{rest}"));
        let cells = vec![
            Some(Cell::number(number)),
            frame(response),
            Some(Cell::word(quoted_text(request.head.method()))),
            Some(Cell::word(quoted_text(request.head.version()))),
            Some(Cell::word(uri).luring(words(lures))),
            (request.body_bytes > 0).then(|| Cell::number(request.body_bytes).luring(numbers([0, request.head.bytes().len() as u64]))),
            additions.map(|additions| Cell::word(additions).luring(words(values))),
            status(response),
        ];
        Some(Row {
            name: format!("the HTCPCP request in {}", place(request)),
            label: format!("frame {number}"),
            frames: both(exchange).collect(),
            filter: filter_of(exchange),
            cells,
        })
    };
    Table { columns: &wording::COFFEES, rows: notebook.htcpcp().filter_map(row).collect() }
}

fn fields(notebook: &Notebook) -> Table {
    let row = |(name, frames): (String, Vec<u64>)| Row {
        name: name.clone(),
        label: String::new(),
        frames,
        filter: "htcpcp.request".to_owned(),
        cells: vec![Some(Cell::word(name))],
    };
    Table { columns: &wording::FIELDS, rows: protocol::fields(notebook).into_iter().map(row).collect() }
}

fn coffee_responses(notebook: &Notebook) -> Table {
    let row = |exchange: &Exchange| {
        let response = exchange.complete_response()?;
        let number = response.last.frame;
        let head_bytes = response.head.bytes().len() as u64;
        let body = (response.body_bytes > 0).then_some(response.body_bytes);
        let cells = vec![
            Some(Cell::number(number)),
            Some(Cell::word(quoted_text(response.head.version()))),
            body.map(|bytes| Cell::number(bytes).luring(numbers([0, head_bytes, head_bytes + bytes]))),
        ];
        Some(Row {
            name: format!("the pot's response in frame {number}"),
            label: format!("frame {number}"),
            frames: frames(response),
            filter: filter_of(exchange),
            cells,
        })
    };
    Table { columns: &wording::COFFEE_RESPONSES, rows: notebook.htcpcp().filter_map(row).collect() }
}

/// Chains of which the capture decides what caused what, with the one HTCPCP exchange that they have.
fn simple<'a>(chains: &'a [Chain<'a>]) -> impl Iterator<Item = (&'a Exchange, &'a Exchange)> {
    chains.iter().filter(|chain| chain.is_certain && chain.htcpcp.len() == 1).map(|chain| (chain.http, chain.htcpcp[0]))
}

/// Whether the capture decides of all that the pot was asked for what caused it.
fn is_certain(chains: &[Chain<'_>]) -> bool {
    chains.iter().all(|chain| chain.is_certain)
}

fn chain_frames(http: &Exchange, coffee: &Exchange) -> Vec<u64> {
    in_order(both(http).chain(both(coffee)))
}

fn chain_filter(http: &Exchange, coffee: &Exchange) -> String {
    format!("tcp.stream in {{{}, {}}} && (http || htcpcp)", http.stream, coffee.stream)
}

fn chain_table(chains: &[Chain<'_>]) -> Table {
    let row = |(http, coffee): (&Exchange, &Exchange)| {
        let (request, asked_pot) = (http.complete_request()?, coffee.complete_request()?);
        let number = request.last.frame;
        let inside = [pair(http)[1], pair(coffee)[1]].into_iter().flatten();
        let cells = vec![
            Some(Cell::number(asked_pot.last.frame).luring(numbers(inside))),
            frame(coffee.complete_response()).map(|cell| cell.luring(numbers(pair(http)[1].into_iter().chain(pair(coffee)[0])))),
        ];
        Some(Row {
            name: format!("the browser's request in {} ({})", place(request), asked(request)),
            label: format!("frame {number}: {}", asked(request)),
            frames: chain_frames(http, coffee),
            filter: chain_filter(http, coffee),
            cells,
        })
    };
    Table { columns: &wording::CHAINS, rows: simple(chains).filter_map(row).collect() }
}

fn causes(chains: &[Chain<'_>]) -> Table {
    let chains = if is_certain(chains) { chains } else { &[] };
    let each = chains.iter().flat_map(|chain| chain.htcpcp.iter().map(|coffee| (chain.http, *coffee)));
    let row = |(http, coffee): (&Exchange, &Exchange)| {
        let asked_pot = coffee.complete_request()?;
        let number = asked_pot.last.frame;
        let [request, response] = [http.complete_request(), http.complete_response()];
        let cells = vec![frame(request), frame(request), Some(Cell::number(number)), frame(coffee.complete_response()), frame(response)];
        Some(Row {
            name: format!("the HTCPCP request in {}", place(asked_pot)),
            label: format!("frame {number}"),
            frames: chain_frames(http, coffee),
            filter: chain_filter(http, coffee),
            cells,
        })
    };
    Table { columns: &wording::CAUSES, rows: each.filter_map(row).collect() }
}

fn parameters(chains: &[Chain<'_>]) -> Table {
    let certain = chains.iter().filter(|chain| chain.is_certain && chain.htcpcp.len() == 1);
    let rows = certain.flat_map(|chain| {
        let all = chain.parameters();
        let (http, coffee) = (chain.http, chain.htcpcp[0]);
        let number = http.complete_request().map_or(0, |request| request.last.frame);
        let fields = coffee.request.iter().flat_map(|request| request.head.fields());
        let lines: Vec<String> = all
            .iter()
            .filter_map(|parameter| parameter.became.clone())
            .chain(fields.map(|(name, value)| format!("`{}: {}`", quoted_text(name), quoted_text(&value))))
            .collect();
        let row = |parameter: &Parameter| {
            let value = parameter.value.to_ascii_lowercase();
            let cell = parameter.became.as_ref().map(|line| {
                // A line that holds the value, too, might be taken for right.
                let others = lines.iter().filter(|line| !line.to_ascii_lowercase().contains(&value)).cloned();
                Cell::word(line).luring(words(others))
            });
            let shown = quoted_text(format!("{}={}", parameter.name, parameter.value).as_bytes());
            Row {
                name: format!("the parameter `{shown}` of the browser's request in frame {number}"),
                label: format!("frame {number}"),
                frames: chain_frames(http, coffee),
                filter: chain_filter(http, coffee),
                cells: vec![cell],
            }
        };
        all.iter().map(row).collect::<Vec<_>>()
    });
    Table { columns: &wording::PARAMETERS, rows: rows.collect() }
}

fn refusals(chains: &[Chain<'_>]) -> Table {
    let row = |(http, coffee): (&Exchange, &Exchange)| {
        let refusal = coffee.complete_response()?;
        let code = refusal.head.status().filter(|code| matches!(code, 406 | 418))?;
        let number = refusal.last.frame;
        let (request, response) = (http.complete_request(), http.complete_response());
        let cells = vec![
            frame(response).map(|cell| cell.luring(numbers([number]))),
            status(response).map(|cell| cell.luring(numbers([200, 302, 404, 406, 418, 500]))),
            Some(Cell::number(code)),
            frame(coffee.complete_request()),
            Some(Cell::number(number)),
            frame(request),
            frame(response),
        ];
        Some(Row {
            name: format!("the pot's {code} in frame {number}"),
            label: format!("frame {number}"),
            frames: chain_frames(http, coffee),
            filter: chain_filter(http, coffee),
            cells,
        })
    };
    let chains = if is_certain(chains) { chains } else { &[] };
    Table { columns: &wording::REFUSALS, rows: simple(chains).filter_map(row).collect() }
}

fn refused(notebook: &Notebook) -> Table {
    let rows = [(406, "406 (Not Acceptable)"), (418, "418 (I'm a teapot)")].into_iter().filter_map(|(code, name)| {
        let mut with_code =
            notebook.htcpcp().filter(|exchange| exchange.complete_response().and_then(|response| response.head.status()) == Some(code));
        let (Some(only), None) = (with_code.next(), with_code.next()) else { return None };
        let whole = can_be_counted(notebook, notebook.pot_links());
        Some(Row {
            name: name.to_owned(),
            label: code.to_string(),
            frames: both(only).collect(),
            filter: format!("htcpcp.response.code == {code}"),
            cells: vec![frame(only.complete_response()).filter(|_| whole).map(|cell| cell.luring(numbers(pair(only)[0])))],
        })
    });
    Table { columns: &wording::REFUSED, rows: rows.collect() }
}

fn encrypted(notebook: &Notebook) -> Table {
    let row = |link: &Link| {
        let tls = link.talk.tls.as_ref();
        let name = tls.and_then(|tls| tls.server_name.as_ref()).map(|name| quoted_text(name.as_bytes()));
        let addresses = [link.client(), link.server()].map(|end| end.ip.to_string());
        let version = tls.and_then(|tls| tls.chosen).map(|version| version.to_string());
        let cells =
            vec![Some(Cell::number(link.stream())), name.map(|name| Cell::word(name).luring(words(addresses))), version.map(Cell::word)];
        Row { filter: format!("tcp.stream == {} && tls.handshake", link.stream()), ..link_row(link, cells) }
    };
    Table { columns: &wording::ENCRYPTED, rows: notebook.tls_links().map(row).collect() }
}

/// A table of one question about all of the capture.
fn total(column: &'static Column, cell: Option<Cell>, frames: Vec<u64>, filter: impl Into<String>) -> Table {
    let row =
        Row { name: "the capture".to_owned(), label: String::new(), frames: in_order(frames), filter: filter.into(), cells: vec![cell] };
    Table { columns: std::slice::from_ref(column), rows: vec![row] }
}

fn totals(notebook: &Notebook) -> Vec<Table> {
    let whole: Vec<&Link> = notebook.connections.iter().filter(|link| link.connection.handshake.complete()).collect();
    let (browsers, pots): (Vec<&Link>, Vec<&Link>) = (notebook.browser_links().collect(), notebook.pot_links().collect());
    let begin = |link: &&Link| link.connection.handshake.syn.unwrap_or(link.connection.first).frame;
    let begins = |links: &[&Link]| links.iter().map(begin).collect::<Vec<u64>>();
    let count = |count: usize| (count > 0).then(|| Cell::number(count as u64));
    let [browser_filter, pot_filter] = [&notebook.ports.http, &notebook.ports.pot].map(|ports| Notebook::filter_of(ports));
    let port = |links: &[&Link]| {
        let servers: BTreeSet<u16> = links.iter().map(|link| link.server().port).collect();
        let clients = links.iter().map(|link| u64::from(link.client().port));
        let only = servers.first().filter(|_| servers.len() == 1)?;
        let known = notebook.ports.http.iter().chain(&notebook.ports.pot).map(|port| u64::from(*port));
        Some(Cell::number(*only).luring(numbers(known.chain(clients))))
    };
    let stays = |links: &[&Link]| {
        let clients: BTreeSet<u16> = links.iter().map(|link| link.client().port).collect();
        (links.len() > 1).then(|| Cell::claim(clients.len() == 1))
    };
    let numbers_of = |messages: Vec<&Message>| messages.iter().map(|message| message.last.frame).collect::<Vec<u64>>();
    let requests = numbers_of(notebook.browser_exchanges().filter_map(Exchange::complete_request).collect());
    let responses = numbers_of(notebook.browser_exchanges().filter_map(Exchange::complete_response).collect());
    let coffee_requests = numbers_of(notebook.htcpcp().filter_map(Exchange::complete_request).collect());
    let coffee_responses = numbers_of(notebook.htcpcp().filter_map(Exchange::complete_response).collect());
    let (http_counts, coffee_counts) = (can_be_counted(notebook, notebook.browser_links()), can_be_counted(notebook, notebook.pot_links()));
    let total_of = |column: &'static Column, frames: Vec<u64>, decided: bool, filter: String| {
        total(column, count(frames.len()).filter(|_| decided), frames, filter)
    };
    let bases: Vec<u64> = notebook
        .browser_exchanges()
        .filter(|exchange| Wanted::of(exchange) == Some(Wanted::Base))
        .filter_map(|exchange| pair(exchange)[0])
        .collect();
    let files = notebook.browser_exchanges().filter(|exchange| Wanted::of(exchange) == Some(Wanted::File));
    let base = bases.iter().min().filter(|_| http_counts);
    let base = base.map(|frame| Cell::number(*frame).luring(numbers(files.filter_map(|exchange| pair(exchange)[0]))));
    let encrypted: Vec<&Link> = notebook.tls_links().collect();
    vec![
        total(&wording::HANDSHAKES, count(whole.len()), begins(&whole), "tcp.flags.syn == 1"),
        total(&wording::BROWSER_LINKS, count(browsers.len()), begins(&browsers), browser_filter.as_str()),
        total(&wording::WEB_APP_PORT, port(&browsers), begins(&browsers), browser_filter.as_str()),
        total(&wording::POT_LINKS, count(pots.len()), begins(&pots), pot_filter.as_str()),
        total(&wording::POT_PORT, port(&pots), begins(&pots), pot_filter.as_str()),
        total_of(&wording::REQUEST_COUNT, requests, http_counts, format!("http.request && ({browser_filter})")),
        total_of(&wording::RESPONSE_COUNT, responses, http_counts, format!("http.response && ({browser_filter})")),
        total_of(&wording::COFFEE_REQUEST_COUNT, coffee_requests, coffee_counts, "htcpcp.request".to_owned()),
        total_of(&wording::COFFEE_RESPONSE_COUNT, coffee_responses, coffee_counts, "htcpcp.response".to_owned()),
        total(&wording::POT_PORTS_STAY, stays(&pots), begins(&pots), pot_filter.as_str()),
        total(&wording::BROWSER_PORTS_STAY, stays(&browsers), begins(&browsers), browser_filter.as_str()),
        total(&wording::FIRST_BASE, base, bases, "http.request.uri == \"/\""),
        total(&wording::TLS_COUNT, count(encrypted.len()), begins(&encrypted), "tls"),
    ]
}

/// Frames of messages, by what they complete.
pub(super) fn classes(notebook: &Notebook) -> Vec<Class> {
    let completed = |messages: Vec<&Message>| messages.iter().map(|message| message.last.frame).collect::<BTreeSet<u64>>();
    let requests = completed(notebook.browser_exchanges().filter_map(Exchange::complete_request).collect());
    let responses = completed(notebook.browser_exchanges().filter_map(Exchange::complete_response).collect());
    let coffee_requests = completed(notebook.htcpcp().filter_map(Exchange::complete_request).collect());
    let coffee_responses = completed(notebook.htcpcp().filter_map(Exchange::complete_response).collect());
    let handshakes: BTreeSet<u64> = notebook
        .connections
        .iter()
        .flat_map(|link| [link.connection.handshake.syn, link.connection.handshake.syn_ack, link.connection.handshake.ack])
        .flatten()
        .map(|mark| mark.frame)
        .collect();
    let all: BTreeSet<u64> =
        [&requests, &responses, &coffee_requests, &coffee_responses, &handshakes].into_iter().flatten().copied().collect();
    let class = |id, ask, why, filter: String, members: BTreeSet<u64>| {
        let strangers = all.difference(&members).copied().collect();
        Class { id, ask, why, filter, members, strangers }
    };
    let ports = Notebook::filter_of(&notebook.ports.http);
    vec![
        class(
            "3.4.which_request",
            "Which of these frames completes an HTTP request to the web app?",
            "An HTTP request begins with its method and ends with its version, and goes to the web app's port.",
            format!("http.request && ({ports})"),
            requests,
        ),
        class(
            "3.4.which_response",
            "Which of these frames completes an HTTP response of the web app?",
            "An HTTP response begins with its version and the status, and comes from the web app's port.",
            format!("http.response && ({ports})"),
            responses,
        ),
        class(
            "3.5.which_request",
            "Which of these frames completes an HTCPCP request?",
            "An HTCPCP request begins with its method and names a coffee URI, and goes to the pot's port.",
            "htcpcp.request".to_owned(),
            coffee_requests,
        ),
        class(
            "3.5.which_response",
            "Which of these frames completes an HTCPCP response?",
            "An HTCPCP response begins with its version and the status, and comes from the pot's port.",
            "htcpcp.response".to_owned(),
            coffee_responses,
        ),
    ]
}
