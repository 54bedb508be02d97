-- frames: 5
-- ProtoExpert, and expert infos on items.
--? expert.group
--? expert.severity
--? ProtoExpert.new("probe_e.x", "x", expert.group.PROTOCOL, expert.severity.WARN)
--? typeof(ProtoExpert.new("probe_e.x", "x", expert.group.PROTOCOL, expert.severity.WARN))
--? ProtoExpert.new("probe_e.x", "x", 5, expert.severity.WARN)
--? ProtoExpert.new("probe_e.x", "x", expert.group.PROTOCOL, 5)
--? ProtoExpert.new("probe_e.x", "x", expert.group.PROTOCOL)
--? ProtoExpert.new("probe_e.x", "x")
--? ProtoExpert.new("probe_e.x")
--? ProtoExpert.new("", "x", expert.group.PROTOCOL, expert.severity.WARN)
--? ProtoExpert.new("probe e", "x", expert.group.PROTOCOL, expert.severity.WARN)
--? ProtoExpert.new("probe_e.x", "", expert.group.PROTOCOL, expert.severity.WARN)
--? ProtoExpert.new(nil, "x", expert.group.PROTOCOL, expert.severity.WARN)
--? ProtoExpert("probe_e.x", "x", expert.group.PROTOCOL, expert.severity.WARN)
local E = {}
for name, group in pairs(expert.group) do
    if name ~= "GROUP_MASK" then E["group_" .. name:lower()] = ProtoExpert.new("probe_e.group_" .. name:lower(), "Group " .. name, group, expert.severity.NOTE) end
end
for name, severity in pairs(expert.severity) do
    if name ~= "SEVERITY_MASK" then E["severity_" .. name:lower()] = ProtoExpert.new("probe_e.severity_" .. name:lower(), "Severity " .. name, expert.group.PROTOCOL, severity) end
end
local function names(prefix)
    local list = {}
    for name in pairs(E) do if name:find(prefix, 1, true) == 1 then list[#list + 1] = name end end
    table.sort(list)
    return list
end
local unregistered = ProtoExpert.new("probe_e.unregistered", "Unregistered", expert.group.PROTOCOL, expert.severity.WARN)
local field = ProtoField.uint8("probe_e.field", "Field")
local proto = in_frames("probe_e", {
    [1] = function(tvb, pinfo, tree, proto)
        local item = tree:add(proto, tvb())
        for _, name in ipairs(names("severity")) do item:add(tvb(0, 1), name):add_proto_expert_info(E[name]) end
    end,
    [2] = function(tvb, pinfo, tree, proto)
        local item = tree:add(proto, tvb())
        for _, name in ipairs(names("group")) do item:add(tvb(0, 1), name):add_proto_expert_info(E[name], "text of " .. name) end
    end,
    [3] = function(tvb, pinfo, tree, proto)
        local item = tree:add(proto, tvb())
        local e = E.severity_warn
        --? item:add_proto_expert_info(e)
        --? item:add_proto_expert_info(e, "other text")
        --? item:add_proto_expert_info(e, "")
        --? item:add_proto_expert_info(e, 5)
        --? item:add_proto_expert_info(e, nil)
        --? item:add_proto_expert_info(e, {})
        --? item:add_proto_expert_info()
        --? item:add_proto_expert_info("x")
        --? item:add_tvb_expert_info(e, tvb(2, 3))
        --? item:add_tvb_expert_info(e, tvb(2, 3), "text and bytes")
        --? item:add_tvb_expert_info(e, tvb)
        --? item:add_tvb_expert_info(e)
        --? item:add_tvb_expert_info(e, "x")
        --? item:add(field, tvb(0, 1)):add_proto_expert_info(e, "at a field")
        --? item:add(field, tvb(0, 1)):set_generated():add_proto_expert_info(e, "at a generated field")
        --? item:add_expert_info(PI_MALFORMED, PI_ERROR, "the old way")
        --? item:add_expert_info(PI_MALFORMED, PI_ERROR)
        --? item:add_expert_info(PI_MALFORMED)
        --? item:add_expert_info()
        --? item:add_expert_info(PI_MALFORMED, 5, "x")
        --? item:add_expert_info("x")
        --? e.nothing
        --! e.nothing = 1
        --? ProtoExpert.nothing
        --? pinfo.in_error_pkt
    end,
    [4] = function(tvb, pinfo, tree, proto)
        tree:add_proto_expert_info(E.severity_error, "at the frame")
    end,
    [5] = function(tvb, pinfo, tree, proto)
        tree:add(proto, tvb()):add_proto_expert_info(unregistered)
        print("after an unregistered expert info")
    end,
})
proto.fields = {field}
proto.experts = E
