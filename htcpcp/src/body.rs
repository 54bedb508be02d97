//! The body of a BREW: bytes come in, `start` or `stop` goes out. Clients of the lab send it without a
//! Content-Length, so that the body itself must tell where it ends; [`Command::is_prefix`] and
//! [`Command::match_start`] answer that for those who cut messages out of streams.

/// What a BREW tells the pot to do.
///
/// Source: RFC 2324 §4, `coffee-message-body`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Begin to brew.
    Start,
    /// Stop brewing.
    Stop,
}

/// Every form of every command; no form begins another.
pub const FORMS: [(&str, Command); 4] = [
    ("start", Command::Start),
    ("stop", Command::Stop),
    ("coffee-message-body=start", Command::Start),
    ("coffee-message-body=stop", Command::Stop),
];

impl Command {
    /// Both commands.
    pub const ALL: [Command; 2] = [Command::Start, Command::Stop];

    /// The command that makes up all of `body`, with or without one line end after it.
    ///
    /// Departure: the RFC has no line end and no `coffee-message-body=`; clients in the wild have.
    pub fn parse(body: &[u8]) -> Option<Command> {
        let (command, len) = Command::match_start(body)?;
        (len == body.len()).then_some(command)
    }

    /// Whether more bytes could still make `bytes` a command: the beginning of one, nothing at all included, but
    /// not all of it.
    pub fn is_prefix(bytes: &[u8]) -> bool {
        FORMS.iter().any(|(form, _)| bytes.len() < form.len() && form.as_bytes().starts_with(bytes))
    }

    /// The command at the beginning of `bytes` and its length in bytes, including one line end directly after it;
    /// whatever follows is ignored.
    ///
    /// ```
    /// use htcpcp::Command;
    ///
    /// assert_eq!(Command::match_start(b"stop\r\nGET "), Some((Command::Stop, 6)));
    /// ```
    pub fn match_start(bytes: &[u8]) -> Option<(Command, usize)> {
        FORMS.iter().find_map(|(form, command)| {
            let rest = bytes.strip_prefix(form.as_bytes())?;
            Some((*command, form.len() + line_end_len(rest)))
        })
    }

    /// The command as the RFC writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Command::Start => "start",
            Command::Stop => "stop",
        }
    }
}

fn line_end_len(bytes: &[u8]) -> usize {
    match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutation;

    /// `expected`: the command at the beginning and its length.
    #[track_caller]
    fn check(bytes: &[u8], expected: Option<(Command, usize)>) {
        assert_eq!(Command::match_start(bytes), expected, "{}", bytes.escape_ascii());
        let whole = expected.filter(|(_, len)| *len == bytes.len());
        assert_eq!(Command::parse(bytes), whole.map(|(command, _)| command));
    }

    #[test]
    fn commands_end_by_themselves() {
        check(b"start", Some((Command::Start, 5)));
        check(b"stop", Some((Command::Stop, 4)));
        check(b"start\r\n", Some((Command::Start, 7)));
        check(b"stop\n", Some((Command::Stop, 5)));
        check(b"coffee-message-body=start", Some((Command::Start, 25)));
        check(b"coffee-message-body=stop\r\n", Some((Command::Stop, 26)));
        check(b"start\r\n\r\n", Some((Command::Start, 7)));
        check(b"start\r", Some((Command::Start, 5)));
        check(b"startBREW coffee://ducky HTTP/1.1", Some((Command::Start, 5)));
    }

    #[test]
    fn anything_else_is_no_command() {
        for body in ["", "s", "sta", "START", " start", "\r\nstart", "pause", "coffee-message-body=", "body=start"] {
            check(body.as_bytes(), None);
        }
    }

    #[test]
    fn proper_prefixes_wait_for_more() {
        for (form, _) in FORMS {
            for len in 0..form.len() {
                assert!(Command::is_prefix(&form.as_bytes()[..len]));
            }
            assert!(!Command::is_prefix(form.as_bytes()));
        }
        assert!(!Command::is_prefix(b"stap"));
        assert!(!Command::is_prefix(b"start\r\n"));
        assert!(!Command::is_prefix(b"GET"));
    }

    #[test]
    fn damaged_bodies_do_not_panic() {
        mutation::each(b"coffee-message-body=start\r\n", |body| {
            Command::is_prefix(body);
            if let Some((_, len)) = Command::match_start(body) {
                assert!(len <= body.len());
            }
        });
    }
}
