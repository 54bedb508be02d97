//! What Wireshark's Lua API does, measured in tshark 4.0 and 4.4: the specification that a host of it is held against.
//!
//! In: the scripts beside this file, each about one class or topic, and one small capture. Out: what they print and
//! the tree that they build, which is kept in `golden/4.0` and `golden/4.4`. README.md says how a script is written.
//! Left to others: what a host makes of the same scripts.
//!
//! `BLESS=1 cargo test -p dissector-lua --test api` writes the golden files anew, from what the two tsharks print.

mod capture;
#[path = "../judge/golden.rs"]
mod golden;
#[path = "../judge/mod.rs"]
mod judge;
#[path = "../judge/kept.rs"]
mod kept;
mod probe;

use std::path::{Path, PathBuf};

use judge::Judge;
use probe::Probe;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api")
}

/// What a script shows in one tshark.
fn shown(judge: &Judge, probe: &Probe) -> String {
    let folder = judge.folder();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file is written");
    put("api.pcapng", &capture::bytes(probe.frames()));
    put(&probe.name, probe.script(judge.version()).as_bytes());
    let script = format!("lua_script:{}", probe.name);
    let mut arguments = vec!["-n", "-r", "api.pcapng", "-X", &script];
    arguments.extend(probe.arguments());
    if !arguments.contains(&"-T") {
        arguments.extend(["-T", "pdml"]);
    }
    let output = judge.run(folder.path(), &arguments);
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    kept::kept(&out, &err)
}

#[test]
fn tshark_shows_what_the_golden_files_say() {
    let probes = probe::all(&folder());
    let cases: Vec<_> = probes.iter().map(|probe| (probe.name.trim_end_matches(".lua"), probe)).collect();
    golden::check(&folder(), &cases, shown);
}
