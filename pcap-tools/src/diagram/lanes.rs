//! Lanes: the ends of connections in, programs out.
//!
//! Programs are told apart by the ports, not by addresses. All addresses of the loopback interface are one host.

use std::net::IpAddr;

use super::{Ends, Lane, Link};
use crate::exchange::{Ports, Program};
use crate::packet::Endpoint;

/// So many lanes can be looked at beside each other; who comes later shares one with those of the kind.
const MAX_LANES: usize = 24;

/// Who has a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Who {
    /// One of the lab's programs, on a host; `None` is this one.
    Program(Program, Option<IpAddr>),
    /// A client of somebody else.
    Client(IpAddr),
    /// Somebody else.
    Server(Endpoint),
    /// All that came too late for a lane of their own.
    Rest(Kind),
}

/// What is told apart among those who share a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Program(Program),
    Client,
    Server,
}

impl Who {
    /// The lab's programs in the order of their chain, then others in the order in which they appear.
    fn rank(self) -> usize {
        match self {
            Self::Program(program, _) | Self::Rest(Kind::Program(program)) => program as usize,
            Self::Client(_) | Self::Server(_) | Self::Rest(_) => usize::MAX,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Program(program, _) => Kind::Program(program),
            Self::Client(_) => Kind::Client,
            Self::Server(_) => Kind::Server,
            Self::Rest(kind) => kind,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Program(program, _) => program.as_str().to_owned(),
            Self::Client(ip) => ip.to_string(),
            Self::Server(end) => end.to_string(),
            Self::Rest(Kind::Program(program)) => format!("other {}s", program.as_str()),
            Self::Rest(Kind::Client) => "other clients".to_owned(),
            Self::Rest(Kind::Server) => "other servers".to_owned(),
        }
    }
}

/// Where a program is; no more places than a head has room for.
#[derive(Default)]
struct Places(Vec<String>);

impl Places {
    const SHOWN: usize = 2;

    /// Takes note of one; an address with a port says more than the address.
    fn add(&mut self, place: String) {
        let says_more = |one: &str, two: &str| one.strip_prefix(two).is_some_and(|port| port.is_empty() || port.starts_with(':'));
        self.0.retain(|known| !says_more(&place, known) || *known == place);
        if self.0.len() <= Self::SHOWN && !self.0.iter().any(|known| says_more(known, &place)) {
            self.0.push(place);
        }
    }

    fn describe(&self) -> String {
        let more = if self.0.len() > Self::SHOWN { ", …" } else { "" };
        self.0[..self.0.len().min(Self::SHOWN)].join(", ") + more
    }
}

/// Gives every end of the connections a lane.
pub(super) fn cast(ends: &[Ends], ports: &Ports) -> (Vec<Lane>, Vec<Link>) {
    let sole = sole_web_app(ends, ports);
    let mut cast: Vec<(Who, Places)> = Vec::new();
    let mut enter = |who: Who, place: String| {
        let place_of = |who: Who, cast: &[(Who, Places)]| cast.iter().position(|(known, _)| *known == who);
        let full = cast.len() >= MAX_LANES && place_of(who, &cast).is_none();
        let who = if full { Who::Rest(who.kind()) } else { who };
        let at = place_of(who, &cast).unwrap_or_else(|| {
            cast.push((who, Places::default()));
            cast.len() - 1
        });
        cast[at].1.add(place);
        who
    };
    let pairs: Vec<[Who; 2]> = ends
        .iter()
        .map(|ends| {
            let Ends { client, server, .. } = *ends;
            match Program::of(ports, server.port) {
                Some([asks, serves]) => {
                    let host = if asks == Program::WebApp { sole.unwrap_or(host(client.ip)) } else { host(client.ip) };
                    let asks = enter(Who::Program(asks, host), client.ip.to_string());
                    [asks, enter(Who::Program(serves, self::host(server.ip)), server.to_string())]
                }
                None => [enter(Who::Client(client.ip), "client".to_owned()), enter(Who::Server(server), "server".to_owned())],
            }
        })
        .collect();
    cast.sort_by_key(|(who, _)| who.rank());
    let place = |who: &Who| cast.iter().position(|(known, _)| known == who).expect("everybody has entered");
    let links = ends.iter().zip(&pairs).map(|(ends, pair)| Link {
        stream: ends.stream,
        client: ends.client,
        server: ends.server,
        lanes: [place(&pair[0]), place(&pair[1])],
        began_before: ends.began_before,
        still_open: ends.still_open,
    });
    let links = links.collect();
    let namesakes = |who: &Who| cast.iter().filter(|(other, _)| other.name() == who.name()).count();
    let lanes = cast.iter().map(|(who, places)| match who {
        Who::Program(_, host) if namesakes(who) > 1 => {
            Lane { name: format!("{} {}", who.name(), host.map_or("localhost".to_owned(), |ip| ip.to_string())), place: places.describe() }
        }
        _ => Lane { name: who.name(), place: places.describe() },
    });
    (lanes.collect(), links)
}

/// The host of an address; `None` is this one, by whichever of its loopback addresses.
fn host(ip: IpAddr) -> Option<IpAddr> {
    (!ip.is_loopback()).then_some(ip)
}

/// The host of the only web app that is asked something: then it is the one that asks the pot, from whichever address.
fn sole_web_app(ends: &[Ends], ports: &Ports) -> Option<Option<IpAddr>> {
    let serves = |ends: &&Ends| matches!(Program::of(ports, ends.server.port), Some([_, Program::WebApp]));
    let mut hosts = ends.iter().filter(serves).map(|ends| host(ends.server.ip));
    let first = hosts.next()?;
    hosts.all(|host| host == first).then_some(first)
}
