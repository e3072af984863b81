//! The history for people.

use super::entry::{Entry, Reached};
use super::{Past, cleaned_away};
use crate::grid::{Column, grid, thousands};

const VERSIONS: [Column; 10] = [
    Column::Number("version"),
    Column::Text("time"),
    Column::Text("operation"),
    Column::Text("run"),
    Column::Number("read"),
    Column::Number("written"),
    Column::Number("quarantined"),
    Column::Number("duplicates"),
    Column::Number("files"),
    Column::Text("by"),
];

const SOURCES: [Column; 4] = [
    Column::Text("topic"),
    Column::Text("directory"),
    Column::Number("partition"),
    Column::Number("next offset"),
];

impl Past {
    /// The table's place, its versions, and how far each source is read.
    pub(super) fn terminal(&self) -> String {
        let mut out = format!("{}\n", self.place);
        out += &grid(VERSIONS, self.entries.iter().map(version));
        if let Some(gone) = self.gone {
            out += &format!("{}\n", cleaned_away(gone));
        }
        if !self.watermarks.is_empty() {
            out.push('\n');
            out += &grid(SOURCES, self.watermarks.iter().map(source));
        }
        out
    }
}

fn version(entry: &Entry) -> [String; 10] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let count = |n: Option<u64>| n.map(thousands).unwrap_or_default();
    let counts = entry.counts;
    [
        entry.version.to_string(),
        text(&entry.time),
        text(&entry.operation),
        text(&entry.run_id),
        count(counts.map(|c| c.read)),
        count(counts.map(|c| c.written)),
        count(counts.map(|c| c.quarantined)),
        count(counts.map(|c| c.duplicate)),
        files(entry),
        text(&entry.by),
    ]
}

/// Files that came and went: `+3 -1`.
fn files(entry: &Entry) -> String {
    let signed = |sign, n| (n > 0).then(|| format!("{sign}{}", thousands(n)));
    let parts = [signed('+', entry.files_added), signed('-', entry.files_removed)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn source(reached: &Reached) -> [String; 4] {
    [
        reached.topic.clone(),
        reached.directory.clone(),
        reached.partition.to_string(),
        reached.next_offset.to_string(),
    ]
}
