-- frames: 1
-- A script that fails while it is loaded or registered.
local p = Proto("probe_syntax", "Syntax"
function p.dissector() end
