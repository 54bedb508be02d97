//! What is kept of what tshark prints: what a script printed, and the trees of the protocols above TCP and UDP.

/// The lines that a script printed, and of each frame the PDML without the protocols below, in the order in which both came; then
/// what stood on standard error.
pub fn kept(out: &str, err: &str) -> String {
    let mut kept = Vec::new();
    let (mut skipping, mut frame, mut tree) = (true, 0, 0);
    for line in out.lines() {
        if let Some(tag) = line.strip_prefix("  <proto ") {
            let name = tag.split('"').nth(1).unwrap_or_default();
            skipping = ["geninfo", "frame", "eth", "ip", "ipv6", "udp", "tcp"].contains(&name);
            if name == "geninfo" {
                frame += 1;
            }
            tree = kept.len();
            if !skipping {
                kept.push(format!("frame {frame}:"));
            }
        }
        let is_pdml = line.trim_start().starts_with('<');
        if (!is_pdml && !line.is_empty()) || (!skipping && line.starts_with("  ")) {
            kept.push(plain(line));
        }
        if line == "  </proto>" {
            let fields: Vec<_> = kept[tree..].iter().filter(|line| line.contains("<field ")).collect();
            // What tshark shows of a Lua dissector that adds nothing; and the stack, which depends on the helper.
            if matches!(&fields[..], [only] if only.contains("_ws.lua.fake")) || fields.iter().any(|line| line.contains("Lua Traceback")) {
                kept.truncate(tree);
            }
            skipping = true;
        }
    }
    // GLib puts the process and the time in front.
    let said = err.lines().filter(|line| !line.contains("Aborting on"));
    let said = said.map(|line| line.split_once(" -- ").filter(|_| line.starts_with(" ** (")).map_or(line, |(_, said)| said));
    let said = said.filter(|line| !line.starts_with("Running as user") && !line.contains("g_array_free") && !line.is_empty());
    kept.extend(said.map(|line| format!("stderr: {}", plain(line))));
    kept.iter().map(|line| format!("{line}\n")).collect()
}

/// A line without what differs from run to run: addresses in memory, and the folder of the scripts.
fn plain(line: &str) -> String {
    let mut parts = line.split("0x");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|char: char| char.is_ascii_hexdigit()).len();
        let rest = if (11..=14).contains(&digits) { format!("(address){}", &part[digits..]) } else { format!("0x{part}") };
        text += &rest;
    }
    text
}
