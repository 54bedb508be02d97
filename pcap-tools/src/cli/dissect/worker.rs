//! The process that runs dissectors: this program once more, so that whatever a dissector does to it can be told.
//!
//! It writes to the same standard output. It ends with its parent, at the latest a [`TICK`] later.

use std::io::{self, Write};
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use dissector_lua::host;

use crate::cli::{DAMAGED, DONE, NOT_DONE, say};

/// How often a worker is looked at.
const TICK: Duration = Duration::from_millis(50);

/// Runs this command in a worker; its exit status.
pub(super) fn supervise() -> io::Result<u8> {
    let failed = |error| io::Error::other(format!("cannot start a process for the dissectors: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let mut arguments = std::env::args_os().skip(1);
    let subcommand = arguments.next().expect("the command line names a subcommand");
    let worker = format!("--worker={}", std::process::id());
    let status = Command::new(program).arg(subcommand).arg(worker).args(arguments).status().map_err(failed)?;
    Ok(status.code().map_or_else(
        || {
            say(&format!("the process that ran the dissectors was ended by {status}, for its memory perhaps (see --memory-limit); the output stops where it was"));
            DAMAGED
        },
        |code| code as u8,
    ))
}

/// Where output goes, for the thread that works and for the one that watches it.
pub(super) struct Page {
    to: Mutex<(To, &'static str)>,
}

/// What output is written to.
pub(super) enum To {
    /// Standard output.
    Stdout(io::BufWriter<io::Stdout>),
    /// Memory, to be compared.
    Memory(String),
}

impl Page {
    pub fn new(to: To) -> Arc<Self> {
        Arc::new(Self { to: Mutex::new((to, "")) })
    }

    /// Writes a whole piece; `end` is what has to stand behind it if it is the last.
    pub fn write(&self, text: &str, end: &'static str) -> io::Result<()> {
        let (to, last) = &mut *self.lock();
        *last = end;
        match to {
            To::Stdout(out) => out.write_all(text.as_bytes()),
            To::Memory(out) => {
                out.push_str(text);
                Ok(())
            }
        }
    }

    /// Writes the end; what was written, where it was to be kept.
    pub fn finish(&self) -> io::Result<String> {
        let (to, end) = &mut *self.lock();
        match to {
            To::Stdout(out) => {
                out.write_all(end.as_bytes())?;
                out.flush()?;
                Ok(String::new())
            }
            To::Memory(out) => Ok(std::mem::take(out) + end),
        }
    }

    /// Whether what is written is kept.
    fn is_kept(&self) -> bool {
        matches!(self.lock().0, To::Memory(_))
    }

    /// Hands on what waits to be written, unless somebody is just writing.
    fn flush(&self) -> io::Result<()> {
        match self.to.try_lock() {
            Ok(mut guard) => match &mut guard.0 {
                To::Stdout(out) => out.flush(),
                To::Memory(_) => Ok(()),
            },
            Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, (To, &'static str)> {
        self.to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is watched: a host, by what it says of itself in every thread.
struct Host {
    /// The number of the frame that is dissected, 0 between frames.
    frame: Arc<AtomicU64>,
    /// The number of the script that is at work, from 1; 0 if none is.
    script: Arc<AtomicU32>,
    /// The names of the scripts.
    scripts: Vec<String>,
}

/// Ends this process when a dissector is at work for too long, which nothing else can stop inside of a search for a pattern.
///
/// Also when the parent has ended, and when nobody reads the output any more.
pub(super) struct Watch {
    limit: Duration,
    page: Arc<Page>,
    host: Mutex<Option<Host>>,
}

impl Watch {
    /// Begins to watch, from a thread of its own.
    pub fn begin(limit: Duration, parent: u32, page: &Arc<Page>) -> Arc<Self> {
        let watch = Arc::new(Self { limit, page: page.clone(), host: Mutex::new(None) });
        let watching = watch.clone();
        std::thread::spawn(move || watching.run(parent));
        watch
    }

    /// Watches this host from now on, whose scripts have these names in the order of their loading.
    pub fn observe(&self, host: &host::Host, scripts: Vec<String>) {
        *self.lock() = Some(Host { frame: host.at_work_on(), script: host.script_at_work(), scripts });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Host>> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, parent: u32) {
        let mut seen = ((0, 0), Instant::now());
        loop {
            std::thread::sleep(TICK);
            if is_orphan(parent) {
                std::process::exit(NOT_DONE.into());
            }
            if self.page.flush().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
                std::process::exit(DONE.into());
            }
            let work = self.lock().as_ref().map_or((0, 0), |host| (host.frame.load(Relaxed), host.script.load(Relaxed)));
            // Scripts that call each other have one frame's time together; what is loaded has its own.
            let (frame, script) = work;
            if frame != seen.0.0 || frame == 0 && script != seen.0.1 {
                seen = (work, Instant::now());
            }
            if work != (0, 0) && seen.1.elapsed() > self.limit {
                self.stop(work);
            }
        }
    }

    /// Ends the output where it is.
    fn stop(&self, (frame, script): (u64, u32)) -> ! {
        let name = self.lock().as_ref().and_then(|host| host.scripts.get((script as usize).checked_sub(1)?).cloned());
        let frame = if frame == 0 { String::new() } else { format!("frame {frame}: ") };
        let name = name.unwrap_or_else(|| "dissection".to_owned());
        // What was kept to be compared cannot be compared.
        let code = if self.page.is_kept() { NOT_DONE } else { DAMAGED };
        let written = self.page.finish();
        say(&format!("{frame}{name} took longer than {} s (see --time-limit); the output ends before it", self.limit.as_secs_f64()));
        std::process::exit(if written.is_ok() { code } else { DONE }.into());
    }
}

#[cfg(unix)]
fn is_orphan(parent: u32) -> bool {
    rustix::process::getppid().is_none_or(|now| now.as_raw_pid() as u32 != parent)
}

/// Sets a limit to what this process can hold, scripts and host together; beyond it ends.
#[cfg(unix)]
pub(super) fn limit_memory(bytes: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::As).maximum;
    let current = Some(maximum.map_or(bytes, |maximum| bytes.min(maximum)));
    Ok(setrlimit(Resource::As, Rlimit { current, maximum })?)
}

/// Where there is no such limit, that of Lua has to do.
#[cfg(not(unix))]
pub(super) fn limit_memory(_bytes: u64) -> io::Result<()> {
    Ok(())
}

/// Where processes have no parents, a worker without one ends when its work is done.
#[cfg(not(unix))]
fn is_orphan(_parent: u32) -> bool {
    false
}
