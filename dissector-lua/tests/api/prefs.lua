-- frames: 2; -o probe_r.flag:FALSE -o probe_r.number:7 -o probe_r.text:tea -o probe_r.choice:second -o probe_r.ports:1,5-9
-- Pref: preferences of a protocol, and what the command line makes of them.
local p = Proto("probe_r", "Probe R")
local choices = {{1, "first", 10}, {2, "second", 20}, {3, "third", 30}}
--? Pref.bool("Label", true, "Description")
--? typeof(Pref.bool("Label", true, "Description"))
--? Pref.bool()
--? Pref.bool("Label")
--? Pref.bool(5, 5, 5)
--? Pref.uint("Label", 5, "Description")
--? Pref.uint("Label", "x", "Description")
--? Pref.uint("Label", -1, "Description")
--? Pref.string("Label", "text", "Description")
--? Pref.string("Label")
--? Pref.enum("Label", 10, "Description", choices, true)
--? Pref.enum("Label", 10, "Description")
--? Pref.enum("Label", 10, "Description", {})
--? Pref.enum("Label", 10, "Description", {{1, 2}})
--? Pref.enum("Label", 10, "Description", {5})
--? Pref.range("Label", "1-5", "Description", 65535)
--? Pref.range("Label", "x", "Description", 65535)
--? Pref.range("Label", "70000", "Description", 65535)
--? Pref.range("Label", "1-5", "Description")
--? Pref.range("Label", "", "Description", 65535)
--? Pref.statictext("Label", "Description")
--? Pref.nothing
--? Pref()
--! p.prefs.flag = Pref.bool("Flag", true, "A flag")
--! p.prefs.number = Pref.uint("Number", 5, "A number")
--! p.prefs.text = Pref.string("Text", "coffee", "A text")
--! p.prefs.choice = Pref.enum("Choice", 10, "A choice", choices, true)
--! p.prefs.ports = Pref.range("Ports", "1-3,7", "Some ports", 65535)
--! p.prefs.note = Pref.statictext("A note", "Says something")
--! p.prefs.other_flag = Pref.bool("Other flag", true, "A flag")
--! p.prefs.other_number = Pref.uint("Other number", 5, "A number")
--! p.prefs.other_text = Pref.string("Other text", "coffee", "A text")
--! p.prefs.other_choice = Pref.enum("Other choice", 10, "A choice", choices, false)
--! p.prefs.other_ports = Pref.range("Other ports", "1-3,7", "Some ports", 65535)
--! p.prefs.flag = Pref.bool("Flag", true, "Twice")
--! p.prefs["with space"] = Pref.bool("x", true, "x")
--! p.prefs.Capital = Pref.bool("x", true, "x")
--! p.prefs.with_dash = 5
--! p.prefs[1] = Pref.bool("x", true, "x")
local same = Pref.bool("Same", true, "x")
--! p.prefs.same = same
--! p.prefs.same_again = same
-- Before the protocol is registered.
--? p.prefs.flag, p.prefs.number, p.prefs.text, p.prefs.choice, p.prefs.ports
    --? p.prefs.note
--? p.prefs.nothing
function p.prefs_changed()
    print("prefs_changed", tostring(p.prefs.flag), tostring(p.prefs.number), tostring(p.prefs.text), tostring(p.prefs.choice), tostring(p.prefs.ports))
end
function p.init() print("init", tostring(p.prefs.flag), tostring(p.prefs.number)) end
function p.dissector(tvb, pinfo, tree)
    --? p.prefs.flag, p.prefs.number, p.prefs.text, p.prefs.choice, p.prefs.ports
    --? p.prefs.note
    --? p.prefs.other_flag, p.prefs.other_number, p.prefs.other_text, p.prefs.other_choice, p.prefs.other_ports
    --? type(p.prefs.ports), type(p.prefs.number), type(p.prefs.choice)
    --? p.prefs.nothing
    --! p.prefs.flag = true
    --? p.prefs.flag
    --! p.prefs.late = Pref.bool("Late", true, "x")
    --? get_preference("probe_r.flag"), get_preference("probe_r.number"), get_preference("probe_r.text"), get_preference("probe_r.choice"), get_preference("probe_r.ports")
    --? get_preference("probe_r.nothing")
    --? get_preference("tcp.desegment_tcp_streams"), get_preference("nothing.at_all")
    --? set_preference("probe_r.flag", true)
    --? set_preference("probe_r.number", 9)
    --? set_preference("probe_r.nothing", 9)
    --? reset_preference("probe_r.number")
end
DissectorTable.get("udp.port"):add(7777, p)
