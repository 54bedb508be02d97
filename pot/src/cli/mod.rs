//! The command line: one file for each subcommand; without one, the pot serves.

mod ask;
mod completions;
mod man;
mod serve;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use jiff::SignedDuration;

/// All was done.
const DONE: u8 = 0;
/// The pot said no.
const REFUSED: u8 = 1;
/// Something could not be done.
const NOT_DONE: u8 = 2;

/// Serve coffee and tea over HTCPCP, or ask a pot for some
///
/// Without a command, this is the pot: it listens on 127.0.0.1:5030 and speaks HTCPCP (RFC 2324, RFC 7168) to those
/// who ask for coffee URIs, and plain HTTP to curl and browsers. With a command, it asks a running pot.
#[derive(Parser, Debug)]
#[command(
    name = "pot",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  pot                                    serve coffee
  pot --brew-time 5s --store brews.db    in a hurry, with a log of one's own
  pot brew --addition cream              ask the pot for a coffee with cream
  pot status -v                          what is brewed, and the bytes that cross the wire
  curl -X BREW http://127.0.0.1:5030/ -H 'Content-Type: application/coffee-pot-command' -d start

Exit status: 0 done; 1 the pot refused; 2 not done."
)]
struct Cli {
    #[command(flatten)]
    serve: serve::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    Brew(ask::Brew),
    Stop(ask::Stop),
    When(ask::When),
    Status(ask::Status),
    Beans(ask::Beans),
    Log(ask::Log),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        None => serve::run(cli.serve),
        Some(Command::Brew(args)) => args.run(),
        Some(Command::Stop(args)) => args.run(),
        Some(Command::When(args)) => args.run(),
        Some(Command::Status(args)) => args.run(),
        Some(Command::Beans(args)) => args.run(),
        Some(Command::Log(args)) => args.run(),
        Some(Command::Completions(args)) => completions::run(&args, &mut Cli::command()),
        Some(Command::Man(args)) => man::run(&args, &Cli::command()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has seen enough.
        Err(error) if is_closed_pipe(&*error) => ExitCode::from(DONE),
        Err(error) => {
            eprintln!("pot: {}", htcpcp::conn::chain(&*error));
            ExitCode::from(NOT_DONE)
        }
    }
}

/// What a command comes to: an exit code, or why it could not be done.
type Outcome = Result<u8, Box<dyn std::error::Error>>;

fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Reads `30` (seconds), `30s`, `500ms`, `1m 30s`.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => text.parse::<SignedDuration>().ok().and_then(|duration| duration.try_into().ok()),
    };
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    duration.filter(|duration| *duration <= year).ok_or_else(|| "a time such as 30s, 500ms or 5m, up to a year".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(duration(text).ok(), expected.map(Duration::from_millis));
    }

    #[test]
    fn durations_are_seconds_unless_they_say_otherwise() {
        check("30", Some(30_000));
        check("0.25", Some(250));
        check("500ms", Some(500));
        check("1m 30s", Some(90_000));
        for wrong in ["", "-1", "soon", "inf", "NaN", "-3s", "1e300", "400d"] {
            check(wrong, None);
        }
    }
}
