//! The quality gates of a run: when what was committed is not fit to pass as done.

use crate::error::{Error, Result};
use crate::pipeline::report::{BrokenGate, EmptyTable, NullColumn, Report, TableReport};
use crate::settings::{LogFormat, MaxRejects, Ui};

/// Returns the gates that a run broke, over the tables that it committed.
///
/// `--max-rejects` goes by all tables together. Besides, a table that had records must
/// get one of them, unless every record of a run may be a reject.
pub fn broken(limit: Option<MaxRejects>, report: &Report) -> Vec<BrokenGate> {
    let committed = || report.tables.iter().filter(|(_, table)| table.commit.is_some());
    let sum = |count: fn(&TableReport) -> u64| -> u64 { committed().map(|(_, t)| count(t)).sum() };
    let (read, rejects) = (sum(|t| t.records_read), sum(|t| t.records_quarantined));
    let limit_broken = limit.filter(|limit| limit.is_broken_by(rejects, read));
    let too_many = limit_broken.map(|limit| BrokenGate::MaxRejects {
        rejects,
        read,
        limit: limit.to_string(),
    });
    let may_be_empty = limit.is_some_and(MaxRejects::allows_all);
    let empty = committed()
        .filter(|_| !may_be_empty)
        .filter_map(|(name, table)| EmptyTable::of(name, table))
        .map(BrokenGate::EmptyTable);
    too_many.into_iter().chain(empty).collect()
}

/// Returns the error that a run with these gates ends with.
///
/// # Errors
/// [`Error::BrokenGate`] if there is one.
pub fn verdict(report: &Report) -> Result<()> {
    let gates = &report.broken_gates;
    if gates.is_empty() {
        return Ok(());
    }
    let too_many = gates.iter().filter_map(|gate| match gate {
        BrokenGate::MaxRejects { rejects, read, limit } => Some(format!(
            "{rejects} of {read} records were quarantined, more than --max-rejects {limit}"
        )),
        BrokenGate::EmptyTable(_) => None,
    });
    let parts: Vec<String> = too_many.chain(empty_tables(gates)).collect();
    let out = report.out.trim_end_matches('/');
    Err(Error::BrokenGate { broken: parts.join("; "), place: format!("{out}/_quarantine") })
}

fn empty_tables(gates: &[BrokenGate]) -> Option<String> {
    let names = gates.iter().filter_map(|gate| match gate {
        BrokenGate::EmptyTable(empty) => Some(empty.table.as_str()),
        BrokenGate::MaxRejects { .. } => None,
    });
    let names: Vec<&str> = names.collect();
    let subject = match names[..] {
        [] => return None,
        [name] => format!("table {name} got none of its records"),
        _ => format!("tables {} got none of their records", names.join(", ")),
    };
    Some(format!("{subject}, which only --max-rejects 100% allows"))
}

/// Logs what an operator should look at: a line for each table that got none of its
/// records, and one for each column that is suspiciously null.
pub fn log(report: &Report, ui: &Ui) {
    for gate in &report.broken_gates {
        if let BrokenGate::EmptyTable(empty) = gate {
            log_empty(empty, ui);
        }
    }
    for (table, part) in report.tables.iter().filter(|(_, part)| part.commit.is_some()) {
        part.null_columns.iter().for_each(|column| log_null(table, column, ui));
    }
}

fn log_empty(empty: &EmptyTable, ui: &Ui) {
    let EmptyTable { table, records, column, code, rejects, example } = empty;
    match (ui.log, example) {
        // A line for people says all of it by itself.
        (LogFormat::Text, _) | (_, None) => tracing::error!("{empty}"),
        (LogFormat::Json, Some(example)) => tracing::error!(
            table,
            records,
            column = column.as_deref(),
            code,
            rejects,
            object = example.object,
            line = example.line,
            example = example.message,
            "{empty}"
        ),
    }
}

fn log_null(table: &str, null: &NullColumn, ui: &Ui) {
    let NullColumn { column, rows, absent_fields, .. } = null;
    let likely: Vec<&str> =
        absent_fields.iter().filter_map(|field| field.likely.as_deref()).collect();
    let likely = (!likely.is_empty()).then(|| likely.join(", "));
    match (null.is_suspicious(), ui.log) {
        (false, _) => tracing::debug!("{table}: {null}"),
        (true, LogFormat::Text) => tracing::warn!("{table}: {null}"),
        (true, LogFormat::Json) => {
            tracing::warn!(table, column, rows, likely_field = likely.as_deref(), "{table}: {null}")
        }
    }
}

#[cfg(test)]
mod tests;
