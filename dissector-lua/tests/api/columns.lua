-- frames: 14; -T fields -e frame.number -e _ws.col.Protocol -e _ws.col.Info -E separator=|
-- Columns: what is written into them, and what is read back. The lines `frame|Protocol|Info` are tshark's.
in_frames("probe_columns", {
    [1] = function(tvb, pinfo, tree)
        --? typeof(pinfo.cols), tostring(pinfo.cols)
        --? typeof(pinfo.cols.info), tostring(pinfo.cols.info), tostring(pinfo.cols.protocol)
        --? pinfo.cols.src
        --? pinfo.cols.nothing
        --! pinfo.cols.nothing = "x"
        --! pinfo.cols.info = "assigned"
        --? tostring(pinfo.cols.info)
        --! pinfo.cols.protocol = "PROTO"
        --? tostring(pinfo.cols.protocol)
        --? pinfo.columns.info
        --? pinfo.cols["info"]
    end,
    [2] = function(tvb, pinfo, tree)
        --! pinfo.cols.info:set("set")
        --! pinfo.cols.info:append(" and appended")
        --! pinfo.cols.info:prepend("prepended and ")
        --! pinfo.cols.protocol:set("P")
        --! pinfo.cols.protocol:append("/Q")
        --? pinfo.cols.info:set("x")
    end,
    [3] = function(tvb, pinfo, tree)
        --! pinfo.cols.info:clear()
        --! pinfo.cols.info:append("after clear")
        --! pinfo.cols.protocol:clear()
    end,
    [4] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = "before the fence"
        --! pinfo.cols.info:fence()
        --! pinfo.cols.info = " behind it"
        --! pinfo.cols.info:append(", more")
    end,
    [5] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = "before the fence"
        --! pinfo.cols.info:fence()
        --! pinfo.cols.info:clear()
        --! pinfo.cols.info:append(" after clear")
    end,
    [6] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = "before the fence"
        --! pinfo.cols.info:fence()
        --! pinfo.cols.info:clear_fence()
        --! pinfo.cols.info = "without it"
        --! pinfo.cols.info:preppend("twice p ")
    end,
    [7] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = 5
        --! pinfo.cols.info:append(6)
        --! pinfo.cols.info:append(1.5)
    end,
    [8] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = nil
        --! pinfo.cols.info = {}
        --! pinfo.cols.info = true
        --! pinfo.cols.info = tvb(8, 6)
        --! pinfo.cols.info = UInt64(5)
        --! pinfo.cols.info = pinfo.src
        --! pinfo.cols.info:set()
        --! pinfo.cols.info:append()
        --! pinfo.cols.info:set(nil)
        --! pinfo.cols.info:append({})
        --? pinfo.cols.info.nothing
        --! pinfo.cols.info.nothing = 1
        --? pinfo.cols.info:nothing()
    end,
    [9] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = "caf\195\169 a\255b\nc\td\0e"
    end,
    [10] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = ("long "):rep(1000)
    end,
    [11] = function(tvb, pinfo, tree)
        --! pinfo.cols.info:append(" onto UDP's own")
        --! pinfo.cols.protocol:append("/x")
    end,
    [12] = function(tvb, pinfo, tree)
        --! pinfo.cols.info:prepend("in front of UDP's own: ")
    end,
    [13] = function(tvb, pinfo, tree)
        --! pinfo.cols.info = "100%s %d %%"
        kept = pinfo.cols.info
    end,
    [14] = function(tvb, pinfo, tree)
        --? kept
        --! kept:set("late")
        --! pinfo.cols.src = "s"
        --! pinfo.cols.dst = "d"
        --! pinfo.cols.number = "n"
    end,
})
