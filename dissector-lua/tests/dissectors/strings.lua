-- Values with names: single ones, ranges, true and false, units; and characters, over UDP port 9110.
local menu = Proto("menu", "Menu")
local vs_drink = {[1] = "Espresso", [2] = "Ristretto", [3] = "Lungo", [0xFF] = "Tea"}
local rs_strength = {{0, 0, "water"}, {1, 3, "weak"}, {4, 7, "strong"}, {8, 254, "dangerous"}}
local vs_signed = {[-1] = "less", [0] = "as usual", [1] = "more"}
local vs_long = {[1] = "one", [4294967295] = "all"}
local f = {
    drink = ProtoField.uint8("menu.drink", "Drink", base.HEX, vs_drink),
    again = ProtoField.new("Drink again", "menu.again", ftypes.UINT8, vs_drink, base.DEC, 0, "The same by another constructor"),
    strength = ProtoField.uint8("menu.strength", "Strength", base.DEC + base.RANGE_STRING, rs_strength),
    masked = ProtoField.uint8("menu.masked", "Upper half", base.HEX + base.RANGE_STRING, rs_strength, 0xF0),
    sugar = ProtoField.int8("menu.sugar", "Sugar", base.DEC, vs_signed),
    hot = ProtoField.bool("menu.hot", "Hot", base.NONE, {"hot", "iced"}),
    plain = ProtoField.bool("menu.plain", "Plain"),
    cups = ProtoField.uint16("menu.cups", "Cups", base.DEC + base.UNIT_STRING, {" cup", " cups"}),
    volume = ProtoField.uint32("menu.volume", "Volume", base.HEX_DEC, vs_long),
    size = ProtoField.char("menu.size", "Size", base.HEX, {[0x53] = "small", [0x4C] = "large"}),
    letter = ProtoField.char("menu.letter", "Letter", base.OCT),
    octal = ProtoField.uint16("menu.octal", "Octal", base.OCT),
    price = ProtoField.float("menu.price", "Price", base.UNIT_STRING, {" euro", " euros"}),
    name = ProtoField.string("menu.name", "Name"),
    wide = ProtoField.string("menu.wide", "Wide name"),
    note = ProtoField.stringz("menu.note", "Note"),
}
menu.fields = f

function menu.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "MENU"
    local item = tree:add(menu, tvb())
    item:add(f.drink, tvb(0, 1))
    item:add(f.again, tvb(0, 1))
    item:add(f.strength, tvb(1, 1))
    item:add(f.masked, tvb(1, 1))
    item:add(f.sugar, tvb(2, 1))
    item:add(f.hot, tvb(3, 1))
    item:add(f.plain, tvb(3, 1))
    item:add(f.cups, tvb(4, 2))
    item:add(f.volume, tvb(6, 4))
    item:add(f.size, tvb(10, 1))
    item:add(f.letter, tvb(10, 1))
    item:add(f.octal, tvb(4, 2))
    item:add(f.price, tvb(11, 4))
    item:add(f.name, tvb(15, 8))
    item:add_packet_field(f.wide, tvb(23, 8), ENC_UTF_16 + ENC_LITTLE_ENDIAN)
    item:add(f.note, tvb(31))
    local drink = vs_drink[tvb(0, 1):uint()]
    pinfo.cols.info = drink and ("A menu with " .. drink) or "A menu with nothing known"
    if drink then pinfo.cols.info:append(" (" .. tvb(15, 8):string():gsub("%s+$", "") .. ")") end
end

DissectorTable.get("udp.port"):add(9110, menu)
