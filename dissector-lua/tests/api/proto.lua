-- frames: 3
-- Proto: what is declared, what can be read of it, and what it refuses.
local p = Proto("probe_p", "Probe P")
--? p
--? typeof(p), type(p), tostring(p)
--? p.name, p.description
--? p.fields, p.experts, p.prefs
--? typeof(p.prefs)
--? p.dissector
--? p.init
--? p.prefs_changed
--? p.nothing
--? p:nothing()
--! p.nothing = 1
--! p.name = "other"
--! p.description = "other"
--? Proto("probe_p", "Again")
--? Proto("probe_other", "Probe P")
--? Proto("Probe_Upper", "Capitals")
--? Proto("probe upper", "A space")
--? Proto("probe.dot", "A dot")
--? Proto("probe-dash", "A dash")
--? Proto("probe/slash", "A slash")
--? Proto("9probe", "A digit first")
--? Proto("", "No name")
--? Proto("probe_no_description", "")
--? Proto("probe_one_argument")
--? Proto()
--? Proto("tcp", "TCP again")
--? Proto("probe_tcp", "Transmission Control Protocol")
--? Proto("café", "Not ASCII")
--? Proto.new("probe_new", "Made by new")
--? Proto({}, "x")
local f = ProtoField.uint8("probe_p.f", "F")
--! p.fields = f
--? p.fields
--! p.fields = {ProtoField.uint8("probe_p.h", "H")}
--? p.fields
--! p.fields.g = ProtoField.uint8("probe_p.g", "G")
--? p.fields
--! p.fields = {a = ProtoField.uint8("probe_p.a", "A")}
--? p.fields
--! p.fields = 5
--! p.fields = nil
--! p.fields = {5}
--! p.fields = {"x"}
--! p.fields = {}
--! p.experts = ProtoExpert.new("probe_p.e", "E", expert.group.PROTOCOL, expert.severity.WARN)
--! p.experts = {}
--! p.experts = 5
--! p.dissector = 5
--! p.dissector = nil
--! p.dissector = function() end
--? p.dissector
--! p.dissector = function() end
--! p.init = 5
--! p.init = function() end
--! p.prefs_changed = 5
--! p.prefs_changed = function() end
--? p == p
--? p.register_heuristic
--? Proto.new
--? Proto.nothing
--? #p
--? p()
--? p .. ""
local calls = 0
function p.init() calls = calls + 1; print("init", calls, tostring(kept)) end
function p.dissector(...)
    local given = select("#", ...)
    local tvb, pinfo, tree = ...
    --? given
    --? typeof(tvb), typeof(pinfo), typeof(tree)
    --? pinfo.curr_proto
    --! p.fields.late = ProtoField.uint8("probe_p.late", "Late")
    --? Proto("probe_late", "Late")
    --? ProtoField.uint8("probe_p.later", "Later")
    local item = tree:add(p, tvb())
    item:add(f, tvb(0, 1))
    if pinfo.number == 1 then return end
    if pinfo.number == 2 then return 4 end
    if pinfo.number == 3 then return 0 end
end
DissectorTable.get("udp.port"):add(7777, p)
