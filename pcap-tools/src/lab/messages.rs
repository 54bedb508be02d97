//! Counts of messages, and how requests and responses are told apart: tasks 3.4 and 3.5.

use serde_json::json;

use super::words::{count, frames, list, place, start_line};
use super::{Answer, Evidence, Notebook, Proof};
use crate::exchange::Exchange;
use crate::message::{Fate, Message};

/// Messages of one protocol.
struct Messages<'a> {
    requests: Vec<&'a Message>,
    /// Final ones.
    responses: Vec<&'a Message>,
    /// Those with a status of 1xx.
    interim: Vec<&'a Message>,
    /// Those of which a part is missing.
    incomplete: Vec<&'a Message>,
}

impl<'a> Messages<'a> {
    fn of(exchanges: impl Iterator<Item = &'a Exchange> + Clone) -> Self {
        let by_frame = |mut messages: Vec<&'a Message>| {
            messages.sort_by_key(|message| message.last.frame);
            messages
        };
        let all = exchanges.clone().flat_map(|exchange| exchange.request.iter().chain(&exchange.response));
        Self {
            requests: by_frame(exchanges.clone().filter_map(Exchange::complete_request).collect()),
            responses: by_frame(exchanges.clone().filter_map(Exchange::complete_response).collect()),
            interim: exchanges.flat_map(|exchange| &exchange.interim).collect(),
            incomplete: all.filter(|message| message.fate != Fate::Complete).collect(),
        }
    }

    fn numbers(messages: &[&Message]) -> Vec<u64> {
        messages.iter().map(|message| message.last.frame).collect()
    }

    /// Each message with its start line.
    fn proof(&self) -> Proof {
        let of = |kind: &'static str, messages: &[&'a Message]| messages.iter().map(|message| (kind, *message)).collect::<Vec<_>>();
        let mut all = [of("request", &self.requests), of("response", &self.responses)].concat();
        all.sort_by_key(|(_, message)| message.last.frame);
        all.extend(of("interim response, not counted,", &self.interim));
        all.extend(of("not captured as a whole, not counted:", &self.incomplete));
        Proof::of(all, |(kind, message)| Evidence::new(frames(message), format!("{kind} in {}: {}", place(message), start_line(message))))
    }

    /// Of which messages the start line and the frame that Wireshark lists are not the same.
    fn note_places(&self, answer: &mut String) {
        let spread = self.requests.iter().chain(&self.responses).any(|message| message.first.frame != message.last.frame);
        if spread {
            answer.push_str(
                " A message that spans several segments is listed in the frame that completed it, as Wireshark does; its start line \
                 stands in its first segment, so both frames are given.",
            );
        }
        if !self.interim.is_empty() {
            answer.push_str(&format!(
                " {} with a status of 1xx came in between; the final response follows.",
                count(self.interim.len(), "response", "responses")
            ));
        }
        if !self.incomplete.is_empty() {
            let messages = count(self.incomplete.len(), "further message was", "further messages were");
            answer.push_str(&format!(" {messages} not captured as a whole and cannot be counted."));
        }
    }
}

/// 3.4
pub(super) fn http(notebook: &Notebook) -> Answer {
    let messages = Messages::of(notebook.http().collect::<Vec<_>>().into_iter());
    let browsers = Messages::of(notebook.browser_exchanges().collect::<Vec<_>>().into_iter());
    let numbers = |messages: &Messages<'_>| (messages.requests.len(), messages.responses.len());
    let (requests, responses) = numbers(&messages);
    let mut answer =
        format!("The capture has {} and {} of HTTP.", count(requests, "request", "requests"), count(responses, "response", "responses"));
    if numbers(&browsers) != (requests, responses) {
        let (requests, responses) = numbers(&browsers);
        answer.push_str(&format!(
            " Between browser and web app (port {}) there are {requests} and {responses} of them; the others belong to other servers.",
            list(&notebook.ports.http)
        ));
    }
    answer.push_str(
        " Their first lines tell them apart: a request begins with the method (`GET / HTTP/1.1`), a response with the version \
         (`HTTP/1.1 200 OK`).",
    );
    messages.note_places(&mut answer);
    let encrypted: Vec<u64> = notebook.tls_links().map(|link| link.stream()).collect();
    if !encrypted.is_empty() {
        answer.push_str(&format!(
            " What {} {} cannot be counted: TLS encrypts it.",
            if encrypted.len() == 1 { "stream" } else { "streams" },
            list(&encrypted) + if encrypted.len() == 1 { " carries" } else { " carry" }
        ));
    }
    let facts = || {
        json!({
            "requests": Messages::numbers(&messages.requests),
            "responses": Messages::numbers(&messages.responses),
            "web_app": { "requests": Messages::numbers(&browsers.requests), "responses": Messages::numbers(&browsers.responses) },
            "encrypted_streams": encrypted,
        })
    };
    Answer::new(notebook, answer, messages.proof(), "http", facts)
}

/// 3.5
pub(super) fn htcpcp(notebook: &Notebook) -> Answer {
    let messages = Messages::of(notebook.htcpcp().collect::<Vec<_>>().into_iter());
    let mut answer = format!(
        "The capture has {} and {} of HTCPCP.",
        count(messages.requests.len(), "request", "requests"),
        count(messages.responses.len(), "response", "responses")
    );
    let versions = |messages: &[&Message]| {
        let mut versions: Vec<String> =
            messages.iter().map(|message| format!("`{}`", super::words::quoted_text(message.head.version()))).collect();
        versions.sort_unstable();
        versions.dedup();
        list(versions)
    };
    if messages.requests.is_empty() && messages.responses.is_empty() {
        answer.push_str(&format!(" None goes to the coffee pot's port {}.", list(&notebook.ports.pot)));
    } else {
        answer.push_str(&format!(
            " A request begins with the method and says {} at the end of its first line; a response begins with its version, {}. A line \
             inside of a body that looks like one of them does not count.",
            versions(&messages.requests),
            versions(&messages.responses)
        ));
    }
    messages.note_places(&mut answer);
    Answer::new(
        notebook,
        answer,
        messages.proof(),
        "htcpcp",
        || json!({ "requests": Messages::numbers(&messages.requests), "responses": Messages::numbers(&messages.responses) }),
    )
}
