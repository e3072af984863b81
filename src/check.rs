//! Do the transforms do what their examples say?

mod compare;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::spec::{Column, Example, OnError, Problem, Problems, Spec};
use crate::trial::{Trial, rows};
use crate::{Error, Result};
use compare::{Outcome, mismatches};

/// A table whose examples all passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// The table.
    pub table: String,
    /// The file of its transform.
    pub file: String,
    /// How many columns are written.
    pub columns: usize,
    /// How many examples there are.
    pub examples: usize,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Passed { table, columns, examples, .. } = self;
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        write!(f, "{table}: {columns} column{}, ", plural(*columns))?;
        write!(f, "{examples} example{} passed", plural(*examples))
    }
}

/// Runs the examples of every table through the stages of a run.
///
/// # Errors
/// [`Error::Spec`] with every example that does not become what it says, all
/// tables together.
pub fn check(specs: &[Spec]) -> Result<Vec<Passed>> {
    let mut problems = Vec::new();
    let mut passed = Vec::new();
    for spec in specs {
        problems.extend(run_examples(spec)?);
        passed.push(Passed {
            table: spec.table.clone(),
            file: spec.file.clone(),
            columns: spec.columns.iter().filter(|column| !column.hidden).count(),
            examples: spec.examples.len(),
        });
    }
    problems.sort();
    if problems.is_empty() {
        Ok(passed)
    } else {
        Err(Error::Spec(Problems::of_transforms(problems)))
    }
}

fn run_examples(spec: &Spec) -> Result<Vec<Problem>> {
    let spec = rejecting(spec);
    let mut trial = Trial::new(&spec)?;
    let mut problems = Vec::new();
    for example in &spec.examples {
        let batch = trial.run(example.input.as_bytes())?;
        let outcome = Outcome { rows: rows(&batch.frame), rejects: batch.rejects };
        let found = mismatches(&example.expect, &outcome);
        problems.extend(found.into_iter().map(|message| problem(&spec, example, &message)));
    }
    Ok(problems)
}

/// The same table, but that a record that ends a run is a reject: an example
/// says by which value, and a run would stop at the first.
fn rejecting(spec: &Spec) -> Spec {
    let column = |column: &Column| match column.on_error {
        OnError::Fail => Column { on_error: OnError::Quarantine, ..column.clone() },
        OnError::Quarantine | OnError::Null => column.clone(),
    };
    Spec { columns: spec.columns.iter().map(column).collect(), ..spec.clone() }
}

fn problem(spec: &Spec, example: &Example, message: &str) -> Problem {
    Problem {
        file: spec.file.clone(),
        line: example.line,
        column: 1,
        message: format!("example {:?}: {message}", example.name),
    }
}
