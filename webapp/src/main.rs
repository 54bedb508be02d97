//! `webapp`: the website of the coffee pot. Arguments in, an exit code out: 0 done, 2 not done.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
