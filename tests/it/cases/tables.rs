//! What readers of the output see.

use std::collections::BTreeSet;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use serde_json::Value;

use super::site::Site;

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
        let mut rows: Vec<String> =
            self.parquet(&format!("{table}/")).iter().map(Row::to_string).collect();
        rows.sort_unstable();
        rows
    }

    /// The column `ind` of a table, sorted.
    pub fn inds(&self, table: &str) -> Vec<i64> {
        let rows = self.parquet(&format!("{table}/"));
        let mut inds: Vec<i64> = rows.iter().map(|row| int(field(row, "ind"))).collect();
        inds.sort_unstable();
        inds
    }

    /// The quarantine of a table, sorted.
    pub fn rejects(&self, table: &str) -> Vec<Reject> {
        let rows = self.parquet(&format!("_quarantine/{table}/"));
        let mut rejects: Vec<Reject> = rows.iter().map(reject).collect();
        rejects.sort_unstable();
        rejects
    }

    /// The Parquet files that readers see in a folder of the output.
    pub fn visible(&self, folder: &str) -> Vec<String> {
        let mut keys = self.out_keys(folder);
        keys.retain(|key| key.ends_with(".parquet"));
        keys
    }

    /// The Parquet files of all tables that no manifest lists: what readers of
    /// the folder see although it was not committed.
    pub fn unlisted(&self) -> Vec<String> {
        let listed = self.listed();
        self.visible("").into_iter().filter(|key| !listed.contains(key)).collect()
    }

    /// Every file that the manifests list is there, and no other.
    #[track_caller]
    pub fn assert_settled(&self) {
        let visible: BTreeSet<String> = self.visible("").into_iter().collect();
        assert_eq!(visible, self.listed());
    }

    /// The manifests of a table, from the first on.
    pub fn manifests(&self, table: &str) -> Vec<Value> {
        let keys = self.out_keys(&format!("{table}/_pinclean/"));
        let keys = keys.iter().filter(|key| key.ends_with(".json"));
        keys.map(|key| serde_json::from_slice(&self.out(key)).unwrap()).collect()
    }

    /// The files that the manifests list, since the last full run.
    fn listed(&self) -> BTreeSet<String> {
        let mut listed = BTreeSet::new();
        for table in ["geo", "pin", "user"] {
            let manifests = self.manifests(table);
            let full = manifests.iter().rposition(|manifest| manifest["mode"] == "full");
            for manifest in &manifests[full.unwrap_or(0)..] {
                let paths = |key: &str| -> Vec<String> {
                    let files = manifest[key].as_array().unwrap();
                    files.iter().map(|file| file["path"].as_str().unwrap().to_owned()).collect()
                };
                listed.extend(paths("files").iter().map(|path| format!("{table}/{path}")));
                let rejects = paths("rejects");
                listed.extend(rejects.iter().map(|path| format!("_quarantine/{table}/{path}")));
            }
        }
        listed
    }

    fn parquet(&self, folder: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        for key in self.visible(folder) {
            let reader = SerializedFileReader::new(Bytes::from(self.out(&key))).unwrap();
            rows.extend(reader.get_row_iter(None).unwrap().map(Result::unwrap));
        }
        rows
    }
}

fn reject(row: &Row) -> Reject {
    let text = |name| match field(row, name) {
        Field::Str(text) => Some(text.clone()),
        Field::Null => None,
        other => panic!("{name} is {other}"),
    };
    let Field::Bytes(raw) = field(row, "raw") else { panic!("raw is no bytes: {row}") };
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
    let mut columns = row.get_column_iter();
    columns.find(|(column, _)| *column == name).map(|(_, field)| field).unwrap()
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
