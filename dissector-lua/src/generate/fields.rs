//! The fields, expert infos and what they are for: one list, from which the Lua and the reference are made.

use htcpcp::header;

use super::lua;

/// What a field holds, by Wireshark's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// True or absent.
    Boolean,
    /// A number of 16 bits.
    Uint16,
    /// A number of 64 bits.
    Uint64,
    /// Bytes.
    Bytes,
    /// The frame of a request.
    RequestFrame,
    /// The frame of a response.
    ResponseFrame,
    /// A frame.
    Frame,
    /// Seconds with nanoseconds.
    RelativeTime,
}

impl Kind {
    /// As the field reference and `tshark -G fields` call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Boolean => "boolean",
            Kind::Uint16 => "uint16",
            Kind::Uint64 => "uint64",
            Kind::Bytes => "bytes",
            Kind::RequestFrame | Kind::ResponseFrame | Kind::Frame => "frame number",
            Kind::RelativeTime => "time",
        }
    }

    /// The Lua function that declares it, and its arguments between the name and the description.
    const fn constructor(self) -> (&'static str, &'static str) {
        match self {
            Kind::String => ("string", "base.UNICODE, "),
            Kind::Boolean => ("bool", "base.NONE, nil, nil, "),
            Kind::Uint16 => ("uint16", "base.DEC, nil, nil, "),
            Kind::Uint64 => ("uint64", "base.DEC, nil, nil, "),
            Kind::Bytes => ("bytes", "base.NONE, "),
            Kind::RequestFrame => ("framenum", "base.NONE, frametype.REQUEST, nil, "),
            Kind::ResponseFrame => ("framenum", "base.NONE, frametype.RESPONSE, nil, "),
            Kind::Frame => ("framenum", "base.NONE, frametype.NONE, nil, "),
            Kind::RelativeTime => ("relative_time", ""),
        }
    }
}

/// A field of the dissector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What a display filter calls it, behind `htcpcp.`.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Its label in the tree.
    pub label: String,
    /// What it says, in a sentence; where it is defined, if a section does.
    pub about: String,
    /// A display filter that uses it.
    pub example: String,
}

impl Field {
    /// What the Lua calls it, behind `f.`.
    fn variable(&self) -> String {
        self.name.replace('.', "_")
    }
}

/// An expert info of the dissector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expert {
    /// What a display filter calls it, behind `htcpcp.`.
    pub name: &'static str,
    /// Wireshark's group.
    pub group: &'static str,
    /// Wireshark's severity.
    pub severity: &'static str,
    /// What it says.
    pub text: &'static str,
}

const fn expert(name: &'static str, group: &'static str, severity: &'static str, text: &'static str) -> Expert {
    Expert { name, group, severity, text }
}

/// Every expert info, the gravest first.
pub const EXPERTS: &[Expert] = &[
    expert("bad_start_line", "MALFORMED", "ERROR", "Neither a request line nor a status line"),
    expert("bad_content_length", "MALFORMED", "ERROR", "The length of the body cannot be told"),
    expert("bad_chunk", "MALFORMED", "ERROR", "The chunks break off or are not in the form of chunks"),
    expert("bad_header_name", "MALFORMED", "WARN", "This line is no header field"),
    expert("excess_data", "MALFORMED", "WARN", "Bytes behind a message that belong to none"),
    expert("te_and_length", "PROTOCOL", "WARN", "Transfer-Encoding and Content-Length: the body's end is open to dispute"),
    expert("unknown_method", "PROTOCOL", "WARN", "No method of HTCPCP"),
    expert("unknown_scheme", "PROTOCOL", "WARN", "No coffee scheme"),
    expert("bad_status", "PROTOCOL", "WARN", "No status of HTCPCP"),
    expert("response_error", "RESPONSE_CODE", "NOTE", "The pot refuses"),
    expert("no_request", "SEQUENCE", "NOTE", "The request was not captured"),
    expert("cut", "UNDECODED", "NOTE", "The header is not all there"),
    expert("leading_crlf", "PROTOCOL", "NOTE", "Empty lines before a start line"),
    expert("bare_lf", "PROTOCOL", "NOTE", "A line ends in LF without CR"),
    expert("body_without_length", "PROTOCOL", "NOTE", "A body whose length is not stated"),
    expert("deprecated_method", "PROTOCOL", "NOTE", "POST is deprecated: use BREW (RFC 2324 section 2.1.1)"),
    expert("chat", "SEQUENCE", "CHAT", "The start line"),
];

/// Every field, in the order in which a message shows them.
pub fn fields() -> Vec<Field> {
    let mut fields = start_line_fields();
    for header in header::Field::ALL {
        fields.extend(header_fields(header));
    }
    fields.extend(other_fields());
    fields
}

fn field(name: &str, kind: Kind, label: &str, about: &str, example: &str) -> Field {
    Field { name: name.to_owned(), kind, label: label.to_owned(), about: about.to_owned(), example: format!("htcpcp.{name}{example}") }
}

