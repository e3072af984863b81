//! Tables and numbers as people read them on a terminal.

use std::fmt::Write as _;

/// A column and its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column<'a> {
    /// To the left.
    Text(&'a str),
    /// To the right.
    Number(&'a str),
}

/// Aligned lines under their headings, two spaces between columns.
pub fn grid<const N: usize>(
    columns: [Column<'_>; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    aligned(&columns, || rows.iter())
}

/// The same for a number of columns that is not known before. Each row has as
/// many cells as there are columns. They are asked for twice, for the widths and
/// for the lines, so that nobody has to hold them all.
pub fn aligned<I>(columns: &[Column<'_>], rows: impl Fn() -> I) -> String
where
    I: Iterator<Item: AsRef<[String]>>,
{
    let heading = |column: &Column<'_>| match column {
        Column::Text(heading) | Column::Number(heading) => (*heading).to_owned(),
    };
    let headings: Vec<_> = columns.iter().map(heading).collect();
    let mut widths: Vec<_> = headings.iter().map(|heading| width(heading)).collect();
    for row in rows() {
        for (most, cell) in widths.iter_mut().zip(row.as_ref()) {
            *most = width(cell).max(*most);
        }
    }
    let mut out = String::new();
    let mut line = |cells: &[String]| {
        let start = out.len();
        for ((cell, most), column) in cells.iter().zip(&widths).zip(columns) {
            let space = " ".repeat(most - width(cell));
            let _ = match column {
                Column::Text(_) => write!(out, "{cell}{space}  "),
                Column::Number(_) => write!(out, "{space}{cell}  "),
            };
        }
        out.truncate(start + out[start..].trim_end().len());
        out.push('\n');
    };
    line(&headings);
    rows().for_each(|row| line(row.as_ref()));
    out
}

/// How many cells of a terminal a text takes.
fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// Two for what East Asian fonts draw in a square and for pictures, none for
/// marks that go onto the character before
/// (<https://www.unicode.org/reports/tr11/>); by blocks, not by character.
fn cells(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFEFF => 0,
        0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xAC00..=0xD7A3 => 2,
        0xF900..=0xFAFF | 0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 => 2,
        0x1F300..=0x1F64F | 0x1F680..=0x1F6FF | 0x1F900..=0x1FAFF | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// A number with its digits in threes.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Millions of bytes, with one decimal, rounded.
pub fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000 + u64::from(bytes % 100_000 >= 50_000);
    format!("{}.{}", thousands(tenths / 10), tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(n), text);
        }
        for (n, text) in [(0, "0.0"), (49_999, "0.0"), (50_000, "0.1"), (1_234_500_000, "1,234.5")]
        {
            assert_eq!(megabytes(n), text);
        }
    }

    #[test]
    fn texts_go_to_the_left_and_numbers_to_the_right() {
        let columns = [Column::Number("n"), Column::Text("näme"), Column::Text("by")];
        let rows = [["1", "a", "x"], ["1,000", "länger", ""]].map(|row| row.map(str::to_owned));
        let lines = ["    n  näme    by", "    1  a       x", "1,000  länger", ""];
        assert_eq!(grid(columns, rows), lines.join("\n"));
    }

    #[test]
    fn wide_characters_take_two_cells_and_marks_none() {
        let rows =
            [["日本", "a"], ["e\u{301}", "b"], ["👍", "c"]].map(|row| row.map(str::to_owned));
        let lines = ["w     x", "日本  a", "e\u{301}     b", "👍    c", ""];
        assert_eq!(grid([Column::Text("w"), Column::Text("x")], rows), lines.join("\n"));
    }

    #[test]
    fn no_columns_are_empty_lines() {
        let rows: [[String; 0]; 2] = [[], []];
        assert_eq!(aligned(&[], || rows.iter()), "\n\n\n");
    }
}
