//! The files inside the program: style sheet, script, picture. A path comes in, a response goes out; 304 for those who
//! have the file already.

use std::sync::LazyLock;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::Full;
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use sha2::{Digest, Sha256};

/// A file.
#[derive(Debug, PartialEq, Eq)]
pub struct Asset {
    /// Where it is.
    pub path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    /// Quoted.
    etag: HeaderValue,
}

static ALL: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    [
        Asset::new("/assets/styles.css", "text/css; charset=utf-8", include_bytes!("../assets/styles.css")),
        Asset::new("/assets/script.js", "text/javascript; charset=utf-8", include_bytes!("../assets/script.js")),
        Asset::new("/assets/coffee_pot.svg", SVG, include_bytes!("../assets/coffee_pot.svg")),
        Asset::new("/favicon.ico", "image/x-icon", include_bytes!("../assets/favicon.ico")),
        Asset::new("/robots.txt", "text/plain; charset=utf-8", include_bytes!("../assets/robots.txt")),
    ]
});

const SVG: &str = "image/svg+xml";

impl Asset {
    fn new(path: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Asset {
        // 64 bits are enough to tell versions of one file apart.
        let hash = Sha256::digest(bytes).iter().take(8).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let etag = HeaderValue::try_from(format!("\"{hash}\"")).expect("hexadecimal digits can be sent");
        Asset { path, content_type, bytes, etag }
    }

    /// The file at this path.
    pub fn find(path: &str) -> Option<&'static Asset> {
        ALL.iter().find(|asset| asset.path == path)
    }

    /// The response to a GET with these fields. `modified` is a time since when the file has certainly been as it is.
    ///
    /// Browsers are told to ask each time, and are answered 304 then: the lab looks for that in captures.
    ///
    /// Source: RFC 9110 §13.2.2 for what precedes what.
    pub fn answer(&self, asked: &HeaderMap, modified: Timestamp) -> Response<Full<Bytes>> {
        let is_known = match asked.get(header::IF_NONE_MATCH) {
            Some(_) => self.is_among(asked),
            None => asked.get(header::IF_MODIFIED_SINCE).and_then(http_date).is_some_and(|since| modified.as_second() <= since.as_second()),
        };
        let mut response = Response::new(Full::default());
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::LAST_MODIFIED, to_http_date(modified));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if self.content_type == SVG {
            // The picture brings its own style, and nothing else.
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"));
        }
        *response.body_mut() = Full::from(self.bytes);
        response
    }

    /// Whether If-None-Match lists the file, by weak comparison. No entity tag of ours has a comma.
    fn is_among(&self, asked: &HeaderMap) -> bool {
        let lists = asked.get_all(header::IF_NONE_MATCH).iter();
        lists
            .flat_map(|list| list.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == self.etag.as_bytes())
    }
}

fn http_date(value: &HeaderValue) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(value.to_str().ok()?).ok()
}

fn to_http_date(time: Timestamp) -> HeaderValue {
    static PRINTER: DateTimePrinter = DateTimePrinter::new();
    let text = PRINTER.timestamp_to_rfc9110_string(&time).expect("the time is of this age");
    HeaderValue::try_from(text).expect("dates are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: &str = "Tue, 27 Jun 2023 12:26:59 GMT";

    /// `{etag}` stands for the file's.
    #[track_caller]
    fn check(asked: &[(&'static str, &str)], expected: u16) {
        let asset = Asset::find("/assets/styles.css").unwrap();
        let modified = "2023-06-27T12:26:59.9Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in asked {
            let value = value.replace("{etag}", asset.etag.to_str().unwrap());
            headers.append(*name, value.try_into().unwrap());
        }
        let response = asset.answer(&headers, modified);
        assert_eq!(response.status(), expected, "{asked:?}");
        assert_eq!(response.headers()[header::ETAG], asset.etag);
        assert_eq!(response.headers()[header::LAST_MODIFIED], MODIFIED);
    }

    #[test]
    fn entity_tags_are_compared() {
        check(&[], 200);
        check(&[("if-none-match", "{etag}")], 304);
        check(&[("if-none-match", "W/{etag}")], 304);
        check(&[("if-none-match", "\"other\" , {etag}")], 304);
        check(&[("if-none-match", "\"other\""), ("if-none-match", "{etag}")], 304);
        check(&[("if-none-match", "*")], 304);
        check(&[("if-none-match", "\"other\"")], 200);
        check(&[("if-none-match", "")], 200);
    }

    #[test]
    fn times_are_compared_unless_there_is_an_entity_tag() {
        check(&[("if-modified-since", MODIFIED)], 304);
        check(&[("if-modified-since", "Wed, 28 Jun 2023 12:26:59 GMT")], 304);
        check(&[("if-modified-since", "Tue, 27 Jun 2023 12:26:58 GMT")], 200);
        check(&[("if-modified-since", "yesterday")], 200);
        check(&[("if-none-match", "\"other\""), ("if-modified-since", MODIFIED)], 200);
        check(&[("if-none-match", "{etag}"), ("if-modified-since", "Tue, 27 Jun 2000 12:26:58 GMT")], 304);
    }

    #[test]
    fn entity_tags_tell_files_apart() {
        let tags: std::collections::HashSet<_> = ALL.iter().map(|asset| asset.etag.as_bytes()).collect();
        assert_eq!(tags.len(), ALL.len());
    }
}
