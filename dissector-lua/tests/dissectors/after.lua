-- A postdissector: says of every frame with TCP or UDP where it goes and how much it carries, from others' fields.
local after = Proto("after", "Afterwards")
local f = after.fields
f.flow = ProtoField.string("after.flow", "Flow")
f.payload = ProtoField.uint32("after.payload", "Payload", base.UNIT_STRING, {" byte", " bytes"})
f.since = ProtoField.relative_time("after.since", "Since the first frame")
f.flags = ProtoField.string("after.flags", "Flags")
f.seq = ProtoField.uint32("after.seq", "Next sequence number")
f.both = ProtoField.uint16("after.port", "Port")
f.address = ProtoField.ipv4("after.address", "Address")
f.at = ProtoField.absolute_time("after.at", "At", base.UTC)

local src, dst = Field.new("ip.src"), Field.new("ip.dst")
local tcp_src, tcp_dst, udp_src, udp_dst = Field.new("tcp.srcport"), Field.new("tcp.dstport"), Field.new("udp.srcport"), Field.new("udp.dstport")
local tcp_len, tcp_seq, tcp_next, udp_len = Field.new("tcp.len"), Field.new("tcp.seq"), Field.new("tcp.nxtseq"), Field.new("udp.length")
local stream, relative, epoch, number = Field.new("tcp.stream"), Field.new("frame.time_relative"), Field.new("frame.time_epoch"), Field.new("frame.number")
local syn, ack, fin, push = Field.new("tcp.flags.syn"), Field.new("tcp.flags.ack"), Field.new("tcp.flags.fin"), Field.new("tcp.flags.push")
local port, address = Field.new("tcp.port"), Field.new("ip.addr")

function after.dissector(tvb, pinfo, tree)
    local from, to = tcp_src() or udp_src(), tcp_dst() or udp_dst()
    if not from or not src() then return end
    local item = tree:add(after, "Afterwards, frame " .. tostring(number()))
    item:add(f.flow, tostring(src()) .. ":" .. tostring(from) .. " to " .. tostring(dst()) .. ":" .. tostring(to))
    if stream() then
        item:append_text(", stream " .. stream().value)
        item:add(f.payload, tcp_len().value)
        local set = {}
        for _, flag in ipairs({{syn, "SYN"}, {ack, "ACK"}, {fin, "FIN"}, {push, "PSH"}}) do
            if flag[1]().value then set[#set + 1] = flag[2] end
        end
        item:add(f.flags, table.concat(set, ","))
        if tcp_next() then item:add(f.seq, tcp_next().value) end
        for _, one in ipairs({port()}) do item:add(f.both, one.range, one.value) end
    else
        item:add(f.payload, udp_len().value - 8)
    end
    for _, one in ipairs({address()}) do item:add(f.address, one.range) end
    item:add(f.since, relative().value)
    item:add(f.at, epoch().value)
    item:set_generated()
    pinfo.cols.info:append(" {" .. (stream() and "stream " .. stream().value or "datagram") .. "}")
end

register_postdissector(after)
