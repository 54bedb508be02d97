//! The questions: what is asked about each thing of a capture, and the sentence that teaches.
//!
//! A column's place in its table is that of its cell in the rows that `facts` makes.

use super::{Column, Kind};

pub const CLIENT_CLOSES: &str = "the client, by a FIN";
pub const SERVER_CLOSES: &str = "the server, by a FIN";
pub const BOTH_CLOSE: &str = "both ends at once: each sends its FIN before it has the other's";
pub const RST_CLOSES: &str = "neither: a RST breaks it off";

pub const OPENINGS: [Column; 4] = [
    Column::new(
        "3.1.syn",
        Kind::Frame,
        "Which frame carries the first SYN of {}?",
        "The client's SYN is the first segment of a connection; if it is sent again, the first one counts.",
    )
    .matching("Match each TCP stream with the frame of its first SYN."),
    Column::new(
        "3.1.syn_ack",
        Kind::Frame,
        "Which frame carries the first SYN-ACK of {}?",
        "The server answers the SYN by a segment with both flags, SYN and ACK.",
    ),
    Column::new(
        "3.1.ack",
        Kind::Frame,
        "Which frame completes the handshake of {}?",
        "The handshake is complete with the client's first segment that acknowledges the SYN-ACK; what follows, such as a bare Window \
         Update, is no part of it.",
    )
    .matching("Match each TCP stream with the frame that completes its handshake."),
    Column::new(
        "3.1.rtt",
        Kind::Micros,
        "How many microseconds pass from the first SYN of {} to the ACK that completes its handshake? (Rounded to whole ones.)",
        "It is the difference of the two frames' times.",
    ),
];

pub const CLOSES: [Column; 5] = [
    Column::new("5.3.stream", Kind::Number, "", ""),
    Column::new(
        "5.3.closer",
        Kind::Chosen,
        "Who closes {} first?",
        "Who sends the first FIN closes first. If neither FIN acknowledges the other, both ends closed at once.",
    )
    .luring(&[CLIENT_CLOSES, SERVER_CLOSES, BOTH_CLOSE, RST_CLOSES]),
    Column::new(
        "5.3.first_fin",
        Kind::Frame,
        "Which frame carries the first FIN of {}?",
        "A FIN says that its sender has no more to send; a FIN that is sent again is no loss of data.",
    ),
    Column::new(
        "5.3.requests",
        Kind::Number,
        "How many HTTP requests does {} carry?",
        "A persistent connection may carry several requests, one that is not persistent carries one.",
    ),
    Column::new(
        "5.3.persistent",
        Kind::Claim,
        "{} is a persistent connection.",
        "In HTTP/1.1 a connection is persistent unless one side says `Connection: close` or closes right after the response.",
    ),
];

pub const BROWSERS: [Column; 1] = [Column::new(
    "3.2.client_port",
    Kind::Number,
    "Which port does the browser use on {}?",
    "The client's port is chosen by its operating system for each connection.",
)
.matching("Match each TCP stream with the port that the browser uses on it.")];

pub const POTS: [Column; 2] = [
    Column::new(
        "3.3.client_port",
        Kind::Number,
        "Which port does the web app use on {}, a connection to the coffee pot?",
        "Towards the pot the web app is a client, and its port is chosen by its operating system for each connection.",
    )
    .matching("Match each TCP stream to the coffee pot with the port that the web app uses on it."),
    Column::new(
        "3.3.client",
        Kind::Chosen,
        "Which program is the client on {}, a connection to the coffee pot?",
        "The client is who sends the SYN; towards the pot that is the web app.",
    )
    .luring(&["the browser", "the web app", "the coffee pot"]),
];

pub const REQUESTS: [Column; 11] = [
    Column::silent("3.4.requests"),
    Column::new(
        "3.4.response",
        Kind::Frame,
        "Which frame completes the response to {}, so that Wireshark lists it there?",
        "A message is listed in the frame that brings its last byte.",
    )
    .matching("Match each request with the frame that completes its response."),
    Column::new(
        "3.4.time",
        Kind::Micros,
        "How many microseconds pass from {} to the frame that completes its response? (Rounded to whole ones.)",
        "It is the difference of the times of the frames that complete the request and the response.",
    ),
    Column::new(
        "5.4.stream",
        Kind::Number,
        "On which TCP stream (tcp.stream) is {} sent?",
        "A browser may open several connections, and ask for the files of a page on all of them.",
    ),
    Column::new(
        "5.3.version",
        Kind::Typed,
        "With which version does the request line of {} end?",
        "The version is the last word of the request line.",
    )
    .luring(&["HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTCPCP/1.1"]),
    Column::new(
        "6.status",
        Kind::Number,
        "With which status does the web app answer {}?",
        "The status stands in the first line of the response, behind the version.",
    )
    .matching("Match each request with the status of the web app's response."),
    Column::new(
        "6.condition",
        Kind::Chosen,
        "The web app answers {} by 304. Which header field of the request makes that possible?",
        "304 says that the copy which the browser has is still good; so the browser has to say which one it has.",
    ),
    Column::new(
        "6.location",
        Kind::Typed,
        "To which address (field Location) does the response to {} send the browser?",
        "The response of a redirection names the address in its field Location.",
    ),
    Column::silent("5.1.base"),
    Column::silent("5.4.assets"),
    Column::silent("5.4.responses"),
];

