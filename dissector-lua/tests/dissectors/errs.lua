-- Errors in some frames, over UDP port 9120: what was added before stays, and the error is shown.
local errs = Proto("errs", "Erring")
local f_kind = ProtoField.uint8("errs.kind", "Kind")
local f_value = ProtoField.uint32("errs.value", "Value")
errs.fields = {f_kind, f_value}

local function deeper(tvb)
    return tvb(2, 100):uint()
end

function errs.dissector(tvb, pinfo, tree)
    pinfo.cols.protocol = "ERRS"
    pinfo.cols.info = "before the error"
    local item = tree:add(errs, tvb())
    item:add(f_kind, tvb(0, 1))
    local kind = tvb(0, 1):uint()
    if kind == 1 then
        item:add(f_value, tvb(1, 4))
    elseif kind == 2 then
        local nothing
        nothing.field = 5
    elseif kind == 3 then
        error("the pot is empty")
    elseif kind == 4 then
        deeper(tvb)
    elseif kind == 5 then
        local caught, message = pcall(deeper, tvb)
        item:add(tvb(0, 1), "caught: " .. tostring(message):gsub("^.-:(%d+:)", "%1"))
    elseif kind == 6 then
        item:no_such_method()
    elseif kind == 7 then
        item:add(f_missing, tvb(0, 1))
    elseif kind == 8 then
        pinfo.cols.info = nil
    end
    pinfo.cols.info = "after"
end

DissectorTable.get("udp.port"):add(9120, errs)
