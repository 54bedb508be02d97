-- frames: 6; -d udp.port==40000,probe_taken
-- DissectorTable: tables of one's own and of others.
--? DissectorTable.get("tcp.port"), typeof(DissectorTable.get("tcp.port"))
--? tostring(DissectorTable.get("udp.port"))
--? DissectorTable.get("nothing")
--? DissectorTable.get()
--? DissectorTable.get("")
--? DissectorTable.nothing
--? type(DissectorTable.list()), #DissectorTable.list() > 10
--? type(DissectorTable.heuristic_list()), #DissectorTable.heuristic_list() > 10
--? DissectorTable.new("probe_table.uint")
--? DissectorTable.new("probe_table.u8", "By U8", ftypes.UINT8, base.HEX)
--? DissectorTable.new("probe_table.string", "By string", ftypes.STRING)
--? DissectorTable.new("probe_table.none", "By nothing", ftypes.NONE)
--? DissectorTable.new("probe_table.guid", "By GUID", ftypes.GUID)
--? DissectorTable.new("probe_table.float", "By float", ftypes.FLOAT)
--? DissectorTable.new("Probe Table")
--? DissectorTable.new("")
--? DissectorTable.new()
local ok, by_uint = pcall(DissectorTable.get, "probe_table.uint")
--? ok, by_uint
local by_u8, by_string = DissectorTable.new("probe_tables.u8", "By U8", ftypes.UINT8, base.HEX), DissectorTable.new("probe_tables.string", "By string", ftypes.STRING)
local function named(name, description)
    local p = Proto(name, description)
    function p.dissector(tvb, pinfo, tree)
        tree:add(p, tvb())
        print(name .. " called with " .. tvb:len() .. " bytes, match_uint " .. tostring(pinfo.match_uint) .. ", match_string " .. tostring(pinfo.match_string))
        return name == "probe_refuses" and 0 or nil
    end
    return p
end
local one, two, refuses, taken = named("probe_one", "One"), named("probe_two", "Two"), named("probe_refuses", "Refuses"), named("probe_taken", "Taken")
--? by_u8:add(1, one)
--? by_u8:add(2, two.dissector)
--? by_u8:add("3-5", one)
--? by_u8:add("6,8-9", two)
--? by_u8:add("x", two)
--? by_u8:add(10, refuses)
--? by_u8:add(1, two)
--? by_u8:add(300, two)
--? by_u8:add(-1, two)
--? by_u8:add(1.5, two)
--? by_u8:add(20, "probe_one")
--? by_u8:add(20, 5)
--? by_u8:add(20)
--? by_u8:add()
--? by_u8:add("", two)
--? by_string:add("tea", one)
--? by_string:add(5, two)
--? by_string:add("", two)
--? by_u8:get_dissector(1), by_u8:get_dissector(4), by_u8:get_dissector(8), by_u8:get_dissector(100)
--? by_string:get_dissector("tea"), by_string:get_dissector("TEA"), by_string:get_dissector("5"), by_string:get_dissector("x")
--? by_u8:get_dissector("x")
--? by_u8:remove(2, two.dissector)
--? by_u8:get_dissector(2)
--? by_u8:remove("3-4", one)
--? by_u8:get_dissector(3), by_u8:get_dissector(5)
--? by_u8:remove(200, one)
--? by_u8:set(8, one)
--? by_u8:get_dissector(8)
--? by_u8:remove_all(one)
--? by_u8:get_dissector(1), by_u8:get_dissector(6)
--? by_u8:add_for_decode_as(taken)
--? by_u8:nothing()
--? by_u8.nothing
--? by_u8 == by_u8
--! by_u8:add(1, one)
--? DissectorTable.get("udp.port"):add_for_decode_as(taken)
--? DissectorTable.get("tcp.port"):get_dissector(80), DissectorTable.get("udp.port"):get_dissector(53), DissectorTable.get("tcp.port"):get_dissector(65000)
--? DissectorTable.get("media_type"):get_dissector("application/json"), DissectorTable.get("ip.proto"):get_dissector(6)
--? tostring(by_u8), tostring(by_string)
function taken.dissector(tvb, pinfo, tree)
    local item = tree:add(taken, tvb())
    if pinfo.number == 1 then
        --? by_u8:try(1, tvb(0, 4):tvb(), pinfo, item)
        --? by_u8:try(6, tvb(0, 4):tvb(), pinfo, item)
        --? by_string:try("tea", tvb(0, 4):tvb(), pinfo, item)
    elseif pinfo.number == 2 then
        --? by_u8:try(100, tvb(0, 4):tvb(), pinfo, item)
        --? by_string:try("x", tvb(0, 4):tvb(), pinfo, item)
    elseif pinfo.number == 3 then
        --? by_u8:try(10, tvb(0, 4):tvb(), pinfo, item)
    elseif pinfo.number == 4 then
        -- Wrong arguments are an error, and tshark ends when the dissector returns: they are not tried here.
        --? by_u8:try(1, tvb(8, 6):tvb("Named"), pinfo, item)
    elseif pinfo.number == 5 then
        --? DissectorTable.try_heuristics("nothing", tvb, pinfo, item)
        --? DissectorTable.try_heuristics("udp", tvb, pinfo, item)
    elseif pinfo.number == 6 then
        -- Links made while frames are read.
        --! by_u8:add(50, two)
        --? by_u8:try(50, tvb(0, 4):tvb(), pinfo, item)
    end
end
