//! A script as it is written, as tshark runs it, and what is kept of what it prints.

use std::fmt::Write;
use std::path::Path;

/// One script.
pub struct Probe {
    /// `tvb.lua`
    pub name: String,
    source: String,
}

/// All scripts of a folder, in the order of their names; the helper that they share is none.
pub fn all(folder: &Path) -> Vec<Probe> {
    let entries = std::fs::read_dir(folder).expect("the folder of the scripts");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in ASCII"));
    let mut names: Vec<_> = names.filter(|name| name.ends_with(".lua") && name != "probe.lua").collect();
    names.sort();
    let read = |name: String| Probe { source: std::fs::read_to_string(folder.join(&name)).expect("a script is read"), name };
    names.into_iter().map(read).collect()
}

impl Probe {
    /// The script with `--? expression` and `--! statement` made into calls that say what came of them.
    ///
    /// `--?4.4 expression` is for that version only. The helper takes the place of the comment in the first line. Each line stays where it is, so that the lines in
    /// messages are the written ones.
    pub fn script(&self, version: &str) -> String {
        let mut script = helper() + "\n";
        for line in self.source.lines().skip(1) {
            let code = line.trim_start();
            let done = match code.split_at_checked(4) {
                Some(("--? ", expression)) => writeln!(script, "probe([==[{expression}]==], function() return {expression} end)"),
                Some(("--?4", rest)) => match rest.split_once(' ').filter(|(minor, _)| version.ends_with(minor)) {
                    Some((_, expression)) => writeln!(script, "probe([==[{expression}]==], function() return {expression} end)"),
                    None => writeln!(script),
                },
                Some(("--! ", statement)) => writeln!(script, "probe([==[{statement}]==], function() {statement} end, 'quiet')"),
                _ => writeln!(script, "{line}"),
            };
            done.expect("a string takes everything");
        }
        script
    }

    /// How many frames of the capture are needed.
    pub fn frames(&self) -> usize {
        self.head().0.parse().unwrap_or_else(|_| panic!("{} does not begin with `-- frames: N`", self.name))
    }

    /// Further arguments for tshark.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        self.head().1.split_whitespace()
    }

    /// `-- frames: N; arguments`
    fn head(&self) -> (&str, &str) {
        let head = self.source.lines().next().unwrap_or_default().strip_prefix("-- frames: ").unwrap_or_default();
        head.split_once("; ").unwrap_or((head, ""))
    }
}

/// The functions that all scripts share, in one line: scripts do not see each other's globals.
fn helper() -> String {
    let code = include_str!("probe.lua").lines().map(str::trim).filter(|line| !line.starts_with("--"));
    code.collect::<Vec<_>>().join(" ")
}
