//! `dissector-lua completions`: what a shell needs to complete the command line.

use std::io;

/// Print shell completions
///
/// Example, for bash:
///   dissector-lua completions bash > ~/.local/share/bash-completion/completions/dissector-lua
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints them.
pub fn run(args: &Args, command: &mut clap::Command) -> Result<u8, Box<dyn std::error::Error>> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "dissector-lua", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(super::DONE)
}
