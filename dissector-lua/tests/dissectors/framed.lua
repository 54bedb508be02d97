-- Messages with a length in front, over TCP port 9103: `dissect_tcp_pdus` puts them together.
local framed = Proto("orders", "Coffee Orders")
local HEADER_LEN = 3
local names = {[1] = "Order", [2] = "Confirm", [3] = "Cancel"}

local fields = {
    length = ProtoField.uint16("orders.length", "Length"),
    kind = ProtoField.uint8("orders.kind", "Kind", base.DEC, names),
    text = ProtoField.string("orders.text", "Text", base.UNICODE),
}
framed.fields = fields

local function get_length(tvb, pinfo, offset)
    return tvb(offset, 2):uint()
end

local function dissect_one(tvb, pinfo, tree)
    local item = tree:add(framed, tvb())
    item:add(fields.length, tvb(0, 2))
    item:add(fields.kind, tvb(2, 1))
    local kind = tvb(2, 1):uint()
    if tvb:len() > HEADER_LEN then
        local text = tvb(HEADER_LEN)
        item:add(fields.text, text)
        item:append_text(": " .. text:string())
    end
    pinfo.cols.protocol = "ORDERS"
    pinfo.cols.info:append(", " .. (names[kind] or "kind " .. kind))
    return tvb:len()
end

function framed.dissector(tvb, pinfo, tree)
    if tvb:len() == 0 then return end
    pinfo.cols.info:clear()
    pinfo.cols.info:append("Orders")
    dissect_tcp_pdus(tvb, tree, HEADER_LEN, get_length, dissect_one)
    return tvb:len()
end

DissectorTable.get("tcp.port"):add(9103, framed)
