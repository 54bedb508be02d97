-- Preferences of every kind, over UDP: what they change is what is shown, and on which ports.
local shop = Proto("shop", "Coffee Shop")
local units = {{1, "Grams", 1}, {2, "Ounces", 2}, {3, "Cups", 3}}
shop.prefs.ports = Pref.range("Ports", "9108,9208-9209", "The UDP ports of the shop", 65535)
shop.prefs.prices = Pref.bool("Show prices", true, "Whether prices are shown")
shop.prefs.factor = Pref.uint("Factor", 100, "By what prices are divided")
shop.prefs.currency = Pref.string("Currency", "EUR", "What stands behind prices")
shop.prefs.unit = Pref.enum("Unit", 1, "The unit of amounts", units, false)
shop.prefs.about = Pref.statictext("All prices include tax", "")

local f = {
    amount = ProtoField.uint16("shop.amount", "Amount"),
    price = ProtoField.uint16("shop.price", "Price"),
    settings = ProtoField.string("shop.settings", "Settings"),
}
shop.fields = f

function shop.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "SHOP"
    local prefs = shop.prefs
    local item = tree:add(shop, tvb())
    local unit = ({"g", "oz", "cups"})[prefs.unit]
    item:add(f.amount, tvb(0, 2)):append_text(" " .. unit)
    if prefs.prices then
        local price = tvb(2, 2):uint()
        item:add(f.price, tvb(2, 2)):append_text(string.format(" (%.2f %s)", price / prefs.factor, prefs.currency))
    end
    local all = {tostring(prefs.ports), tostring(prefs.prices), tostring(prefs.factor), prefs.currency, tostring(prefs.unit)}
    item:add(f.settings, table.concat(all, "; ")):set_generated()
    pinfo.cols.info = tvb(0, 2):uint() .. " " .. unit
end

-- The ports that the protocol is linked to, so that a change can undo it.
local linked = nil

function shop.prefs_changed()
    if linked ~= shop.prefs.ports then
        local udp = DissectorTable.get("udp.port")
        if linked and linked ~= "" then udp:remove(linked, shop) end
        linked = shop.prefs.ports
        if linked ~= "" then udp:add(linked, shop) end
    end
end

linked = shop.prefs.ports
DissectorTable.get("udp.port"):add(linked, shop)
