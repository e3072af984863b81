//! Columns that are null in every row of a run, and why.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::TableReport;
use crate::grid::thousands;
use crate::near::alias;
use crate::spec::{Column, Source, Spec};

/// In so many rows it is news that a field is there and never has a value. In the few
/// rows of a small increment each may well be a placeholder.
const MANY_ROWS: u64 = 100;

/// Fields that are named where no name is like that of the field that is absent.
const OTHERS: usize = 3;

/// Which columns had a value in a row, and which fields were in a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenValues {
    /// Written columns, by their place in the table.
    pub columns: BTreeSet<usize>,
    /// Slots of the spec.
    pub slots: BTreeSet<usize>,
}

impl SeenValues {
    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: &SeenValues) {
        self.columns.extend(&other.columns);
        self.slots.extend(&other.slots);
    }
}

/// A written column that is null in every row of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NullColumn {
    /// The column's name.
    pub column: String,
    /// The rows.
    pub rows: u64,
    /// Why it is null.
    pub cause: NullCause,
    /// Fields that it reads and that no record had.
    pub absent_fields: Vec<AbsentField>,
    /// If one of them has no likely other name: a few fields that are in every row, and
    /// that no column reads.
    pub unread_fields: Vec<String>,
}

/// Why a column is null in every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NullCause {
    /// No record had one of its fields.
    FieldAbsent,
    /// Values were wrong, and the column says `on_error = "null"`.
    WrongValues,
    /// Its fields were there, and null or a placeholder.
    NoValues,
}

/// A field that no record had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AbsentField {
    /// The names that its column reads it by.
    pub names: Vec<String>,
    /// The unread field that is probably meant.
    pub likely: Option<String>,
    /// Records that have that one.
    pub records: u64,
}

impl NullColumn {
    /// Returns the columns of a table that are null in every row of a run. Constants
    /// are meant to be what they are.
    pub fn all(spec: &Spec, table: &TableReport) -> Vec<NullColumn> {
        if table.records_written == 0 {
            return Vec::new();
        }
        let written = spec.columns.iter().filter(|column| !column.hidden).enumerate();
        let null = written.filter(|(place, column)| {
            !table.seen.columns.contains(place) && !matches!(column.source, Source::Constant(_))
        });
        let mut all: Vec<NullColumn> =
            null.map(|(_, column)| NullColumn::new(spec, column, table)).collect();
        // A field that is probably another column's is no candidate for the rest.
        let fields = all.iter().flat_map(|column| &column.absent_fields);
        let taken: BTreeSet<String> = fields.filter_map(|field| field.likely.clone()).collect();
        for column in &mut all {
            column.unread_fields.retain(|field| !taken.contains(field));
            column.unread_fields.truncate(OTHERS);
        }
        all
    }

    fn new(spec: &Spec, column: &Column, table: &TableReport) -> NullColumn {
        let mut slots = BTreeSet::new();
        add_slots(spec, column, &mut slots);
        let absent = slots.into_iter().filter(|slot| !table.seen.slots.contains(slot));
        let absent_fields: Vec<AbsentField> =
            absent.map(|slot| AbsentField::new(&spec.slots[slot].names, table)).collect();
        let changes = table.columns.get(&column.name);
        let is_wrong = |rule: &String| rule.starts_with("on_error ");
        let cause = match changes.is_some_and(|rules| rules.keys().any(is_wrong)) {
            _ if !absent_fields.is_empty() => NullCause::FieldAbsent,
            true => NullCause::WrongValues,
            false => NullCause::NoValues,
        };
        let is_explained = absent_fields.iter().all(|field| field.likely.is_some());
        NullColumn {
            column: column.name.clone(),
            rows: table.records_written,
            cause,
            unread_fields: if is_explained { Vec::new() } else { in_every_row(table) },
            absent_fields,
        }
    }

    /// Whether it is worth a warning: a field that is there, and has no value in a few
    /// rows, is not.
    pub fn is_suspicious(&self) -> bool {
        self.cause != NullCause::NoValues || self.rows >= MANY_ROWS
    }
}

/// Adds the slots that a column reads, by itself or by the columns that its SQL names.
fn add_slots(spec: &Spec, column: &Column, slots: &mut BTreeSet<usize>) {
    slots.extend(column.source.slots());
    let Source::Sql { columns, .. } = &column.source else { return };
    // SQL names only columns before its own, so that this comes to an end.
    let before = spec.columns.iter().take_while(|other| other.name != column.name);
    let plain = spec.columns.iter().filter(|other| !matches!(other.source, Source::Sql { .. }));
    for named in before.chain(plain).filter(|other| columns.contains(&other.name)) {
        add_slots(spec, named, slots);
    }
}

/// Returns the fields that no column reads and that are in every row.
fn in_every_row(table: &TableReport) -> Vec<String> {
    let everywhere = table.unknown_fields.iter().filter(|(_, n)| **n >= table.records_written);
    everywhere.map(|(name, _)| name.clone()).collect()
}

impl AbsentField {
    fn new(names: &[String], table: &TableReport) -> AbsentField {
        let unread = table.unknown_fields.iter().map(|(name, n)| (name.as_str(), *n));
        let likely = alias(names, unread);
        AbsentField {
            names: names.to_vec(),
            likely: likely.map(|(name, _)| name.to_owned()),
            records: likely.map_or(0, |(_, records)| records),
        }
    }
}

impl fmt::Display for AbsentField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.names.iter().map(|name| format!("{name:?}")).collect();
        write!(f, "no record has {}", names.join(" or "))?;
        match (&self.likely, self.records) {
            (None, _) => Ok(()),
            (Some(likely), 1) => write!(f, " (did you mean {likely:?}, which 1 record has?)"),
            (Some(likely), n) => {
                write!(f, " (did you mean {likely:?}, which {} records have?)", thousands(n))
            }
        }
    }
}

impl fmt::Display for NullColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = &self.column;
        match self.rows {
            1 => write!(f, "column {column} is null in the only row of this run: ")?,
            n => write!(f, "column {column} is null in all {} rows of this run: ", thousands(n))?,
        }
        match self.cause {
            NullCause::WrongValues => {
                f.write_str("its values are wrong, and on_error = \"null\" makes them null")
            }
            NullCause::NoValues => {
                f.write_str("the records have its field, but it is null or a placeholder")
            }
            NullCause::FieldAbsent => {
                let absent: Vec<String> =
                    self.absent_fields.iter().map(ToString::to_string).collect();
                f.write_str(&absent.join(", "))?;
                match self.unread_fields.is_empty() {
                    true => Ok(()),
                    false => {
                        let unread = self.unread_fields.join(", ");
                        write!(f, "; fields of every row that no column reads: {unread}")
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
