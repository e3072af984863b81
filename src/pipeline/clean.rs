//! Cleaning: columns of fields → the table's columns, and rejects. Pure.

mod faults;
mod origin;
mod values;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use polars::prelude::*;

use super::decode::{DecodeCounts, DecodedBatch, Origin, Reject};
use crate::error::{Error, Result};
use crate::key::Layout;
use crate::spec::expr::{Cleaning, NOTE, NoteColumn, readers, slot_name};
use crate::spec::note::{Note, null_label};
use crate::spec::{Spec, TextRules};
use faults::Faults;
pub use values::columns_with_values;

/// The table's columns, one row a record that passed.
pub struct CleanBatch {
    /// The columns of the table, in order.
    pub frame: DataFrame,
    /// Where each of them came from; as long as the frame.
    pub rows: Vec<Origin>,
    /// Records that did not pass, and those that were no rows at all.
    pub rejects: Vec<Reject>,
    /// What the rules changed.
    pub changes: Changes,
    /// What the decoder counted.
    pub counts: DecodeCounts,
}

/// Values changed, by column and rule.
pub type Changes = BTreeMap<(String, String), u64>;

/// Cleans the batches of one table.
pub struct Cleaner<'s> {
    spec: &'s Spec,
    cleaning: Cleaning,
    /// The columns that read each slot.
    readers: Vec<Vec<usize>>,
}

impl<'s> Cleaner<'s> {
    /// A cleaner of one table.
    ///
    /// # Errors
    /// [`Error::Internal`] if Polars refuses an expression that was checked.
    pub fn new(spec: &'s Spec) -> Result<Cleaner<'s>> {
        let cleaning = Cleaning::new(spec).map_err(refused)?;
        Ok(Cleaner { spec, cleaning, readers: readers(spec) })
    }

    /// Cleans one batch. A wrong value makes its record a reject, or null, as
    /// its column says.
    ///
    /// # Errors
    /// [`Error::RecordFailed`] if a column says `on_error = "fail"`.
    pub fn clean(&self, mut batch: DecodedBatch, layout: &Layout) -> Result<CleanBatch> {
        let slots = std::mem::take(&mut batch.frame);
        let cleaned = self.cleaning.plan(slots.lazy()).collect().map_err(refused)?;
        let mut changes = Changes::new();
        let mut faults = Faults::new(self.spec);
        for slot_fault in &batch.faults {
            for column in &self.readers[slot_fault.slot] {
                faults.add(slot_fault.row, *column, slot_fault.code, || slot_fault.value.clone());
            }
        }
        self.count_nulled(&batch, &mut changes);
        for notes in &self.cleaning.notes {
            self.read_notes(&cleaned, notes, &mut faults, &mut changes)?;
        }
        for mask in &self.cleaning.masks {
            let wrong = cleaned.column(&mask.name).and_then(|c| c.bool()).map_err(refused)?;
            if !wrong.any() {
                continue;
            }
            let shown = cleaned.column(&mask.shown).map_err(refused)?;
            for (row, _) in wrong.iter().enumerate().filter(|(_, wrong)| *wrong == Some(true)) {
                faults.add(row, mask.column, mask.code, || show(shown, row));
            }
        }
        faults.count_nulled(&mut changes);
        let passed = faults.passed(batch.rows.len());
        let rejects = faults.rejects(&batch, layout)?;
        batch.rejects.extend(rejects);
        let nulled = faults.null_arrays(cleaned).map_err(refused)?;
        let output = nulled.select(self.cleaning.output.iter().cloned()).map_err(refused)?;
        let output = match self.spec.unique_by.is_empty() {
            true => output,
            false => output.hstack(&origin::columns(&batch)).map_err(refused)?,
        };
        let mut rows = batch.rows;
        let frame = match passed {
            None => output,
            Some(passed) => {
                let mut passes = passed.iter();
                rows.retain(|_| passes.next().flatten() == Some(true));
                output.filter(&passed).map_err(refused)?
            }
        };
        Ok(CleanBatch { frame, rows, rejects: batch.rejects, changes, counts: batch.counts })
    }

    /// Counts the texts that the decoder made null, for each column that reads
    /// their slot.
    fn count_nulled(&self, batch: &DecodedBatch, changes: &mut Changes) {
        for nulled in &batch.nulled {
            for column in &self.readers[nulled.slot] {
                let column = &self.spec.columns[*column];
                let Some(rules) = column.source.rules() else { continue };
                let label = null_label(rules, nulled.rule);
                *changes.entry((column.name.clone(), label)).or_default() += nulled.count;
            }
        }
    }

    fn read_notes(
        &self,
        cleaned: &DataFrame,
        notes: &NoteColumn,
        faults: &mut Faults<'_>,
        changes: &mut Changes,
    ) -> Result<()> {
        let pairs = cleaned.column(&notes.name).and_then(|c| c.struct_()).map_err(refused)?;
        let bits = pairs.field_by_name(NOTE).map_err(refused)?;
        let bits = bits.u32().and_then(|bits| bits.cont_slice()).map_err(refused)?;
        let mut tally = Tally::default();
        for (row, bits) in bits.iter().copied().enumerate().filter(|(_, bits)| *bits != 0) {
            tally.add(bits);
            if let Some(code) = Note::from_bits(bits).code() {
                let text = cleaned.column(&slot_name(notes.slot)).map_err(refused)?;
                faults.add(row, notes.column, code, || show(text, row));
            }
        }
        let column = &self.spec.columns[notes.column];
        for (bits, count) in tally.counts {
            for label in labels(Note::from_bits(bits), column.source.rules()) {
                *changes.entry((column.name.clone(), label)).or_default() += count;
            }
        }
        Ok(())
    }
}

/// How often each note occurs. A column has few different ones.
#[derive(Default)]
struct Tally {
    counts: Vec<(u32, u64)>,
}

impl Tally {
    fn add(&mut self, bits: u32) {
        match self.counts.iter_mut().find(|(known, _)| *known == bits) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((bits, 1)),
        }
    }
}

/// What the report calls what happened to a text.
fn labels(note: Note, rules: Option<&TextRules>) -> Vec<String> {
    let nulled = note.null_rule().zip(rules).map(|(rule, rules)| null_label(rules, rule));
    note.steps().map(|step| step.as_str().to_owned()).chain(nulled).collect()
}

fn show(column: &Column, row: usize) -> String {
    column.get(row).map(|value| format!("{value}")).unwrap_or_default()
}

fn refused(error: PolarsError) -> Error {
    Error::Internal { stage: "clean", message: error.to_string() }
}
