-- What was seen before: requests and their answers over UDP port 9114, remembered on the first pass.
local ask = Proto("ask", "Ask and Answer")
local f = {
    is_answer = ProtoField.bool("ask.answer", "Answer", 8, nil, 0x80),
    id = ProtoField.uint8("ask.id", "Identifier", base.DEC, nil, 0x7F),
    text = ProtoField.string("ask.text", "Text"),
    request_in = ProtoField.framenum("ask.request_in", "Request in", base.NONE, frametype.REQUEST),
    answer_in = ProtoField.framenum("ask.answer_in", "Answer in", base.NONE, frametype.RESPONSE),
    time = ProtoField.relative_time("ask.time", "Time"),
    count = ProtoField.uint32("ask.count", "Number in the conversation"),
    retransmission = ProtoField.framenum("ask.again", "Asked already in", base.NONE, frametype.RETRANS_PREV),
}
ask.fields = f

local conversations, counts

function ask.init()
    conversations, counts = {}, {}
end

-- The same for both directions.
local function key_of(pinfo, id)
    local ends = {tostring(pinfo.src) .. ":" .. pinfo.src_port, tostring(pinfo.dst) .. ":" .. pinfo.dst_port}
    table.sort(ends)
    return ends[1] .. "-" .. ends[2] .. "#" .. id
end

function ask.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "ASK"
    local answer, id = tvb(0, 1):bitfield(0, 1) == 1, tvb(0, 1):bitfield(1, 7)
    local key = key_of(pinfo, id)
    if not pinfo.visited then
        local conversation = conversations[key] or {}
        conversations[key] = conversation
        if answer then
            conversation.answer = conversation.answer or pinfo.number
            conversation.answered = pinfo.abs_ts
        elseif not conversation.request then
            conversation.request, conversation.asked = pinfo.number, pinfo.abs_ts
        end
        local flow = key_of(pinfo, "all")
        counts[flow] = (counts[flow] or 0) + 1
        counts[pinfo.number] = counts[flow]
    end
    local conversation = conversations[key]
    local item = tree:add(ask, tvb())
    item:add(f.is_answer, tvb(0, 1))
    item:add(f.id, tvb(0, 1))
    if tvb:len() > 1 then item:add(f.text, tvb(1)) end
    if counts[pinfo.number] then item:add(f.count, counts[pinfo.number]):set_generated() end
    if answer and conversation.request then
        item:add(f.request_in, tvb(0, 0), conversation.request):set_generated()
        local seconds = pinfo.abs_ts - conversation.asked
        item:add(f.time, tvb(0, 0), NSTime.new(math.floor(seconds), math.floor((seconds % 1) * 1e6 + 0.5) * 1000)):set_generated()
    elseif not answer then
        if conversation.answer then item:add(f.answer_in, conversation.answer):set_generated() end
        if conversation.request ~= pinfo.number then item:add(f.retransmission, conversation.request):set_generated() end
    end
    pinfo.cols.info = (answer and "Answer " or "Request ") .. id
    if pinfo.visited then pinfo.cols.info:append(" (again)") end
end

DissectorTable.get("udp.port"):add(9114, ask)
