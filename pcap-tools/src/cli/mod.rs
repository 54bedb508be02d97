//! The command line: one file for each subcommand.

mod answer;
mod completions;
mod diagram;
mod dissect;
mod follow;
mod grade;
mod har;
mod man;
mod options;
mod packets;
mod quiz;
mod report;
mod summarize;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// Nothing was left out.
const DONE: u8 = 0;
/// A capture was damaged or cut short; what could be read was reported.
const DAMAGED: u8 = 1;
/// Something could not be done.
const NOT_DONE: u8 = 2;

/// Reads packet captures and says what happened: which programs talked, their TCP handshakes, and every
/// HTTP and HTCPCP request with its response.
#[derive(Parser, Debug)]
#[command(
    name = "pcap-tools",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 done; 1 done, but a capture was damaged or cut short, a dissector failed, or a test (--expect, --pass) did not pass; 2 not done.\n\n'pcap-tools help summarize' shows examples."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Summarize(summarize::Args),
    Packets(packets::Args),
    Follow(follow::Args),
    Answer(answer::Args),
    Diagram(diagram::Args),
    Quiz(quiz::Args),
    Grade(grade::Args),
    Har(har::Args),
    Report(report::Args),
    Dissect(Box<dissect::Args>),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Summarize(args) => summarize::run(args),
        Command::Packets(args) => packets::run(args),
        Command::Follow(args) => follow::run(args),
        Command::Answer(args) => answer::run(args),
        Command::Diagram(args) => diagram::run(args),
        Command::Quiz(args) => quiz::run(args),
        Command::Grade(args) => grade::run(args),
        Command::Har(args) => har::run(args),
        Command::Report(args) => report::run(args),
        Command::Dissect(args) => dissect::run(*args),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        Command::Man(args) => man::run(&args, &Cli::command()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(DONE),
        Err(error) => {
            complain(&error);
            ExitCode::from(NOT_DONE)
        }
    }
}

/// Says what went wrong, with its causes: the one door to standard error.
fn complain(error: &dyn std::error::Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    say(&text);
}

/// Says how a capture was damaged, if it was; the exit status.
fn damage(path: &std::path::Path, damage: Option<&pcap_tools::capture::Damage>) -> u8 {
    match damage {
        None => DONE,
        Some(damage) => {
            say(&format!("{}: {damage}", path.display()));
            DAMAGED
        }
    }
}

fn say(text: &str) {
    let lines: Vec<_> = text.split('\n').map(pcap_tools::report::text::printable).collect();
    // Nobody is left to be told that this failed.
    let _ = writeln!(io::stderr(), "pcap-tools: {}", lines.join("\n"));
}
