//! The program itself, in a process of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{Answer, ask, wait_until};

/// A child that does not outlive its test.
struct Ours(Child);

impl Ours {
    /// Its exit code, once it has ended by itself; `None` if a signal has ended it.
    #[track_caller]
    fn exit_code(&mut self) -> Option<i32> {
        wait_until(|| self.0.try_wait().expect("it is ours").is_some());
        self.0.wait().expect("it is ours").code()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `pot`. It is killed when dropped.
pub struct Process {
    pub address: SocketAddr,
    child: Ours,
    // Kept open, so that the pot can always write to it.
    _stdout: BufReader<ChildStdout>,
}

impl Process {
    /// A quiet pot with its log at `store`.
    pub fn start(store: &Path, args: &[&str]) -> Process {
        Process::spawn(Command::new(env!("CARGO_BIN_EXE_pot")).args(serve_args(store)).args(args))
    }

    /// The pot that `command` runs.
    pub fn spawn(command: &mut Command) -> Process {
        let mut child = Ours(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the pot can be run"));
        let mut stdout = BufReader::new(child.0.stdout.take().expect("it is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the pot says where it listens");
        let address = line.trim_end().strip_prefix("Listening on ").and_then(|address| address.parse().ok());
        Process { address: address.unwrap_or_else(|| panic!("no address: {line:?}")), child, _stdout: stdout }
    }

    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        ask(self.address, request)
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        self.child.0.kill().expect("it is ours");
        self.child.0.wait().expect("it is ours");
    }

    /// Its exit code, once it has ended by itself; `None` if a signal has ended it.
    #[track_caller]
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.exit_code()
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("it is ours");
    }

    #[cfg(unix)]
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child.0)
    }
}

/// The arguments of a quiet pot on a port of its own with its log at `store`.
pub fn serve_args(store: &Path) -> [&OsStr; 5] {
    ["--quiet".as_ref(), "--listen".as_ref(), "127.0.0.1:0".as_ref(), "--store".as_ref(), store.as_os_str()]
}

/// The exit code of a pot that cannot serve, and what it says to standard error.
#[track_caller]
pub fn refused(args: &[&OsStr]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pot"));
    let command = command.args(args).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = Ours(command.spawn().expect("the pot can be run"));
    let code = child.exit_code();
    let mut said = String::new();
    child.0.stderr.take().expect("it is piped").read_to_string(&mut said).expect("it is text");
    (code, said)
}
