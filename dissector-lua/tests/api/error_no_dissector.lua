-- frames: 1
-- A script that fails while it is loaded or registered.
local p = Proto("probe_no_dissector", "No dissector")
DissectorTable.get("udp.port"):add(7777, p)
