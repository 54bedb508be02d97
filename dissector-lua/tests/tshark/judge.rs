//! What tshark shows of our own dissector.
//!
//! In: a capture and arguments. Out: what tshark prints with it, and of its PDML the fields of our own protocol.
//! Left to others: what should be there; how tshark is run (`asked`).

use std::collections::BTreeMap;
use std::path::Path;

use dissector_lua::install::folders::System;
use dissector_lua::install::{Folders, Mode, What, install};

pub use crate::asked::{Judge, judges, workspace};

/// A field of a dissector as PDML shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The display filter's name, without `htcpcp.`; empty for text.
    pub name: String,
    /// The value, as a filter compares it.
    pub show: String,
    /// The label.
    pub label: String,
}

/// The fields of our own protocol by frame, in order.
pub type Frames = BTreeMap<u64, Vec<Field>>;

impl Judge {
    /// What tshark prints about a capture with the dissector and these arguments.
    pub fn print(&self, capture: &[u8], arguments: &[&str]) -> String {
        self.print_plainly(capture, &[&["-X", "lua_script:htcpcp.lua"], arguments].concat())
    }

    /// What it prints about a capture, without the dissector.
    ///
    /// No configuration of this machine counts. Panics if tshark fails or complains, or if Lua does.
    pub fn print_plainly(&self, capture: &[u8], arguments: &[&str]) -> String {
        let folder = self.folder();
        let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file is written");
        put("htcpcp.lua", dissector_lua::generate::dissector().as_bytes());
        put("a.pcapng", capture);
        self.text(folder.path(), &[&["-n", "-r", "a.pcapng"], arguments].concat())
    }

    /// What tshark prints in one of its folders.
    pub fn text(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.run(folder, arguments);
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        // Debian's tshark says this to root.
        let complaints: Vec<_> = err.lines().filter(|line| !line.starts_with("Running as user")).collect();
        assert!(output.status.success() && complaints.is_empty(), "tshark {} {arguments:?}: {}", self.version(), complaints.join("\n"));
        assert!(!out.contains("Lua Error:"), "tshark {}: {}", self.version(), near(&out, "Lua Error:"));
        out
    }

    /// The fields of our own protocol.
    pub fn frames(&self, capture: &[u8], arguments: &[&str]) -> Frames {
        parse_pdml(&self.print(capture, &[&["-T", "pdml"], arguments].concat()))
    }

    /// Such a folder as a home in which dissector and profile are installed.
    pub fn home(&self) -> tempfile::TempDir {
        let home = self.folder();
        let variable = |name: &str| (name == "HOME").then(|| home.path().into());
        let folders = Folders::find(System::Unix, variable, |path| path.exists()).expect("there is a home");
        install(&folders, What::DissectorAndProfile, Mode::Real).expect("it is installed");
        home
    }
}

/// What stands around a word.
fn near<'a>(text: &'a str, word: &str) -> &'a str {
    let at = text.find(word).unwrap_or(0);
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    &text[line..text.len().min(at + 300).max(line)]
}

/// PDML has one tag on a line. Ours are those within `<proto name="htcpcp">`, and expert infos about them.
fn parse_pdml(pdml: &str) -> Frames {
    let mut frames = Frames::new();
    let (mut frame, mut ours) = (0, false);
    for line in pdml.lines().map(str::trim_start) {
        if line.starts_with("<field name=\"num\"") {
            frame = attribute(line, "show").parse().expect("a frame number");
        } else if line.starts_with("<proto ") && line.ends_with("/>") {
            // The mark of a malformed packet, within the protocol that has it.
        } else if line.starts_with("<proto ") {
            ours = attribute(line, "name") == "htcpcp";
            if ours {
                let label = attribute(line, "showname");
                frames.entry(frame).or_default().push(Field { name: "htcpcp".to_owned(), show: String::new(), label });
            }
        } else if line.starts_with("</proto>") {
            ours = false;
        } else if ours && line.starts_with("<field ") {
            let name = attribute(line, "name");
            let field = Field {
                name: name.strip_prefix("htcpcp.").unwrap_or(&name).to_owned(),
                // 4.0 shows 1, 4.4 True.
                show: attribute(line, "show").replace("True", "1"),
                label: hexadecimal(&attribute(line, "showname")),
            };
            frames.entry(frame).or_default().push(field);
        }
    }
    frames
}

/// A label with its bytes as 4.4 writes those that cannot be shown, `\x1F`; 4.0 writes `\037`.
pub fn hexadecimal(label: &str) -> String {
    let mut parts = label.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => text += &format!("\\x{byte:02X}{}", &part[3..]),
            None => text += &format!("\\{part}"),
        }
    }
    text
}

fn attribute(tag: &str, name: &str) -> String {
    let Some((_, rest)) = tag.split_once(&format!(" {name}=\"")) else { return String::new() };
    let value = rest.split('"').next().unwrap_or_default();
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#x27;", "'"), ("&amp;", "&")]
        .iter()
        .fold(value.to_owned(), |text, (code, char)| text.replace(code, char))
}

/// What both versions show of a capture, which has to be the same; `None` if there is nobody to ask.
pub fn agreed(capture: &[u8], arguments: &[&str]) -> Option<Frames> {
    let shown: Vec<_> = judges().iter().map(|judge| judge.frames(capture, arguments)).collect();
    if let [one, other] = &shown[..] {
        for (frame, fields) in one.iter().chain(other) {
            let [a, b] = [one, other].map(|frames| frames.get(frame).map_or(&[][..], Vec::as_slice));
            let only = |these: &[Field], those: &[Field]| these.iter().filter(|field| !those.contains(field)).cloned().collect::<Vec<_>>();
            assert!(a == b, "frame {frame}: only 4.0 {:?}, only 4.4 {:?}, of {} fields", only(a, b), only(b, a), fields.len());
        }
    }
    shown.into_iter().next()
}
