//! `dissector-lua`: writes the dissector of HTCPCP and puts it where Wireshark finds it.
//!
//! Arguments in, an exit code out: 0 done, 1 done with something to look at, 2 not done. Each subcommand has its file
//! in `cli`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
