//! `dissector-lua man`: the manual pages.

use std::io::{self, Write};
use std::path::PathBuf;

/// Write the manual pages
///
/// Examples:
///   dissector-lua man | man -l -              read the main page
///   dissector-lua man ~/.local/share/man/man1  write a page for each subcommand
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Folder for the pages; without it, the main page goes to standard output
    folder: Option<PathBuf>,
}

/// Writes them.
pub fn run(args: &Args, command: &clap::Command) -> Result<u8, Box<dyn std::error::Error>> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut page)?;
        io::stdout().write_all(&page)?;
        return Ok(super::DONE);
    };
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command.clone(), folder))
        .map_err(|error| io::Error::new(error.kind(), format!("cannot write manual pages to {}: {error}", folder.display())))?;
    Ok(super::DONE)
}
