//! What an untrusted script may not do: each test is a script that tries, and a host that goes on.

use dissector_lua::host::core::Fault;
use dissector_lua::host::frame::Frame;
use dissector_lua::host::{Host, Options, Shown};

/// A frame of Ethernet, IPv4 and UDP to port 7777, with four bytes of payload.
const FRAME: &[u8] = &[
    2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, // Ethernet
    0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, // IPv4
    0x9c, 0x40, 0x1e, 0x61, 0, 12, 0, 0, // UDP
    1, 2, 3, 4,
];

fn host() -> Host {
    let mut host = Host::new(&Options { memory_limit: 64 << 20, instruction_limit: 2_000_000 }).expect("a host is made");
    host.show_trees(Shown::Whole);
    host
}

fn dissect(host: &mut Host, number: u32) {
    host.dissect(&Frame { number, captured: FRAME, wire_len: FRAME.len() as u32, link_type: 1, ..Frame::default() });
}

/// The faults of a script whose dissector has this body, in frame 1; frame 2 shows that the host goes on.
fn faults_of(body: &str) -> Vec<Fault> {
    let mut host = host();
    let script = format!(
        "local p = Proto('probe', 'Probe')\nlocal kept\n\
         function p.dissector(tvb, pinfo, tree) if pinfo.number == 2 then print('still here') return end\n{body}\nend\n\
         DissectorTable.get('udp.port'):add(7777, p)"
    );
    host.load("probe.lua", script.as_bytes()).expect("the script is loaded");
    host.begin();
    dissect(&mut host, 1);
    let faults = host.take_faults();
    dissect(&mut host, 2);
    assert_eq!(host.take_output().lines().last(), Some("still here"), "{body}");
    faults
}

fn check(body: &str, expected: &str) {
    let faults = faults_of(body);
    let message = faults.first().map_or("", |fault| fault.message.as_str());
    assert!(message.contains(expected), "{body}: {message:?} is not {expected:?}");
}

#[test]
fn a_script_has_no_files_processes_or_code_from_elsewhere() {
    for (call, name) in [
        ("io.open('x')", "io.open is not in this host"),
        ("io.popen('x')", "io.popen is not in this host"),
        ("io.lines('x')", "io.lines is not in this host"),
        ("os.execute('x')", "os.execute is not in this host"),
        ("os.remove('x')", "os.remove is not in this host"),
        ("os.getenv('HOME')", "os.getenv is not in this host"),
        ("os.exit()", "os.exit is not in this host"),
        ("load('return 1')", "load is not in this host"),
        ("loadfile('x')", "loadfile is not in this host"),
        ("dofile('x')", "dofile is not in this host"),
        ("package.loadlib('x', 'y')", "package is not in this host"),
        ("debug.getregistry()", "debug.getregistry is not in this host"),
        ("debug.sethook()", "debug.sethook is not in this host"),
        ("string.dump(print)", "string.dump is not in this host"),
        ("require('socket')", "module 'socket' not found"),
        ("Dir.open('.')", "Dir.open is not in this host"),
        ("Dumper.new('x')", "Dumper is not in this host"),
    ] {
        check(call, name);
    }
}

#[test]
fn bytecode_is_no_script() {
    let error = host().load("probe.lua", b"\x1bLua\x54\x00\x19\x93").expect_err("it is refused");
    assert!(error.message.contains("binary chunk"), "{error:?}");
}

#[test]
fn a_runaway_loop_ends_with_its_line() {
    let faults = faults_of("while true do end");
    assert_eq!(faults.len(), 1, "{faults:?}");
    let fault = &faults[0];
    assert_eq!((fault.frame, fault.script.as_str(), fault.line), (Some(1), "probe.lua", Some(4)), "{fault:?}");
    assert!(fault.message.ends_with("more than 2000000 instructions"), "{fault:?}");
}

#[test]
fn a_runaway_loop_is_told_by_the_scripts_line_even_inside_of_pcall() {
    assert_eq!(faults_of("while true do\npcall(error) end")[0].script, "probe.lua");
}

#[test]
fn a_runaway_loop_while_loading_ends() {
    let error = host().load("probe.lua", b"\nwhile true do end").expect_err("it ends");
    assert_eq!((error.frame, error.line), (None, Some(2)), "{error:?}");
}

#[test]
fn no_script_catches_its_end() {
    for body in [
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(pcall, pcall, function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function(e) while true do end end) end",
        "while true do xpcall(function() error('x') end, function(e) while true do end end) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "local co = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) while true do pcall(co) end",
        "while true do pcall(string.gsub, ('x'):rep(1000), 'x', function() while true do end end) end",
        "while true do pcall(table.sort, {3, 2, 1}, function() while true do end end) end",
        "local t = setmetatable({}, {__index = function(t, k) while true do end end}) while true do pcall(function() return t.x end) end",
    ] {
        check(body, "more than 2000000 instructions");
    }
}

