//! Findings: what was odd, with the place where it can be checked.
//!
//! In comes what a stage noticed, out goes a line for a report. A finding never stops the pipeline.

/// Something odd, beside the result that was reached all the same.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Finding {
    /// Which rule was broken: a stable name for scripts.
    pub kind: Kind,
    /// The frame that shows it; `None` where no frame does.
    pub frame: Option<u64>,
    /// The connection concerned, by `tcp.stream` number.
    pub stream: Option<u64>,
    /// Bytes from the beginning: of the (decompressed) capture for [`Kind::Capture`], otherwise of this
    /// direction of the connection.
    pub offset: Option<u64>,
    /// One sentence for a person.
    pub message: String,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// Which rule was broken.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
        pub enum Kind { $($(#[doc = $doc])+ #[serde(rename = $text)] $name,)+ }

        impl Kind {
            /// The stable name, as JSON has it.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// A block or record of the capture file departs from its format, and was read all the same.
    Capture = "capture",
    /// An IP fragment could not be reassembled.
    Fragment = "fragment",
    /// Bytes of a connection were never captured.
    Gap = "gap",
    /// A message was hit by a gap, or by something that cannot be framed.
    LostMessage = "lost_message",
    /// A message was still unfinished when its connection or the capture ended.
    UnfinishedMessage = "unfinished_message",
    /// A request that nobody answered while the capture ran.
    UnansweredRequest = "unanswered_request",
    /// A response whose request was not captured.
    UnrequestedResponse = "unrequested_response",
    /// A line ended by a bare line feed (RFC 9112 §2.2).
    BareLf = "bare_lf",
    /// Empty lines before a start line (RFC 9112 §2.2).
    LeadingCrlf = "leading_crlf",
    /// Spaces where the grammar has none or one (RFC 9112 §3, §4, §5.1).
    OddSpace = "odd_space",
    /// A status line without a reason phrase.
    MissingReason = "missing_reason",
    /// Bytes above 127 in a head (RFC 9110 §5.5).
    ObsText = "obs_text",
    /// A header field continued on the next line (RFC 9112 §5.2).
    ObsFold = "obs_fold",
    /// Control bytes in a start line.
    ControlByte = "control_byte",
    /// A line of the head that is no header field.
    BadHeader = "bad_header",
    /// A Content-Length that is no number, or several that differ (RFC 9112 §6.3).
    BadContentLength = "bad_content_length",
    /// Both Transfer-Encoding and Content-Length (RFC 9112 §6.1).
    LengthConflict = "length_conflict",
    /// A Transfer-Encoding that does not end in `chunked` (RFC 9112 §6.3).
    BadTransferEncoding = "bad_transfer_encoding",
    /// A chunk that breaks the grammar (RFC 9112 §7.1).
    BadChunk = "bad_chunk",
    /// A head longer than this tool keeps.
    LongHead = "long_head",
    /// Bytes that belong to no message.
    ExcessData = "excess_data",
    /// A head of which the capture kept only the beginning (snap length).
    CutHead = "cut_head",
}
