//! The methods a pot understands, from bytes and to text. What a pot does for each is the pot's business.

use std::fmt;

/// A method of HTCPCP.
///
/// Source: RFC 2324 §2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Start or stop a brew. Source: RFC 2324 §2.1.1, RFC 7168 §2.1.
    Brew,
    /// The same as BREW, deprecated. Source: RFC 2324 §2.1.1.
    Post,
    /// What the pot has. Source: RFC 2324 §2.1.2.
    Get,
    /// Metadata about the brew. Source: RFC 2324 §2.1.3.
    Propfind,
    /// Enough milk. Source: RFC 2324 §2.1.4.
    When,
}

impl Method {
    /// Every method, in the order of the RFC.
    pub const ALL: [Method; 5] = [Method::Brew, Method::Post, Method::Get, Method::Propfind, Method::When];

    /// The method these bytes name, exactly and in upper case: methods are case-sensitive (RFC 9110 §9.1).
    pub fn from_bytes(bytes: &[u8]) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.as_str().as_bytes() == bytes)
    }

    /// The method as it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Brew => "BREW",
            Method::Post => "POST",
            Method::Get => "GET",
            Method::Propfind => "PROPFIND",
            Method::When => "WHEN",
        }
    }

    /// The section that defines the method.
    pub const fn section(self) -> &'static str {
        match self {
            Method::Brew | Method::Post => "RFC 2324 §2.1.1",
            Method::Get => "RFC 2324 §2.1.2",
            Method::Propfind => "RFC 2324 §2.1.3",
            Method::When => "RFC 2324 §2.1.4",
        }
    }

    /// Whether the method leaves the pot as it was: GET and PROPFIND.
    ///
    /// Source: RFC 2324 §2.2.1.1; RFC 9110 §9.2.1.
    pub const fn is_safe(self) -> bool {
        matches!(self, Method::Get | Method::Propfind)
    }

    /// Whether the RFC asks clients to use another method instead: POST, for which there is BREW.
    ///
    /// Source: RFC 2324 §2.1.1.
    pub const fn is_deprecated(self) -> bool {
        matches!(self, Method::Post)
    }

    /// Whether no other protocol has the method: BREW and WHEN.
    pub const fn is_coffee_only(self) -> bool {
        matches!(self, Method::Brew | Method::When)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<Method>) {
        assert_eq!(Method::from_bytes(bytes), expected);
    }

    #[test]
    fn methods_are_exact() {
        check(b"BREW", Some(Method::Brew));
        check(b"POST", Some(Method::Post));
        check(b"GET", Some(Method::Get));
        check(b"PROPFIND", Some(Method::Propfind));
        check(b"WHEN", Some(Method::When));
        for other in ["", "MILK", "brew", "Brew", "BREW ", "BRE", "HEAD"] {
            check(other.as_bytes(), None);
        }
    }

    #[test]
    fn every_method_reads_back() {
        for method in Method::ALL {
            check(method.to_string().as_bytes(), Some(method));
        }
    }

    #[test]
    fn properties_follow_the_rfc() {
        let those = |is: fn(Method) -> bool| {
            let named: Vec<_> = Method::ALL.into_iter().filter(|m| is(*m)).collect();
            named
        };
        assert_eq!(those(Method::is_safe), [Method::Get, Method::Propfind]);
        assert_eq!(those(Method::is_deprecated), [Method::Post]);
        assert_eq!(those(Method::is_coffee_only), [Method::Brew, Method::When]);
    }
}
