//! Space-time diagrams: a [`Picture`](crate::diagram::Picture) in; SVG, text or mermaid out.

mod mermaid;
mod svg;
mod text;

pub use mermaid::mermaid;
pub use svg::{STYLE, svg};
pub use text::text;
