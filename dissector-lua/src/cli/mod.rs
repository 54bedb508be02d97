//! The command line: one file for each subcommand.

mod completions;
mod generate;
mod install;
mod man;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// All is as it was asked for.
const DONE: u8 = 0;
/// Done, but a file needs somebody's attention.
const FINDINGS: u8 = 1;
/// Something could not be done.
const NOT_DONE: u8 = 2;

/// The Wireshark dissector of HTCPCP, the Hyper Text Coffee Pot Control Protocol.
#[derive(Parser, Debug)]
#[command(
    name = "dissector-lua",
    version,
    max_term_width = 100,
    after_help = "Examples:
  dissector-lua install              then Analyze > Reload Lua Plugins in Wireshark
  dissector-lua install --profile    with columns, colours and filter buttons for the lab
  dissector-lua generate FOLDER      the dissector as a file, for other machines

Exit status: 0 done; 1 done, but a file needs attention; 2 not done."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Generate(generate::Args),
    Install(install::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Generate(args) => generate::run(&args),
        Command::Install(args) => install::run(&args),
        Command::Completions(args) => completions::run(&args, &mut Cli::command()),
        Command::Man(args) => man::run(&args, &Cli::command()),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&*error) => ExitCode::from(DONE),
        Err(error) => {
            complain(&*error);
            ExitCode::from(NOT_DONE)
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Says what went wrong, with its causes.
fn complain(error: &dyn Error) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    // Nobody is left to be told that this failed.
    let _ = writeln!(io::stderr(), "dissector-lua: {text}");
}
