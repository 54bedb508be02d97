//! `pcap-tools quiz`: questions about a capture, with their answers.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use pcap_tools::lab::Lab;
use pcap_tools::report::quiz;

use super::options::{self, PortArgs};

/// Ask questions about a capture, with true answers
///
/// Questions on the lab's tasks 3 to 8, with a number, a word, a choice or a matching as the answer; wrong
/// choices come out of the same capture. What the capture does not decide is not asked. Each question says
/// which frames show that its answer is true, and by which display filter.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  pcap-tools quiz coffee_brew.pcapng                              (a page, with the key at its end)
  pcap-tools quiz coffee_brew.pcapng | sed '/^Key$/,$d'           (without the key)
  pcap-tools quiz --format gift coffee_brew.pcapng > quiz.gift    (for Moodle: Import questions, GIFT)
  for n in 1 2 3; do pcap-tools quiz --seed $n brew.pcapng > quiz$n.txt; done

Exit status: 0 done; 1 done, but the capture was damaged or cut short; 2 not done.")]
pub struct Args {
    /// A capture; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Which questions are drawn: the same number gives the same quiz, on every machine
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How many questions; fewer if the capture does not decide as many
    #[arg(long, value_name = "N", default_value_t = 20)]
    count: usize,

    #[command(flatten)]
    ports: PortArgs,
}

#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// A page to print, with the key behind the questions
    Text,
    /// For Moodle and others
    Gift,
}

/// Asks them.
pub fn run(args: Args) -> io::Result<u8> {
    let ports = args.ports.ports();
    let (capture, lab) = options::read(&args.file, ports.clone(), None, Lab::new(ports))?;
    let questions = lab.quiz(args.seed, args.count);
    let mut out = BufWriter::new(io::stdout());
    let name = options::name_of(&args.file);
    match args.format {
        Format::Text => quiz::text(&name, &questions, options::style(), &mut out)?,
        Format::Gift => quiz::gift(&name, &questions, &mut out)?,
    }
    out.flush()?;
    if questions.len() < args.count {
        super::say(&format!("{}: the capture decides {} questions, not {}", args.file.display(), questions.len(), args.count));
    }
    Ok(super::damage(&args.file, capture.damage.as_ref()))
}
