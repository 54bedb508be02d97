-- The manner of the lab's first dissector: ten members of the API, and text only, over TCP port 9116.
old_proto = Proto("old", "Old Manner")

function old_proto.dissector(buffer, pinfo, tree)
    length = buffer:len()
    if length == 0 then return end
    pinfo.cols.protocol = old_proto.name
    local subtree = tree:add(old_proto, buffer(), old_proto.description)
    local text = buffer(0, length):string()
    local head, body = text:match("^(.-)\r\n\r\n(.*)$")
    head = head or text
    local at = 0
    for line in (head .. "\r\n"):gmatch("(.-)\r\n") do
        if at + #line <= length then
            subtree:add(buffer(at, #line), line)
        end
        at = at + #line + 2
    end
    if body and #body > 0 then
        local content = subtree:add(buffer(length - #body, #body), "Body")
        content:add(buffer(length - #body, #body), "Content: " .. body)
    end
end

tcp_port = DissectorTable.get("tcp.port")
tcp_port:add(9116, old_proto)
