-- Heuristics: a protocol without a port, known by its first bytes, over UDP and TCP.
local brand = Proto("brand", "Coffee Brand")
local f_magic = ProtoField.string("brand.magic", "Magic")
local f_size = ProtoField.uint8("brand.size", "Size")
local f_body = ProtoField.bytes("brand.body", "Body", base.SPACE)
brand.fields = {f_magic, f_size, f_body}

function brand.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "BRAND"
    pinfo.cols.info = "Brand of " .. tvb:len() .. " bytes"
    local item = tree:add(brand, tvb())
    item:add(f_magic, tvb(0, 4))
    item:add(f_size, tvb(4, 1))
    if tvb:len() > 5 then item:add(f_body, tvb(5)) end
    return tvb:len()
end

local function looks_like_it(tvb)
    return tvb:len() >= 5 and tvb(0, 4):string() == "BEAN" and tvb(4, 1):uint() == tvb:len() - 5
end

local function heuristic(tvb, pinfo, tree)
    if not looks_like_it(tvb) then return false end
    brand.dissector(tvb, pinfo, tree)
    pinfo.conversation = brand
    return true
end

brand:register_heuristic("udp", heuristic)
brand:register_heuristic("tcp", heuristic)
