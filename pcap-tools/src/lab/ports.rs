//! Handshakes and ports: tasks 3.1, 3.2, 3.3, 4.2 and 5.2.

use serde_json::{Value, json};

use super::words::{count, list};
use super::{Answer, Evidence, Link, Notebook, Proof};

/// 3.1
pub(super) fn handshakes(notebook: &Notebook) -> Answer {
    let links = &notebook.connections;
    let complete = links.iter().filter(|link| link.connection.handshake.complete()).count();
    let mut answer = if links.is_empty() {
        "The capture has no TCP connection, so it shows no handshake.".to_owned()
    } else {
        format!(
            "The capture has {}, and {} of them with the whole handshake: the client's SYN, the server's SYN-ACK, the client's ACK.",
            count(links.len(), "TCP connection", "TCP connections"),
            if complete == links.len() { "every one".to_owned() } else { complete.to_string() }
        )
    };
    answer.push_str(
        " A handshake is needed once for each TCP connection, before any data: with it both sides agree on the sequence \
         numbers that they begin with. Requests that follow on the same connection need no further one. (A bare Window Update right \
         behind the ACK is no part of it.)",
    );
    let cut: Vec<u64> = links.iter().filter(|link| !link.role_is_seen()).map(Link::stream).collect();
    if !cut.is_empty() {
        answer.push_str(&format!(
            " Of {} {} the capture shows no handshake: {} began before the capture did.",
            if cut.len() == 1 { "stream" } else { "streams" },
            list(&cut),
            if cut.len() == 1 { "it" } else { "they" }
        ));
    }
    let filter = "tcp.flags.syn == 1 || (tcp.seq == 1 && tcp.ack == 1 && tcp.len == 0 && tcp.flags.fin == 0)";
    Answer::new(
        notebook,
        answer,
        Proof::of(links, handshake_evidence),
        filter,
        || json!({ "handshakes": links.iter().map(handshake_fact).collect::<Vec<_>>() }),
    )
}

fn handshake_fact(link: &Link) -> Value {
    let handshake = &link.connection.handshake;
    let [syn, syn_ack, ack] = [handshake.syn, handshake.syn_ack, handshake.ack].map(|mark| mark.map(|mark| mark.frame));
    json!({
        "stream": link.stream(),
        "syn": syn,
        "syn_ack": syn_ack,
        "ack": ack,
        "rtt_us": handshake.rtt().map(micros),
        "repeated_syns": handshake.repeated_syns,
        "repeated_syn_acks": handshake.repeated_syn_acks,
    })
}

/// Microseconds: a whole number where it is one.
fn micros(nanos: i64) -> Value {
    if nanos % 1000 == 0 { json!(nanos / 1000) } else { json!(nanos as f64 / 1000.0) }
}

fn handshake_evidence(link: &Link) -> Evidence {
    let handshake = &link.connection.handshake;
    let marks = [handshake.syn, handshake.syn_ack, handshake.ack];
    let frames = marks.into_iter().flatten().map(|mark| mark.frame);
    let ends = format!("stream {} ({} → {})", link.stream(), link.client(), link.server());
    if !link.role_is_seen() {
        return Evidence::new([link.connection.first.frame], format!("{ends}: handshake not captured; the first frame seen is this one"));
    }
    let parts: Vec<String> = ["SYN", "SYN-ACK", "ACK"]
        .into_iter()
        .zip(marks)
        .map(|(name, mark)| match mark {
            Some(mark) => format!("{name} {}", mark.frame),
            None => format!("{name} not captured"),
        })
        .collect();
    let mut text = format!("{ends}: {}", parts.join(", "));
    if let Some(rtt) = handshake.rtt() {
        text.push_str(&format!("; {} from SYN to ACK", crate::time::duration(rtt)));
    }
    for (name, repeated) in [("SYN", &handshake.repeated_syns), ("SYN-ACK", &handshake.repeated_syn_acks)] {
        if !repeated.is_empty() {
            text.push_str(&format!("; the {name} was sent again in {} (the first one counts)", list(repeated)));
        }
    }
    Evidence::new(frames.chain(handshake.repeated_syns.iter().copied()).chain(handshake.repeated_syn_acks.iter().copied()), text)
}

/// One of the two pairs of programs.
struct Pair {
    client: &'static str,
    server: &'static str,
    /// The option that tells another port.
    option: &'static str,
}

const BROWSER: Pair = Pair { client: "browser", server: "web app", option: "--http-port" };
const POT: Pair = Pair { client: "web app", server: "coffee pot", option: "--pot-port" };

