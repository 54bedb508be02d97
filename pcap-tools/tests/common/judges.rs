//! Judges from npm: parsers of formats that this project writes, made by others.
//!
//! `scripts/judges` brings them (`JUDGES`, or `judges` in the folder in which cargo builds). Where they are missing, a line
//! on standard error says so; with `CI=true` they must be there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a judge, such as `mermaid.mjs`, says of its input; `None` if it is not here.
pub fn judge(script: &str, input: &[u8]) -> Option<Output> {
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it is inside of the folder of what is built");
    let folder = std::env::var_os("JUDGES").map_or_else(|| built.join("judges"), PathBuf::from);
    let path = folder.join(script);
    let child = Command::new("node").arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let (true, Ok(mut child)) = (path.exists(), child) else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no node, or no {}", path.display());
        eprintln!("skipped: no node, or no {} (`scripts/judges` brings it), so it is not asked", path.display());
        return None;
    };
    // A judge that has seen enough closes its input; what it says of that is what counts.
    let _ = child.stdin.take().expect("it was piped").write_all(input);
    Some(child.wait_with_output().expect("the judge ends"))
}
