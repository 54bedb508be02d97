-- Types, lengths and values, nested to any depth, over UDP port 9121.
local tlv = Proto("tlv", "Type Length Value")
local TYPES = {[1] = "Number", [2] = "Text", [3] = "Wide text", [4] = "Address", [5] = "Group", [6] = "Time", [7] = "Flag"}
local f = tlv.fields
f.item = ProtoField.none("tlv.item", "Item")
f.type = ProtoField.uint8("tlv.type", "Type", base.DEC, TYPES)
f.length = ProtoField.uint8("tlv.length", "Length")
f.number = ProtoField.uint64("tlv.number", "Number")
f.text = ProtoField.string("tlv.text", "Text")
f.address = ProtoField.ipv4("tlv.address", "Address")
f.time = ProtoField.absolute_time("tlv.time", "Time", base.UTC)
f.flag = ProtoField.bool("tlv.flag", "Flag")
f.raw = ProtoField.bytes("tlv.raw", "Raw")

local dissect_items

local handlers = {
    [1] = function(range, tree) tree:add(f.number, range, range:uint64()) return tostring(range:uint64()) end,
    [2] = function(range, tree) tree:add(f.text, range) return '"' .. range:string(ENC_UTF_8) .. '"' end,
    [3] = function(range, tree) tree:add_packet_field(f.text, range, ENC_UTF_16 + ENC_BIG_ENDIAN) return range:ustring() end,
    [4] = function(range, tree) tree:add(f.address, range) return tostring(range:ipv4()) end,
    [5] = function(range, tree) return dissect_items(range, tree) .. " items" end,
    [6] = function(range, tree) tree:add(f.time, range) return format_date(range:nstime():tonumber()) end,
    [7] = function(range, tree) tree:add(f.flag, range) return range:uint() ~= 0 and "yes" or "no" end,
}

dissect_items = function(range, tree)
    local offset, count = 0, 0
    while offset + 2 <= range:len() do
        local kind, length = range(offset, 1):uint(), range(offset + 1, 1):uint()
        local missing = offset + 2 + length > range:len()
        if missing then length = range:len() - offset - 2 end
        local item = tree:add(f.item, range(offset, 2 + length))
        item:add(f.type, range(offset, 1))
        item:add(f.length, range(offset + 1, 1))
        local text = TYPES[kind] or ("Type " .. kind)
        if missing then
            text = text .. " (cut short)"
        elseif length > 0 then
            local value = range(offset + 2, length)
            local handler = handlers[kind]
            if handler then
                text = text .. ": " .. handler(value, item)
            else
                item:add(f.raw, value)
            end
        end
        item:set_text(text)
        item:set_len(2 + length)
        offset, count = offset + 2 + length, count + 1
    end
    return count
end

function tlv.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "TLV"
    local item = tree:add(tlv, tvb())
    local count = dissect_items(tvb(), item)
    item:prepend_text(count .. " items: ")
    pinfo.cols.info = count .. " items"
end

DissectorTable.get("udp.port"):add(9121, tlv)
