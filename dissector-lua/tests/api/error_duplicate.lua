-- frames: 1
-- A script that fails while it is loaded or registered.
local p = Proto("probe_dup", "Dup")
p.fields = {ProtoField.uint8("probe_dup.a", "A"), ProtoField.uint8("probe_dup.a", "A again")}
function p.dissector(tvb, pinfo, tree) tree:add(p, tvb()) end
DissectorTable.get("udp.port"):add(7777, p)
