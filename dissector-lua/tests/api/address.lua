-- frames: 32
-- Address: of IPv4, IPv6 and Ethernet.
--? Address.ip("192.0.2.1")
--? typeof(Address.ip("192.0.2.1"))
--? Address.ipv4("192.0.2.1")
--? Address.ip("")
--? Address.ip("nonsense")
--? Address.ip("192.0.2")
--? Address.ip("192.0.2.256")
--? Address.ip()
--? Address.ip(5)
--? Address.ipv6("2001:db8::1")
--? Address.ipv6("2001:0DB8:0:0::0001")
--? Address.ipv6("nonsense")
--? Address.ether("02:00:5e:10:00:01")
--? Address.ether("02-00-5E-10-00-01")
--? Address.ether("0200.5e10.0001")
--? Address.ether("nonsense")
--? Address.ether("02:00")
local a, b = Address.ip("192.0.2.1"), Address.ip("192.0.2.2")
--? a == b, a == Address.ip("192.0.2.1"), a ~= b, a < b, a <= b, b < a, a >= b
--? a < Address.ipv6("2001:db8::1"), a == Address.ipv6("2001:db8::1")
--? a < "x"
--? a == "192.0.2.1"
--? tostring(a), tostring(Address.ipv6("2001:db8::1")), tostring(Address.ether("02:00:5e:10:00:01"))
--? a .. ""
--? string.format("%s", a)
--? #a
--? a.nothing
--? a:nothing()
--! a.nothing = 1
--? Address.nothing
--? Address("192.0.2.1")
in_frames("probe_address", {
    [1] = function(tvb, pinfo)
        --? pinfo.src, pinfo.dst, pinfo.net_src, pinfo.net_dst, pinfo.dl_src, pinfo.dl_dst, pinfo.lo, pinfo.hi
        --? typeof(pinfo.src)
        --? pinfo.src == Address.ip("192.0.2.1"), pinfo.src < pinfo.dst
        --? tostring(pinfo.src) .. ":" .. pinfo.src_port
        --? tvb(0, 4):ipv4(), tvb(0, 6):ether(), tvb(0, 16):ipv6()
        kept = pinfo.src
    end,
    [2] = function(tvb, pinfo)
        --? kept, kept == pinfo.src
    end,
    [31] = function(tvb, pinfo)
        --? pinfo.src, pinfo.dst, pinfo.net_src, pinfo.dl_src, pinfo.lo, pinfo.hi
        --? pinfo.src == Address.ipv6("2001:db8::1")
    end,
})
