-- frames: 1
-- What there is: every class with its functions, and every global of Wireshark's by kind. Constants of enumerations
-- by name and number.
local function sorted(table_)
    local keys = {}
    for key in pairs(table_) do keys[#keys + 1] = tostring(key) end
    table.sort(keys)
    return keys
end
local lua = " _G _VERSION assert collectgarbage coroutine debug dofile error getmetatable io ipairs load loadfile loadstring math module next os package "
    .. "pairs pcall print probe in_frames bytes rawequal rawget rawlen rawset require select setmetatable string table tonumber tostring type unpack utf8 warn "
    .. "xpcall DATA_DIR USER_DIR _EPAN _WTAP "
for _, name in ipairs(sorted(_G)) do
    local value = rawget(_G, name)
    if lua:find(" " .. name .. " ", 1, true) or name:find("^wtap") then
        -- Lua's own, or of capture files.
    elseif type(value) == "table" and rawget(value, "__typeof") then
        print("class " .. name .. ": " .. table.concat(sorted(value), " "))
    elseif type(value) == "table" then
        for _, key in ipairs(sorted(value)) do
            print("table " .. name .. "." .. key .. ": " .. (type(value[key]) == "number" and tostring(value[key]) or type(value[key])))
        end
    elseif type(value) == "number" or type(value) == "boolean" then
        print("constant " .. name .. ": " .. tostring(value))
    else
        print(type(value) .. " " .. name)
    end
end
for _, name in ipairs({"coroutine", "debug", "io", "math", "os", "package", "string", "table", "bit32", "utf8"}) do
    print("Lua's " .. name .. ": " .. (rawget(_G, name) and table.concat(sorted(_G[name]), " ") or "absent"))
end
local globals = {}
for _, name in ipairs(sorted(_G)) do
    if lua:find(" " .. name .. " ", 1, true) and not (name == "probe" or name == "in_frames" or name == "bytes") then globals[#globals + 1] = name end
end
print("Lua's globals: " .. table.concat(globals, " "))
-- What can be read and written of an object. Wireshark keeps that in the registry, which a host need not have.
local registry = rawget(_G, "debug") and rawget(debug, "getregistry") and debug.getregistry() or {}
for _, name in ipairs(sorted(registry)) do
    local class = registry[name]
    if type(class) == "table" and rawget(class, "__typeof") and not (name:find("^File") or name:find("^Frame") or name:find("^CaptureInfo")) then
        for _, kind in ipairs({"__getters", "__setters"}) do
            local attributes = {}
            for _, attribute in ipairs(sorted(rawget(class, kind) or {})) do
                if attribute ~= "__typeof" then attributes[#attributes + 1] = attribute end
            end
            if #attributes > 0 then print(kind:sub(3) .. " of " .. name .. ": " .. table.concat(attributes, " ")) end
        end
    end
end
