//! An installed dissector: tshark finds it where we put it, and takes the profile.

use dissector_lua::install::Folders;
use dissector_lua::install::folders::System;
use pcap_tools::craft::{self, Side};

use super::judge::judges;
use super::talk;

#[test]
fn tshark_looks_where_we_install() {
    for judge in judges() {
        let home = judge.folder();
        let told = judge.text(home.path(), &["-G", "folders"]);
        let told = |name: &str| {
            let line = told.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {told}"));
            let path = line.split('\t').next_back().unwrap_or_default();
            path.rsplit_once("/.").map(|(_, below_home)| format!(".{below_home}"))
        };
        let folders = Folders::find(System::Unix, |name| (name == "HOME").then(|| "/h".into()), |_| false).unwrap();
        let ours = |path: &std::path::Path| Some(path.strip_prefix("/h").unwrap().to_str().unwrap().to_owned());
        assert_eq!(told("Personal Lua Plugins"), ours(&folders.plugins), "{judge:?}");
        assert_eq!(told("Personal configuration"), ours(&folders.config), "{judge:?}");
    }
}

#[test]
fn the_installed_dissector_is_loaded_and_the_profile_is_read() {
    let mut talk = talk();
    talk.client("GET coffee://ducky HTTP/1.1\r\n\r\n").server("HTCPCP/1.1 200 OK\r\n\r\n{}").close(Side::Server);
    for judge in judges() {
        let home = judge.home();
        std::fs::write(home.path().join("a.pcapng"), craft::capture(&talk.packets())).unwrap();
        assert!(judge.text(home.path(), &["-G", "protocols"]).contains("\tHTCPCP\thtcpcp"), "{judge:?}");
        let shown = judge.text(home.path(), &["-C", "HTCPCP", "-n", "-r", "a.pcapng", "-Y", "htcpcp.response", "-T", "tabs"]);
        let columns: Vec<_> = shown.trim_end().split('\t').map(str::trim).collect();
        assert_eq!(columns[2], "0", "the stream in {columns:?}");
        assert_eq!(columns[columns.len() - 2..], ["0.001000000", "200 OK to GET coffee://ducky after 1.000 ms"], "{judge:?}");
    }
}
