-- One field of each kind, over UDP port 9118.
local kinds = Proto("kinds", "Kinds")
local list = {
    {"u64", ProtoField.uint64("kinds.u64", "Unsigned", base.HEX_DEC), 8},
    {"i64", ProtoField.int64("kinds.i64", "Signed"), 8},
    {"masked", ProtoField.uint64("kinds.masked", "Masked", base.HEX, nil, UInt64.new(0xFFFF0000, 0xFF):tonumber()), 8},
    {"float", ProtoField.float("kinds.float", "Float"), 4},
    {"double", ProtoField.double("kinds.double", "Double"), 8},
    {"time", ProtoField.absolute_time("kinds.time", "Time", base.UTC), 8},
    {"day", ProtoField.absolute_time("kinds.day", "Day", base.DOY_UTC), 4},
    {"span", ProtoField.relative_time("kinds.span", "Span"), 8},
    {"guid", ProtoField.guid("kinds.guid", "GUID"), 16},
    {"ip", ProtoField.ipv4("kinds.ip", "IPv4"), 4},
    {"ip6", ProtoField.ipv6("kinds.ip6", "IPv6"), 16},
    {"ether", ProtoField.ether("kinds.ether", "Ethernet"), 6},
    {"oid", ProtoField.oid("kinds.oid", "OID"), 5},
    {"eui", ProtoField.eui64("kinds.eui", "EUI-64"), 8},
    {"u24", ProtoField.uint24("kinds.u24", "Three bytes", base.DEC_HEX), 3},
    {"i24", ProtoField.int24("kinds.i24", "Three bytes, signed"), 3},
    {"bytes", ProtoField.bytes("kinds.bytes", "Bytes", base.COLON), 5},
    {"none", ProtoField.none("kinds.none", "Nothing"), 2},
}
local computed = {
    u64 = ProtoField.uint64("kinds.computed.u64", "Sum"), i64 = ProtoField.int64("kinds.computed.i64", "Difference"),
    double = ProtoField.double("kinds.computed.double", "Mean"), span = ProtoField.relative_time("kinds.computed.span", "Later"),
    ip = ProtoField.ipv4("kinds.computed.ip", "Sender"), ether = ProtoField.ether("kinds.computed.ether", "Sender's card"),
    frame = ProtoField.framenum("kinds.computed.frame", "This frame"), time = ProtoField.absolute_time("kinds.computed.time", "Captured at", base.UTC),
    bytes = ProtoField.bytes("kinds.computed.bytes", "Reversed"),
}
for _, entry in ipairs(list) do kinds.fields[entry[1]] = entry[2] end
for name, field in pairs(computed) do kinds.fields["computed_" .. name] = field end

function kinds.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "KINDS"
    local item = tree:add(kinds, tvb())
    local at = {}
    local offset = 0
    for _, entry in ipairs(list) do
        at[entry[1]] = tvb(offset, entry[3])
        item:add(entry[2], tvb(offset, entry[3]))
        offset = offset + entry[3]
    end
    local sums = item:add(tvb(), "Computed")
    sums:add(computed.u64, at.u64, at.u64:uint64() + 1)
    sums:add(computed.i64, at.i64, at.i64:int64() - Int64.new(1))
    sums:add(computed.double, at.double, (at.double:float() + at.float:float()) / 2)
    sums:add(computed.span, at.time, at.time:nstime() - NSTime.new(1687858799, 0))
    sums:add(computed.ip, pinfo.src)
    sums:add(computed.ether, pinfo.dl_src)
    sums:add(computed.frame, pinfo.number)
    sums:add(computed.time, NSTime.new(math.floor(pinfo.abs_ts), 0))
    local reversed = ByteArray.new((at.bytes:raw()):reverse(), true)
    sums:add(computed.bytes, reversed:tvb("Reversed")())
    local texts = {at.u64:uint64():tohex(), tostring(at.i64:int64()), tostring(at.ip:ipv4()), tostring(at.ether:ether()), tostring(at.ip6:ipv6())}
    pinfo.cols.info = table.concat(texts, " ")
end

DissectorTable.get("udp.port"):add(9118, kinds)
