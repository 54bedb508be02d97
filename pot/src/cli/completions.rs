//! `pot completions`: what a shell needs to complete the command line.

use std::io;

/// Print shell completions
///
/// Example, for bash:
///   pot completions bash > ~/.local/share/bash-completion/completions/pot
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints them.
pub fn run(args: &Args, command: &mut clap::Command) -> super::Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "pot", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(super::DONE)
}
