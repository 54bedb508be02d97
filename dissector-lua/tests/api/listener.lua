-- frames: 38
-- Listener: taps, with what they are given, and when.
--? Listener.new(), typeof(Listener.new())
--? tostring(Listener.new("udp"))
--? Listener.new("nothing")
--? Listener.new("udp", "not a filter (")
--? Listener.new("udp", "udp.nothing")
--? Listener.new(5)
--? type(Listener.list()), #Listener.list() > 10
--? Listener.nothing
--? Listener.new("frame").nothing
--! Listener.new("frame").nothing = 5
--! Listener.new("frame").packet = 5
--? Listener.new("frame").packet
local frames, udp, tcp, filtered = Listener.new("frame"), Listener.new("udp"), Listener.new("tcp"), Listener.new(nil, "udp.port == 7777 && frame.number < 3")
--? frames, udp, filtered
local function show(kind)
    local count = 0
    return function(pinfo, tvb, info)
        count = count + 1
        if count > 2 then return end
        print(kind .. " packet", pinfo.number, typeof(tvb), tvb:len(), type(info), tostring(pinfo.cols.info))
        local keys = {}
        for key, value in pairs(type(info) == "table" and info or {}) do keys[#keys + 1] = tostring(key) .. "=" .. tostring(value) end
        table.sort(keys)
        if #keys > 0 then print(kind .. " info", table.concat(keys, " ")) end
    end
end
frames.packet, udp.packet, tcp.packet, filtered.packet = show("frame"), show("udp"), show("tcp"), show("filtered")
function frames.reset() print("frame reset") end
function frames.draw() print("frame draw") end
function udp.draw() print("udp draw") end
function udp.reset() print("udp reset") end
function filtered.draw() print("filtered draw") end
local failing = Listener.new("udp", "frame.number == 2")
function failing.packet() error("the tap fails") end
function failing.draw() error("the draw fails") end
local removed = Listener.new("frame")
function removed.draw() print("never") end
--? removed:remove()
local every = Listener.new("frame", nil, true)
local p = in_frames("probe_l", {
    [1] = function(tvb, pinfo, tree)
        --? Listener.new("udp")
        tree:add(tvb(0, 1), "in the dissector")
    end,
})
function p.init() print("init of the protocol") end
local post = Proto("probe_post", "Post")
function post.dissector(tvb, pinfo, tree)
    if pinfo.number < 3 then
        print("postdissector", pinfo.number, tvb:len(), tvb:offset(), tostring(pinfo.cols.protocol), pinfo.curr_proto)
        tree:add(post, "added behind")
        pinfo.cols.info:append(" [post]")
    end
end
--? register_postdissector(post)
--? register_postdissector(post)
--? register_postdissector(5)
--? register_postdissector()
