//! Chains on the page: what a browser's request made the web app ask of the pot, step by step.

use super::answers::{Piece, pieces};
use super::links::{FrameLink, Links, exchange_id};
use crate::exchange::Exchange;
use crate::lab::{Chain, Parameter};
use crate::message::{Message, text};
use crate::time::duration;

/// Chains that are shown.
pub(super) const MAX_CHAINS: usize = 100;
/// Characters of a start line that are shown.
const MAX_LINE: usize = 300;

/// A chain.
pub(super) struct ChainView {
    /// From 1.
    pub number: usize,
    /// From the browser's request to the response that it got.
    pub time: String,
    pub steps: Vec<StepView>,
    pub parameters: Vec<ParameterView>,
}

/// A message from one program to its neighbour.
pub(super) struct StepView {
    /// Names the lanes and the direction: `ask`, `order`, `serve` and `reply`.
    pub way: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub line: String,
    pub status: Option<u16>,
    pub frame: FrameLink,
    /// The id of the exchange's row, if it has one.
    pub exchange: Option<String>,
}

/// What became of a parameter.
pub(super) struct ParameterView {
    pub name: String,
    pub value: String,
    /// Empty if it stands in no line.
    pub became: Vec<Piece>,
}

/// The first chains.
pub(super) fn chains(chains: &[Chain<'_>], exchanges: &[Exchange], links: &Links) -> Vec<ChainView> {
    chains.iter().take(MAX_CHAINS).enumerate().map(|(at, chain)| view(at + 1, chain, exchanges, links)).collect()
}

/// The number of the chain that an exchange belongs to, if it is shown.
pub(super) fn number_of(chains: &[Chain<'_>], exchange: &Exchange) -> Option<usize> {
    let holds = |chain: &Chain<'_>| [&chain.http].into_iter().chain(&chain.htcpcp).any(|other| std::ptr::eq(*other, exchange));
    chains.iter().take(MAX_CHAINS).position(holds).map(|at| at + 1)
}

fn view(number: usize, chain: &Chain<'_>, exchanges: &[Exchange], links: &Links) -> ChainView {
    let step = |[way, from, to]: [&'static str; 3], exchange: &Exchange, message: Option<&Message>| {
        let message = message?;
        Some(StepView {
            way,
            from,
            to,
            line: line(message),
            status: message.head.status(),
            frame: links.arrow(message.last.frame),
            exchange: exchanges.iter().position(|other| std::ptr::eq(other, exchange)).map(exchange_id),
        })
    };
    let mut steps = vec![step(["ask", "browser", "web app"], chain.http, chain.http.request.as_ref())];
    for coffee in &chain.htcpcp {
        steps.push(step(["order", "web app", "pot"], coffee, coffee.request.as_ref()));
        steps.push(step(["serve", "pot", "web app"], coffee, coffee.response.as_ref()));
    }
    steps.push(step(["reply", "web app", "browser"], chain.http, chain.http.response.as_ref()));
    let parameters = chain.parameters().into_iter().map(|Parameter { name, value, became }| ParameterView {
        name,
        value,
        became: pieces(&became.unwrap_or_default(), &[], links),
    });
    ChainView {
        number,
        time: chain.http.response_time().map_or(String::new(), duration),
        steps: steps.into_iter().flatten().collect(),
        parameters: parameters.collect(),
    }
}

fn line(message: &Message) -> String {
    let line = text(message.head.start_line());
    match line.char_indices().nth(MAX_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into_owned(),
    }
}
