//! Fields (`tshark -T fields`): a line for each frame, with the values of some fields.

use dissector_lua::host::View;
use dissector_lua::host::field::{Base, FieldId, Kind, Registry};
use dissector_lua::host::item::Item;

use super::{Format, is_data, push_hex, push_visible};

/// Which of a field's values are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occurrence {
    /// The first.
    First,
    /// The last.
    Last,
    /// All.
    All,
}

/// How a line is put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether the first line names the fields.
    pub header: bool,
    /// Whether a byte order mark comes first.
    pub bom: bool,
    /// Between two fields.
    pub separator: char,
    /// Between two values of a field.
    pub aggregator: char,
    /// Around each field.
    pub quote: Option<char>,
    /// Which values.
    pub occurrence: Occurrence,
}

impl Default for Style {
    fn default() -> Self {
        Self { header: false, bom: false, separator: '\t', aggregator: ',', quote: None, occurrence: Occurrence::All }
    }
}

impl Style {
    /// Changes one thing: `header=y`, `bom=y`, `separator=,`, `aggregator=;`, `quote=d`, `occurrence=f`. `/t` and `/s` are a
    /// tab and a space.
    ///
    /// Errors: what can be set, and how.
    pub fn set(&mut self, setting: &str) -> Result<(), String> {
        let sign = |text: &str| match text {
            "/t" => Some('\t'),
            "/s" => Some(' '),
            _ => text.chars().next().filter(|char| text.len() == char.len_utf8()),
        };
        let switch = |text: &str| match text {
            "y" | "Y" => Some(true),
            "n" | "N" => Some(false),
            _ => None,
        };
        let done = setting.split_once('=').and_then(|(key, value)| {
            match key {
                "header" => self.header = switch(value)?,
                "bom" => self.bom = switch(value)?,
                "separator" => self.separator = sign(value)?,
                "aggregator" => self.aggregator = sign(value)?,
                "quote" => {
                    self.quote = match value {
                        "d" => Some('"'),
                        "s" => Some('\''),
                        "n" => None,
                        _ => return None,
                    }
                }
                "occurrence" => {
                    self.occurrence = match value {
                        "f" => Occurrence::First,
                        "l" => Occurrence::Last,
                        "a" => Occurrence::All,
                        _ => return None,
                    }
                }
                _ => return None,
            }
            Some(())
        });
        done.ok_or_else(|| {
            format!("\"{setting}\" is none of header=y|n, bom=y|n, separator=X, aggregator=X (X: a character, /t or /s), quote=d|s|n, occurrence=f|l|a")
        })
    }
}

/// Where the values of a column come from.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Column {
    /// The fields of a name.
    Fields(Vec<FieldId>),
    /// A column of the packet list.
    Protocol,
    Info,
    Source,
    Destination,
}

impl Column {
    fn find(name: &str, registry: &Registry) -> Option<Self> {
        match name.strip_prefix("_ws.col.").map(str::to_ascii_lowercase).as_deref() {
            Some("protocol") => Some(Self::Protocol),
            Some("info") => Some(Self::Info),
            Some("source" | "def_src") => Some(Self::Source),
            Some("destination" | "def_dst") => Some(Self::Destination),
            Some(_) => None,
            None => Some(Self::Fields(registry.named(name).to_vec())).filter(|column| *column != Self::Fields(Vec::new())),
        }
    }
}

/// Values of some fields.
#[derive(Debug)]
pub struct Fields {
    names: Vec<String>,
    columns: Vec<Column>,
    style: Style,
    /// The values of each column, one behind the other with the aggregator between; kept for their room.
    cells: Vec<String>,
}

impl Fields {
    /// Fields by their names, as filters call them, and `_ws.col.Protocol`, `_ws.col.Info`, `_ws.col.Source`,
    /// `_ws.col.Destination`.
    ///
    /// Errors: the name that is not known.
    pub fn new(names: Vec<String>, style: Style, registry: &Registry) -> Result<Self, String> {
        let columns: Result<Vec<_>, _> = names.iter().map(|name| Column::find(name, registry).ok_or_else(|| name.clone())).collect();
        let columns = columns?;
        let cells = vec![String::new(); columns.len()];
        Ok(Self { names, columns, style, cells })
    }

