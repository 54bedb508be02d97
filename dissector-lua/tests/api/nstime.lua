-- frames: 1
-- NSTime: seconds and nanoseconds.
--? NSTime.new(), NSTime.new(5), NSTime.new(5, 6), NSTime(5, 6), NSTime()
--? NSTime.new(-5), NSTime.new(-5, 6), NSTime.new(-5, -6), NSTime(0, -6)
--? NSTime.new(5, 1000000000), NSTime.new(5, 999999999), NSTime(5, 2000000001)
--? NSTime.new(1.5)
--? NSTime.new("5")
--? NSTime.new("x")
--? typeof(NSTime()), type(NSTime())
local a, b = NSTime.new(10, 500000000), NSTime.new(3, 600000000)
--? a.secs, a.nsecs
--? a + b, a - b, b - a, -a
--? a + 1
--? 1 + a
--? a - 1
--? a * 2
--? a + "x"
--? a == b, a == NSTime(10, 500000000), a < b, a <= b, a > b, a >= b, a ~= b
--? a < 1
--? tostring(a), tostring(-a), tostring(b - a), tostring(NSTime(0, 5))
--? a .. ""
--? a:tonumber(), (b - a):tonumber(), NSTime(5):tonumber(), NSTime(1687858799, 342121000):tonumber()
--? math.type and math.type(NSTime(5):tonumber())
--? string.format("%.3f", a:tonumber())
--! a.secs = 7
--! a.nsecs = 8
--? a
--! a.secs = "x"
--! a.secs = 1.5
--! a.nothing = 1
--? a.nothing
--? a:nothing()
--? NSTime.nothing
--? a.tonumber()
--? #a
in_frames("probe_nstime", {
    [1] = function(tvb, pinfo, tree, proto)
        local known = {
            abs = ProtoField.absolute_time("probe_nstime.abs", "Absolute", base.UTC),
            rel = ProtoField.relative_time("probe_nstime.rel", "Relative"),
        }
        --? pinfo.abs_ts, pinfo.rel_ts, pinfo.delta_ts, pinfo.delta_dis_ts
        --? type(pinfo.abs_ts)
        --? tvb(0, 4):nstime()
        --? tvb(0, 8):nstime()
        --? tvb(0, 8):le_nstime()
        --? (tvb(0, 4):nstime()).secs
        --? format_date(pinfo.rel_ts)
    end,
})
