-- A field of every type, on TCP port 7000: for filters and formats.
local every = Proto("every", "A Field of Every Type")

local at = {
    u8 = {ProtoField.uint8("every.u8", "Unsigned", base.DEC, {[71] = "Golf", [72] = "Hotel"}), 0, 1},
    u16 = {ProtoField.uint16("every.u16", "Bits", base.HEX, nil, 0x0ff0), 0, 2},
    u64 = {ProtoField.uint64("every.u64", "Long", base.DEC), 0, 8},
    i8 = {ProtoField.int8("every.i8", "Signed"), 0, 1},
    i64 = {ProtoField.int64("every.i64", "Long signed"), 0, 8},
    float = {ProtoField.float("every.float", "Float"), 0, 4},
    double = {ProtoField.double("every.double", "Double"), 0, 8},
    bool = {ProtoField.bool("every.bool", "Boolean", 8, {"Yes", "No"}, 0x40), 0, 1},
    char = {ProtoField.char("every.char", "Character", base.HEX), 0, 1},
    string = {ProtoField.string("every.string", "Text"), 0, 4},
    bytes = {ProtoField.bytes("every.bytes", "Bytes", base.DASH), 0, 4},
    guid = {ProtoField.guid("every.guid", "GUID"), 0, 16},
    eui64 = {ProtoField.eui64("every.eui64", "EUI-64"), 0, 8},
    ether = {ProtoField.ether("every.ether", "Ethernet"), 0, 6},
    ipv4 = {ProtoField.ipv4("every.ipv4", "IPv4"), 0, 4},
    ipv6 = {ProtoField.ipv6("every.ipv6", "IPv6"), 0, 16},
    oid = {ProtoField.oid("every.oid", "Object"), 0, 3},
    none = {ProtoField.none("every.none", "Nothing"), 0, 3},
}
local names = {
    "u8", "u16", "u64", "i8", "i64", "float", "double", "bool", "char", "string", "bytes", "guid", "eui64", "ether", "ipv4", "ipv6",
    "oid", "none",
}
local frame = ProtoField.framenum("every.frame", "Frame")
local duration = ProtoField.relative_time("every.duration", "Duration")
local time = ProtoField.absolute_time("every.time", "Time", base.UTC)
local odd = ProtoExpert.new("every.odd", "Odd", expert.group.PROTOCOL, expert.severity.WARN)

every.fields = {frame, duration, time}
for _, name in ipairs(names) do
    every.fields[name] = at[name][1]
end
every.experts = {odd}

function every.dissector(tvb, pinfo, tree)
    if tvb:len() < 16 then return 0 end
    pinfo.cols.protocol = "EVERY"
    pinfo.cols.info = "every <type> \"quoted\" \\ a\ttab"
    local own = tree:add(every, tvb())
    for _, name in ipairs(names) do
        own:add(at[name][1], tvb(at[name][2], at[name][3]))
    end
    own:add(at.string[1], tvb(4, 4)):set_hidden()
    own:add(frame, tvb(0, 0), 3):set_generated()
    own:add(duration, tvb(0, 2), NSTime.new(5, 500000000))
    own:add(time, tvb(0, 2), NSTime.new(1000000000, 0))
    local text = own:add(tvb(0, 2), "a line of text <&>")
    text:add(at.u8[1], tvb(1, 1)):append_text(" (again)")
    text:add_proto_expert_info(odd, "odd & strange")
    own:add(at.bytes[1], ByteArray.new("01 02 1b"):tvb("Made of nothing")())
end

DissectorTable.get("tcp.port"):add(7000, every)
