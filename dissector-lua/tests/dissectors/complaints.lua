-- Expert infos: what is odd about a temperature report over UDP port 9111.
local report = Proto("report", "Temperature Report")
local f_length = ProtoField.uint8("report.length", "Length")
local f_temperature = ProtoField.int16("report.temperature", "Temperature")
local f_checksum = ProtoField.uint8("report.checksum", "Checksum", base.HEX)
report.fields = {f_length, f_temperature, f_checksum}

local e = {
    cold = ProtoExpert.new("report.cold", "The coffee is cold", expert.group.RESPONSE_CODE, expert.severity.WARN),
    boiling = ProtoExpert.new("report.boiling", "The coffee boils", expert.group.PROTOCOL, expert.severity.ERROR),
    checksum = ProtoExpert.new("report.bad_checksum", "Bad checksum", expert.group.CHECKSUM, expert.severity.ERROR),
    length = ProtoExpert.new("report.bad_length", "Bad length", expert.group.MALFORMED, expert.severity.ERROR),
    seen = ProtoExpert.new("report.seen", "A report", expert.group.SEQUENCE, expert.severity.CHAT),
    trailing = ProtoExpert.new("report.trailing", "Bytes behind the end", expert.group.UNDECODED, expert.severity.NOTE),
}
report.experts = e

function report.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "REPORT"
    local item = tree:add(report, tvb())
    item:add_proto_expert_info(e.seen, "Report of " .. tvb:len() .. " bytes")
    local length = item:add(f_length, tvb(0, 1))
    if tvb(0, 1):uint() ~= 4 then length:add_proto_expert_info(e.length) end
    if tvb:len() < 4 then
        item:add_tvb_expert_info(e.length, tvb(), "Cut short")
        return
    end
    local degrees = tvb(1, 2):int()
    local temperature = item:add(f_temperature, tvb(1, 2))
    if degrees < 40 then temperature:add_proto_expert_info(e.cold) end
    if degrees > 99 then temperature:add_proto_expert_info(e.boiling, degrees .. " degrees are too many") end
    local sum = (tvb(0, 1):uint() + tvb(1, 1):uint() + tvb(2, 1):uint()) % 256
    local checksum = item:add(f_checksum, tvb(3, 1))
    if sum == tvb(3, 1):uint() then
        checksum:append_text(" [correct]")
    else
        checksum:append_text(string.format(" [should be 0x%02x]", sum))
        checksum:add_expert_info(PI_CHECKSUM, PI_WARN, "Checksum is wrong, said the old way")
        checksum:add_proto_expert_info(e.checksum)
    end
    if tvb:len() > 4 then item:add_tvb_expert_info(e.trailing, tvb(4)) end
    pinfo.cols.info = degrees .. " degrees"
end

DissectorTable.get("udp.port"):add(9111, report)
