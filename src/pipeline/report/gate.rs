//! Quality gates that a run broke, and examples of its rejects.

use std::cmp::Reverse;
use std::fmt;

use serde::Serialize;

use super::TableReport;
use crate::code::Code;
use crate::grid::thousands;

/// Longer messages are cut in an example.
const SHOWN: usize = 120;

/// A quality gate that a committed run broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "gate", rename_all = "snake_case")]
pub enum BrokenGate {
    /// More records were quarantined than `--max-rejects` allows.
    MaxRejects {
        /// Records quarantined.
        rejects: u64,
        /// Records read.
        read: u64,
        /// The limit, as given.
        limit: String,
    },
    /// A table had records and got none of them.
    EmptyTable(EmptyTable),
}

/// A table of whose records every one was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EmptyTable {
    /// The table's name.
    pub table: String,
    /// Its records in this run, without duplicates.
    pub records: u64,
    /// The column of the most frequent kind of reject; `None` if the record as a
    /// whole was wrong.
    pub column: Option<String>,
    /// The code of that kind.
    pub code: &'static str,
    /// How many rejects are of that kind.
    pub rejects: u64,
    /// One of them.
    pub example: Option<RejectExample>,
}

/// A reject that stands for all those of its code and column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RejectExample {
    /// The object's key or path.
    pub object: String,
    /// The line, from 1; 0 for an object as a whole.
    pub line: u64,
    /// What was wrong, shortened to one line.
    pub message: String,
}

impl RejectExample {
    /// Makes an example of a reject; a long message is cut, and characters that
    /// would break a line of the log are escaped.
    pub fn new(object: String, line: u64, message: &str) -> RejectExample {
        let mut shown: String = message
            .chars()
            .take(SHOWN)
            .flat_map(|c| match c.is_control() {
                true => c.escape_default().collect::<Vec<_>>(),
                false => vec![c],
            })
            .collect();
        if message.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        RejectExample { object, line, message: shown }
    }
}

impl EmptyTable {
    /// Returns what is wrong if a table had records in this run and got none of them.
    pub fn of(name: &str, table: &TableReport) -> Option<EmptyTable> {
        if table.records_quarantined == 0 || table.records_written > 0 {
            return None;
        }
        let kinds = table.rejects.iter().flat_map(|(code, columns)| {
            columns.iter().map(move |(column, count)| (*code, column, *count))
        });
        // The first of those that are level, in the order of codes and columns.
        let (code, column, rejects) = kinds.min_by_key(|(.., count)| Reverse(*count))?;
        let column = Some(column.clone()).filter(|column| !column.is_empty());
        let kind = Code::parse(code).map(|code| (code, column.clone()));
        Some(EmptyTable {
            table: name.to_owned(),
            records: table.records_quarantined,
            example: kind.and_then(|kind| table.examples.get(&kind).cloned()),
            column,
            code,
            rejects,
        })
    }
}

impl fmt::Display for RejectExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RejectExample { object, line, message } = self;
        match line {
            0 => write!(f, "{message} ({object})"),
            line => write!(f, "{message} ({object} line {line})"),
        }
    }
}

impl fmt::Display for EmptyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, records) = (&self.table, thousands(self.records));
        let noun = if self.records == 1 { "record" } else { "records" };
        write!(f, "{table}: none of {records} {noun} was written: ")?;
        if let Some(column) = &self.column {
            write!(f, "{column}: ")?;
        }
        write!(f, "{} ({})", self.code, thousands(self.rejects))?;
        match &self.example {
            Some(example) => write!(f, ", e.g. {example}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(object: &str, line: u64, message: &str) -> RejectExample {
        RejectExample::new(object.to_owned(), line, message)
    }

    /// A table of which these many records were rejected, by code and column.
    fn rejected(written: u64, kinds: &[(Code, Option<&str>, u64)]) -> TableReport {
        let mut table = TableReport { records_written: written, ..TableReport::default() };
        for (code, column, count) in kinds {
            let column = column.map(str::to_owned);
            table.records_quarantined += count;
            let by_column = table.rejects.entry(code.as_str()).or_default();
            by_column.insert(column.clone().unwrap_or_default(), *count);
            let shown = example("topics/u.geo/x.json", 7, &format!("{code} it is"));
            table.examples.insert((*code, column), shown);
        }
        table.records_read = written + table.records_quarantined;
        table
    }

    #[test]
    fn a_table_is_empty_if_it_had_records_and_none_was_written() {
        let time = Some("timestamp");
        let cases: [(u64, &[(Code, Option<&str>, u64)], Option<&str>); 6] = [
            (0, &[], None),
            (1, &[(Code::Format, time, 99)], None),
            (
                0,
                &[(Code::Format, time, 1)],
                Some(
                    "geo: none of 1 record was written: timestamp: format (1), e.g. format it is (topics/u.geo/x.json line 7)",
                ),
            ),
            (
                0,
                &[(Code::InvalidJson, None, 1_200), (Code::Format, time, 3)],
                Some(
                    "geo: none of 1,203 records was written: invalid_json (1,200), e.g. invalid_json it is (topics/u.geo/x.json line 7)",
                ),
            ),
            (
                0,
                &[(Code::Type, Some("ind"), 2), (Code::Format, time, 2)],
                Some(
                    "geo: none of 4 records was written: timestamp: format (2), e.g. format it is (topics/u.geo/x.json line 7)",
                ),
            ),
            (
                0,
                &[(Code::Type, Some("b"), 1), (Code::Type, Some("c"), 2)],
                Some(
                    "geo: none of 3 records was written: c: type (2), e.g. type it is (topics/u.geo/x.json line 7)",
                ),
            ),
        ];
        for (written, kinds, expected) in cases {
            let found = EmptyTable::of("geo", &rejected(written, kinds));
            let line = found.map(|empty| empty.to_string());
            assert_eq!(line.as_deref(), expected, "{kinds:?}");
        }
    }

    #[test]
    fn an_example_is_one_short_line() {
        let cases = [
            (0, "the object was gone", "the object was gone (k)"),
            (3, "\"a\nb\u{1b}[2J\" is wrong", "\"a\\nb\\u{1b}[2J\" is wrong (k line 3)"),
            (1, "“Peñíscola”", "“Peñíscola” (k line 1)"),
        ];
        for (line, message, expected) in cases {
            assert_eq!(example("k", line, message).to_string(), expected);
        }
        let long = example("k", 1, &"é".repeat(500));
        assert_eq!(long.message, "é".repeat(SHOWN) + "…");
        assert_eq!(example("k", 1, &"é".repeat(SHOWN)).message, "é".repeat(SHOWN));
    }

    #[test]
    fn programs_read_which_gate_broke() {
        let empty = EmptyTable::of("geo", &rejected(0, &[(Code::Format, Some("t"), 2)])).unwrap();
        let limit = BrokenGate::MaxRejects { rejects: 2, read: 2, limit: "1%".to_owned() };
        let json = serde_json::to_value([limit, BrokenGate::EmptyTable(empty)]).unwrap();
        let expected = serde_json::json!([
            { "gate": "max_rejects", "rejects": 2, "read": 2, "limit": "1%" },
            {
                "gate": "empty_table", "table": "geo", "records": 2, "column": "t",
                "code": "format", "rejects": 2,
                "example": {
                    "object": "topics/u.geo/x.json", "line": 7, "message": "format it is",
                },
            },
        ]);
        assert_eq!(json, expected);
    }
}
