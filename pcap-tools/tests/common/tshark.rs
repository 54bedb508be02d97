//! tshark as a judge: a capture and a filter in, fields of the packets that it lets through out.

use std::path::Path;
use std::process::Command;

/// What tshark prints, a row a packet; `None`, with a line on standard error, if it is not here.
pub fn tshark(path: &Path, filter: &str, fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let fields = fields.iter().flat_map(|field| ["-e", field]);
    // Two passes: a request's answer is known in the second one only.
    let output = Command::new("tshark").args(["-n", "-2", "-r"]).arg(path).args(["-Y", filter, "-T", "fields"]).args(fields).output();
    let Ok(output) = output else {
        eprintln!("skipped: no tshark here, so it is not asked");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("tshark prints text");
    Some(text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}
