-- frames: 1
-- A script that fails while it is loaded or registered.
local p = Proto("probe_no_table", "No table")
function p.dissector(tvb, pinfo, tree) tree:add(p, tvb()) end
DissectorTable.get("no.such.table"):add(7777, p)
