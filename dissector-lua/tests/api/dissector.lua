-- frames: 12
-- Dissector: the ones that are there, called by a script.
--? Dissector.get("data"), typeof(Dissector.get("data"))
--? tostring(Dissector.get("data"))
--? Dissector.get("nothing")
--? Dissector.get("")
--? Dissector.get()
--? Dissector.get(5)
--? type(Dissector.list()), #Dissector.list() > 100
--? Dissector.get("udp"), Dissector.get("ip"), Dissector.get("tcp"), Dissector.get("json"), Dissector.get("http")
--? Dissector.get("probe_inner")
--? Dissector.nothing
--? Dissector.get("data").nothing
--? Dissector.get("data") == Dissector.get("data")
--? Dissector.get("data"):call()
local inner = Proto("probe_inner", "Inner")
local field = ProtoField.uint8("probe_inner.first", "First")
inner.fields = {field}
function inner.dissector(tvb, pinfo, tree)
    --? pinfo.curr_proto, tvb:len(), tvb:offset(), pinfo.cols.protocol
    local item = tree:add(inner, tvb())
    item:add(field, tvb(0, 1))
    if tvb:len() == 4 then return 2 end
    if tvb:len() == 5 then return -3 end
    if tvb:len() == 6 then return 0 end
    if tvb:len() == 7 then error("inner fails") end
    if tvb:len() == 9 then return "text" end
    if tvb:len() == 10 then return tvb(0, 20) end
end
--? Dissector.get("probe_inner")
local data = Dissector.get("data")
in_frames("probe_dissector", {
    [1] = function(tvb, pinfo, tree, proto)
        --? data:call(tvb, pinfo, tree)
        --? pinfo.curr_proto
    end,
    [2] = function(tvb, pinfo, tree, proto)
        local item = tree:add(proto, tvb(0, 8))
        --? data:call(tvb(8, 6):tvb(), pinfo, item)
        --? data(tvb(8, 6):tvb(), pinfo, item)
        --? data:call(tvb(31):tvb(), pinfo, item)
    end,
    [3] = function(tvb, pinfo, tree, proto)
        local d = Dissector.get("probe_inner")
        --? d
        --? d:call(tvb(0, 3):tvb(), pinfo, tree)
        --? d:call(tvb(0, 4):tvb(), pinfo, tree)
        --? d:call(tvb(0, 5):tvb(), pinfo, tree)
        --? d:call(tvb(0, 6):tvb(), pinfo, tree)
        --? pinfo.curr_proto
        --? inner.dissector
        --? inner.dissector:call(tvb(0, 3):tvb(), pinfo, tree)
        --? inner.dissector(tvb(0, 3):tvb(), pinfo, tree)
    end,
    [4] = function(tvb, pinfo, tree, proto)
        --? data:call()
        --? data:call(tvb)
        --? data:call(tvb, pinfo)
        --? data:call(tvb, pinfo, tree, 5)
        --? data:call(tvb(), pinfo, tree)
        --? data:call(tvb, tree, pinfo)
        --? data:call("x", pinfo, tree)
        --? data:call(nil, pinfo, tree)
    end,
    [5] = function(tvb, pinfo, tree, proto)
        --? Dissector.get("probe_inner"):call(tvb(0, 7):tvb(), pinfo, tree)
        print("after an error of the inner one")
    end,
    [6] = function(tvb, pinfo, tree, proto)
        --? Dissector.get("probe_inner"):call(tvb(0, 9):tvb(), pinfo, tree)
        print("after a text")
    end,
    [7] = function(tvb, pinfo, tree, proto)
        --? Dissector.get("probe_inner"):call(tvb(0, 10):tvb(), pinfo, tree)
        print("after an error in the bounds")
    end,
    [8] = function(tvb, pinfo, tree, proto)
        --? Dissector.get("json"):call(ByteArray.new('{"cups": 2, "milk": [true, null, "oat"]}', true):tvb("JSON"), pinfo, tree)
        --? Dissector.get("data-text-lines"):call(ByteArray.new("one\r\ntwo\nthree", true):tvb("Lines"), pinfo, tree)
    end,
    [9] = function(tvb, pinfo, tree, proto)
        -- A built-in one that runs out of bytes.
        --? Dissector.get("ip"):call(tvb(0, 5):tvb(), pinfo, tree)
        print("after too few bytes")
    end,
    [10] = function(tvb, pinfo, tree, proto)
        tree:add(proto, tvb(0, 2))
        return 2
    end,
    [11] = function(tvb, pinfo, tree, proto)
        tree:add(proto, tvb(0, 2))
        return 0
    end,
    [12] = function(tvb, pinfo, tree, proto)
        tree:add(proto, tvb(0, 2))
        return 100
    end,
})
