//! What readers of the output see.

use parquet::record::Field;

use super::site::Site;
use crate::table::{Row, multiset};

/// A record in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub object: String,
    pub line: i64,
    pub column: Option<String>,
    pub code: String,
    pub message: String,
    pub raw: Vec<u8>,
}

impl Site {
    /// The rows of a table, each as text, sorted.
    pub fn rows(&self, table: &str) -> Vec<String> {
        multiset(&self.out().rows(table))
    }

    /// The column `ind` of a table, sorted.
    pub fn inds(&self, table: &str) -> Vec<i64> {
        let rows = self.out().rows(table);
        let mut inds: Vec<i64> = rows.iter().map(|row| int(field(row, "ind"))).collect();
        inds.sort_unstable();
        inds
    }

    /// The quarantine of a table, sorted.
    pub fn rejects(&self, table: &str) -> Vec<Reject> {
        let rows = self.out().rejects(table);
        let mut rejects: Vec<Reject> = rows.iter().map(reject).collect();
        rejects.sort_unstable();
        rejects
    }

    /// The Parquet files that readers of the tables see.
    pub fn visible(&self) -> Vec<String> {
        self.out().visible().into_iter().collect()
    }

    /// No reader sees a file that is not there, and no file is left over.
    #[track_caller]
    pub fn assert_settled(&self) {
        self.out().assert_settled();
    }
}

fn reject(row: &Row) -> Reject {
    let text = |name| match field(row, name) {
        Field::Str(text) => Some(text.clone()),
        Field::Null => None,
        other => panic!("{name} is {other}"),
    };
    let Field::Bytes(raw) = field(row, "raw") else { panic!("raw is no bytes: {row:?}") };
    Reject {
        topic: text("topic").unwrap(),
        partition: int(field(row, "partition")) as i32,
        offset: int(field(row, "offset")),
        object: text("object").unwrap(),
        line: int(field(row, "line")),
        column: text("column"),
        code: text("code").unwrap(),
        message: text("message").unwrap(),
        raw: raw.data().to_vec(),
    }
}

fn field<'r>(row: &'r Row, name: &str) -> &'r Field {
    row.iter().find(|(column, _)| column == name).map(|(_, field)| field).unwrap()
}

/// A null counts as -1, which no test writes.
fn int(field: &Field) -> i64 {
    match field {
        Field::Int(n) => (*n).into(),
        Field::Long(n) => *n,
        Field::Null => -1,
        other => panic!("{other} is no integer"),
    }
}
