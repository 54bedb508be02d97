-- Messages with a length in front, over TCP port 9104: a loop of its own says what is missing.
local carried = Proto("carried", "Carried Orders")
local pf_length = ProtoField.uint16("carried.length", "Length")
local pf_kind = ProtoField.uint8("carried.kind", "Kind")
local pf_text = ProtoField.string("carried.text", "Text")
local pf_frames = ProtoField.string("carried.where", "Where it was")
carried.fields = {pf_length, pf_kind, pf_text, pf_frames}

-- Bytes used by one message, or minus the bytes that it lacks; 0 if even the length is not there yet.
local function dissect_message(tvb, pinfo, tree, offset)
    local left = tvb:len() - offset
    if left < 2 then return -DESEGMENT_ONE_MORE_SEGMENT end
    local length = tvb(offset, 2):uint()
    if length < 3 then return left end
    if left < length then return left - length end
    local item = tree:add(carried, tvb(offset, length))
    item:add(pf_length, tvb(offset, 2))
    item:add(pf_kind, tvb(offset + 2, 1))
    if length > 3 then item:add(pf_text, tvb(offset + 3, length - 3)) end
    item:add(pf_frames, tvb(offset, length), "at " .. offset .. " of " .. tvb:len()):set_generated()
    return length
end

function carried.dissector(tvb, pinfo, tree)
    -- A packet cut short by the snapshot length cannot be put together.
    if tvb:len() ~= tvb:reported_len() then return 0 end
    pinfo.cols.protocol = "CARRIED"
    local offset, count = 0, 0
    while offset < tvb:len() do
        local used = dissect_message(tvb, pinfo, tree, offset)
        if used > 0 then
            offset = offset + used
            count = count + 1
        elseif pinfo.can_desegment > 0 then
            pinfo.desegment_offset = offset
            pinfo.desegment_len = -used
            pinfo.cols.info = count .. " messages, more to come"
            return tvb:len()
        else
            tree:add(carried, tvb(offset), "Carried Orders, not complete")
            return tvb:len()
        end
    end
    pinfo.cols.info = count .. " messages"
    return tvb:len()
end

DissectorTable.get("tcp.port"):add(9104, carried)
