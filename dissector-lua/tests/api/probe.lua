-- What the scripts share: one function that says what came of an expression.

-- A value as a line of text, in the same way in every version of Lua.
local function show(value)
    local kind = type(value)
    if kind == "string" then
        local escaped = value:gsub("[%c\"\\\127-\255]", function(char) return string.format("\\x%02x", char:byte()) end)
        return '"' .. escaped .. '"'
    elseif kind == "table" then
        local keys = {}
        for key in pairs(value) do keys[#keys + 1] = key end
        table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
        local parts = {}
        for at, key in ipairs(keys) do parts[at] = tostring(key) .. "=" .. show(value[key]) end
        return "{" .. table.concat(parts, ", ") .. "}"
    elseif kind == "userdata" then
        local known, text = pcall(tostring, value)
        -- Wireshark says there how it holds an item.
        text = text:gsub("^TreeItem: expired=false.*", "")
        return (typeof and typeof(value) or "userdata") .. "(" .. (known and show(text) or text) .. ")"
    elseif kind == "function" then
        return "function"
    end
    return tostring(value)
end

-- Evaluates and prints `text = results`; for an error its message, without the script's path. What is quiet says its errors only.
function probe(text, evaluate, quiet)
    local results = table.pack(pcall(evaluate))
    local shown = {}
    if quiet and results[1] then return end
    if results[1] then
        for at = 2, results.n do shown[at - 1] = show(results[at]) end
        if results.n == 1 then shown[1] = "(nothing)" end
    else
        shown[1] = "error: " .. (tostring(results[2]):gsub("[^%s:\"%[%]]*[/\\]([%w_]+%.lua)", "%1"))
    end
    print("? " .. text .. " = " .. table.concat(shown, ", "))
end

-- Runs `frames[n]` in frame n, inside of a protocol that takes UDP and TCP port 7777. The item in which it is shown is given too.
function in_frames(name, frames)
    local proto = Proto(name, "Probe of " .. name)
    function proto.dissector(tvb, pinfo, tree)
        local run = frames[pinfo.number]
        if run then
            return run(tvb, pinfo, tree, proto)
        end
    end
    DissectorTable.get("udp.port"):add(7777, proto)
    DissectorTable.get("tcp.port"):add(7777, proto)
    return proto
end

-- The bytes that a text of hexadecimal digits means, as a range of a buffer of their own.
function bytes(hex)
    return ByteArray.new(hex):tvb("bytes"):range()
end
