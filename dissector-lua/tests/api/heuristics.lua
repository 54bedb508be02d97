-- frames: 39
-- Heuristics: protocols that look whether a packet is theirs.
local p, q = Proto("probe_h", "Probe H"), Proto("probe_h2", "Probe H2")
local seen = 0
--? p:register_heuristic("udp", function() end)
function p.dissector(tvb, pinfo, tree)
    tree:add(p, tvb()):append_text(" by its dissector")
    pinfo.cols.protocol = "H"
end
local function mine(tvb, pinfo, tree)
    if pinfo.number == 1 then
        --? typeof(tvb), typeof(pinfo), typeof(tree), tvb:len(), pinfo.curr_proto, pinfo.match_uint
        return false
    end
    if pinfo.number == 2 then p.dissector(tvb, pinfo, tree) return true end
    if pinfo.number == 3 then return 5 end
    if pinfo.number == 4 then return 0 end
    if pinfo.number == 5 then tree:add(p, tvb(0, 4)) return nil end
    if pinfo.number == 6 then tree:add(p, tvb(0, 4)) error("the heuristic fails") end
    if pinfo.number == 7 then tree:add(p, tvb(0, 4)) return "yes" end
    if pinfo.number == 8 then tree:add(p, tvb(0, 4)) return tvb(0, 100):len() end
    if pinfo.number == 31 then tree:add(p, tvb(0, 4)) return true end
    return false
end
local function tcp(tvb, pinfo, tree)
    print("TCP heuristic in frame " .. pinfo.number .. " of " .. tvb:len() .. " bytes, can_desegment " .. pinfo.can_desegment)
    if pinfo.number == 36 then
        tree:add(p, tvb())
        pinfo.conversation = p
        return true
    end
    return false
end
--? p:register_heuristic("udp", mine)
--? p:register_heuristic("udp", mine)
--? p:register_heuristic("tcp", tcp)
--? p:register_heuristic("nothing", mine)
--? p:register_heuristic("udp", 5)
--? p:register_heuristic("udp")
--? p:register_heuristic()
--? q:register_heuristic("udp", mine)
function q.dissector() end
--? q:register_heuristic("udp", function(tvb, pinfo) if pinfo.number <= 8 then print("the second one in frame " .. pinfo.number) end return false end)
