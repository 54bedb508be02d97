-- A binary header with bit fields: the state of a grinder, over UDP port 9101.
local grinder = Proto("grinder", "Grinder State Protocol")

local kinds = {[0] = "Hello", [1] = "State", [2] = "Command", [15] = "Reset"}
local burrs = {[0] = "flat", [1] = "conical", [2] = "ceramic"}

local f = grinder.fields
f.version = ProtoField.uint8("grinder.version", "Version", base.DEC, nil, 0xF0)
f.kind = ProtoField.uint8("grinder.kind", "Kind", base.DEC, kinds, 0x0F)
f.flags = ProtoField.uint8("grinder.flags", "Flags", base.HEX)
f.running = ProtoField.bool("grinder.flags.running", "Running", 8, nil, 0x80)
f.hot = ProtoField.bool("grinder.flags.hot", "Motor", 8, {"hot", "cold"}, 0x40)
f.lid = ProtoField.bool("grinder.flags.lid", "Lid", 8, {[1] = "open", [2] = "closed"}, 0x20)
f.reserved = ProtoField.uint8("grinder.flags.reserved", "Reserved", base.HEX, nil, 0x1F)
f.setting = ProtoField.uint16("grinder.setting", "Setting", base.HEX)
f.burr = ProtoField.uint16("grinder.setting.burr", "Burr", base.DEC, burrs, 0xC000)
f.step = ProtoField.uint16("grinder.setting.step", "Step", base.DEC, nil, 0x3F00)
f.dose = ProtoField.uint16("grinder.setting.dose", "Dose", base.DEC_HEX, nil, 0x00FF)
f.counter = ProtoField.uint32("grinder.counter", "Counter", base.HEX, nil, 0x00FFFFFF)
f.signed = ProtoField.int16("grinder.offset", "Offset", base.DEC, nil, 0x0FF0)
f.rest = ProtoField.bytes("grinder.rest", "Rest")

function grinder.dissector(buffer, pinfo, tree)
    local length = buffer:len()
    if length < 4 then return 0 end

    pinfo.cols.protocol = grinder.name
    local subtree = tree:add(grinder, buffer(), "Grinder State")
    subtree:add(f.version, buffer(0, 1))
    subtree:add(f.kind, buffer(0, 1))
    local kind = buffer(0, 1):bitfield(4, 4)
    local name = kinds[kind] or string.format("Unknown kind %d", kind)
    subtree:append_text(", " .. name)

    local flags = subtree:add(f.flags, buffer(1, 1))
    local set = {}
    for at, field in ipairs({f.running, f.hot, f.lid}) do
        flags:add(field, buffer(1, 1))
        if buffer(1, 1):bitfield(at - 1, 1) == 1 then set[#set + 1] = ({"running", "hot", "open"})[at] end
    end
    flags:add(f.reserved, buffer(1, 1))
    if #set > 0 then flags:append_text(" (" .. table.concat(set, ", ") .. ")") end

    local setting = subtree:add(f.setting, buffer(2, 2))
    setting:add(f.burr, buffer(2, 2))
    setting:add(f.step, buffer(2, 2))
    setting:add(f.dose, buffer(2, 2))
    if length >= 8 then subtree:add(f.counter, buffer(4, 4)) end
    if length >= 10 then subtree:add(f.signed, buffer(8, 2)) end
    if length > 10 then subtree:add(f.rest, buffer(10)) end

    pinfo.cols.info:set(name)
    if #set > 0 then pinfo.cols.info:append(" [" .. table.concat(set, " ") .. "]") end
    return length
end

DissectorTable.get("udp.port"):add(9101, grinder)
