-- A table of one's own: an envelope over UDP port 9107, and what is in it by number and by name.
local envelope = Proto("envelope", "Envelope")
local by_number = DissectorTable.new("envelope.number", "Envelope number", ftypes.UINT8, base.DEC, envelope)
local by_name = DissectorTable.new("envelope.name", "Envelope name", ftypes.STRING, base.NONE, envelope)

local f_number = ProtoField.uint8("envelope.number", "Number")
local f_name = ProtoField.stringz("envelope.name", "Name")
envelope.fields = {f_number, f_name}

local milk, beans, steam = Proto("milk", "Milk"), Proto("beans", "Beans"), Proto("steam", "Steam")
local f_fat = ProtoField.uint8("milk.fat", "Fat", base.UNIT_STRING, {" %"})
local f_origin = ProtoField.string("beans.origin", "Origin")
local f_pressure = ProtoField.uint16("steam.pressure", "Pressure", base.DEC)
milk.fields, beans.fields, steam.fields = {f_fat}, {f_origin}, {f_pressure}

function milk.dissector(tvb, pinfo, tree)
    tree:add(milk, tvb()):add(f_fat, tvb(0, 1))
    pinfo.cols.info:append(" milk")
    return 1
end

function beans.dissector(tvb, pinfo, tree)
    tree:add(beans, tvb()):add(f_origin, tvb())
    pinfo.cols.info:append(" beans")
end

function steam.dissector(tvb, pinfo, tree)
    if tvb:len() < 2 then return 0 end
    tree:add(steam, tvb()):add(f_pressure, tvb(0, 2))
    pinfo.cols.info:append(" steam")
    return 2
end

function envelope.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "ENVELOPE"
    pinfo.cols.info = "Envelope:"
    local item = tree:add(envelope, tvb())
    item:add(f_number, tvb(0, 1))
    local number = tvb(0, 1):uint()
    local size = tvb(1):strsize()
    item:add(f_name, tvb(1, size))
    local inside = tvb(1 + size):tvb()
    local used = by_number:try(number, inside, pinfo, tree)
    item:append_text(", " .. used .. " bytes used by number")
    local name = tvb(1, size):stringz()
    local dissector = by_name:get_dissector(name)
    if dissector then
        dissector:call(inside, pinfo, item)
        item:append_text(", and by the name of " .. tostring(dissector))
    end
end

by_number:add(1, milk)
by_number:add(2, beans)
by_number:add("10-12", steam)
by_name:add("beans", beans)
by_name:add("steam", steam)
DissectorTable.get("udp.port"):add(9107, envelope)
