//! The diagram as mermaid's `sequenceDiagram`.

use std::io::{self, Write};

use crate::diagram::Picture;

/// Writes it.
pub fn mermaid(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    let _ = picture;
    writeln!(out, "sequenceDiagram")
}
