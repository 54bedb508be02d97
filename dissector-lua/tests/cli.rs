//! The program: arguments in; standard output, standard error and exit code out.

use std::path::Path;
use std::process::{Command, Output};

/// Runs it with this folder as the home, on Windows as the place of applications' data, and no other variable that counts.
fn run(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dissector-lua"));
    command.args(arguments).env("HOME", home).env("APPDATA", home);
    for variable in ["XDG_CONFIG_HOME", "WIRESHARK_CONFIG_DIR", "WIRESHARK_APPDATA"] {
        command.env_remove(variable);
    }
    command.output().expect("the program starts")
}

/// Runs it in an empty home, compares the exit code, and that each text is printed somewhere.
#[track_caller]
fn check(home: &Path, arguments: &[&str], code: i32, texts: &[&str]) {
    let output = run(home, arguments);
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {printed}");
    for text in texts {
        assert!(printed.contains(text), "{arguments:?}: no `{text}` in {printed}");
    }
}

#[test]
fn generate_writes_both_files() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("made");
    check(home.path(), &["generate", folder.to_str().unwrap()], 0, &["htcpcp.lua", "FIELDS.md"]);
    assert_eq!(std::fs::read_to_string(folder.join("htcpcp.lua")).unwrap(), dissector_lua::generate::dissector());
    let file = folder.join("htcpcp.lua");
    check(home.path(), &["generate", file.to_str().unwrap()], 2, &["cannot write"]);
}

#[test]
fn install_says_what_it_does_and_how_to_go_on() {
    let home = tempfile::tempdir().unwrap();
    check(home.path(), &["install", "--dry-run"], 0, &["would write", "htcpcp.lua"]);
    assert_eq!(home.path().read_dir().unwrap().count(), 0);
    check(home.path(), &["install", "--profile"], 0, &["wrote", "htcpcp.lua", "colorfilters", "Reload Lua Plugins", "tshark -G protocols"]);
    check(home.path(), &["install"], 0, &["already there"]);
    check(home.path(), &["install", "--uninstall", "--profile"], 0, &["removed", "htcpcp.lua", "preferences"]);
    check(home.path(), &["install", "--uninstall"], 0, &["not there"]);
}

#[test]
#[cfg(unix)]
fn what_needs_attention_is_said_and_counts_as_a_finding() {
    let home = tempfile::tempdir().unwrap();
    let plugins = home.path().join(".local/lib/wireshark/plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::write(plugins.join("htcpcp.lua"), "-- somebody's").unwrap();
    check(home.path(), &["install", "--uninstall"], 1, &["left in place"]);
    std::fs::write(plugins.join("coffee.lua"), "local p = Proto(\"HTCPCP\", \"Coffee\")").unwrap();
    check(home.path(), &["install"], 1, &["which was different", "htcpcp.lua.old", "attention", "coffee.lua"]);
}

#[test]
fn without_a_home_nothing_is_done() {
    check(Path::new(""), &["install"], 2, &["is not set"]);
}

#[test]
fn help_teaches_with_examples() {
    let home = tempfile::tempdir().unwrap();
    check(home.path(), &["--help"], 0, &["Examples", "dissector-lua install"]);
    check(home.path(), &["install", "--help"], 0, &["Examples", "--dry-run", "WIRESHARK_CONFIG_DIR"]);
    check(home.path(), &["generate", "--help"], 0, &["Examples", "tshark -X"]);
    check(home.path(), &["completions", "bash"], 0, &["dissector-lua"]);
    check(home.path(), &["man"], 0, &["dissector\\-lua"]);
    check(home.path(), &["brew"], 2, &["unrecognized subcommand"]);
}
