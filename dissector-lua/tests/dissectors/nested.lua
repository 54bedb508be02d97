-- Other dissectors at work: JSON, lines and data inside of a wrapper over UDP port 9115.
local wrapper = Proto("wrapper", "Wrapper")
local f_kind = ProtoField.uint8("wrapper.kind", "Kind", base.DEC, {[1] = "JSON", [2] = "lines", [3] = "data", [4] = "another wrapper"})
local f_depth = ProtoField.uint8("wrapper.depth", "Depth")
wrapper.fields = {f_kind, f_depth}
local json, lines, data = Dissector.get("json"), Dissector.get("data-text-lines"), Dissector.get("data")

local depth = 0

function wrapper.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "WRAPPER"
    depth = depth + 1
    local item = tree:add(wrapper, tvb(0, 1))
    item:add(f_kind, tvb(0, 1))
    item:add(f_depth, depth):set_generated()
    local kind, rest = tvb(0, 1):uint(), tvb(1):tvb()
    if kind == 1 then
        json:call(rest, pinfo, tree)
    elseif kind == 2 then
        lines:call(rest, pinfo, item)
    elseif kind == 4 then
        Dissector.get("wrapper"):call(rest, pinfo, item)
    else
        data:call(rest, pinfo, tree)
    end
    depth = depth - 1
    if depth == 0 then pinfo.cols.info:append(" (kind " .. kind .. ")") end
    return tvb:len()
end

DissectorTable.get("udp.port"):add(9115, wrapper)

-- The one that had the port before, called by the one that took it.
local earlier = DissectorTable.get("udp.port"):get_dissector(9115)
local outer = Proto("outer", "Outer Wrapper")
function outer.dissector(tvb, pinfo, tree)
    tree:add(outer, tvb(0, 0)):append_text(" calls " .. tostring(earlier))
    return earlier:call(tvb, pinfo, tree)
end
DissectorTable.get("udp.port"):add(9115, outer)
