//! The command line: without a subcommand, the site is served until SIGINT or SIGTERM.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use htcpcp::conn::listen;
use jiff::Timestamp;
use tracing::level_filters::LevelFilter;
use webapp::handler::Site;
use webapp::pot::Pot;
use webapp::serve::{self, Limits};
use webapp::tls::Acceptor;

/// All was done.
const DONE: u8 = 0;
/// Something could not be done.
const NOT_DONE: u8 = 2;

/// How long the pot may take to answer. It needs a thousandth of that.
const POT_TIME: Duration = Duration::from_secs(5);

/// Serve the website of the coffee pot
///
/// A browser's clicks become HTCPCP requests to the pot, and its answers become pages.
#[derive(Parser, Debug)]
#[command(
    name = "webapp",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  webapp                                       http://127.0.0.1:5031/, for the pot on 127.0.0.1:5030
  webapp --listen 127.0.0.1:8080 --pot 192.0.2.7:5030
  SSLKEYLOGFILE=keys.txt webapp --https        https://127.0.0.1:5031/, and Wireshark can read along

Exit status: 0 done; 2 not done."
)]
struct Cli {
    #[command(flatten)]
    serve: Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(clap::Args, Debug)]
struct Args {
    /// Where to listen; only this machine can connect unless you say otherwise
    #[arg(long, value_name = "ADDR:PORT", default_value_t = SocketAddr::from(([127, 0, 0, 1], htcpcp::WEBAPP_PORT)))]
    listen: SocketAddr,

    /// Where the coffee pot is
    #[arg(long, value_name = "HOST:PORT", default_value_t = format!("127.0.0.1:{}", htcpcp::POT_PORT))]
    pot: String,

    /// Serve over TLS, with a certificate made at the start unless there is one
    #[arg(long)]
    https: bool,

    /// The certificates, a PEM file
    #[arg(long, value_name = "FILE", requires_all = ["https", "key"])]
    cert: Option<PathBuf>,

    /// The key of the first certificate, a PEM file
    #[arg(long, value_name = "FILE", requires_all = ["https", "cert"])]
    key: Option<PathBuf>,

    /// Log nothing but what goes wrong
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => serve(cli.serve),
        Some(Command::Completions { shell }) => print(|out| {
            clap_complete::generate(shell, &mut Cli::command(), "webapp", out);
            Ok(())
        }),
        Some(Command::Man) => print(|out| clap_mangen::Man::new(Cli::command()).render(out)),
    };
    match outcome {
        Ok(()) => ExitCode::from(DONE),
        Err(error) if is_closed_pipe(&*error) => ExitCode::from(DONE),
        Err(error) => {
            eprintln!("webapp: {}", htcpcp::conn::chain(&*error));
            ExitCode::from(NOT_DONE)
        }
    }
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Whoever read our output has seen enough.
fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn print(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Outcome {
    let mut text = Vec::new();
    write(&mut text)?;
    Ok(io::stdout().write_all(&text)?)
}

fn serve(args: Args) -> Outcome {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .with_max_level(if args.quiet { LevelFilter::WARN } else { LevelFilter::INFO })
        .init();
    let tls = match (args.https, args.cert, args.key) {
        (true, Some(cert), Some(key)) => Some(Acceptor::from_files(&cert, &key)?),
        (true, ..) => Some(Acceptor::self_signed()?),
        (false, ..) => None,
    };
    let pot = Pot { address: args.pot, time: POT_TIME };
    let site = Arc::new(Site { pot, started: Timestamp::now() });
    let scheme = if tls.is_some() { "https" } else { "http" };

    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = listen::bind(args.listen)?;
        let mut stdout = io::stdout();
        writeln!(stdout, "Listening on {scheme}://{}/", listener.local_addr()?)?;
        stdout.flush()?;
        let signal = listen::shutdown_signal(NOT_DONE)?;
        let shutdown = async {
            signal.await;
            tracing::info!("shutting down");
        };
        serve::run(listener, site, tls, Limits::default(), shutdown).await;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
