//! The diagram for a terminal.

use std::io::{self, Write};

use crate::diagram::Picture;
use crate::report::text::Style;

/// Writes it.
pub fn text(picture: &Picture, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let _ = (picture, style);
    writeln!(out)
}
