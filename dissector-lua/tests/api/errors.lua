-- frames: 16
-- What a frame shows of an error in its dissector: the message as authors meet it.
local p = Proto("probe_x", "Probe X")
local F = {u8 = ProtoField.uint8("probe_x.u8", "U8"), s = ProtoField.string("probe_x.s", "S")}
p.fields = F
local unregistered = ProtoField.uint8("probe_x.late", "Late")
local deep = function(tvb) return tvb(100, 1) end
local frames = {
    function(tvb, pinfo, tree) tree:add(F.u8, tvb(100, 1)) end,
    function(tvb, pinfo, tree) tree:add(F.nothing, tvb(0, 1)) end,
    function(tvb, pinfo, tree) local x = nil; return x.y end,
    function(tvb, pinfo, tree) undefined_function() end,
    function(tvb, pinfo, tree) tree:add(unregistered, tvb(0, 1)) end,
    function(tvb, pinfo, tree) error("own message") end,
    function(tvb, pinfo, tree) error({code = 5}) end,
    function(tvb, pinfo, tree) error() end,
    function(tvb, pinfo, tree) error("without place", 0) end,
    function(tvb, pinfo, tree) return deep(tvb) end,
    function(tvb, pinfo, tree) tvb:nothing() end,
    function(tvb, pinfo, tree) return "a text" end,
    function(tvb, pinfo, tree) local s = "x" + 1 end,
    function(tvb, pinfo, tree) return true end,
    function(tvb, pinfo, tree) return 3.5 end,
    function(tvb, pinfo, tree) pinfo.cols.info = nil end,
}
function p.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "X"
    local item = tree:add(p, tvb(), "in frame " .. pinfo.number)
    local result = frames[pinfo.number](tvb, pinfo, item)
    item:add(tvb(0, 1), "after")
    return result
end
DissectorTable.get("udp.port"):add(7777, p)
