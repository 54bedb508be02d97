-- frames: 39
-- Pinfo: what is known of the packet, and what of it can be set.
in_frames("probe_pinfo", {
    [1] = function(tvb, pinfo, tree)
        --? typeof(pinfo), tostring(pinfo)
        --? pinfo.number, pinfo.len, pinfo.caplen
        --? pinfo.visited
        --? pinfo.abs_ts, pinfo.rel_ts, pinfo.delta_ts, pinfo.delta_dis_ts
        --? pinfo.src, pinfo.dst, pinfo.src_port, pinfo.dst_port, pinfo.port_type
        --? pinfo.lo, pinfo.hi, pinfo.dl_src, pinfo.dl_dst, pinfo.net_src, pinfo.net_dst
        --? pinfo.ipproto
        --? pinfo.circuit_id
        --? pinfo.curr_proto
        --? pinfo.can_desegment, pinfo.desegment_len, pinfo.desegment_offset
        --? pinfo.saved_can_desegment
        --? pinfo.private
        --? pinfo.private["x"]
        --? pinfo.private.x
        --! pinfo.private.x = "y"
        --? pinfo.private.x
        --! pinfo.private.n = 5
        --? pinfo.private.n
        --! pinfo.private.x = nil
        --? pinfo.private.x
        --? pinfo.fragmented, pinfo.in_error_pkt, pinfo.match_uint, pinfo.match_string, pinfo.match
        --? pinfo.p2p_dir
        --? pinfo.conversation
        --! pinfo.conversation = 5
        --? typeof(pinfo.cols), typeof(pinfo.columns)
        --? pinfo.nothing
        --! pinfo.nothing = 1
        --? pinfo:nothing()
        --! pinfo.number = 5
        --! pinfo.visited = true
        --! pinfo.src = Address.ip("192.0.2.99")
        --? pinfo.src
        --! pinfo.src = "192.0.2.99"
        --! pinfo.src_port = 5
        --? pinfo.src_port
        --! pinfo.dst_port = "6"
        --? pinfo.dst_port
        --! pinfo.dst_port = "x"
        --! pinfo.in_error_pkt = true
        --? pinfo.in_error_pkt
        --! pinfo.desegment_len = 5
        --? pinfo.desegment_len
        --! pinfo.desegment_len = -1
        --! pinfo.desegment_len = "x"
        --! pinfo.desegment_len = 0
        --! pinfo.can_desegment = 0
        --? pinfo.can_desegment
        --! pinfo.p2p_dir = P2P_DIR_SENT
        --? pinfo.p2p_dir
        --? #pinfo
        --? pinfo == pinfo
        --? Pinfo
        kept = pinfo
    end,
    [2] = function(tvb, pinfo, tree)
        --? kept
        --? kept.number
        --? pinfo.number, pinfo.rel_ts, pinfo.delta_ts, pinfo.delta_dis_ts
        --? pinfo.private.n
        --? pinfo.src
        pinfo.conversation = Proto("probe_pinfo_other", "Other")
    end,
    [31] = function(tvb, pinfo, tree)
        --? pinfo.len, pinfo.src, pinfo.dst, pinfo.lo, pinfo.hi, pinfo.src_port
    end,
    [35] = function(tvb, pinfo, tree)
        --? pinfo.number, pinfo.len, pinfo.port_type, pinfo.src_port, pinfo.dst_port
        --? pinfo.can_desegment, pinfo.desegment_len, pinfo.desegment_offset
        --? pinfo.saved_can_desegment
        --? pinfo.match_uint, pinfo.curr_proto
    end,
    [39] = function(tvb, pinfo, tree)
        --? pinfo.src_port, pinfo.dst_port, pinfo.lo, pinfo.hi, pinfo.match_uint
    end,
})
