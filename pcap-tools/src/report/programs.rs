//! Programs: connections in, who talked to which server out.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::text::number;
use crate::connection::Connection;
use crate::exchange::{Ports, Program, Protocol, Talk};
use crate::packet::Endpoint;

/// Servers that are shown.
const TOP: usize = 10;
/// Client ports that are shown of a pair of programs.
const MAX_PORTS: usize = 8;
/// Servers that are told apart, and clients of each.
const MAX_SERVERS: usize = 1000;
const MAX_CLIENTS: usize = 1000;

/// Who talked to whom.
#[derive(Debug, Default)]
pub(super) struct Programs {
    servers: BTreeMap<Endpoint, Clients>,
    /// Connections to servers beyond those that are told apart.
    others: u64,
}

/// Who talked to a server.
#[derive(Debug, Default)]
struct Clients {
    connections: u64,
    addresses: BTreeSet<IpAddr>,
    ports: Vec<u16>,
    exchanges: u64,
    encrypted: u64,
}

/// What is shown of a server and its clients.
pub(super) struct Pair {
    pub client: String,
    pub client_ports: String,
    pub server: String,
    pub connections: u64,
    /// A number, unless they are encrypted.
    pub exchanges: String,
}

impl Programs {
    /// Counts a connection.
    pub fn add(&mut self, connection: &Connection, talk: &Talk) {
        let (client, server) = (connection.ends[talk.client], connection.ends[talk.client.other()]);
        if self.servers.len() >= MAX_SERVERS && !self.servers.contains_key(&server) {
            self.others += 1;
            return;
        }
        let clients = self.servers.entry(server).or_default();
        clients.connections += 1;
        clients.exchanges += talk.exchanges;
        clients.encrypted += u64::from(talk.protocol == Some(Protocol::Tls));
        if clients.addresses.len() < MAX_CLIENTS {
            clients.addresses.insert(client.ip);
        }
        if clients.ports.len() <= MAX_PORTS && !clients.ports.contains(&client.port) {
            clients.ports.push(client.port);
        }
    }

    /// The lab's programs in the order of their chain, then whoever talked most; and how many more servers there are.
    pub fn pairs(&self, ports: &Ports) -> (Vec<Pair>, u64) {
        let mut rows: Vec<_> = self.servers.iter().collect();
        let place = |server: &Endpoint| Program::of(ports, server.port).map_or(usize::MAX, |programs| programs[0] as usize);
        rows.sort_by_key(|(server, clients)| (place(server), Reverse(clients.connections), **server));
        let more = rows.len().saturating_sub(TOP) as u64 + self.others;
        (rows.into_iter().take(TOP).map(|(server, clients)| clients.pair(*server, ports)).collect(), more)
    }
}

impl Clients {
    fn pair(&self, server: Endpoint, ports: &Ports) -> Pair {
        let name = |at: usize, address: String| match Program::of(ports, server.port) {
            Some(programs) => format!("{} {address}", programs[at].as_str()),
            None => address,
        };
        let client = match self.addresses.len() {
            0 | 1 => self.addresses.iter().map(IpAddr::to_string).collect(),
            MAX_CLIENTS.. => format!("{}+ addresses", number(MAX_CLIENTS as u64)),
            many => format!("{many} addresses"),
        };
        let mut shown: Vec<u16> = self.ports.iter().copied().take(MAX_PORTS).collect();
        shown.sort_unstable();
        let mut list = shown.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        if self.ports.len() > MAX_PORTS {
            list.push_str(", …");
        }
        // Ports of a crowd tell nothing.
        if self.addresses.len() > 2 {
            list.clear();
        }
        Pair {
            client: name(0, client),
            client_ports: list,
            server: name(1, server.to_string()),
            connections: self.connections,
            exchanges: if self.encrypted > 0 { "encrypted".to_owned() } else { number(self.exchanges) },
        }
    }
}
