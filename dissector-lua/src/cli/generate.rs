//! `dissector-lua generate`: the dissector and its field reference, as files.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dissector_lua::generate;

/// Write htcpcp.lua and FIELDS.md
///
/// Both are made from the vocabulary of the crate htcpcp and are the same on every machine. Files that are there are
/// replaced.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  dissector-lua generate dissector-lua     after the vocabulary or the template has changed
  dissector-lua generate . && tshark -X lua_script:htcpcp.lua -r homepage_coffee.pcapng -Y htcpcp

Exit status: 0 done; 2 not done.")]
pub struct Args {
    /// Where to
    #[arg(default_value = ".")]
    folder: PathBuf,
}

/// Writes them.
pub fn run(args: &Args) -> Result<u8, Box<dyn Error>> {
    fs::create_dir_all(&args.folder).map_err(|error| cannot_write(&args.folder, &error))?;
    for (name, content) in [("htcpcp.lua", generate::dissector()), ("FIELDS.md", generate::field_reference())] {
        let path = args.folder.join(name);
        fs::write(&path, content).map_err(|error| cannot_write(&path, &error))?;
        writeln!(io::stdout(), "wrote {}", path.display())?;
    }
    Ok(super::DONE)
}

fn cannot_write(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}
