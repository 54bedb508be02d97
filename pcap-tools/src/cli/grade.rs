//! `pcap-tools grade`: students' answers, held against a capture.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use pcap_tools::lab::Lab;
use pcap_tools::lab::paper::{self, Paper};
use pcap_tools::report::grades::{self, Graded};

use super::options::{self, PortArgs};

/// Grade students' answers from a capture
///
/// Each answer is right, partly right (what is missing, what is too much) or wrong, with the frames that
/// show it. Every question is worth one point; a list gets (right - wrong) / expected of it. What the
/// capture does not decide is not asked and gives no points. FORMATS.md says how answers are written.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools grade --template coffee_brew.pcapng > ada.toml       (to be filled in)
  pcap-tools grade coffee_brew.pcapng ada.toml
  pcap-tools grade coffee_brew.pcapng answers/*.toml --format csv > points.csv
  pcap-tools grade coffee_brew.pcapng ada.toml --pass 20 && echo passed

Exit status: 0 done; 1 done, but the capture was damaged or cut short, or somebody has fewer
points than --pass asks for; 2 not done: something could not be read (other papers are graded).")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Papers with answers (TOML)
    #[arg(value_name = "ANSWERS", required_unless_present = "template")]
    papers: Vec<PathBuf>,

    /// Write a paper to fill in
    #[arg(long, conflicts_with_all = ["papers", "format", "pass"])]
    template: bool,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Points that everybody should have; with fewer the exit status is 1
    #[arg(long, value_name = "POINTS")]
    pass: Option<f64>,

    #[command(flatten)]
    ports: PortArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// Each answer, and a table of all students
    Text,
    /// An array with an object for each student
    Json,
    /// A row for each student, a column for each question
    Csv,
}

/// Grades them.
pub fn run(args: Args) -> io::Result<u8> {
    let ports = args.ports.ports();
    let (capture, lab) = options::read(&args.file, ports.clone(), None, Lab::new(ports))?;
    let sheet = lab.sheet();
    let mut code = super::damage(&args.file, capture.damage.as_ref());
    let mut out = BufWriter::new(io::stdout());
    if args.template {
        grades::template(&options::name_of(&args.file), &sheet, &mut out)?;
        out.flush()?;
        return Ok(code);
    }
    let mut graded = Vec::new();
    for path in &args.papers {
        match read(path) {
            Ok(paper) => graded.push(Graded { path: path.to_string_lossy().into_owned(), marked: sheet.mark(&paper) }),
            Err(error) => {
                super::complain(&error);
                code = super::NOT_DONE;
            }
        }
    }
    if let Some(pass) = args.pass
        && graded.iter().any(|paper| paper.marked.points() < pass)
    {
        code = code.max(super::DAMAGED);
    }
    match args.format {
        Format::Text => grades::text(&sheet, &graded, options::style(), &mut out)?,
        Format::Json => grades::json(&sheet, &graded, &mut out)?,
        Format::Csv => grades::csv(&sheet, &graded, &mut out)?,
    }
    out.flush()?;
    Ok(code)
}

/// Reads a paper.
///
/// Errors: with the path and, where it is no TOML, the place.
fn read(path: &Path) -> io::Result<Paper> {
    let fail = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(paper::MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(|error| fail(&error))?;
    if bytes.len() as u64 > paper::MAX_BYTES {
        return Err(fail(&format!("longer than {} bytes, which no answers are", paper::MAX_BYTES)));
    }
    Paper::parse(&bytes).map_err(|error| fail(&error))
}
