//! Chains: which HTCPCP exchanges a browser's request caused, and how its query became their lines: task 5.5.
//!
//! The web app asks the pot while the browser waits, so that the exchange with the pot lies inside the browser's in
//! time. Where several browser requests wait at once, what they say decides: the method and the parameters of the
//! query against the lines of the HTCPCP request; then who waits longest without an exchange of its own.

use serde::Serialize;
use serde_json::{Value, json};

use super::words::{arrow, both, count, list, place, quoted_text, start_line};
use super::{Answer, Evidence, Notebook, Proof, pair};
use crate::exchange::Exchange;
use crate::message::{Message, text};

/// A browser's exchange, and what it caused.
#[derive(Debug)]
pub struct Chain<'a> {
    /// Of the browser with the web app.
    pub http: &'a Exchange,
    /// Of the web app with the pot, in order.
    pub htcpcp: Vec<&'a Exchange>,
    /// Whether nobody else can have caused them, by time and by what was said.
    pub is_certain: bool,
}

/// A parameter of a browser's query.
#[derive(Debug, Serialize)]
pub struct Parameter {
    /// Decoded.
    pub name: String,
    /// Decoded.
    pub value: String,
    /// The line of an HTCPCP request that it became; `None` if it stands in none.
    pub became: Option<String>,
}

/// All chains, by the browser's request.
pub(super) fn chains(notebook: &Notebook) -> Vec<Chain<'_>> {
    let mut chains: Vec<Chain<'_>> = notebook
        .browser_exchanges()
        .filter(|exchange| exchange.complete_request().is_some())
        .map(|http| Chain { http, htcpcp: Vec::new(), is_certain: true })
        .collect();
    // Both lists are in the order of the capture, so that those which may still be open begin here.
    let mut open = 0;
    for coffee in notebook.htcpcp() {
        let Some(first) = coffee.request.as_ref().map(|request| request.first.frame) else { continue };
        while chains.get(open).is_some_and(|chain| pair(chain.http)[1].is_some_and(|end| end < first)) {
            open += 1;
        }
        let candidates = chains[open..].iter_mut().take_while(|chain| pair(chain.http)[0].is_none_or(|asked| asked < first));
        let mut caused: Vec<(usize, &mut Chain<'_>)> =
            candidates.filter(|chain| encloses(chain.http, coffee)).map(|chain| (strangeness(chain.http, coffee), chain)).collect();
        caused.sort_by_key(|(strangeness, chain)| (*strangeness, chain.htcpcp.len()));
        let is_certain = caused.get(1).is_none_or(|rival| rival.0 > caused[0].0);
        if let Some((_, chain)) = caused.into_iter().next() {
            chain.htcpcp.push(coffee);
            chain.is_certain &= is_certain;
        }
    }
    chains.retain(|chain| !chain.htcpcp.is_empty());
    chains
}

/// Whether the pot was asked behind the browser's request, and had answered before the browser was.
fn encloses(http: &Exchange, coffee: &Exchange) -> bool {
    let (Some(request), Some(asked)) = (&http.request, &coffee.request) else { return false };
    let answered = coffee.response.as_ref().map_or(asked.last.frame, |response| response.last.frame);
    request.last.frame < asked.first.frame && http.response.as_ref().is_none_or(|response| answered < response.first.frame)
}

/// How little an exchange with the pot has to do with what the browser said.
fn strangeness(http: &Exchange, coffee: &Exchange) -> usize {
    let (Some(request), Some(asked)) = (&http.request, &coffee.request) else { return usize::MAX };
    let parameters = request.head.query();
    // Without a method the web app asks what the pot has.
    let method = parameters.iter().find(|(name, _)| name == "method").map_or("get", |(_, value)| value);
    let other_method = usize::from(!method.as_bytes().eq_ignore_ascii_case(asked.head.method()));
    other_method * 100 + parameters.iter().filter(|(name, value)| became(name, value, asked).is_none()).count()
}

