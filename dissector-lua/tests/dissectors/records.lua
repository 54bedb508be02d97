-- Little-endian records: what a row of scales has weighed, over UDP port 9102.
local scale_proto = Proto("scales", "Coffee Scales")

local pf_count = ProtoField.uint16("scales.count", "Number of records", base.DEC)
local pf_record = ProtoField.none("scales.record", "Record")
local pf_id = ProtoField.uint16("scales.record.id", "Identifier", base.HEX_DEC)
local pf_temperature = ProtoField.int16("scales.record.temperature", "Temperature", base.UNIT_STRING, {" degree", " degrees"})
local pf_serial = ProtoField.uint24("scales.record.serial", "Serial number", base.HEX)
local pf_weight = ProtoField.float("scales.record.weight", "Weight")
local pf_total = ProtoField.uint64("scales.record.total", "Total", base.DEC)
local pf_balance = ProtoField.int64("scales.record.balance", "Balance")
local pf_at = ProtoField.absolute_time("scales.record.at", "Weighed at", base.UTC)
local pf_name = ProtoField.string("scales.record.name", "Name")
local pf_precise = ProtoField.double("scales.record.precise", "Precise weight")
scale_proto.fields = {pf_count, pf_record, pf_id, pf_temperature, pf_serial, pf_weight, pf_total, pf_balance, pf_at, pf_name, pf_precise}

local RECORD_LEN = 49

local function dissect_record(range, item)
    item:add_le(pf_id, range(0, 2))
    item:add_le(pf_temperature, range(2, 2))
    item:add_le(pf_serial, range(4, 3))
    item:add_le(pf_weight, range(7, 4))
    item:add_le(pf_total, range(11, 8))
    item:add_le(pf_balance, range(19, 8))
    item:add_le(pf_at, range(27, 4))
    item:add(pf_name, range(31, 10), range(31, 10):stringz())
    item:add_packet_field(pf_precise, range(41, 8), ENC_LITTLE_ENDIAN)
    return range(0, 2):le_uint(), range(2, 2):le_int(), range(7, 4):le_float(), range(11, 8):le_uint64(), range(19, 8):le_int64()
end

scale_proto.dissector = function(tvb, pinfo, root)
    pinfo.cols.protocol:set("SCALES")
    local tree = root:add(scale_proto, tvb:range(0, tvb:len()))
    local count = tvb(0, 2):le_uint()
    tree:add_le(pf_count, tvb(0, 2))
    local total, offset = UInt64.new(0), 2
    for number = 1, count do
        if offset + RECORD_LEN > tvb:len() then
            tree:add(tvb(offset), "Record " .. number .. " is cut short")
            break
        end
        local range = tvb:range(offset, RECORD_LEN)
        local item = tree:add(pf_record, range)
        local id, temperature, weight, sum, balance = dissect_record(range, item)
        item:set_text(string.format("Record %d: 0x%04x, %d degrees, %.2f g, ", number, id, temperature, weight) .. tostring(sum) .. " / " .. tostring(balance))
        total = total + sum
        offset = offset + RECORD_LEN
    end
    tree:append_text(", total " .. tostring(total))
    pinfo.cols.info = "Scales: " .. count .. " records"
end

DissectorTable.get("udp.port"):add(9102, scale_proto)
