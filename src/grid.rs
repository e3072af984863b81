//! Tables and numbers as people read them on a terminal.

use std::fmt::Write as _;

/// A column and its heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// To the left.
    Text(&'static str),
    /// To the right.
    Number(&'static str),
}

/// Aligned lines under their headings, two spaces between columns.
pub fn grid<const N: usize>(
    columns: [Column; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let headings = columns.map(|(Column::Text(heading) | Column::Number(heading))| heading);
    let rows: Vec<_> = std::iter::once(headings.map(str::to_owned)).chain(rows).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut out = String::new();
    for row in &rows {
        let mut line = String::new();
        for ((cell, width), column) in row.iter().zip(widths).zip(columns) {
            let _ = match column {
                Column::Text(_) => write!(line, "{cell:<width$}  "),
                Column::Number(_) => write!(line, "{cell:>width$}  "),
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
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
}
