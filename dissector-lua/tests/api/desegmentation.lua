-- frames: 43
-- TCP's contract with a dissector: desegment_len, desegment_offset, and dissect_tcp_pdus, over five segments and a close.
local p = Proto("probe_d", "Probe D")
local len, text = ProtoField.uint16("probe_d.len", "Length"), ProtoField.string("probe_d.text", "Text")
p.fields = {len, text}
local function pdu(tvb, pinfo, tree)
    print("pdu", pinfo.number, tvb:len(), tvb:reported_len(), tvb:offset(), pinfo.can_desegment, pinfo.desegment_offset, pinfo.desegment_len)
    local item = tree:add(p, tvb())
    item:add(len, tvb(0, 2))
    if tvb:len() > 2 then item:add(text, tvb(2)) end
    return tvb:len()
end
local function get_len(tvb, pinfo, offset)
    print("length", pinfo.number, tvb:len(), offset)
    if pinfo.number == 38 then return 1 end
    return tvb(offset, 2):uint() + 2
end
function p.dissector(tvb, pinfo, tree)
    print("dissector", pinfo.number, tvb:len(), pinfo.can_desegment, tostring(pinfo.visited))
    if pinfo.port_type ~= 2 then return end
    if pinfo.number == 35 then
        --? dissect_tcp_pdus()
        --? dissect_tcp_pdus(tvb)
        --? dissect_tcp_pdus(tvb, tree)
        --? dissect_tcp_pdus(tvb, tree, 2)
        --? dissect_tcp_pdus(tvb, tree, 2, 5)
        --? dissect_tcp_pdus(tvb, tree, 2, get_len)
        --? dissect_tcp_pdus(tvb, tree, "x", get_len, pdu)
        --? dissect_tcp_pdus(tvb(), tree, 2, get_len, pdu)
    end
    --? dissect_tcp_pdus(tvb, tree, 2, get_len, pdu)
    return tvb:len()
end
DissectorTable.get("tcp.port"):add(7777, p)
--? DESEGMENT_ONE_MORE_SEGMENT, DESEGMENT_UNTIL_FIN