fn start_line_fields() -> Vec<Field> {
    use Kind::{Boolean, String, Uint16};
    vec![
        field("request", Boolean, "Request", "The message is a request", ""),
        field("response", Boolean, "Response", "The message is a response", ""),
        field("request.line", String, "Request line", "A line of a request's header, as sent", r#" contains "Use-Pot""#),
        field("response.line", String, "Response line", "A line of a response's header, as sent", r#" contains "Safe""#),
        field("request.method", String, "Request Method", "The method, known or not", r#" == "BREW""#),
        field("request.uri", String, "Request URI", "The request target, as sent", r#" contains "ducky""#),
        field("request.uri.scheme", String, "Scheme", "The URI's scheme, as sent", r#" == "coffee""#),
        field("request.uri.scheme.language", String, "Language", "A language in which the scheme means coffee", r#" == "Chinese""#),
        field("request.uri.host", String, "Host", "The URI's host", r#" == "ducky""#),
        field("request.uri.pot", String, "Pot", "The URI's pot designator (RFC 2324 section 3)", r#" == "pot-1""#),
        field("request.uri.variety", String, "Tea", "The variety of tea in the path (RFC 7168 section 2.1)", r#" == "earl-grey""#),
        field("request.version", String, "Request Version", "The version of a request", r#" == "HTTP/1.1""#),
        field("response.version", String, "Response Version", "The version of a response", r#" == "HTCPCP/1.1""#),
        field("response.code", Uint16, "Status Code", "The status", " >= 400"),
        field("response.code.desc", String, "Status Code Description", "What the protocol calls the status", r#" == "I'm a teapot""#),
        field("response.phrase", String, "Response Phrase", "The reason phrase, as sent", r#" contains "tea""#),
    ]
}

/// The field of a header and those that are read out of its value.
fn header_fields(header: header::Field) -> Vec<Field> {
    let title = header.as_str();
    let about = format!("The value of {title} ({})", header.section().replace('§', "section "));
    let example = match header {
        header::Field::AcceptAdditions => r#" contains "cream""#,
        header::Field::Safe => r#" == "yes""#,
        header::Field::Alternates => r#" contains "earl-grey""#,
        header::Field::UsePot => r#" == "tea""#,
        header::Field::ContentType => r#" == "message/coffeepot""#,
        header::Field::ContentLength => r#" == "5""#,
        header::Field::Server => r#" == "CoffeePot""#,
        header::Field::Date => r#" contains "2023""#,
        header::Field::TransferEncoding => r#" == "chunked""#,
        header::Field::Connection => r#" == "close""#,
    };
    let mut fields = vec![field(&header_name(header), Kind::String, title, &about, example)];
    match header {
        header::Field::AcceptAdditions => {
            let about = "One addition with its parameters; one field each";
            fields.push(field("addition", Kind::String, "Addition", about, r#" == "vanilla""#));
        }
        header::Field::Alternates => {
            fields.push(field("alternate", Kind::String, "Alternate", "The URI of one alternate; one field each", r#" == "/earl-grey""#));
        }
        header::Field::ContentLength => {
            fields.push(field("content_length", Kind::Uint64, "Content length", "Content-Length as a number", " > 100"));
        }
        _ => {}
    }
    fields
}

/// A header's field by Wireshark's conventions; `content_length` is the number.
fn header_name(header: header::Field) -> String {
    match header {
        header::Field::ContentLength => "content_length_header".to_owned(),
        _ => header.as_str().to_lowercase().replace('-', "_"),
    }
}

fn other_fields() -> Vec<Field> {
    use Kind::{Bytes, Frame, RelativeTime, RequestFrame, ResponseFrame, String, Uint64};
    vec![
        field("unknown_header", String, "Unknown header", "A header line that the protocol does not know", r#" contains "X-""#),
        field("command", String, "Command", "What a BREW tells the pot: start or stop (RFC 2324 section 4)", r#" == "start""#),
        field("chunk_size", Uint64, "Chunk size", "The length of a chunk in bytes (RFC 9112 section 7.1)", " > 0"),
        field("file_data", Bytes, "Body", "The body; without its chunks, if it came in chunks", r#" contains "beans""#),
        field("request_in", RequestFrame, "Request in frame", "The frame of the request that this answers", ""),
        field("response_in", ResponseFrame, "Response in frame", "The frame of the answer; known in a second pass (tshark -2)", ""),
        field("time", RelativeTime, "Time since request", "From the request's frame to the response's", " > 0.1"),
        field("continues", Frame, "Continues the message in frame", "The frame of the message to which this part of a body belongs", ""),
    ]
}

/// The Lua that declares fields (`f`), expert infos (`e`) and which header has which field (`HEADERS`).
pub(super) fn declarations() -> String {
    let declared = fields().into_iter().map(|field| {
        let (function, arguments) = field.kind.constructor();
        let [name, label, about] = [&format!("htcpcp.{}", field.name), &field.label, &field.about].map(|text| lua::text(text));
        format!("{} = ProtoField.{function}({name}, {label}, {arguments}{about})", field.variable())
    });
    let experts = EXPERTS.iter().map(|expert| {
        let [name, text] = [&format!("htcpcp.{}", expert.name)[..], expert.text].map(lua::text);
        format!("{} = ProtoExpert.new({name}, {text}, expert.group.{}, expert.severity.{})", expert.name, expert.group, expert.severity)
    });
    let headers = header::Field::ALL.map(|header| lua::entry(header.as_str(), &format!("f.{}", header_name(header))));
    [
        lua::table("f", declared),
        "htcpcp.fields = f\n\n".to_owned(),
        lua::table("e", experts),
        "htcpcp.experts = e\n\n".to_owned(),
        lua::table("HEADERS", headers),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_one_field_each() {
        let names: Vec<_> =
            fields().into_iter().map(|field| field.name).chain(EXPERTS.iter().map(|expert| expert.name.to_owned())).collect();
        for (at, name) in names.iter().enumerate() {
            assert!(name.chars().all(|char| char.is_ascii_lowercase() || char == '_' || char == '.'), "{name}");
            assert!(!names[at + 1..].contains(name), "{name} is there twice");
        }
    }
}