#[test]
#[cfg(feature = "lua54")]
fn what_closes_a_coroutine_does_not_catch_the_end() {
    check(
        "local spin = function() while true do end end\n\
         while true do\n\
         local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = spin}) coroutine.yield() end)\n\
         coroutine.resume(co) coroutine.close(co) end",
        "instructions",
    );
}

#[test]
fn numbers_at_the_ends_of_their_range_are_no_panic() {
    let (most, least) = ("9007199254740991", "-9007199254740991");
    for call in [
        "ByteArray.new('0011'):subset(MOST, 1)",
        "ByteArray.new('0011'):subset(1, MOST)",
        "ByteArray.new('0011'):raw(1, MOST)",
        "ByteArray.new('0011'):uint(LEAST)",
        "tvb(MOST, MOST)",
        "tvb:reported_length_remaining(LEAST)",
        "tvb(0, 4):bitfield(MOST, 5)",
        "DissectorTable.get('udp.port'):add('0-18446744073709551615', p)",
        "Struct.unpack('b', 'abc', LEAST)",
        "Struct.size('c18446744073709551615c18446744073709551615')",
        "return -NSTime.new(LEAST, -2147483648)",
        "return tostring(NSTime.new(LEAST, 5))",
    ] {
        for (most, least) in [(most, least), ("math.maxinteger or 2^63", "math.mininteger or -2^63")] {
            let call = call.replace("MOST", most).replace("LEAST", least);
            // What is refused is an error; here it counts that the host goes on.
            faults_of(&format!("pcall(function() {call} end)"));
        }
    }
}

#[test]
fn what_one_call_makes_is_limited() {
    for call in [
        "Struct.tohex(('x'):rep(10000000), false, ('y'):rep(1000))",
        "local b = ByteArray.new() b:set_size(60000000) b:tohex()",
        "local kept = {} local text = ('x'):rep(1000000) for i = 1, 1000 do kept[i] = ByteArray.new(text, true) end",
    ] {
        check(call, "not enough memory");
    }
}

#[test]
fn a_finalizer_would_run_without_a_limit() {
    check("setmetatable({}, {__gc = function() while true do end end})", "__gc is not in this host");
}

#[test]
fn memory_is_limited() {
    check("local t = {} while true do t[#t + 1] = ('x'):rep(1000000) .. #t end", "not enough memory");
    check("local s = 'x' while true do s = s .. s end", "not enough memory");
}

#[test]
fn what_the_host_holds_for_a_script_is_limited() {
    check("local t = {} for i = 1, 300 do t[i] = ByteArray.new(('x'):rep(1000000), true) t[i]:set_size(4000000) end", "not enough memory");
    check("local b = ByteArray.new('00') b:set_size(10000000) for i = 1, 100 do b:tvb('x') end", "not enough memory");
    check("for i = 1, 10000000 do print(('x'):rep(1000000)) end", "too much output");
}

#[test]
fn a_tree_is_not_deeper_than_wireshark_allows() {
    check("local item = tree for i = 1, 1000 do item = item:add(tvb(0, 1), 'x') end", "Maximum tree depth 500 exceeded");
}

#[test]
fn labels_do_not_grow_without_end() {
    let faults = faults_of("local item = tree:add(p, tvb()) for i = 1, 100000 do item:append_text('xxxxxxxxxxxxxxxx') end");
    assert_eq!(faults, []);
}

#[test]
fn a_dissector_that_calls_itself_comes_to_an_end() {
    let faults = faults_of("Dissector.get('probe'):call(tvb, pinfo, tree)");
    assert!(faults[0].message.ends_with("C stack overflow"), "{faults:?}");
}

#[test]
fn what_is_kept_of_an_earlier_frame_has_expired() {
    let mut host = host();
    let script = "local p = Proto('probe', 'Probe')\nlocal kept\n\
         function p.dissector(tvb, pinfo, tree)\n\
         if kept then for i, f in ipairs(kept) do print(pcall(f)) end end\n\
         kept = { function() return tvb:len() end, function() return pinfo.number end, function() return tree:add(p) end,\n\
         function() return pinfo.cols.info end }\nend\nDissectorTable.get('udp.port'):add(7777, p)";
    host.load("probe.lua", script.as_bytes()).expect("the script is loaded");
    for number in [1, 2] {
        dissect(&mut host, number);
    }
    let output = host.take_output();
    assert_eq!(output.lines().count(), 4, "{output}");
    assert!(output.lines().all(|line| line.starts_with("false\t") && line.contains("expired")), "{output}");
}

#[test]
fn an_error_is_shown_where_the_dissector_would_have_gone_on() {
    let mut host = host();
    let script =
        "local p = Proto('probe', 'Probe')\nfunction p.dissector() error('broken') end\nDissectorTable.get('udp.port'):add(7777, p)";
    host.load("probe.lua", script.as_bytes()).expect("the script is loaded");
    dissect(&mut host, 1);
    let labels: Vec<String> = host.look(|view| view.protocols().map(|item| item.label()).collect());
    assert_eq!(labels.last().map(String::as_str), Some("Lua Error: probe.lua:2: broken"), "{labels:?}");
}
