//! tshark 4.0 and 4.4, asked in a folder of their own.
//!
//! In: files and arguments. Out: what tshark prints.
//! Left to others: what it should print, and which part of it matters.
//!
//! tshark 4.0 is the one on the path. tshark 4.4 is Debian 13's, in the folder that `scripts/tshark44` makes
//! (`TSHARK44`, or `target/debian13`), and runs in there as nobody: as root it would ignore Lua. Where one of the two is
//! missing, a line on standard error says so; with CI=true that is a failure.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One version of tshark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judge {
    /// The one on the path.
    Here,
    /// The one in another root folder.
    Within(PathBuf),
}

/// Who can be asked on this machine.
pub fn judges() -> Vec<Judge> {
    let root = std::env::var_os("TSHARK44").map_or_else(|| workspace().join("target/debian13"), PathBuf::from);
    let mut judges = Vec::new();
    if Command::new("tshark").arg("--version").output().is_ok() {
        judges.push(Judge::Here);
    } else {
        skipped("no tshark here, so it is not asked");
    }
    if !root.join("usr/bin/tshark").exists() {
        skipped("no tshark 4.4 (`scripts/tshark44 target/debian13` brings it), so it is not asked");
    } else if !Command::new("chroot").arg(&root).arg("true").output().is_ok_and(|output| output.status.success()) {
        skipped("tshark 4.4 is there, but only root can run it");
    } else {
        judges.push(Judge::Within(root));
    }
    judges
}

/// Says what is not tested; where all must be tested, fails.
fn skipped(what: &str) {
    eprintln!("skipped: {what}");
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{what}");
}

/// The workspace's folder.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

impl Judge {
    /// The version that it is taken for, as the golden files name it.
    pub fn version(&self) -> &'static str {
        match self {
            Judge::Here => "4.0",
            Judge::Within(_) => "4.4",
        }
    }

    /// A folder that tshark can read, too.
    pub fn folder(&self) -> tempfile::TempDir {
        let folder = match self {
            Judge::Here => tempfile::tempdir(),
            Judge::Within(root) => tempfile::tempdir_in(root.join("tmp")),
        };
        let folder = folder.expect("a temporary folder");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("a folder of our own");
        }
        folder
    }

    /// Runs tshark in one of those folders, which is its home, too.
    pub fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = match self {
            Judge::Here => {
                let mut command = Command::new("tshark");
                command.current_dir(folder).env("HOME", folder);
                command
            }
            Judge::Within(root) => {
                let inside = Path::new("/").join(folder.strip_prefix(root).expect("a folder inside"));
                let mut command = Command::new("chroot");
                command.arg("--userspec=nobody:nogroup").arg(root).args(["env", "-C"]).arg(&inside);
                command.arg("tshark").env("HOME", inside);
                command
            }
        };
        command.args(arguments).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env_remove("XDG_CONFIG_HOME").env_remove("WIRESHARK_CONFIG_DIR");
        command.output().expect("tshark starts")
    }
}
