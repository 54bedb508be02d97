//! The statuses a pot answers with: a code comes in, its reason phrase and its section go out. When to answer
//! which is the pot's business.

/// A status and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The three digits.
    pub code: u16,
    /// The reason phrase.
    pub reason: &'static str,
    /// The section that defines the status; HTCPCP's own where it says something about it.
    pub section: &'static str,
}

impl Status {
    /// Every status of the protocol, in ascending order. 302 is the web app's; 408, 409, 413 and 431 are for what
    /// the RFCs leave open: clients that do not finish, a WHEN with nothing to stop, bodies and heads without end.
    pub const ALL: &'static [Status] = &[
        status(200, "OK", "RFC 9110 §15.3.1"),
        // HTTP says "Multiple Choices"; tea offers options.
        status(300, "Multiple Options", "RFC 7168 §2.3.1"),
        status(302, "Found", "RFC 9110 §15.4.3"),
        status(400, "Bad Request", "RFC 9110 §15.5.1"),
        status(403, "Forbidden", "RFC 7168 §2.3.2"),
        status(404, "Not Found", "RFC 9110 §15.5.5"),
        status(406, "Not Acceptable", "RFC 2324 §2.3.1"),
        status(408, "Request Timeout", "RFC 9110 §15.5.9"),
        status(409, "Conflict", "RFC 9110 §15.5.10"),
        status(413, "Content Too Large", "RFC 9110 §15.5.14"),
        status(415, "Unsupported Media Type", "RFC 9110 §15.5.16"),
        status(418, "I'm a teapot", "RFC 2324 §2.3.2"),
        status(431, "Request Header Fields Too Large", "RFC 6585 §5"),
        status(501, "Not Implemented", "RFC 9110 §15.6.2"),
        status(503, "Service Unavailable", "RFC 7168 §2.3.3"),
    ];

    /// The status with this code.
    pub fn find(code: u16) -> Option<&'static Status> {
        Status::ALL.iter().find(|status| status.code == code)
    }
}

const fn status(code: u16, reason: &'static str, section: &'static str) -> Status {
    Status { code, reason, section }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: u16, expected: Option<&str>) {
        assert_eq!(Status::find(code).map(|status| status.reason), expected);
    }

    #[test]
    fn every_answer_of_the_table_has_a_phrase() {
        check(200, Some("OK"));
        check(300, Some("Multiple Options"));
        check(400, Some("Bad Request"));
        check(403, Some("Forbidden"));
        check(404, Some("Not Found"));
        check(406, Some("Not Acceptable"));
        check(415, Some("Unsupported Media Type"));
        check(418, Some("I'm a teapot"));
        check(501, Some("Not Implemented"));
        check(503, Some("Service Unavailable"));
    }

    #[test]
    fn other_codes_have_none() {
        for code in [0, 100, 201, 417, 500, 599, 999, u16::MAX] {
            check(code, None);
        }
    }

    #[test]
    fn codes_ascend() {
        assert!(Status::ALL.is_sorted_by(|a, b| a.code < b.code));
    }
}
