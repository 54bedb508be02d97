//! What the READMEs show of tshark is what tshark shows.

use std::fs;

use crate::judge::{judges, workspace};

/// The commands of the console blocks, each with what they are shown to print.
fn shown(readme: &str) -> Vec<(String, String)> {
    let blocks = readme.split("```console\n").skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0));
    let pieces = blocks.flat_map(|block| block.split("$ ").skip(1)).filter_map(|piece| piece.split_once('\n'));
    pieces.map(|(command, output)| (command.to_string(), output.trim_end().to_string())).collect()
}

/// Runs each `tshark -r FILE …` of a README, in both versions, and compares. Lines that `| tail -n +5` leaves out are left out.
#[track_caller]
fn check(path: &str, commands: usize) {
    let readme = fs::read_to_string(workspace().join(path)).expect("the README is there");
    let mut compared = 0;
    for (command, expected) in shown(&readme) {
        let Some(arguments) = command.strip_prefix("tshark -r ") else { continue };
        let (arguments, skipped) = match arguments.split_once(" | tail -n +5") {
            Some((arguments, _)) => (arguments, 4),
            None => (arguments, 0),
        };
        let mut arguments = arguments.split(' ');
        let file = arguments.next().expect("a command has a file");
        let capture = fs::read(workspace().join(file)).expect("the capture is there");
        let arguments: Vec<_> = arguments.collect();
        for judge in judges() {
            let printed = judge.print(&capture, &arguments);
            let lines: Vec<_> = printed.lines().skip(skipped).collect();
            assert_eq!(lines.join("\n").trim_end(), expected, "{path}: {command}: {judge:?}");
        }
        compared += 1;
    }
    assert_eq!(compared, commands, "{path}");
}

#[test]
fn the_readmes_show_what_tshark_shows() {
    check("README.md", 1);
    check("dissector-lua/README.md", 2);
}
