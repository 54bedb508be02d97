//! `pcap-tools dissect`: scripts and captures in; standard output, standard error and exit code out.
//!
//! tshark is the judge of what is shown and of which frames a filter chooses; where it is missing, a line on standard error
//! says what was skipped.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pcap_tools::craft::{self, Conversation, Side};
use serde_json::Value;
use tempfile::TempDir;

/// A field of every type, on TCP port 7000.
const EVERY: &str = include_str!("dissect/every.lua");

// ---- What goes in ----

/// A folder with a capture and scripts, in which the program runs.
struct Bench {
    folder: TempDir,
}

impl Bench {
    /// With the capture `a.pcapng`.
    fn new(capture: &[u8]) -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        bench.put("a.pcapng", capture);
        bench
    }

    /// With some messages to the port of the scripts, and the script `my.lua`.
    fn with(script: &str) -> Self {
        let bench = Self::new(&messages());
        bench.put("my.lua", script.as_bytes());
        bench
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).expect("a file is written");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).expect("a file of text")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pcap-tools"));
        command.arg("dissect").args(arguments).current_dir(self.folder.path()).env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        finish(self.command(arguments).output().expect("the program starts"))
    }

    /// What is shown of `a.pcapng` with `my.lua`.
    #[track_caller]
    fn check(&self, arguments: &[&str], code: i32) -> Run {
        let run = self.run(&[&["--lua", "my.lua", "a.pcapng"], arguments].concat());
        assert_eq!(run.code, Some(code), "{arguments:?}: {}{}", run.out, run.err);
        run
    }

    /// What tshark prints of `a.pcapng` with `my.lua` and others.
    fn tshark(&self, scripts: &[&str], arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("tshark");
        command.current_dir(self.folder.path()).env("HOME", self.folder.path()).args(["-n", "-r", "a.pcapng"]).args(arguments);
        for script in scripts {
            command.args(["-X", &format!("lua_script:{script}")]);
        }
        let Ok(output) = command.output() else {
            eprintln!("skipped: no tshark here, so it is not asked");
            return None;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn finish(output: Output) -> Run {
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Frames 4 to 6 are messages to port 7000.
fn messages() -> Vec<u8> {
    let mut talk = Conversation::new(at(50_000), at(7_000));
    talk.handshake()
        .client("GET coffee://ducky HTTP/1.1\r\n")
        .client("HTCPCP/1.1 200 OK \r\n")
        .client(b"\x00\x01\x02\xff\xfe\x7f\x80 <&> and odd");
    talk.ack(Side::Server).close(Side::Client);
    craft::capture(&talk.packets())
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace")
}

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(workspace().join("sample_capture").join(name)).expect("a sample capture")
}

/// A dissector on port 7000 whose function has this body.
fn dissector(body: &str) -> String {
    format!(
        "local my = Proto('my', 'My Protocol')\n\
         local id = ProtoField.uint8('my.id', 'Number')\n\
         my.fields = {{id}}\n\
         function my.dissector(tvb, pinfo, tree)\n\
         {body}\n\
         end\n\
         DissectorTable.get('tcp.port'):add(7000, my)\n"
    )
}

const PLAIN: &str = "tree:add(my, tvb()):add(id, tvb(0, 1)) pinfo.cols.protocol = 'MY'";

// ---- What comes out ----

#[test]
fn coffee_is_built_in() {
    let bench = Bench::new(&sample("coffee_brew.pcapng"));
    let run = bench.run(&["a.pcapng", "-O", "htcpcp", "-Y", "htcpcp.request.method == \"BREW\"", "-2"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    let expected = "Hyper Text Coffee Pot Control Protocol
    BREW coffee://ducky HTTP/1.1
        Request Method: BREW
        Request URI: coffee://ducky
            Scheme: coffee
            [Language: English]
            Host: ducky
        Request Version: HTTP/1.1
        [Expert Info (Chat/Sequence): BREW coffee://ducky HTTP/1.1]
            [BREW coffee://ducky HTTP/1.1]
            [Severity level: Chat]
            [Group: Sequence]
    Content-Type: application/coffee-pot-command
    Accept-Additions: almond milk; coconut milk; vanilla
        Addition: almond milk (milk)
        Addition: coconut milk (milk)
        Addition: vanilla (syrup)
    Use-Pot: ducky
    Content-Length: 5
        [Content length: 5]
    End of the header
    [Response in frame: 44]
    Command: start
    Body: 5 bytes: start\n\n";
    assert!(run.out.starts_with("Frame 42: ") && run.out.ends_with(expected), "{}", run.out);
}

/// The messages without odd bytes, which versions of tshark show in different ways.
const SOUND: &str = "every && frame.number < 6";

#[test]
fn trees_are_those_of_tshark() {
    let bench = Bench::with(EVERY);
    let arguments = ["-O", "every", "-Y", SOUND];
    let Some(theirs) = bench.tshark(&["my.lua"], &[&["-V"], &arguments[..]].concat()) else { return };
    assert_eq!(own_lines(&bench.check(&arguments, 0).out), own_lines(&theirs));
}

/// The lines from a protocol's on.
fn own_lines(text: &str) -> String {
    let frames = text.split("\n\n").filter_map(|frame| frame.find("A Field of Every Type").map(|at| &frame[at..]));
    frames.collect::<Vec<_>>().join("\n\n")
}

#[test]
fn pdml_is_that_of_tshark() {
    let bench = Bench::with(EVERY);
    assert_well_formed(&bench.check(&["--format", "pdml"], 0).out);
    let ours = bench.check(&["--format", "pdml", "-Y", SOUND], 0).out;
    let Some(theirs) = bench.tshark(&["my.lua"], &["-T", "pdml", "-Y", SOUND]) else { return };
    let own = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with("<proto name=\"every\""));
        // tshark 4.4 says True where 4.0 says 1.
        lines.filter(|line| line.starts_with("<field")).map(|line| line.replace("show=\"True\"", "show=\"1\"")).collect()
    };
    let frames = |text: &str| text.split("<packet>").map(own).filter(|lines| !lines.is_empty()).collect::<Vec<_>>();
    assert_eq!(frames(&ours), frames(&theirs));
}

/// Every element that begins ends, in order, and attributes have no character that XML has not.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    for (number, line) in xml.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        assert!(!line.contains(|char: char| char.is_control() || char == '\u{fffe}'), "{number}: {line}");
        if let Some(name) = line.strip_prefix("</") {
            assert_eq!(open.pop(), Some(name.trim_end_matches('>')), "{number}: {line}");
        } else if line.starts_with('<') && !line.starts_with("<?") && !line.ends_with("/>") {
            open.push(line[1..].split([' ', '>']).next().unwrap_or_default());
        }
        let inner = line.trim_start_matches('<').trim_end_matches('>');
        assert!(!inner.contains(['<', '>']) && inner.matches('"').count().is_multiple_of(2), "{number}: {line}");
    }
    assert!(open.is_empty() && xml.ends_with("</pdml>\n"), "{open:?}");
}

#[test]
fn json_is_that_of_tshark() {
    let bench = Bench::with(EVERY);
    let own = |text: &str| -> Vec<Value> {
        let frames: Vec<Value> = serde_json::from_str(&text.replace("\"True\"", "\"1\"")).expect("an array of frames");
        frames.into_iter().map(|frame| frame["_source"]["layers"]["every"].clone()).collect()
    };
    assert_eq!(own(&bench.check(&["--format", "json", "-Y", "every"], 0).out).len(), 3);
    let ours = bench.check(&["--format", "json", "-Y", SOUND], 0).out;
    let Some(theirs) = bench.tshark(&["my.lua"], &["-T", "json", "--no-duplicate-keys", "-Y", SOUND]) else { return };
    assert_eq!(own(&ours), own(&theirs));
}

#[test]
fn fields_are_those_of_tshark() {
    let bench = Bench::with(EVERY);
    let fields = "frame.number every every.u8 every.u16 every.float every.double every.string every.bytes every.guid every.duration every.time \
                  every.none every.oid every.odd every.frame tcp.srcport tcp.payload _ws.col.Protocol";
    let fields: Vec<&str> = fields.split_whitespace().flat_map(|field| ["-e", field]).collect();
    let styles: [&[&str]; 3] = [
        &["-E", "header=y"],
        &["-E", "separator=;", "-E", "aggregator=/s", "-E", "occurrence=f", "-E", "quote=d"],
        &["-E", "occurrence=l", "-E", "quote=s"],
    ];
    for style in styles {
        let arguments = [&["-Y", SOUND], &fields[..], style].concat();
        let ours = bench.check(&arguments, 0).out;
        let Some(theirs) = bench.tshark(&["my.lua"], &[&["-T", "fields"], &arguments[..]].concat()) else { return };
        assert_eq!(ours, theirs, "{style:?}");
    }
}

/// Frames of every link type, IP of both versions with options, extension headers and fragments, TCP, UDP.
fn every_layer() -> Vec<u8> {
    let [client, server] = [at(40_000), at(7001)];
    let [client6, server6]: [SocketAddr; 2] = ["[::1]:40001", "[::1]:7001"].map(|address| address.parse().expect("an address"));
    let long = craft::datagram(client, server, &[7; 100]);
    let mut talk = Conversation::new(client6, server6);
    talk.handshake().client_in("some words to the server", 9).server(b"an answer").close(Side::Client);
    let mut packets = talk.packets();
    packets.push(craft::ipv4_with_options([127, 0, 0, 1].into(), [127, 0, 0, 1].into(), 17, &[7, 3, 4, 0], &long[20..]));
    packets.extend(craft::ipv4_fragments(&long, 60, 9));
    let mut file = craft::Pcapng::new(craft::Endian::Little);
    let links = [craft::NULL, craft::LOOP, craft::ETHERNET, craft::LINUX_SLL, craft::LINUX_SLL2, craft::RAW];
    for (interface, link_type) in (0..).zip(links) {
        file.interface(link_type, 0, &[]);
        for (packet, ticks) in packets.iter().zip(1_000_000..) {
            file.packet(interface, ticks + 100 * u64::from(interface), &craft::frame(link_type, packet));
        }
    }
    file.packet(2, 1_001_000, &craft::ethernet(&[(0x8100, 5)], &packets[3]));
    file.into_bytes()
}

#[test]
fn fields_of_built_in_protocols_are_those_of_tshark() {
    const FIELDS: &str = "frame.number frame.time_epoch frame.time_delta frame.time_relative frame.len frame.cap_len \
        eth.src eth.dst eth.type eth.addr ip.hdr_len ip.dsfield ip.len ip.id ip.ttl ip.proto ip.checksum \
        ip.src ip.dst ip.addr ipv6.src ipv6.dst ipv6.nxt ipv6.hlim ipv6.plen tcp.srcport tcp.dstport tcp.port tcp.stream tcp.len \
        tcp.seq tcp.seq_raw tcp.nxtseq tcp.ack tcp.ack_raw tcp.hdr_len tcp.flags tcp.flags.str tcp.window_size_value \
        tcp.window_size tcp.window_size_scalefactor tcp.checksum tcp.urgent_pointer tcp.options tcp.options.mss_val \
        tcp.options.wscale.shift tcp.options.timestamp.tsval tcp.options.timestamp.tsecr tcp.payload tcp.time_relative \
        tcp.time_delta tcp.analysis.flags udp.srcport udp.dstport udp.port udp.length udp.checksum \
        udp.stream udp.payload";
    for capture in
        ["homepage_coffee.pcapng", "coffee_418_406.pcapng", "homepage_https.pcapng"].map(sample).into_iter().chain([every_layer()])
    {
        let bench = Bench::new(&capture);
        let arguments: Vec<&str> = FIELDS.split_whitespace().flat_map(|field| ["-e", field]).collect();
        let Some(theirs) = bench.tshark(&[], &[&["-T", "fields"], &arguments[..]].concat()) else { return };
        let ours = bench.run(&[&["a.pcapng"], &arguments[..]].concat()).out;
        let cells = |text: &str| text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect::<Vec<Vec<_>>>();
        let (ours, theirs) = (cells(&ours), cells(&theirs));
        for (column, field) in FIELDS.split_whitespace().enumerate() {
            let column = |lines: &[Vec<String>]| lines.iter().map(|line| line[column].clone()).collect::<Vec<_>>();
            assert_eq!(column(&ours), column(&theirs), "{field}");
        }
    }
}

#[test]
fn fields_escape_what_would_break_a_line() {
    let script = dissector("tree:add(my, tvb(), 'a\\tb\\n\"c\" \\\\ \\27') pinfo.cols.info = 'i'");
    let run = Bench::with(&script).check(&["-e", "my", "-e", "_ws.col.Info", "-Y", "my", "-E", "quote=d"], 0);
    assert_eq!(run.out.lines().next(), Some(r#""a\tb\n""c"" \\ \x1B"	"i""#));
}

// ---- Filters ----

/// Filters on fields of all types; tshark says which frames pass.
const FILTERS: &[&str] = &[
    "every",
    "every.u8 == 71",
    "every.u8 == \"Golf\"",
    "every.u8 == Hotel",
    "every.u8 == 'G'",
    "every.u8 & 1",
    "every.u8 in {70..71}",
    "every.u16 == 0x74",
    "every.u16 == 0x754",
    "every.u64 > 0x4700000000000000",
    "every.i8 > -1",
    "every.i8 < -1",
    "every.i64 == 5135603448169850470",
    "every.float > 1.5",
    "every.float > 50516",
    "every.double > 1e10",
    "every.bool == 1",
    "every.bool == \"Yes\"",
    "every.bool == \"No\"",
    "every.bool",
    "!every.bool",
    "every.char == 'G'",
    "every.char == 71",
    "every.string == \"GET \"",
    "every.string == \"coff\"",
    "every.string != \"coff\"",
    "every.string contains \"cof\"",
    "every.string matches \"^c\"",
    "every.string[0] == \"c\"",
    "len(every.string) == 4",
    "upper(every.string) == \"COFF\"",
    "count(every.string) == 2",
    "every.bytes == 47:45:54:20",
    "every.bytes contains 45:54",
    "every.bytes == \"GET \"",
    "every.guid == 47455420-636f-6666-6565-3a2f2f647563",
    "every.eui64 == 47:45:54:20:63:6f:66:66",
    "every.ether == 47:45:54:20:63:6f",
    "every.ether[0:3] == 47:45:54",
    "every.ipv4 == 71.69.0.0/16",
    "every.ipv6 == 4745::/16",
    "every.oid == 1.31.69.84",
    "every.none",
    "every.odd",
    "every.frame == 3",
    "every.duration == 5.5",
    "every.duration > 6",
    "every.time == \"2001-09-09 01:46:40\"",
    "every.time > \"2001-09-09 01:46:39.5\"",
    "every contains \"coffee\"",
    "every[0:3] == \"GET\"",
    "len(every) > 20",
    "every.u8 == every.char",
    "every.u8 < every.u16",
    "frame contains \"coffee\"",
    "frame.number > 4 && every",
    "tcp.port == 7000 && !every",
    "tcp.flags.syn == 1",
    "ip.addr == 127.0.0.1",
    "_ws.expert && every",
];

/// Filters on the built-in dissector's fields, and those below.
const COFFEE: &[&str] = &[
    "htcpcp",
    "htcpcp.request.method == \"BREW\"",
    "htcpcp.request.method in {\"GET\", \"PROPFIND\"}",
    "htcpcp.request.uri.scheme != \"coffee\"",
    "htcpcp.addition == \"vanilla\"",
    "htcpcp.addition matches \"milk$\"",
    "count(htcpcp.addition) > 2",
    "htcpcp.response.code >= 400",
    "htcpcp.response.code == 406 or htcpcp.response.code == 418",
    "not htcpcp.response.code == 200 and htcpcp",
    "htcpcp.response.phrase contains \"teapot\"",
    "htcpcp.request_in",
    "htcpcp.response_in",
    "htcpcp.time > 0.0025",
    "htcpcp.content_length == 5",
    "htcpcp.file_data[0:1] == 7b",
    "len(htcpcp.file_data) > 100",
    "htcpcp contains \"ducky\"",
    "htcpcp.chat",
    "htcpcp.response_error",
    "json",
    "frame.time_delta > 0.001",
    "tcp.analysis.flags",
    "tcp.flags.fin == 1 and tcp.stream == 4",
    "tcp.port in {5030..5031}",
];

#[test]
fn filters_choose_the_frames_that_tshark_chooses() {
    check_filters(&Bench::with(EVERY), &["--lua", "my.lua"], FILTERS);
}

#[test]
fn filters_on_coffee_choose_the_frames_that_tshark_chooses() {
    let bench = Bench::new(&sample("coffee_418_406.pcapng"));
    bench.put("my.lua", dissector_lua::HTCPCP.as_bytes());
    check_filters(&bench, &["-2"], COFFEE);
}

/// Asks tshark, with `my.lua`, and this program about each of these filters.
#[track_caller]
fn check_filters(bench: &Bench, arguments: &[&str], filters: &[&str]) {
    // A listener for each filter prints the frames that pass; fields are known when all scripts are loaded.
    let taps: String = filters
        .iter()
        .enumerate()
        .map(|(at, filter)| {
            format!("do local tap = Listener.new('frame', {filter:?}) function tap.packet(pinfo) print({at}, pinfo.number) end end\n")
        })
        .collect();
    let judge =
        format!("local judge, done = Proto('judge', 'Judge')\nfunction judge.init() if done then return end done = true\n{taps}end\n");
    bench.put("judge.lua", judge.as_bytes());
    let Some(theirs) = bench.tshark(&["my.lua", "judge.lua"], &["-q", "-2", "-R", "frame"]) else { return };
    let mut passed: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (at, frame) in theirs.lines().filter_map(|line| line.split_once('\t')) {
        passed.entry(at.parse().expect("a number")).or_default().push(frame);
    }
    for (at, filter) in filters.iter().enumerate() {
        let run = bench.run(&[&["a.pcapng", "-e", "frame.number", "-Y", filter], arguments].concat());
        assert_eq!(run.code, Some(0), "{filter}: {}", run.err);
        assert_eq!(run.out.lines().collect::<Vec<_>>(), passed.remove(&at).unwrap_or_default(), "{filter}");
    }
}

#[test]
fn a_filter_that_is_wrong_is_pointed_at() {
    let bench = Bench::with(EVERY);
    for (filter, expected) in [
        ("every.u9 == 1", "\"every.u9\" is no field that is known here; did you mean \"every.u8\"?"),
        ("http.host", "\"http.host\" is a field for other commands: none of the dissectors that run here shows it"),
        ("every.none == 1", "\"every.none\" has no values to compare: it is there or not"),
        ("every.i8 == -200", "-200 is too small for this field, whose minimum is -128"),
        ("every.guid == x", "\"x\" is not a GUID"),
    ] {
        let run = bench.check(&["-Y", filter], 2);
        assert!(run.out.is_empty() && run.err.contains(expected), "{filter}: {}", run.err);
    }
    assert!(bench.check(&["-e", "every.nothing"], 2).err.contains("\"every.nothing\" is no field that is known here"));
}

// ---- Scripts that fail ----

#[test]
fn an_error_is_told_once_and_counted() {
    let bench = Bench::with(&dissector("local own = tree:add(my, tvb())\nown:add(nothing.at, tvb())"));
    let run = bench.check(&["-O", "my"], 1);
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.err);
    assert!(lines[0].starts_with("pcap-tools: frame 4: my.lua:6: attempt to index "), "{}", lines[0]);
    assert_eq!(lines[1], "pcap-tools: my.lua:6: 3 errors, the last in frame 6");
    assert_eq!(run.out.matches("Lua Error: my.lua:6: attempt to index ").count(), 3, "{}", run.out);
    assert_eq!(run.out.matches("\nFrame ").count() + 1, 11, "the run went on");
}

#[test]
fn a_script_that_cannot_be_loaded_is_named_with_its_line() {
    for (script, expected) in
        [("local x = \n\n)", "my.lua:3:"), ("\nno_such_function()", "my.lua:2:"), ("Proto('tcp', 'Taken')", "my.lua:1:")]
    {
        let run = Bench::with(script).check(&[], 2);
        assert!(run.out.is_empty() && run.err.contains(expected) && run.err.lines().count() == 1, "{script}: {}", run.err);
    }
    let run = Bench::new(&messages()).run(&["--lua", "no.lua", "a.pcapng"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.starts_with("pcap-tools: cannot read no.lua: "), "{}", run.err);
}

#[test]
fn a_script_that_declares_htcpcp_takes_its_place() {
    let script = "local p = Proto('HTCPCP', 'Theirs')\n\
                  function p.dissector(tvb, pinfo, tree) tree:add(p, tvb(), 'their coffee') end\n\
                  DissectorTable.get('tcp.port'):add(5030, p)";
    let bench = Bench::new(&sample("coffee_brew.pcapng"));
    bench.put("theirs.lua", script.as_bytes());
    let run = bench.run(&["--lua", "theirs.lua", "a.pcapng", "-Y", "htcpcp", "-O", "htcpcp"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert_eq!(run.out.matches("their coffee").count(), 10, "{}", run.out);
}

#[test]
fn what_scripts_print_keeps_out_of_documents() {
    let script = dissector(&format!("print('seen', pinfo.number) {PLAIN}"))
        + "local tap = Listener.new('tcp')\nlocal count = 0\nfunction tap.packet() count = count + 1 end\n\
           function tap.draw() print(count .. ' segments') end\n";
    let bench = Bench::with(&script);
    let run = bench.check(&["-e", "frame.number", "-Y", "my"], 0);
    assert_eq!(run.out, "seen\t4\n4\nseen\t5\n5\nseen\t6\n6\n11 segments\n");
    let run = bench.check(&["--format", "json"], 0);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&run.out).expect("a document").len(), 11);
    assert_eq!(run.err, "seen\t4\nseen\t5\nseen\t6\n11 segments\n");
}

// ---- Settings ----

#[test]
fn decode_as_preferences_and_standard_input() {
    let script = "local my = Proto('my', 'My Protocol')\n\
                  my.prefs.word = Pref.string('Word', 'quiet', 'What to say')\n\
                  function my.dissector(tvb, pinfo, tree) tree:add(my, tvb(), 'says ' .. my.prefs.word) end\n\
                  DissectorTable.get('tcp.port'):add_for_decode_as(my)\n";
    let bench = Bench::with(script);
    assert!(!bench.check(&[], 0).out.contains("says"));
    assert_eq!(bench.check(&["-d", "tcp.port==6990-7010,my"], 0).out.matches("says quiet").count(), 3);
    assert_eq!(bench.check(&["-d", "tcp.port==7000,my", "-o", "my.word: loud"], 0).out.matches("says loud").count(), 3);
    for (arguments, expected) in [
        (["-d", "tcp.port==7000"], "-d tcp.port==7000: TABLE==VALUE,PROTOCOL was expected"),
        (["-d", "tcp.prot==7000,my"], "no table of dissectors is called \"tcp.prot\""),
        (["-d", "tcp.port==7000,mine"], "no dissector is called \"mine\""),
        (["-d", "tcp.port==x,my"], "\"x\" is not a number"),
        (["-o", "my.word"], "-o my.word: NAME:VALUE was expected"),
        (["-o", "my.sentence:x"], "-o my.sentence:x: "),
        (["-z", "my,stat"], "-z my,stat: "),
    ] {
        let run = bench.check(&arguments, 2);
        assert!(run.err.contains(expected), "{arguments:?}: {}", run.err);
    }
    let mut child = bench
        .command(&["--lua", "my.lua", "-d", "tcp.port==7000,my", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(&messages()).expect("the capture is read");
    let run = finish(child.wait_with_output().expect("the program ends"));
    assert_eq!((run.code, run.out.matches("says quiet").count()), (Some(0), 3), "{}", run.err);
}

#[test]
fn a_capture_that_cannot_be_read_leaves_no_output() {
    let bench = Bench::new(b"no capture");
    for file in ["a.pcapng", "no.pcapng"] {
        let run = bench.run(&[file, "--format", "json"]);
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{}", run.err);
        assert!(run.err.starts_with(&format!("pcap-tools: {file} ")), "{}", run.err);
    }
    let cut = messages();
    let run = Bench::new(&cut[..cut.len() - 5]).run(&["a.pcapng", "--format", "json"]);
    assert_eq!((run.code, serde_json::from_str::<Vec<Value>>(&run.out).expect("a document").len()), (Some(1), 10));
    assert!(run.err.starts_with("pcap-tools: a.pcapng: "), "{}", run.err);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let bench = Bench::with(&dissector(PLAIN));
    for arguments in [
        &["--format", "fields"][..],
        &["--format", "json", "-e", "frame.number"],
        &["--format", "pdml", "-O", "my"],
        &["-e", "frame.number", "-E", "colour=y"],
        &["--expect", "a", "--bless", "b"],
        &["--time-limit", "0"],
        &["--memory-limit", "0"],
        &["--instruction-limit", "0"],
        &["-O", "mine"],
        &["-2", "-"],
    ] {
        bench.check(arguments, 2);
    }
}

#[test]
fn scripts_find_each_other_by_require() {
    let bench = Bench::with(&dissector("tree:add(my, tvb(), require('words').hello)"));
    bench.put("words.lua", b"return {hello = 'hello from a module'}");
    assert_eq!(bench.check(&["--lua", "words.lua"], 0).out.matches("\nhello from a module\n").count(), 3);
    assert!(bench.check(&[], 1).err.starts_with("pcap-tools: frame 4: my.lua:5: "));
}

// ---- Golden files ----

#[test]
fn a_golden_file_is_written_kept_and_missed() {
    let bench = Bench::with(&dissector(PLAIN));
    let run = bench.check(&["--bless", "my.golden"], 0);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""));
    let golden = bench.read("my.golden");
    assert_eq!(golden.matches("My Protocol\n    Number: ").count(), 3, "{golden}");
    assert!(golden.starts_with("Frame 4: ") && !golden.contains("Transmission Control"), "{golden}");
    let run = bench.check(&["--expect", "my.golden"], 0);
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""));

    bench.put("my.lua", dissector(&PLAIN.replace("tvb(0, 1)", "tvb(1, 1)")).as_bytes());
    let run = bench.check(&["--expect", "my.golden"], 1);
    assert!(run.out.starts_with("--- my.golden (expected)\n+++ shown now\n@@ frame 4, lines "), "{}", run.out);
    assert!(run.out.contains("\n My Protocol\n-    Number: 71\n+    Number: 69\n"), "{}", run.out);
}

#[test]
fn coffee_is_as_golden_as_ever() {
    let golden = workspace().join("pcap-tools/tests/golden/coffee_418_406.tree");
    let run = Bench::new(&sample("coffee_418_406.pcapng")).run(&["-2", "a.pcapng", "--expect", golden.to_str().expect("a path of text")]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{}", run.out);
}

#[test]
fn a_golden_file_can_have_any_format() {
    let bench = Bench::with(EVERY);
    for arguments in [&["--format", "json"][..], &["--format", "pdml"], &["-e", "every.u8"], &["-2", "-Y", "every.u8 == 71", "-O", "tcp"]] {
        bench.check(&[arguments, &["--bless", "my.golden"]].concat(), 0);
        bench.check(&[arguments, &["--expect", "my.golden"]].concat(), 0);
        assert!(!bench.read("my.golden").contains(&bench.folder.path().to_string_lossy().into_owned()));
        bench.put("my.golden", b"");
        bench.check(&[arguments, &["--expect", "my.golden"]].concat(), 1);
    }
}

#[test]
fn a_test_that_cannot_run_is_told_from_one_that_fails() {
    let bench = Bench::with(&dissector(PLAIN));
    assert!(bench.check(&["--expect", "no.golden"], 2).err.starts_with("pcap-tools: cannot read no.golden: "));
    let run = bench.check(&["-Y", "frame.number > 100", "--bless", "my.golden"], 2);
    assert_eq!(
        run.err,
        "pcap-tools: there is nothing to write to my.golden: no frame shows a protocol of the scripts (is --lua, -d or another filter missing?)\n"
    );
    bench.put("my.lua", b"Proto(");
    bench.check(&["--expect", "my.golden"], 2);
    // An error in a script never passes.
    bench.put("my.lua", dissector("tree:add(my, tvb()) error('no')").as_bytes());
    bench.check(&["--bless", "my.golden"], 1);
    assert!(bench.read("my.golden").contains("Lua Error: my.lua:5: no"));
    bench.check(&["--expect", "my.golden"], 1);
}

// ---- Scripts that misbehave ----

/// Runs a dissector that misbehaves in frame 4; what is said of it.
#[track_caller]
fn check_stopped(body: &str, arguments: &[&str], expected: &str) -> Run {
    let script = dissector(&format!("tree:add(my, tvb()):add(id, tvb(0, 1))\nif pinfo.number == 4 then\n{body}\nend"));
    let begin = Instant::now();
    let run = Bench::with(&script).check(&[&["-e", "frame.number", "-e", "my.id", "-Y", "frame.number > 2"], arguments].concat(), 1);
    assert!(begin.elapsed() < Duration::from_secs(60), "{body}: it took {:?}", begin.elapsed());
    assert!(run.err.contains(expected), "{body}: {}", run.err);
    run
}

/// The same, where the run goes on.
#[track_caller]
fn check_goes_on(body: &str, arguments: &[&str], expected: &str) {
    let run = check_stopped(body, arguments, expected);
    assert_eq!(run.out, "3\t\n4\t71\n5\t72\n6\t0\n7\t\n8\t\n9\t\n10\t\n11\t\n", "{body}");
}

/// Few instructions, so that a test is short.
const FEW: [&str; 4] = ["--instruction-limit", "1000000", "--time-limit", "60"];

/// What takes a while on a machine that has much to do.
const PATIENT: [&str; 2] = ["--time-limit", "60"];

#[test]
fn files_programs_and_networks_are_out_of_reach() {
    let calls = [
        "io.open('evil.lua')",
        "io.popen('true')",
        "io.lines('evil.lua')",
        "os.execute('true')",
        "os.getenv('HOME')",
        "os.remove('evil.lua')",
        "os.rename('evil.lua', 'x')",
        "os.tmpname()",
        "os.exit(3)",
        "debug.getregistry()",
        "debug.sethook()",
        "load('return 1')",
        "loadstring('return 1')",
        "loadfile('evil.lua')",
        "dofile('evil.lua')",
        "package.loadlib('libc.so.6', '*')",
        "package.searchpath('evil', './?.lua')",
        "string.dump(function() end)",
    ];
    let checks: Vec<String> =
        calls.iter().map(|call| format!("if pcall(function() return {call} end) then print([[{call}]]) end")).collect();
    let bench = Bench::with(&checks.join("\n"));
    bench.put("evil.lua", b"print('loaded')");
    assert_eq!(bench.check(&["-e", "frame.number", "-Y", "frame.number == 1"], 0).out, "1\n");
    for call in ["require('evil')", "dofile('evil.lua')", "loadfile('evil.lua')()"] {
        bench.put("my.lua", call.as_bytes());
        let run = bench.check(&[], 2);
        assert!(!run.err.contains("loaded") && run.err.contains("my.lua:1:"), "{call}: {}", run.err);
    }
}

#[test]
fn memory_is_limited() {
    let limit = ["--memory-limit", "32", "--time-limit", "60"];
    check_goes_on("local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end", &limit, "not enough memory");
    check_goes_on("local s = 'x' while true do s = s .. s end", &limit, "not enough memory");
    check_goes_on("local s = ('x'):rep(2147483647)", &limit, "frame 4: ");
}

#[test]
fn a_loop_without_end_is_stopped() {
    check_goes_on("while true do end", &FEW, "my.lua:7:");
}

#[test]
fn a_loop_of_protected_calls_is_stopped() {
    check_goes_on("while true do pcall(function() while true do end end) end", &FEW, "my.lua:7:");
    check_goes_on("while true do pcall(error) end", &FEW, "my.lua:7:");
}

#[test]
fn a_loop_in_a_coroutine_is_stopped() {
    check_goes_on("coroutine.wrap(function() while true do end end)()", &FEW, "my.lua:7:");
    check_goes_on("while true do local c = coroutine.create(function() while true do end end) coroutine.resume(c) end", &FEW, "my.lua:7:");
}

#[test]
fn recursion_without_end_is_stopped() {
    check_goes_on("local function f() return 1 + f() end f()", &PATIENT, "stack overflow");
    // Too many dissectors inside of each other are Wireshark's error, which only Lua 5.4 hands to the script.
    let script = dissector("tree:add(my, tvb()):add(id, tvb(0, 1)) Dissector.get('my'):call(tvb, pinfo, tree)");
    let run = Bench::with(&script).run(&["--lua", "my.lua", "a.pcapng", "-e", "frame.number", "-Y", "frame.number > 9"]);
    assert_eq!((run.code.map(|code| code < 2), run.out.as_str()), (Some(true), "10\n11\n"), "{}", run.err);
}

#[test]
fn a_tree_without_end_is_stopped() {
    for body in ["while true do tree:add(id, tvb(0, 1)) end", "local item = tree while true do item = item:add(id, tvb(0, 1)) end"] {
        let run = check_stopped(body, &PATIENT, "frame 4: my.lua:7:");
        assert!(run.out.ends_with("\n5\t72\n6\t0\n7\t\n8\t\n9\t\n10\t\n11\t\n"), "the run went on");
    }
}

#[test]
fn bytes_without_end_are_stopped() {
    check_goes_on("local b = ByteArray.new('00') while true do b:append(b) end", &PATIENT, "my.lua:7:");
    check_goes_on("local b = ByteArray.new(('00'):rep(500000)) while true do b:tvb('more') end", &FEW, "my.lua:7:");
}

#[test]
fn output_without_end_is_stopped() {
    check_stopped("while true do print(('x'):rep(100)) end", &FEW, "my.lua:7:");
}

/// A search that takes ages inside of one call, where no instruction is counted.
const BOMB: &str = "string.find(('a'):rep(60), ('a*'):rep(30) .. 'b')";

#[test]
fn a_search_without_end_ends_the_run_where_it_is() {
    let run = check_stopped(BOMB, &["--time-limit", "2"], "frame 4: my.lua took longer than 2 s");
    assert_eq!(run.out, "3\t\n");
    let run =
        Bench::with(&dissector(&format!("if pinfo.number == 5 then {BOMB} end"))).check(&["--format", "json", "--time-limit", "2"], 1);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&run.out).expect("a document").len(), 4);
    let run =
        Bench::with(&dissector(&format!("if pinfo.number == 5 then {BOMB} end"))).check(&["--format", "pdml", "--time-limit", "2"], 1);
    assert_well_formed(&run.out);
    let run = Bench::with(BOMB).check(&["--time-limit", "2"], 1);
    assert_eq!(run.err, "pcap-tools: my.lua took longer than 2 s (see --time-limit); the output ends before it\n");
}

// ---- The worker ----

#[test]
fn what_a_dissector_has_made_takes_the_frames_time_too() {
    let many = "local b = ByteArray.new() b:set_size(50000000) local r = b:tvb('x')() for i = 1, 300 do tree:add(id, r) end";
    let script = dissector(many).replace("ProtoField.uint8", "ProtoField.bytes");
    let run = Bench::with(&script).check(&["--format", "json", "--time-limit", "1"], 1);
    assert!(run.err.contains("took longer than 1 s"), "{}", run.err);
}

#[test]
fn scripts_that_call_each_other_have_one_frames_time() {
    let bench = Bench::with(&dissector("while true do Dissector.get('other'):call(tvb, pinfo, tree) end"));
    bench.put("other.lua", b"local p = Proto('other', 'Other')\nfunction p.dissector() string.find(('a'):rep(3000), '.-b') end");
    let run = bench.check(&["--lua", "other.lua", "--time-limit", "1"], 1);
    assert!(run.err.contains("took longer than 1 s"), "{}", run.err);
}

#[test]
fn a_pipe_that_is_closed_ends_it_quietly() {
    let bench = Bench::new(&sample("homepage_coffee.pcapng"));
    let mut child = bench.command(&["a.pcapng"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("it ends");
    assert_eq!((ended(&mut child), err.as_str()), (Some(0), ""));
}

/// The exit status; a failure if it does not end.
fn ended(child: &mut Child) -> Option<i32> {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("it is our child");
    panic!("it did not end");
}

#[cfg(target_os = "linux")]
#[test]
fn a_worker_ends_with_its_parent() {
    let bench = Bench::with(&dissector(BOMB));
    let mut child = bench
        .command(&["--lua", "my.lua", "a.pcapng", "--time-limit", "1000"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let argument = format!("--worker={}", child.id());
    let worker = || -> Option<PathBuf> {
        let processes = std::fs::read_dir("/proc").expect("processes").flatten();
        processes.map(|entry| entry.path()).find(|path| {
            std::fs::read(path.join("cmdline")).is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
        })
    };
    let soon = |done: &dyn Fn() -> bool| {
        let begin = Instant::now();
        while !done() && begin.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        done()
    };
    assert!(soon(&|| worker().is_some()), "there is a worker");
    child.kill().expect("it is our child");
    child.wait().expect("it ends");
    assert!(soon(&|| worker().is_none()), "the worker has ended");
}
