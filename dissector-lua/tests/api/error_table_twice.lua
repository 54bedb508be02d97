-- frames: 1
-- A script that fails while it is loaded or registered.
DissectorTable.new("probe_table.twice")
DissectorTable.new("probe_table.twice")
