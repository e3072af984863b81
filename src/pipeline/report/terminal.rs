//! The report for people.

use std::fmt::Write as _;

use super::{Outcome, Packed, Report, TableReport};
use crate::grid::{Column, grid, megabytes, thousands};

/// Rejects and unknown fields that are shown; the rest is in the report.
const SHOWN: usize = 5;

const COLUMNS: [Column; 8] = [
    Column::Text("table"),
    Column::Number("objects"),
    Column::Number("read"),
    Column::Number("written"),
    Column::Number("quarantined"),
    Column::Number("duplicates"),
    Column::Number("files"),
    Column::Number("MB"),
];

impl Report {
    /// A short table, the most frequent rejects, what has drifted, and where
    /// the whole report is.
    pub fn terminal(&self) -> String {
        let mut out = String::new();
        if self.outcome == Outcome::NothingNew {
            out.push_str("nothing new\n");
        } else {
            out.push_str(&grid(
                COLUMNS,
                self.tables.iter().map(|(name, table)| cells(name, table)),
            ));
        }
        line(&mut out, "rows replaced by a later one of their key", self.replaced());
        line(&mut out, "small files packed", self.packed());
        line(&mut out, "rejects", self.top_rejects());
        line(&mut out, "fields that no transform reads", self.top_unknown_fields());
        line(&mut out, "objects that are not the topic's, not read", self.foreign());
        if self.outcome != Outcome::NothingNew {
            line(&mut out, "folders older than --lookback, not listed", self.older_folders());
        }
        let topics = self.topics_without_transform.iter().map(|topic| (topic.clone(), None));
        line(&mut out, "topics without a transform", topics.collect());
        let _ = writeln!(out, "report: {}", self.place());
        out
    }

    fn top_rejects(&self) -> Vec<(String, Option<u64>)> {
        let all = self.tables.iter().flat_map(|(name, table)| {
            table.rejects.iter().flat_map(move |(code, columns)| {
                columns.iter().map(move |(column, n)| match column.as_str() {
                    "" => (format!("{name} {code}"), Some(*n)),
                    column => (format!("{name}.{column} {code}"), Some(*n)),
                })
            })
        });
        most_frequent(all.collect())
    }

    fn top_unknown_fields(&self) -> Vec<(String, Option<u64>)> {
        let all = self.tables.iter().flat_map(|(name, table)| {
            table.unknown_fields.iter().map(move |(field, n)| (format!("{name}.{field}"), Some(*n)))
        });
        most_frequent(all.collect())
    }
}

impl Report {
    fn replaced(&self) -> Vec<(String, Option<u64>)> {
        let tables = self.tables.iter().filter(|(_, table)| table.records_replaced > 0);
        tables.map(|(name, table)| (name.clone(), Some(table.records_replaced))).collect()
    }

    fn packed(&self) -> Vec<(String, Option<u64>)> {
        let show = |name: String, packed: Option<Packed>| {
            packed.map(|p| (format!("{name} {} into {}", p.files, p.into_files), None))
        };
        let of = |(name, table): (&String, &TableReport)| {
            let quarantine = show(format!("_quarantine/{name}"), table.quarantine_packed);
            show(name.clone(), table.packed).into_iter().chain(quarantine)
        };
        self.tables.iter().flat_map(of).collect()
    }

    fn foreign(&self) -> Vec<(String, Option<u64>)> {
        let tables = self.tables.iter().filter(|(_, table)| table.foreign > 0);
        let shown = tables.map(|(name, table)| match table.foreign_examples.first() {
            Some(example) => (format!("{name} (such as {example})"), Some(table.foreign)),
            None => (name.clone(), Some(table.foreign)),
        });
        shown.collect()
    }
}

impl Report {
    fn older_folders(&self) -> Vec<(String, Option<u64>)> {
        let topics = self.tables.values().flat_map(|table| &table.topics);
        let counts = topics.map(|(name, topic)| (name, topic.folders_older_than_lookback));
        counts.filter(|(_, n)| *n > 0).map(|(name, n)| (name.clone(), Some(n))).collect()
    }
}

/// Stable: equal counts stay in order of names.
fn most_frequent(mut all: Vec<(String, Option<u64>)>) -> Vec<(String, Option<u64>)> {
    all.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    all
}

fn line(out: &mut String, label: &str, items: Vec<(String, Option<u64>)>) {
    if items.is_empty() {
        return;
    }
    let more = items.len().saturating_sub(SHOWN);
    let mut shown: Vec<_> = items
        .into_iter()
        .take(SHOWN)
        .map(|(what, n)| match n {
            Some(n) => format!("{what} {}", thousands(n)),
            None => what,
        })
        .collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    let _ = writeln!(out, "{label}: {}", shown.join(", "));
}

fn cells(name: &str, table: &TableReport) -> [String; 8] {
    [
        name.to_owned(),
        thousands(table.objects),
        thousands(table.records_read),
        thousands(table.records_written),
        thousands(table.records_quarantined),
        thousands(table.records_duplicate),
        thousands(table.files.len() as u64),
        megabytes(table.bytes),
    ]
}
