//! The profile HTCPCP: what Wireshark's window shows of the lab.
//!
//! Source: Wireshark User's Guide, appendix B "Files and Folders" for the files; tshark reads them in a test.

/// What the profile is called.
pub const NAME: &str = "HTCPCP";

/// The columns: what they are called and what they show.
const COLUMNS: [(&str, &str); 9] = [
    ("No.", "%m"),
    ("Time", "%t"),
    ("Stream", "%Cus:tcp.stream:0:R"),
    ("Source", "%s"),
    ("Destination", "%d"),
    ("Protocol", "%p"),
    ("Length", "%L"),
    ("Response time", "%Cus:htcpcp.time:0:R"),
    ("Info", "%i"),
];

/// Colours, the first that fits counting: name, filter, background, foreground (red, green, blue of 16 bits).
const COLOURS: [(&str, &str, [u16; 3], [u16; 3]); 4] = [
    ("HTCPCP trouble", "htcpcp && _ws.expert.severity >= warning", [65535, 56797, 51400], [40863, 11051, 0]),
    ("HTCPCP refused", "htcpcp.response.code >= 400", [65535, 62194, 52428], [32896, 19275, 0]),
    ("HTCPCP", "htcpcp", [61166, 57825, 53456], [15163, 8224, 3084]),
    ("TCP opens and closes", "tcp.flags & 0x07", [57054, 57054, 57054], [17219, 17219, 17219]),
];

/// Filter buttons: label, filter, tooltip.
fn buttons() -> [(&'static str, String, &'static str); 4] {
    [
        ("HTCPCP", "htcpcp".to_owned(), "Between web app and pot"),
        ("Lab", format!("htcpcp or tcp.port == {}", htcpcp::WEBAPP_PORT), "Browser, web app and pot"),
        ("Requests", "htcpcp.request".to_owned(), "What the pot is asked"),
        ("Errors", "htcpcp.response.code >= 400 or htcpcp && _ws.malformed".to_owned(), "What the pot refuses"),
    ]
}

/// The profile's files: name and content.
pub fn files() -> impl Iterator<Item = (&'static str, String)> {
    let columns: Vec<_> = COLUMNS.iter().map(|(title, format)| format!("\t\"{title}\", \"{format}\"")).collect();
    // Segments that the capture has in another order are put into theirs, so that their messages can be read.
    let preferences = format!("gui.column.format: \n{}\ntcp.reassemble_out_of_order: TRUE\n", columns.join(",\n"));
    let colour = |[red, green, blue]: [u16; 3]| format!("[{red},{green},{blue}]");
    let colours = COLOURS.iter().map(|(name, filter, back, front)| format!("@{name}@{filter}@{}{}\n", colour(*back), colour(*front)));
    let buttons = buttons().map(|(label, filter, about)| format!("\"TRUE\",\"{label}\",\"{filter}\",\"{about}\"\n"));
    [("preferences", preferences), ("colorfilters", colours.collect()), ("dfilter_buttons", buttons.concat())].into_iter()
}
