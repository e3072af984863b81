//! Aligned columns, for a terminal.

use std::fmt::Write as _;

use polars::prelude::DataFrame;

use super::text;
use crate::grid::{Column, aligned, thousands};

/// Characters of a value that are shown.
const LONGEST: usize = 80;

pub(super) fn render(frame: &DataFrame) -> String {
    let names: Vec<_> = frame.columns().iter().map(|column| safe(column.name())).collect();
    let columns = frame.columns().iter().zip(&names);
    let columns: Vec<_> = columns
        .map(|(column, name)| match text::is_number(column.dtype()) {
            true => Column::Number(name),
            false => Column::Text(name),
        })
        .collect();
    let cell = |value: Option<String>| value.map_or_else(|| "null".to_owned(), |text| safe(&text));
    let row = |row: Vec<Option<String>>| row.into_iter().map(cell).collect::<Vec<_>>();
    let mut out = aligned(&columns, || text::rows(frame).map(row));
    let count = match frame.height() {
        1 => "1 row".to_owned(),
        rows => format!("{} rows", thousands(rows as u64)),
    };
    out.push_str(&count);
    out.push('\n');
    out
}

/// On one line, with nothing that a terminal would obey: control characters, and
/// those that turn the direction of what follows, are escaped.
fn safe(text: &str) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == LONGEST {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || turns(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Marks of the bidirectional algorithm, and separators of lines.
fn turns(c: char) -> bool {
    matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}
