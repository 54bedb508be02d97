-- frames: 39
-- Field and FieldInfo: values of fields that others have made.
--? Field.new("frame.number"), typeof(Field.new("frame.number"))
--? tostring(Field.new("ip.src"))
--? Field.new("nothing.at_all")
--? Field.new("")
--? Field.new()
--? Field.new(5)
--? Field.new("probe_late.x")
--? type(Field.list()), #Field.list() > 1000
--? Field.nothing
local names = "frame.number frame.len frame.cap_len frame.time_epoch frame.time_relative frame.time_delta frame.time frame.protocols frame.encap_type frame.marked "
    .. "frame.interface_id frame.interface_name eth eth.src eth.dst eth.type eth.addr ip ip.src ip.dst ip.addr ip.proto ip.len ip.ttl ip.id ip.version ip.hdr_len ip.flags ip.flags.df ip.dsfield ip.checksum ip.checksum.status "
    .. "ip.frag_offset ip.src_host ipv6.src ipv6.dst ipv6.nxt ipv6.plen ipv6.hlim udp udp.srcport udp.dstport udp.port udp.length udp.stream udp.checksum udp.payload udp.checksum.status tcp tcp.srcport tcp.dstport tcp.port tcp.stream tcp.len "
    .. "tcp.seq tcp.seq_raw tcp.nxtseq tcp.ack tcp.ack_raw tcp.flags tcp.flags.syn tcp.flags.ack tcp.flags.fin tcp.flags.push tcp.flags.str tcp.window_size tcp.window_size_value tcp.window_size_scalefactor tcp.checksum "
    .. "tcp.hdr_len tcp.payload tcp.time_relative tcp.time_delta tcp.options tcp.options.mss_val tcp.completeness tcp.analysis.flags tcp.analysis.bytes_in_flight tcp.urgent_pointer tcp.segment_data tcp.reassembled_in data data.data data.len"
local fields = {}
for name in names:gmatch("%S+") do
    local known, field = pcall(Field.new, name)
    if known then fields[#fields + 1] = {name = name, field = field} else print("unknown", name, (tostring(field):gsub("^.-:%d+: ", ""))) end
end
local number, addr, src, len, nothing_here, epoch, payload, text = Field.new("frame.number"), Field.new("ip.addr"), Field.new("ip.src"), Field.new("ip.len"), Field.new("tcp.stream"), Field.new("frame.time_epoch"), Field.new("udp.payload"), Field.new("frame.protocols")
local own_later = Field.new("udp.length")
--? number()
--? number.name, addr.name
--? number.type, addr.type
--? number.display
--? number.nothing
local first = true
in_frames("probe_field", {
    [1] = function(tvb, pinfo, tree, proto)
        tree:add(proto, tvb())
        for _, one in ipairs(fields) do
            local infos = {one.field()}
            for _, info in ipairs(infos) do
                local value, kind = info.value, type(info.value)
                print("field " .. one.name, kind == "userdata" and typeof(value) or kind, tostring(value), "display " .. info.display, "label " .. info.label, info.offset .. "+" .. info.len)
            end
        end
        --? number()
        --? typeof(number())
        --? number().value
        --? number().label
        --? number().display
        --? number().name
        --? number().type
        --? number().len
        --? number().offset
        --? number().generated
        --? number().hidden
        --? number().is_url
        --? number().little_endian
        --? number().big_endian
        --? number()()
        --? tostring(number())
        --? len().value, len().len, len().offset, len().source, len().range, len().tvb
        --? typeof(len().range)
        --? len().range:uint()
        --? addr()
        --? select("#", addr()), select("#", nothing_here())
        --? nothing_here()
        --? nothing_here().value
        --? addr().value, src().value
        --? src() == addr(), src() ~= addr(), len() < number(), len() <= number(), number() == 1
        --? #len()
        --? -len()
        --? len()()
        --? tostring(src()), tostring(epoch()), tostring(payload())
        --? epoch().value, typeof(epoch().value), epoch().value.secs, epoch().value.nsecs
        --? payload().value, typeof(payload().value)
        --? text().value, text().label
        --? number().nothing
        --! number().value = 5
        --? number(5)
        --? Field.new("ip.ttl")
        --? type(all_field_infos()), #{all_field_infos()} > 50
        --? ({all_field_infos()})[1].name, ({all_field_infos()})[2].name
        kept = number()
    end,
    [2] = function(tvb, pinfo, tree)
        --? kept
        --? kept.value
        --? number().value
    end,
    [31] = function(tvb, pinfo, tree)
        for _, one in ipairs(fields) do
            if one.name:find("^ipv6") or one.name:find("^ip") then
                for _, info in ipairs({one.field()}) do print("field " .. one.name, tostring(info.value), info.display) end
            end
        end
    end,
    [35] = function(tvb, pinfo, tree)
        for _, one in ipairs(fields) do
            for _, info in ipairs(one.name:find("^tcp") and {one.field()} or {}) do
                local value, kind = info.value, type(info.value)
                print("field " .. one.name, kind == "userdata" and typeof(value) or kind, tostring(value), "display " .. info.display, info.offset .. "+" .. info.len)
            end
        end
    end,
    [38] = function(tvb, pinfo, tree)
        for _, one in ipairs(fields) do
            for _, info in ipairs((one.name:find("^tcp.s") or one.name:find("^tcp.time")) and {one.field()} or {}) do print("field " .. one.name, tostring(info.value), info.display) end
        end
    end,
})
