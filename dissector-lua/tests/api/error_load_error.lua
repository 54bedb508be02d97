-- frames: 1
-- A script that fails while it is loaded or registered.
local p = Proto("probe_load", "Load")
local x = nil
function p.dissector(tvb, pinfo, tree) tree:add(p, tvb()) end
DissectorTable.get("udp.port"):add(7777, p)
print("before")
x.y = 5
print("never")
