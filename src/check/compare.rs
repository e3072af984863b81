//! What an example became, against what it says.

use serde_json::{Map, Value};

use crate::pipeline::decode::Reject;
use crate::spec::Expect;
use crate::trial::Row;

/// What an example's input became.
#[derive(Debug)]
pub struct Outcome {
    /// Rows that passed.
    pub rows: Vec<Row>,
    /// Records that did not.
    pub rejects: Vec<Reject>,
}

/// Every difference, in words; none if the example passed.
pub fn mismatches(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    match (expect, outcome.rows.as_slice(), outcome.rejects.as_slice()) {
        (_, [], []) => vec!["the input holds no record".to_owned()],
        (Expect::Row(expected), [row], []) => differences(expected, row),
        (Expect::Row(_), [], [reject]) => {
            vec![format!("expected a row, got {}", describe(reject))]
        }
        (Expect::Reject { code, column }, [], [reject]) => {
            let as_expected =
                reject.code.as_str() == code && (column.is_none() || *column == reject.column);
            if as_expected {
                return Vec::new();
            }
            let expected = wanted(code, column.as_deref());
            vec![format!("expected {expected}, got {}", describe(reject))]
        }
        (Expect::Reject { code, column }, [row], []) => {
            let expected = wanted(code, column.as_deref());
            vec![format!("expected {expected}, got the row {}", shown(row, column.as_deref()))]
        }
        (_, rows, rejects) => {
            let (rows, rejects) = (rows.len(), rejects.len());
            vec![format!(
                "the input gives {rows} rows and {rejects} rejects; an example is one record, on one line"
            )]
        }
    }
}

fn differences(expected: &Row, row: &Row) -> Vec<String> {
    let actual = |name: &str| row.iter().find(|(column, _)| column == name).map(|(_, v)| v);
    let differs = |(name, value): &(String, Value)| match actual(name) {
        Some(actual) if actual == value => None,
        Some(actual) => Some(format!("column {name}: expected {value}, got {actual}")),
        None => Some(format!("column {name}: expected {value}, but it is not written")),
    };
    expected.iter().filter_map(differs).collect()
}

fn wanted(code: &str, column: Option<&str>) -> String {
    match column {
        Some(column) => format!("the reject {code} of column {column}"),
        None => format!("the reject {code}"),
    }
}

fn describe(reject: &Reject) -> String {
    let wanted = wanted(reject.code.as_str(), reject.column.as_deref());
    format!("{wanted}: {}", reject.message)
}

/// The column in question, or else the whole row, as JSON.
fn shown(row: &Row, column: Option<&str>) -> String {
    let wanted = |name: &str| column.is_none_or(|column| column == name);
    let named = || row.iter().filter(|(name, _)| wanted(name));
    // A hidden column is in no row.
    let values: Vec<_> =
        if named().next().is_some() { named().collect() } else { row.iter().collect() };
    Value::Object(values.into_iter().cloned().collect::<Map<_, _>>()).to_string()
}