pub const RESPONSES: [Column; 2] = [
    Column::silent("3.4.responses"),
    Column::new(
        "3.4.first_byte",
        Kind::Frame,
        "Which frame carries the status line of {}?",
        "Wireshark lists a message in the frame that brings its last byte; its first line stands in its first segment.",
    ),
];

pub const STATUSES: [Column; 1] = [Column::new(
    "6.count",
    Kind::Number,
    "How many responses of the web app have the status {}?",
    "The filter http.response.code shows them.",
)];

pub const COFFEES: [Column; 8] = [
    Column::silent("3.5.requests"),
    Column::new(
        "3.5.response",
        Kind::Frame,
        "Which frame completes the pot's response to {}?",
        "The response comes on the same connection, from the pot's port.",
    )
    .matching("Match each HTCPCP request with the frame that completes the pot's response."),
    Column::new("4.4.method", Kind::Typed, "Which method does {} use?", "The method is the first word of the request line.")
        .matching("Match each HTCPCP request with its method.")
        .luring(&["BREW", "POST", "GET", "PROPFIND", "WHEN"]),
    Column::new(
        "4.1.request_version",
        Kind::Typed,
        "With which version does the request line of {} end?",
        "The version is the last word of the request line.",
    )
    .luring(&["HTTP/1.0", "HTTP/1.1", "HTCPCP/1.0", "HTCPCP/1.1"]),
    Column::new("4.1.uri", Kind::Typed, "Which URI does the request line of {} name?", "The URI stands between method and version.")
        .luring(&["/", "http://127.0.0.1:5030/", "tea://ducky"]),
    Column::new(
        "4.1.request_body",
        Kind::Number,
        "How long is the body of {}, in bytes?",
        "The body begins behind the empty line that ends the header fields.",
    ),
    Column::new(
        "4.4.additions",
        Kind::Chosen,
        "What is the value of the field Accept-Additions in {}?",
        "Accept-Additions names what the coffee shall come with (RFC 2324 §2.2.2.1).",
    ),
    Column::new(
        "7.status",
        Kind::Number,
        "With which status does the pot answer {}?",
        "The status stands in the first line of the response, behind the version.",
    )
    .matching("Match each HTCPCP request with the status of the pot's response."),
];

pub const FIELDS: [Column; 1] = [Column::new("4.4.headers", Kind::Chosen, "", "")];

pub const COFFEE_RESPONSES: [Column; 3] = [
    Column::silent("3.5.responses"),
    Column::new(
        "4.1.response_version",
        Kind::Typed,
        "With which version does the status line of {} begin?",
        "A response begins with its version; a coffee pot speaks HTCPCP.",
    )
    .luring(&["HTTP/1.0", "HTTP/1.1", "HTCPCP/1.0", "HTCPCP/1.1"]),
    Column::new(
        "4.1.response_body",
        Kind::Number,
        "How long is the body of {}, in bytes?",
        "The body begins behind the empty line that ends the header fields.",
    ),
];

pub const CHAINS: [Column; 2] = [
    Column::new(
        "5.5.coffee",
        Kind::Frame,
        "Because of {} the web app asks the coffee pot. Which frame carries that HTCPCP request?",
        "The web app asks the pot while the browser waits, so that the HTCPCP exchange lies inside of the browser's.",
    )
    .matching("Match each request of the browser's with the frame of the HTCPCP request that the web app sends because of it."),
    Column::new(
        "5.5.answered",
        Kind::Frame,
        "Which frame completes the pot's response that the web app waits for before it answers {}?",
        "The web app answers the browser when it has the pot's response.",
    ),
];

pub const CAUSES: [Column; 5] = [
    Column::new(
        "5.5.cause",
        Kind::Frame,
        "The web app sends {} because of a request of the browser's. Which frame completes that request?",
        "The web app asks the pot while the browser waits, so that the HTCPCP exchange lies inside of the browser's.",
    ),
    Column::silent("5.5.browser_request"),
    Column::silent("5.5.pot_request"),
    Column::silent("5.5.pot_response"),
    Column::silent("5.5.browser_response"),
];

