-- A tap that counts: what was drunk where, from fields that a dissector over UDP port 9112 adds; drawn at the end.
local tally = Proto("tally", "Tally")
local f_what = ProtoField.string("tally.what", "What")
local f_cups = ProtoField.uint8("tally.cups", "Cups")
tally.fields = {f_what, f_cups}

function tally.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "TALLY"
    local item = tree:add(tally, tvb())
    local offset = 0
    while offset < tvb:len() do
        local length = tvb(offset, 1):uint()
        item:add(f_cups, tvb(offset + 1, 1))
        item:add(f_what, tvb(offset + 2, length - 1))
        offset = offset + 1 + length
    end
end

DissectorTable.get("udp.port"):add(9112, tally)

local what, cups = Field.new("tally.what"), Field.new("tally.cups")
local source, length = Field.new("ip.src"), Field.new("frame.len")
local tap = Listener.new("udp", "tally")
local drunk, frames, bytes = {}, 0, 0

function tap.reset()
    drunk, frames, bytes = {}, 0, 0
end

function tap.packet(pinfo, tvb, udp)
    frames = frames + 1
    bytes = bytes + length().value
    local names, numbers = {what()}, {cups()}
    for at, name in ipairs(names) do
        local key = tostring(source()) .. " drank " .. name.value
        drunk[key] = (drunk[key] or 0) + numbers[at].value
    end
    print("tap", pinfo.number, pinfo.src_port, udp and udp.uh_dport, #names, tostring(pinfo.abs_ts))
end

function tap.draw()
    print("Tally of " .. frames .. " frames, " .. bytes .. " bytes")
    local keys = {}
    for key in pairs(drunk) do keys[#keys + 1] = key end
    table.sort(keys)
    for _, key in ipairs(keys) do print(string.format("%4d  %s", drunk[key], key)) end
end
