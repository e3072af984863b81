//! The report of a replay: what became of the open rejects of each table.
//!
//! As with that of a run, the keys of the JSON are stable and in stable order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::{Counts, Landed};
use crate::Result;
use crate::disk::Durability;
use crate::grid::{Column, grid, thousands};
use crate::pipeline::report::{self, Outcome};
use crate::pipeline::write::DataFile;
use crate::store::{Output, RequestCounts};

const COLUMNS: [Column; 5] = [
    Column::Text("table"),
    Column::Number("open"),
    Column::Number("landed"),
    Column::Number("stayed"),
    Column::Text("why"),
];

/// Reasons that are shown of a table; the rest is in the report.
const SHOWN: usize = 3;

/// What one replay did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayReport {
    /// The replay; see [`report::run_id`].
    pub run_id: String,
    /// What tells this report from that of a run: `replay`.
    pub operation: &'static str,
    /// The version of pinclean.
    pub version: &'static str,
    /// How it ended; nothing is new if no reject passed.
    pub outcome: Outcome,
    /// When it began, as RFC 3339 in UTC.
    pub started: String,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
    /// Where the tables are, as a URL or folder.
    pub out: String,
    /// The hash of all transforms; see [`hash_all`](crate::spec::hash_all).
    pub spec_hash: String,
    /// Requests as sent.
    pub requests: RequestCounts,
    /// What became of each table's rejects.
    pub tables: BTreeMap<String, TableReplay>,
}

/// What became of the open rejects of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReplay {
    /// The transform's hash.
    pub spec_hash: String,
    /// Where the commit is; `None` if no reject passed.
    pub commit: Option<String>,
    /// Open rejects read: the sum of the next two.
    pub rejects_open: u64,
    /// Rejects that were landed, and are now marked as resolved.
    pub rejects_landed: u64,
    /// Rejects that stay open.
    pub rejects_stayed: u64,
    /// Those among them that were written before rejects had ids: they can only
    /// be cleaned again with all objects.
    pub rejects_without_id: u64,
    /// Rows that landed. One line of JSON may hold several.
    pub records_written: u64,
    /// Why rejects stay, by code, then by column; the column is empty if the
    /// record as a whole is wrong.
    pub stayed: BTreeMap<String, BTreeMap<String, u64>>,
    /// Files of rows.
    pub files: Vec<DataFile>,
}

impl TableReplay {
    /// What became of a table's rejects; nothing is committed yet.
    pub fn new(spec_hash: &str, counts: &Counts) -> TableReplay {
        let mut stayed: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((code, column), n) in &counts.codes {
            *stayed.entry(code.clone()).or_default().entry(column.clone()).or_default() += n;
        }
        TableReplay {
            spec_hash: spec_hash.to_owned(),
            rejects_open: counts.open,
            rejects_landed: counts.landed,
            rejects_stayed: counts.stayed(),
            rejects_without_id: counts.without_id,
            records_written: counts.rows,
            stayed,
            ..TableReplay::default()
        }
    }

    /// Adds the commit, which is at `place`.
    pub fn land(&mut self, place: String, landed: Landed) {
        self.commit = Some(place);
        self.files = landed.files;
    }
}

impl ReplayReport {
    /// Writes the report beside the tables, as a run does.
    ///
    /// # Errors
    /// Those of [`report::save`].
    pub async fn save(&self, output: &Output) -> Result<String> {
        report::save(self, &self.run_id, output).await
    }

    /// Writes the report to a local file.
    ///
    /// # Errors
    /// Those of [`report::save_file`].
    pub fn save_file(&self, file: &std::path::Path, durability: Durability) -> Result<()> {
        report::save_file(self, file, durability)
    }

    /// Where [`save`](ReplayReport::save) writes it.
    pub fn place(&self) -> String {
        report::place(&self.out, &self.run_id)
    }

    /// A short table, and where the whole report is.
    pub fn terminal(&self) -> String {
        let rows = self.tables.iter().map(|(name, table)| {
            let numbers = [table.rejects_open, table.rejects_landed, table.rejects_stayed];
            let [open, landed, stayed] = numbers.map(thousands);
            [name.clone(), open, landed, stayed, table.reasons()]
        });
        let mut out = grid(COLUMNS, rows);
        let without: u64 = self.tables.values().map(|table| table.rejects_without_id).sum();
        if without > 0 {
            let without = thousands(without);
            let _ = writeln!(
                out,
                "{without} of an earlier version have no id and stay: `run` with --mode overwrite \
                 cleans all objects again"
            );
        }
        let _ = writeln!(out, "report: {}", self.place());
        out
    }
}

impl TableReplay {
    /// The most frequent reasons why rejects stay.
    fn reasons(&self) -> String {
        let of = |(code, columns): (&String, &BTreeMap<String, u64>)| {
            let code = code.clone();
            let shown = columns.iter().map(move |(column, n)| match column.as_str() {
                "" => (*n, code.clone()),
                column => (*n, format!("{column} {code}")),
            });
            shown.collect::<Vec<_>>()
        };
        let mut reasons: Vec<(u64, String)> = self.stayed.iter().flat_map(of).collect();
        reasons.sort_by_key(|(n, _)| std::cmp::Reverse(*n));
        let more = reasons.len().saturating_sub(SHOWN);
        let shown = reasons.into_iter().take(SHOWN);
        let mut shown: Vec<_> = shown.map(|(n, why)| format!("{why} {}", thousands(n))).collect();
        if more > 0 {
            shown.push(format!("{more} more"));
        }
        shown.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_shows_what_stays_and_why() {
        let mut counts = Counts { open: 1_250, landed: 1_200, rows: 1_201, ..Counts::default() };
        let reasons =
            [("type", Some("ind"), 40), ("invalid_json", None, 7), ("range", Some("age"), 2)];
        for (code, column, n) in reasons {
            (0..n).for_each(|_| counts.stay(code, column));
        }
        counts.stay("object_gone", None);
        counts.without_id = 1;
        let tables = [("geo", Counts::default()), ("pin", counts)];
        let tables =
            tables.map(|(name, counts)| (name.to_owned(), TableReplay::new("abc", &counts)));
        let report = ReplayReport {
            run_id: "20240131T235959Z-0a1b2c3d".into(),
            operation: "replay",
            version: "1",
            outcome: Outcome::Committed,
            started: String::new(),
            elapsed_s: 0.0,
            out: "s3://lake/clean/".into(),
            spec_hash: String::new(),
            requests: RequestCounts::default(),
            tables: tables.into(),
        };
        insta::assert_snapshot!(report.terminal(), @r"
        table   open  landed  stayed  why
        geo        0       0       0
        pin    1,250   1,200      50  ind type 40, invalid_json 7, age range 2, 1 more
        1 of an earlier version have no id and stay: `run` with --mode overwrite cleans all objects again
        report: s3://lake/clean/_runs/20240131T235959Z-0a1b2c3d.json
        ");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["tables"]["pin"]["stayed"]["type"]["ind"], 40);
        assert_eq!(json["tables"]["pin"]["records_written"], 1_201);
    }
}
