//! `pot` without a command: the server.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use etcetera::BaseStrategy;
use htcpcp::conn::{listen, server};
use pot::answer;
use pot::clock::Clock;
use pot::kitchen::{Kitchen, Settings};
use pot::serve::{self, Limits};
use pot::store::Store;
use tracing::level_filters::LevelFilter;

use super::{DONE, NOT_DONE, Outcome, duration};

/// File descriptors that are not connections: the log, the runtime's, the standard three, and some air.
const OTHER_FILES: u64 = 64;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// Where to listen; only this machine can connect unless you say otherwise
    #[arg(long, value_name = "ADDR:PORT", default_value_t = SocketAddr::from(([127, 0, 0, 1], htcpcp::POT_PORT)))]
    listen: SocketAddr,

    /// The log of brews, an SQLite file [default: htcpcp/pot.sqlite3 in your data folder]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,

    /// How long a brew takes
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    brew_time: Duration,

    /// How long milk pours if nobody says WHEN
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m")]
    milk_time: Duration,

    /// For how many coffees there are beans; after them, 503 [default: enough]
    #[arg(long, value_name = "N")]
    servings: Option<u32>,

    /// Log nothing but what goes wrong
    #[arg(short, long)]
    quiet: bool,

    /// How many connections are served at once; the next ones are told 503
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "Limits")]
    connections: u32,

    /// How long a request's head may be, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 8192, value_parser = clap::value_parser!(u32).range(64..=1 << 20), help_heading = "Limits")]
    head_size: u32,

    /// How long a request's head may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s", help_heading = "Limits")]
    head_time: Duration,

    /// How long a request's body may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "3s", help_heading = "Limits")]
    body_time: Duration,

    /// How long a connection may be silent between requests
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1m", help_heading = "Limits")]
    idle_time: Duration,
}

/// Serves until SIGINT or SIGTERM.
pub fn run(args: Args) -> Outcome {
    let level = if args.quiet { LevelFilter::WARN } else { LevelFilter::INFO };
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::IsTerminal::is_terminal(&io::stderr()) && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .with_max_level(level)
        .init();
    let limits = limits(&args);
    let store = match args.store {
        Some(path) => path,
        None => etcetera::choose_base_strategy()?.data_dir().join("htcpcp").join("pot.sqlite3"),
    };
    let settings = Settings { brew_time: args.brew_time, milk_time: args.milk_time, servings: args.servings };
    let kitchen = Arc::new(Kitchen::new(Store::open(&store)?, settings, Clock::system())?);
    tracing::info!("the log of brews is {}", store.display());

    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = listen::bind(args.listen)?;
        let mut stdout = io::stdout();
        writeln!(stdout, "Listening on {}", listener.local_addr()?)?;
        stdout.flush()?;
        let signal = listen::shutdown_signal(NOT_DONE)?;
        let shutdown = async {
            signal.await;
            tracing::info!("shutting down");
        };
        serve::run(listener, kitchen, limits, shutdown).await;
        Ok(DONE)
    })
}

fn limits(args: &Args) -> Limits {
    let wanted = args.connections as usize;
    let turned_away = (wanted / 8).clamp(8, 128);
    let connections = match files_for(wanted + turned_away) {
        Some(files) if files < wanted + turned_away => {
            let connections = files.saturating_sub(turned_away).max(1);
            tracing::warn!("the system allows {connections} connections, not {wanted}: see ulimit -n");
            connections
        }
        _ => wanted,
    };
    Limits {
        listen: listen::Limits { connections, turned_away, drain_time: Duration::from_secs(10) },
        connection: server::Options {
            head_limit: args.head_size as usize,
            head_time: args.head_time,
            idle_time: args.idle_time,
            refusal_fields: answer::refusal_fields(),
            ..server::Options::default()
        },
        body_time: args.body_time,
    }
}

/// For how many connections the system gives us file descriptors, once we have asked for `wanted`; `None` where it does
/// not count them.
#[cfg(unix)]
fn files_for(wanted: usize) -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let needed = wanted as u64 + OTHER_FILES;
    let current = limit.current?;
    let raised = needed.min(limit.maximum.unwrap_or(u64::MAX)).max(current);
    let now = if setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit }).is_ok() { raised } else { current };
    Some(now.saturating_sub(OTHER_FILES) as usize)
}

#[cfg(not(unix))]
fn files_for(_wanted: usize) -> Option<usize> {
    None
}
