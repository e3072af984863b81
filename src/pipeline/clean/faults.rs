//! Wrong values, gathered by row, and what becomes of their records.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::Changes;
use crate::code::Code;
use crate::error::{Error, Result};
use crate::key::Layout;
use crate::pipeline::decode::{DecodedBatch, Reject};
use crate::spec::{OnError, Source, Spec};

/// The wrong values of one batch. The first fault of a value counts.
pub struct Faults<'s> {
    spec: &'s Spec,
    by_value: BTreeMap<(usize, usize), Fault>,
}

struct Fault {
    code: Code,
    value: String,
}

impl<'s> Faults<'s> {
    /// No faults yet.
    pub fn new(spec: &'s Spec) -> Faults<'s> {
        Faults { spec, by_value: BTreeMap::new() }
    }

    /// Adds a fault, unless the value has one. `value` shows the value.
    pub fn add(&mut self, row: usize, column: usize, code: Code, value: impl FnOnce() -> String) {
        self.by_value.entry((row, column)).or_insert_with(|| Fault { code, value: value() });
    }

    /// Counts the values that became null because they were wrong.
    pub fn count_nulled(&self, changes: &mut Changes) {
        for ((_, column), fault) in self.of_kind(OnError::Null) {
            let name = self.spec.columns[*column].name.clone();
            *changes.entry((name, format!("on_error {}", fault.code))).or_default() += 1;
        }
    }

    /// Makes arrays null of which an element is wrong. An element by itself is
    /// null by now; that would look as if the field had been.
    ///
    /// # Errors
    /// If Polars refuses, which it has no cause to.
    pub fn null_arrays(&self, frame: DataFrame) -> PolarsResult<DataFrame> {
        let mut wrong: BTreeMap<usize, Vec<bool>> = BTreeMap::new();
        for ((row, column), _) in self.of_kind(OnError::Null) {
            if matches!(self.spec.columns[*column].source, Source::Array { .. }) {
                let none = || vec![false; frame.height()];
                wrong.entry(*column).or_insert_with(none)[*row] = true;
            }
        }
        if wrong.is_empty() {
            return Ok(frame);
        }
        let nulled = wrong.into_iter().map(|(column, wrong)| {
            let name = self.spec.columns[column].name.as_str();
            let wrong = lit(Series::new(PlSmallStr::EMPTY, wrong));
            when(wrong).then(lit(NULL)).otherwise(col(name)).alias(name)
        });
        let nulled: Vec<Expr> = nulled.collect();
        frame.lazy().with_columns(nulled).collect()
    }

    /// Which of the rows passed; `None` if all did.
    pub fn passed(&self, rows: usize) -> Option<BooleanChunked> {
        self.of_kind(OnError::Quarantine).next()?;
        let mut passed = vec![true; rows];
        for ((row, _), _) in self.of_kind(OnError::Quarantine) {
            passed[*row] = false;
        }
        Some(BooleanChunked::from_slice(PlSmallStr::EMPTY, &passed))
    }

    /// One reject a record: its first wrong column, the others in words.
    ///
    /// # Errors
    /// [`Error::RecordFailed`] if a column says `on_error = "fail"`.
    pub fn rejects(&self, batch: &DecodedBatch, layout: &Layout) -> Result<Vec<Reject>> {
        if let Some(((row, column), fault)) = self.of_kind(OnError::Fail).next() {
            let origin = &batch.rows[*row];
            let shard = &batch.raw.shard;
            let object = shard.objects[origin.object as usize].key(&shard.source, layout);
            return Err(Error::RecordFailed {
                object,
                line: origin.line,
                column: self.spec.columns[*column].name.clone(),
                message: self.message(*column, fault),
            });
        }
        let mut rejects: Vec<Reject> = Vec::new();
        let mut last = None;
        for ((row, column), fault) in self.of_kind(OnError::Quarantine) {
            match rejects.last_mut() {
                Some(reject) if last == Some(*row) => {
                    let name = &self.spec.columns[*column].name;
                    reject.message += &format!("; {name}: {}", self.message(*column, fault));
                }
                _ => rejects.push(self.reject(batch, *row, *column, fault)),
            }
            last = Some(*row);
        }
        Ok(rejects)
    }

    fn reject(&self, batch: &DecodedBatch, row: usize, column: usize, fault: &Fault) -> Reject {
        let origin = &batch.rows[row];
        Reject {
            object: origin.object,
            line: origin.line,
            offset: origin.offset,
            column: Some(self.spec.columns[column].name.clone()),
            code: fault.code,
            message: self.message(column, fault),
            raw: batch.record(origin).to_vec(),
        }
    }

    fn of_kind(&self, kind: OnError) -> impl Iterator<Item = (&(usize, usize), &Fault)> {
        self.by_value
            .iter()
            .filter(move |((_, column), _)| self.spec.columns[*column].on_error == kind)
    }

    fn message(&self, column: usize, fault: &Fault) -> String {
        let column = &self.spec.columns[column];
        let value = &fault.value;
        match fault.code {
            Code::Type => format!("{value} is no {}", column.ty),
            Code::Overflow => format!("{value} does not fit {}", column.ty),
            Code::NotFinite => format!("{value} is not a finite number"),
            Code::Format => format!("{value} is in none of the column's formats"),
            Code::InvalidEscape => format!("{value} holds an escape that is no character"),
            Code::NotAllowed => format!("{value} is not among the allowed values"),
            Code::Range => match column.range {
                Some(range) => format!("{value} is outside of {range}"),
                None => format!("{value} is out of range"),
            },
            Code::Required => "missing or null, and the column is required".to_owned(),
            other => format!("{value}: {other}"),
        }
    }
}
