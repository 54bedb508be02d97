//! `pcap-tools completions`: what a shell needs to complete the command line.

use std::io;

/// Print shell completions
///
/// Example, for bash:
///   pcap-tools completions bash > ~/.local/share/bash-completion/completions/pcap-tools
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints them.
pub fn run(args: &Args, command: &mut clap::Command) -> io::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "pcap-tools", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(super::DONE)
}
