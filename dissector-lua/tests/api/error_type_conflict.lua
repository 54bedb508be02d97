-- frames: 1
-- A script that fails while it is loaded or registered.
local p = Proto("probe_conflict", "Conflict")
p.fields = {ProtoField.uint8("probe_conflict.a", "A"), ProtoField.string("probe_conflict.a", "A as text")}
function p.dissector(tvb, pinfo, tree) tree:add(p, tvb()) end
DissectorTable.get("udp.port"):add(7777, p)
