//! `pcap-tools`: what happened in a capture, on the command line.
//!
//! Arguments in, an exit code out: 0 done, 1 done with the capture damaged, 2 not done. Each subcommand has
//! its file in `cli`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
