-- frames: 1
-- A script that fails while it is loaded or registered: tshark ends here.
Proto("p", "A name of one letter")
