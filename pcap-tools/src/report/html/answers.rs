//! The lab's answers on the page: sentences with their quotes, evidence with its frames.

use super::links::{FrameLink, Links};
use crate::lab::{Answer, Evidence};

/// Pieces of evidence that are shown of an answer.
const MAX_SHOWN: usize = 50;
/// Evidence of more pieces than this is folded.
const MAX_OPEN: usize = 6;

/// An answer.
pub(super) struct AnswerView {
    pub task: &'static str,
    pub question: &'static str,
    pub answer: Vec<Piece>,
    pub evidence: Vec<EvidenceView>,
    pub is_open: bool,
    pub more: usize,
    pub filter: String,
}

/// A piece of evidence.
pub(super) struct EvidenceView {
    pub text: Vec<Piece>,
    pub frames: Vec<FrameLink>,
}

/// A part of a sentence.
pub(super) enum Piece {
    Plain(String),
    /// It stood between backticks.
    Quote(String),
    Frame(FrameLink),
}

/// All answers.
pub(super) fn answers(answers: Vec<Answer>, links: &Links) -> Vec<AnswerView> {
    let view = |answer: Answer| {
        let more = answer.evidence.len().saturating_sub(MAX_SHOWN) + answer.more_evidence;
        AnswerView {
            task: answer.task,
            question: answer.question,
            answer: pieces(&answer.answer, &[], links),
            is_open: answer.evidence.len() <= MAX_OPEN,
            evidence: answer.evidence.iter().take(MAX_SHOWN).map(|evidence| EvidenceView::new(evidence, links)).collect(),
            more,
            filter: answer.filter,
        }
    };
    answers.into_iter().map(view).collect()
}

impl EvidenceView {
    fn new(evidence: &Evidence, links: &Links) -> Self {
        let text = pieces(&evidence.text, &evidence.frames, links);
        let is_said = |frame: &u64| text.iter().any(|piece| matches!(piece, Piece::Frame(link) if link.frame == *frame));
        let frames = evidence.frames.iter().filter(|frame| !is_said(frame)).map(|&frame| links.row(frame)).collect();
        Self { text, frames }
    }
}

/// Takes a sentence apart where quotes begin and end, and where frames are named: behind the word, and those of `frames`.
pub(super) fn pieces(text: &str, frames: &[u64], links: &Links) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (at, part) in text.split('`').enumerate().filter(|(_, part)| !part.is_empty()) {
        if at % 2 == 1 {
            pieces.push(Piece::Quote(part.to_owned()));
        } else {
            plain(part, frames, links, &mut pieces);
        }
    }
    pieces
}

fn plain(text: &str, frames: &[u64], links: &Links, pieces: &mut Vec<Piece>) {
    let mut before = String::new();
    // Whether a list of frames is being read, and whether the word before says that the number is of something else.
    let (mut are_frames, mut is_other) = (false, false);
    let mut words = text.split_inclusive(' ').peekable();
    while let Some(word) = words.next() {
        let counts = words.peek().is_some_and(|next| next.starts_with("more"));
        let number = word.trim_matches(|c: char| !c.is_ascii_digit());
        let is_bare = word.trim_matches(|c: char| c.is_ascii_punctuation() || c == ' ') == number;
        match number.parse() {
            Ok(frame) if is_bare && !counts && (are_frames || frames.contains(&frame) && !is_other) => {
                let (left, right) = word.split_once(number).unwrap_or_default();
                before.push_str(left);
                if !before.is_empty() {
                    pieces.push(Piece::Plain(std::mem::take(&mut before)));
                }
                pieces.push(Piece::Frame(links.row(frame)));
                before.push_str(right);
                are_frames &= !right.starts_with([';', '.', ')']);
            }
            _ => {
                let name = word.trim_matches(|c: char| !c.is_alphanumeric());
                are_frames = matches!(name, "frame" | "frames") || are_frames && matches!(name, "" | "and");
                is_other = matches!(name, "stream" | "streams" | "port" | "ports");
                before.push_str(word);
            }
        }
    }
    if !before.is_empty() {
        pieces.push(Piece::Plain(before));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Frames in square brackets, quotes in angle brackets.
    #[track_caller]
    fn check(text: &str, frames: &[u64], expected: &str) {
        let pieces = pieces(text, frames, &Links::new(&[], &[], HashMap::new()));
        let shown = pieces.iter().map(|piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Quote(text) => format!("<{text}>"),
            Piece::Frame(link) => format!("[{}]", link.frame),
        });
        assert_eq!(shown.collect::<String>(), expected);
    }

    #[test]
    fn frames_are_found_and_nothing_else() {
        check("by the FIN of frame 120).", &[], "by the FIN of frame [120]).");
        check("frames 5, 7 and 9 more; frames 8 and 9; 11", &[], "frames [5], [7] and 9 more; frames [8] and [9]; 11");
        check("stream 7: 127.0.0.1:7 is port 7, not 7", &[7], "stream 7: 127.0.0.1:7 is port 7, not [7]");
        check("browser 84 → 100, `GET /84 HTTP/1.1`; 9 of them", &[84, 100], "browser [84] → [100], <GET /84 HTTP/1.1>; 9 of them");
    }
}
