//! `pot`: the coffee pot, and its client. Arguments in, an exit code out: 0 done, 1 the pot refused, 2 not done. Each
//! subcommand has its file in `cli`; without one, the pot serves.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
