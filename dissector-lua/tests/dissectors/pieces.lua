-- A message in several datagrams over UDP port 9119, put together by the dissector itself.
local pieces = Proto("pieces", "Pieces")
local f = {
    id = ProtoField.uint8("pieces.id", "Message"), number = ProtoField.uint8("pieces.number", "Piece"),
    last = ProtoField.bool("pieces.last", "Last", 8, nil, 0x80), data = ProtoField.bytes("pieces.data", "Data"),
    text = ProtoField.string("pieces.text", "Text"), length = ProtoField.uint32("pieces.length", "Reassembled length"),
    complete_in = ProtoField.framenum("pieces.complete_in", "Complete in"),
}
pieces.fields = f

local messages, complete

function pieces.init()
    messages, complete = {}, {}
end

function pieces.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "PIECES"
    local item = tree:add(pieces, tvb())
    item:add(f.id, tvb(0, 1))
    item:add(f.last, tvb(1, 1))
    item:add(f.number, tvb(1, 1), tvb(1, 1):bitfield(1, 7))
    item:add(f.data, tvb(2))
    local id, number, last = tvb(0, 1):uint(), tvb(1, 1):bitfield(1, 7), tvb(1, 1):bitfield(0, 1) == 1
    local message = messages[id]
    if not pinfo.visited then
        if not message then
            message = {pieces = {}}
            messages[id] = message
        end
        message.pieces[number] = tvb(2):bytes()
        if last then message.last = number end
        local whole = ByteArray.new()
        local at = 0
        while message.pieces[at] do
            whole:append(message.pieces[at])
            at = at + 1
        end
        if message.last and at > message.last and not message.frame then
            message.frame = pinfo.number
            complete[pinfo.number] = whole
        end
    end
    if complete[pinfo.number] then
        local whole = complete[pinfo.number]:tvb("Reassembled pieces")
        local inside = tree:add(pieces, whole(), "Reassembled message of " .. whole:len() .. " bytes")
        inside:add(f.text, whole())
        inside:add(f.length, whole:len()):set_generated()
        pinfo.cols.info = "complete: " .. whole():string()
    else
        pinfo.cols.info = "piece " .. number .. " of message " .. id
    end
    if message and message.frame then item:add(f.complete_in, message.frame):set_generated() end
end

DissectorTable.get("udp.port"):add(9119, pieces)
