-- A text of which only the end of the connection says that it is complete, over TCP port 9106.
local p = Proto("closing", "Until the Close")
local pf_all = ProtoField.bytes("closing.all", "Everything")
local pf_len = ProtoField.uint32("closing.len", "Length")
p.fields = {pf_all, pf_len}
local UNTIL_FIN = DESEGMENT_UNTIL_FIN or 0x0ffffffe

function p.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "CLOSING"
    if pinfo.can_desegment > 0 then
        pinfo.desegment_len = UNTIL_FIN
        pinfo.desegment_offset = 0
        pinfo.cols.info = "not the end"
        return
    end
    local item = tree:add(p, tvb())
    item:add(pf_all, tvb())
    item:add(pf_len, tvb:len()):set_generated()
    pinfo.cols.info = "the end after " .. tvb:len() .. " bytes"
end

DissectorTable.get("tcp.port"):add(9106, p)
