//! A table of Markdown, as GitHub draws it
//! (<https://github.github.com/gfm/#tables-extension->).

use polars::prelude::DataFrame;

use super::text;

pub(super) fn render(frame: &DataFrame) -> String {
    let columns = frame.columns();
    let mut out = line(columns.iter().map(|column| escaped(column.name())));
    let right = columns.iter().map(|column| text::is_number(column.dtype()));
    out += &line(right.map(|right| if right { "--:" } else { "---" }.to_owned()));
    for row in text::rows(frame) {
        let cells = row.into_iter().map(|value| value.map_or(String::new(), |v| escaped(&v)));
        out += &line(cells);
    }
    out
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut out = String::from("|");
    for cell in cells {
        out.push(' ');
        out.push_str(&cell);
        out.push_str(if cell.is_empty() { "|" } else { " |" });
    }
    out.push('\n');
    out
}

/// What a cell would end with, or be taken for a mark or a tag.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\r' => out.push_str("<br>"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '\\' | '|' | '*' | '`' | '[' | '~' => out.extend(['\\', c]),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
