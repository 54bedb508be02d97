-- Bit operations by library: a packed date, a rotated key and a checksum of its own, over UDP port 9117.
local bits = bit32 or bit
local packed = Proto("packed", "Packed")
local f = {
    date = ProtoField.string("packed.date", "Date"),
    key = ProtoField.uint32("packed.key", "Key", base.HEX),
    plain = ProtoField.bytes("packed.plain", "Plain"),
    sum = ProtoField.uint16("packed.sum", "Checksum", base.HEX),
    status = ProtoField.string("packed.status", "Status"),
    varint = ProtoField.uint64("packed.varint", "Variable number"),
}
packed.fields = f

local function fletcher(range)
    local a, b = 0, 0
    for at = 0, range:len() - 1 do
        a = (a + range(at, 1):uint()) % 255
        b = (b + a) % 255
    end
    return bits.bor(bits.lshift(b, 8), a)
end

function packed.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "PACKED"
    local item = tree:add(packed, tvb())
    local date = tvb(0, 2):uint()
    local year, month, day = bits.rshift(date, 9) + 1980, bits.band(bits.rshift(date, 5), 0x0F), bits.band(date, 0x1F)
    item:add(f.date, tvb(0, 2), string.format("%04d-%02d-%02d", year, month, day))
    local key = tvb(2, 4):uint()
    item:add(f.key, tvb(2, 4))
    -- Unmasked as WebSocket does it.
    local plain = ByteArray.new()
    plain:set_size(4)
    for at = 0, 3 do
        local mask = bits.band(bits.rshift(key, 24 - 8 * at), 0xFF)
        plain:set_index(at, bits.bxor(tvb(6 + at, 1):uint(), mask))
    end
    item:add(f.plain, plain:tvb("Unmasked")())
    item:append_text(", says " .. plain:raw())
    local sum = fletcher(tvb(0, 10))
    local checksum = item:add(f.sum, tvb(10, 2))
    checksum:append_text(sum == tvb(10, 2):uint() and " (good)" or string.format(" (should be 0x%04x)", sum))
    item:add(f.status, tvb(0, 0), string.format("%08x %08x", bits.bnot(key) % 4294967296, bits.bxor(key, 0xFFFF) % 4294967296)):set_generated()
    local value, shift, offset = UInt64.new(0), 0, 12
    while offset < tvb:len() do
        local byte = tvb(offset, 1):uint()
        value = value:bor(UInt64.new(bits.band(byte, 0x7F)):lshift(shift))
        shift, offset = shift + 7, offset + 1
        if bits.band(byte, 0x80) == 0 then break end
    end
    item:add(f.varint, tvb(12, offset - 12), value)
    pinfo.cols.info = plain:raw() .. " on " .. year
end

DissectorTable.get("udp.port"):add(9117, packed)
