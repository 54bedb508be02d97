//! Chromium, as a reader of pages.
//!
//! Where it is missing, a line on standard error says so; with `CI=true` it must be there.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A page takes a moment; a machine may have much to do beside it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a reader prefers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scheme {
    Dark,
    Light,
}

/// What a page has become once it is loaded; `None` if there is no Chromium.
pub fn dom(page: &str, scheme: Scheme) -> Option<String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (path, dom) = (folder.path().join("page.html"), folder.path().join("dom.html"));
    std::fs::write(&path, page).expect("the page is written");
    let output = std::fs::File::create(&dom).expect("a file");
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    command.arg(format!("--blink-settings=preferredColorScheme={}", scheme as u8));
    let child = command.arg(format!("file://{}", path.display())).stdin(Stdio::null()).stdout(output).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "there is no chromium");
        eprintln!("skipped: no chromium here. On Debian: sudo apt-get install chromium");
        return None;
    };
    let begun = Instant::now();
    while child.try_wait().expect("it can be asked").is_none() {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("chromium takes longer than {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(std::fs::read_to_string(&dom).expect("a page is UTF-8"))
}