/// 3.2
pub(super) fn browser(notebook: &Notebook) -> Answer {
    let mut answer = which(notebook, &BROWSER, &notebook.ports.http, &notebook.browser_links().collect::<Vec<_>>());
    let mut servers: Vec<String> = notebook.other_links().map(|link| link.server().to_string()).collect();
    servers.sort_unstable();
    servers.dedup();
    if !servers.is_empty() {
        answer.answer.push_str(&format!(" Connections to other servers ({}) are no part of this.", list(&servers)));
    }
    answer
}

/// 3.3
pub(super) fn pot(notebook: &Notebook) -> Answer {
    let mut answer = which(notebook, &POT, &notebook.ports.pot, &notebook.pot_links().collect::<Vec<_>>());
    if notebook.pot_links().next().is_some() {
        answer.answer.push_str(" Here the web app is the client: towards the pot it is the one that sends the SYN.");
    }
    answer
}

/// 4.2
pub(super) fn pot_again(notebook: &Notebook) -> Answer {
    do_they_stay(notebook, &POT, &notebook.ports.pot, &notebook.pot_links().collect::<Vec<_>>())
}

/// 5.2
pub(super) fn browser_again(notebook: &Notebook) -> Answer {
    do_they_stay(notebook, &BROWSER, &notebook.ports.http, &notebook.browser_links().collect::<Vec<_>>())
}

fn which(notebook: &Notebook, pair: &Pair, ports: &[u16], links: &[&Link]) -> Answer {
    let Pair { client, server, .. } = pair;
    let answer = if links.is_empty() {
        none(pair, ports)
    } else {
        format!(
            "The {server} listens on port {}. The {client} uses {}: {}.",
            list(server_ports(links)),
            if links.len() == 1 { "this port" } else { "these ports" },
            list(links.iter().map(|link| link.client().port))
        )
    };
    ports_answer(notebook, answer, pair, ports, links)
}

fn do_they_stay(notebook: &Notebook, pair: &Pair, ports: &[u16], links: &[&Link]) -> Answer {
    let Pair { client, server, .. } = pair;
    let mut answer = match links.len() {
        0 => none(pair, ports),
        1 => format!(
            "There is one connection only, so the capture cannot show whether they change. The {server} has port {}; port {} is the \
             {client}'s, chosen by its operating system for this connection.",
            list(server_ports(links)),
            links[0].client().port
        ),
        _ => format!(
            "The {server}'s port stays {}. The {client}'s port changes with each connection, since its operating system chooses a free \
             one each time: {}.",
            list(server_ports(links)),
            list(links.iter().map(|link| link.client().port))
        ),
    };
    let most = links.iter().map(|link| link.talk.exchanges).max().unwrap_or(0);
    if most > 1 {
        let kept: Vec<u64> = links.iter().filter(|link| link.talk.exchanges > 1).map(|link| link.stream()).collect();
        answer.push_str(&format!(
            " A connection that is kept alive keeps its ports: {} {} more than one request on the same pair of ports.",
            if kept.len() == 1 { "stream" } else { "streams" },
            list(&kept) + if kept.len() == 1 { " carries" } else { " carry" }
        ));
    }
    ports_answer(notebook, answer, pair, ports, links)
}

fn none(pair: &Pair, ports: &[u16]) -> String {
    format!(
        "The capture has no connection between {} and {}: none goes to port {}. If the {} listens elsewhere, say so by {}.",
        pair.client,
        pair.server,
        list(ports),
        pair.server,
        pair.option
    )
}

fn server_ports(links: &[&Link]) -> Vec<u16> {
    let mut ports: Vec<u16> = links.iter().map(|link| link.server().port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn ports_answer(notebook: &Notebook, answer: String, pair: &Pair, ports: &[u16], links: &[&Link]) -> Answer {
    let proof = Proof::of(links, |link| {
        let how = match (link.connection.handshake.syn, link.role_is_seen()) {
            (Some(syn), _) => format!("the {}'s SYN is frame {}", pair.client, syn.frame),
            (None, true) => "the SYN was not captured, but its answer was".to_owned(),
            (None, false) => "no SYN was captured: the known port tells who is the server".to_owned(),
        };
        let frame = link.connection.handshake.syn.unwrap_or(link.connection.first).frame;
        Evidence::new([frame], format!("stream {}: {} → {}; {how}", link.stream(), link.client(), link.server()))
    });
    Answer::new(notebook, answer, proof, Notebook::filter_of(ports), || {
        let row =
            |link: &&Link| json!({ "stream": link.stream(), "client": link.client().to_string(), "server": link.server().to_string() });
        json!({ "connections": links.iter().map(row).collect::<Vec<_>>() })
    })
}