    /// The fields that have to be looked for.
    pub fn wanted(&self) -> impl Iterator<Item = FieldId> {
        self.columns
            .iter()
            .flat_map(|column| match column {
                Column::Fields(fields) => fields.as_slice(),
                _ => &[],
            })
            .copied()
    }

    /// Whether the columns of the packet list have to be built.
    pub fn wants_columns(&self) -> bool {
        self.columns.iter().any(|column| !matches!(column, Column::Fields(_)))
    }

    fn put(&mut self, column: usize, value: &str) {
        let cell = &mut self.cells[column];
        if !cell.is_empty() {
            match self.style.occurrence {
                Occurrence::First => return,
                Occurrence::Last => cell.clear(),
                Occurrence::All => cell.push(self.style.aggregator),
            }
        }
        for char in value.chars() {
            if char == '\\' || Some(char) == self.style.quote {
                cell.push(char);
            }
            push_visible(char, cell);
        }
    }

    fn collect(&mut self, item: Item<'_>) {
        if let Some(field) = item.node().field {
            for column in 0..self.columns.len() {
                if matches!(&self.columns[column], Column::Fields(fields) if fields.contains(&field)) {
                    self.put(column, &value(item));
                }
            }
        }
        item.children().for_each(|child| self.collect(child));
    }
}

impl Format for Fields {
    fn begin(&self, out: &mut String) {
        if self.style.bom {
            out.push('\u{feff}');
        }
        if self.style.header {
            out.push_str(&self.names.join(self.style.separator.encode_utf8(&mut [0; 4])));
            out.push('\n');
        }
    }

    fn frame(&mut self, view: View<'_>, out: &mut String) {
        self.cells.iter_mut().for_each(String::clear);
        view.protocols().for_each(|item| self.collect(item));
        for column in 0..self.columns.len() {
            let packet = view.packet;
            match self.columns[column] {
                Column::Fields(_) => {}
                Column::Protocol => self.put(column, packet.columns.protocol.text()),
                Column::Info => self.put(column, packet.columns.info.text()),
                Column::Source => self.put(column, &packet.source.to_string()),
                Column::Destination => self.put(column, &packet.destination.to_string()),
            }
        }
        for (at, cell) in self.cells.iter().enumerate() {
            if at > 0 {
                out.push(self.style.separator);
            }
            let quote = self.style.quote.filter(|_| !cell.is_empty());
            out.extend(quote);
            out.push_str(cell);
            out.extend(quote);
        }
        out.push('\n');
    }
}

/// A value in a line: a field without values says that it is there, a protocol what was written on its line, or its name.
fn value(item: Item<'_>) -> String {
    let Some(field) = item.field() else { return item.label() };
    match field.kind {
        Kind::None => "1".to_owned(),
        Kind::Protocol if is_data(item) => hex(item.place(), Base::None),
        Kind::Protocol if item.node().label.is_none() => field.abbreviation.to_string(),
        Kind::Protocol => item.plain_label(),
        Kind::Bytes | Kind::UintBytes => hex(item.bytes().unwrap_or_default(), field.base),
        _ => item.show(),
    }
}

/// Bytes as their field writes them.
fn hex(bytes: &[u8], base: Base) -> String {
    let separator = match base {
        Base::Dot => ".",
        Base::Dash => "-",
        Base::Colon => ":",
        Base::Space => " ",
        _ => {
            let mut out = String::with_capacity(2 * bytes.len());
            push_hex(bytes, &mut out);
            return out;
        }
    };
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(setting: &str, expected: Option<Style>) {
        let mut style = Style::default();
        assert_eq!(style.set(setting).ok().map(|()| style), expected, "{setting}");
    }

    #[test]
    fn settings_are_those_of_tshark() {
        let style = Style::default;
        check("header=y", Some(Style { header: true, ..style() }));
        check("separator=,", Some(Style { separator: ',', ..style() }));
        check("separator=/s", Some(Style { separator: ' ', ..style() }));
        check("aggregator=;", Some(Style { aggregator: ';', ..style() }));
        check("quote=d", Some(Style { quote: Some('"'), ..style() }));
        check("occurrence=l", Some(Style { occurrence: Occurrence::Last, ..style() }));
        for wrong in ["header", "header=", "header=x", "separator=", "separator=ab", "quote=x", "colour=y"] {
            check(wrong, None);
        }
    }
}