/// The line of the HTCPCP request that a parameter became, and what the line is.
fn became(name: &str, value: &str, coffee: &Message) -> Option<String> {
    let head = &coffee.head;
    let holds = |bytes: &[u8]| !value.is_empty() && text(bytes).to_ascii_lowercase().contains(&value.to_ascii_lowercase());
    let field = |name: &str| head.field(name).filter(|bytes| holds(bytes)).map(|bytes| format!("`{name}: {}`", quoted_text(bytes)));
    match name {
        "method" if head.method().eq_ignore_ascii_case(value.as_bytes()) => Some(format!("the method of {}", start_line(coffee))),
        "message" if holds(&coffee.body) => Some(format!("the body `{}`", quoted_text(coffee.body.trim_ascii()))),
        "pots" | "pot" => field("Use-Pot").or_else(|| holds(head.target()).then(|| format!("the URI of {}", start_line(coffee)))),
        "additions" | "addition" => field("Accept-Additions"),
        "method" | "message" => None,
        _ => head
            .fields()
            .iter()
            .find(|(_, bytes)| holds(bytes))
            .map(|(name, bytes)| format!("`{}: {}`", quoted_text(name), quoted_text(bytes))),
    }
}

/// 5.5
pub(super) fn parameters(notebook: &Notebook) -> Answer {
    let chains = chains(notebook);
    let told = chains.iter().filter(|chain| chain.http.request.as_ref().is_some_and(|request| !request.head.query().is_empty()));
    let example = told.max_by_key(|chain| chain.http.request.as_ref().map_or(0, |request| request.head.query().len()));
    let mut answer = "By the query string of the URL: the browser's form is sent as `GET /?name=value&…`, and the web app writes each \
                      parameter into the HTCPCP request."
        .to_owned();
    match example {
        Some(chain) => {
            let [request, response] = pair(chain.http);
            answer.push_str(&format!(
                " For example, frame {} asks `{}`; the web app asks the pot ({}), and then answers the browser{}.",
                request.unwrap_or(0),
                chain.http.request.as_ref().map_or(String::new(), |request| quoted_text(request.head.target())),
                list(chain.htcpcp.iter().map(|exchange| format!("frames {}", arrow(exchange)))),
                response.map_or(String::new(), |frame| format!(" in frame {frame}"))
            ));
        }
        None if chains.is_empty() => {
            answer.push_str(" The capture has no HTCPCP exchange inside of a browser's request that can be read, so it shows no example.")
        }
        None => answer.push_str(" The requests in this capture have no parameters: the web app then asks the pot what it has (GET)."),
    }
    let orphans = notebook.htcpcp().count() - chains.iter().map(|chain| chain.htcpcp.len()).sum::<usize>();
    if orphans > 0 {
        let encrypted = if notebook.tls_links().next().is_some() {
            "what the browser said may be encrypted"
        } else {
            "the browser's side was not captured"
        };
        answer.push_str(&format!(
            " {} no browser's request around it: {encrypted}.",
            count(orphans, "HTCPCP exchange has", "HTCPCP exchanges have")
        ));
    }
    let proof = Proof::of(&chains, evidence);
    let facts = || -> Vec<Value> {
        chains
        .iter()
        .map(|chain| json!({ "http": pair(chain.http), "htcpcp": chain.htcpcp.iter().map(|exchange| pair(exchange)).collect::<Vec<_>>(), "parameters": chain.parameters() }))
        .collect()
    };
    Answer::new(notebook, answer, proof, "http.request.uri.query || htcpcp", || json!({ "chains": facts() }))
}

impl Chain<'_> {
    /// Each parameter, and the line that it became.
    pub fn parameters(&self) -> Vec<Parameter> {
        let Some(request) = &self.http.request else { return Vec::new() };
        let requests: Vec<&Message> = self.htcpcp.iter().filter_map(|exchange| exchange.request.as_ref()).collect();
        let parameter = |(name, value): (String, String)| {
            let became = requests.iter().find_map(|coffee| became(&name, &value, coffee));
            Parameter { name, value, became }
        };
        request.head.query().into_iter().map(parameter).collect()
    }
}

fn evidence(chain: &Chain<'_>) -> Evidence {
    let asked = chain.http.complete_request().map_or(String::new(), start_line);
    let mut text = format!("browser {}, {asked}", arrow(chain.http));
    for exchange in &chain.htcpcp {
        if let Some(coffee) = &exchange.request {
            text.push_str(&format!("; pot {}, {} in {}", arrow(exchange), start_line(coffee), place(coffee)));
        }
    }
    for Parameter { name, value, became } in chain.parameters() {
        text.push_str(&match became {
            Some(line) => format!("; `{name}={value}` became {line}"),
            None => format!("; `{name}={value}` stands in no line of the HTCPCP request"),
        });
    }
    let inside = chain.htcpcp.iter().flat_map(|exchange| both(exchange));
    let [first, last] = pair(chain.http);
    Evidence::new(first.into_iter().chain(inside).chain(last), text)
}
