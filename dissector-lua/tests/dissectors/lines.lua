-- Lines of text, over TCP port 9105: until a line ends, one more segment is asked for.
local lines = Proto("lines", "Lines")
lines.fields.line = ProtoField.string("lines.line", "Line")
lines.fields.word = ProtoField.string("lines.word", "Word")
lines.fields.number = ProtoField.uint32("lines.number", "Number of the line")
local f = lines.fields

function lines.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "LINES"
    local raw = tvb:raw()
    local offset, first = 0, nil
    while offset < #raw do
        local stop = raw:find("\r\n", offset + 1, true)
        if not stop then
            if pinfo.can_desegment == 1 then
                pinfo.desegment_offset = offset
                pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
                return
            end
            tree:add(lines, tvb(offset)):append_text(" (no end)")
            break
        end
        local length = stop - 1 - offset
        local item = tree:add(lines, tvb(offset, length + 2))
        item:add(f.line, tvb(offset, length))
        for start, word in raw:sub(offset + 1, stop - 1):gmatch("()(%S+)") do
            item:add(f.word, tvb(offset + start - 1, #word))
        end
        first = first or tvb(offset, length):string()
        offset = stop + 1
    end
    if first then pinfo.cols.info = first end
end

DissectorTable.get("tcp.port"):add(9105, lines)