pub const PARAMETERS: [Column; 1] = [Column::new(
    "5.5.parameter",
    Kind::Chosen,
    "What does {} become in the HTCPCP request that the web app sends?",
    "The web app writes each parameter of the query into a line of the HTCPCP request.",
)];

pub const REFUSALS: [Column; 7] = [
    Column::new(
        "7.page",
        Kind::Frame,
        "Which frame completes the web app's response to the browser after {}?",
        "The browser speaks with the web app only, which answers it once it has the pot's response.",
    ),
    Column::new(
        "7.page_status",
        Kind::Number,
        "Which status does the browser get from the web app after {}?",
        "The browser gets a response of the web app's, not the pot's.",
    ),
    Column::new("7.code", Kind::Number, "", ""),
    Column::silent("7.pot_request"),
    Column::silent("7.pot_response"),
    Column::silent("7.browser_request"),
    Column::silent("7.browser_response"),
];

pub const REFUSED: [Column; 1] = [Column::new(
    "7.frame",
    Kind::Frame,
    "In which frame does the coffee pot answer {}?",
    "406 says that the pot lacks an addition or is busy, 418 that coffee was asked of a teapot.",
)];

pub const ENCRYPTED: [Column; 3] = [
    Column::new("8.streams", Kind::Number, "", ""),
    Column::new(
        "8.server_name",
        Kind::Typed,
        "Which server name (SNI) does the ClientHello of {} name?",
        "The ClientHello is not encrypted, and names the server.",
    ),
    Column::new("8.version", Kind::Typed, "Which version of TLS does the server choose on {}?", "The ServerHello names the version.")
        .luring(&["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"]),
];

pub const HANDSHAKES: Column = Column::new(
    "3.1.count",
    Kind::Number,
    "Of how many TCP connections does the capture show the whole handshake (SYN, SYN-ACK and ACK)?",
    "A handshake is needed once for each TCP connection, before any data.",
);
pub const BROWSER_LINKS: Column = Column::new(
    "3.2.connections",
    Kind::Number,
    "How many TCP connections between the browser and the web app does the capture show?",
    "A connection is a pair of address and port at each end.",
);
pub const WEB_APP_PORT: Column =
    Column::new("3.2.server_port", Kind::Number, "On which port does the web app listen?", "The server's port is where the SYN goes.");
pub const POT_LINKS: Column = Column::new(
    "3.3.connections",
    Kind::Number,
    "How many TCP connections between the web app and the coffee pot does the capture show?",
    "A connection is a pair of address and port at each end.",
);
pub const POT_PORT: Column =
    Column::new("3.3.server_port", Kind::Number, "On which port does the coffee pot listen?", "The server's port is where the SYN goes.");
pub const REQUEST_COUNT: Column = Column::new(
    "3.4.request_count",
    Kind::Number,
    "How many HTTP requests to the web app does the capture show?",
    "A request begins with its method.",
);
pub const RESPONSE_COUNT: Column = Column::new(
    "3.4.response_count",
    Kind::Number,
    "How many HTTP responses of the web app does the capture show? (A status of 1xx does not count.)",
    "A response begins with its version.",
);
pub const COFFEE_REQUEST_COUNT: Column = Column::new(
    "3.5.request_count",
    Kind::Number,
    "How many HTCPCP requests does the capture show?",
    "An HTCPCP request begins with its method and names HTTP/1.1 as its version.",
);
pub const COFFEE_RESPONSE_COUNT: Column = Column::new(
    "3.5.response_count",
    Kind::Number,
    "How many HTCPCP responses does the capture show?",
    "An HTCPCP response begins with HTCPCP/1.1; a line inside of a body that looks like it does not count.",
);
pub const POT_PORTS_STAY: Column = Column::new(
    "4.2.same_port",
    Kind::Claim,
    "The web app uses the same port of its own for all of its connections to the coffee pot.",
    "The pot's port stays; the web app's is chosen by its operating system for each connection.",
);
pub const BROWSER_PORTS_STAY: Column = Column::new(
    "5.2.same_port",
    Kind::Claim,
    "The browser uses the same port of its own for all of its connections to the web app.",
    "The web app's port stays; the browser's is chosen by its operating system for each connection.",
);
pub const FIRST_BASE: Column = Column::new(
    "5.1.first",
    Kind::Frame,
    "Which frame is the first to ask the web app for the base HTML page (its root, without a command for the pot)?",
    "The request is a GET for `/` that accepts text/html; files of the page and icons are asked for by others.",
);
pub const TLS_COUNT: Column = Column::new(
    "8.connections",
    Kind::Number,
    "How many TCP connections of the capture carry TLS?",
    "What they carry is encrypted; addresses, ports, sizes, times and the hellos can be read.",
);
