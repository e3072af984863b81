//! What readers of an output see, in either format: the files that a table's
//! log lists, and their rows. Nothing of pinclean reads them here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use bytes::Bytes;

use crate::s3::Server;

mod log;
mod rows;

pub use rows::{Row, column, multiset, rows_of, shown};

/// The tables that are built in.
pub const TABLES: [&str; 3] = ["geo", "pin", "user"];

/// What `--format` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The default.
    Delta,
    Parquet,
}

impl Format {
    pub const BOTH: [Format; 2] = [Format::Delta, Format::Parquet];

    /// Nothing for the default.
    pub fn args(self) -> &'static [&'static str] {
        match self {
            Format::Delta => &[],
            Format::Parquet => &["--format", "parquet"],
        }
    }

    /// The folder of a table's commits; ends with a slash.
    pub fn commits(self, table: &str) -> String {
        match self {
            Format::Delta => format!("{table}/_delta_log/"),
            Format::Parquet => format!("{table}/_pinclean/"),
        }
    }

    /// A table's first commit.
    pub fn first_commit(self, table: &str) -> String {
        let name = match self {
            Format::Delta => "00000000000000000000.json",
            Format::Parquet => "0000000001.json",
        };
        self.commits(table) + name
    }
}

/// An output.
pub enum Place<'a> {
    Folder(PathBuf),
    /// A bucket and a prefix, which is empty or ends with `/`.
    Bucket(&'a Server, String, String),
}

impl Place<'_> {
    /// Paths of everything that starts with `prefix`, sorted.
    pub fn list(&self, prefix: &str) -> Vec<String> {
        match self {
            Place::Bucket(server, bucket, root) => {
                let keys = server.keys(bucket, &format!("{root}{prefix}"));
                keys.iter().map(|key| key[root.len()..].to_owned()).collect()
            }
            Place::Folder(root) => {
                let mut found = files(root);
                found.retain(|path| path.starts_with(prefix));
                found
            }
        }
    }

    pub fn read(&self, path: &str) -> Bytes {
        let found = match self {
            Place::Bucket(server, bucket, root) => server.get(bucket, &format!("{root}{path}")),
            Place::Folder(root) => fs::read(root.join(path)).ok().map(Bytes::from),
        };
        found.unwrap_or_else(|| panic!("{path} is not there"))
    }

    pub fn put(&self, path: &str, body: impl Into<Bytes>) {
        match self {
            Place::Bucket(server, bucket, root) => {
                server.put(bucket, &format!("{root}{path}"), body.into());
            }
            Place::Folder(root) => {
                let file = root.join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, body.into()).unwrap();
            }
        }
    }

    pub fn remove(&self, path: &str) {
        match self {
            Place::Bucket(server, bucket, root) => {
                assert!(server.delete(bucket, &format!("{root}{path}")), "{path}");
            }
            Place::Folder(root) => fs::remove_file(root.join(path)).unwrap(),
        }
    }

    /// All that is there, but for the reports of runs.
    pub fn snapshot(&self) -> BTreeMap<String, Bytes> {
        let paths = self.list("").into_iter().filter(|path| !path.starts_with("_runs/"));
        paths.map(|path| (path.clone(), self.read(&path))).collect()
    }

    /// The rows of a table, in the order of its files' paths.
    pub fn rows(&self, table: &str) -> Vec<Row> {
        self.rows_in(&self.live(table))
    }

    /// The rows of a table's quarantine.
    pub fn rejects(&self, table: &str) -> Vec<Row> {
        self.rows_in(&self.live_rejects(table))
    }

    fn rows_in(&self, files: &[log::Live]) -> Vec<Row> {
        let rows = files.iter().flat_map(|file| rows::read(self.read(&file.path), &file.partition));
        rows.collect()
    }

    /// The columns of a table's files, as Parquet writes them.
    pub fn schema(&self, table: &str) -> String {
        rows::schema(self.live(table).iter().map(|file| self.read(&file.path)))
    }

    /// The Parquet files that readers of the tables see, quarantine and all.
    pub fn visible(&self) -> BTreeSet<String> {
        let live = TABLES.iter().flat_map(|t| [self.live(t), self.live_rejects(t)]).flatten();
        live.map(|file| file.path).collect()
    }

    /// Parquet files that no commit has ever spoken of.
    pub fn strays(&self) -> Vec<String> {
        let known: BTreeSet<String> = TABLES
            .iter()
            .flat_map(|t| [(*t).to_owned(), format!("_quarantine/{t}")])
            .flat_map(|folder| self.known(&folder))
            .collect();
        let mut strays = self.list("");
        strays.retain(|path| path.ends_with(".parquet") && !known.contains(path));
        // What a replay resolved stays as long as its quarantine.
        strays.retain(|path| !path.contains("/_resolved/"));
        strays
    }

    /// Every file that readers see is there, and no file is left of a run that
    /// did not commit.
    #[track_caller]
    pub fn assert_settled(&self) {
        self.assert_whole();
        assert_eq!(self.strays(), [""; 0]);
    }

    /// Every file that readers see is there.
    #[track_caller]
    pub fn assert_whole(&self) {
        let there: BTreeSet<String> = self.list("").into_iter().collect();
        let visible = self.visible();
        let missing: Vec<_> = visible.difference(&there).collect();
        assert!(missing.is_empty(), "listed and not there: {missing:#?}");
    }
}

/// Columns of the quarantine that differ from run to run.
const OF_THE_RUN: [&str; 3] = ["run_id", "at", "id"];

/// Both outputs hold the same, and nothing that is not committed.
#[track_caller]
pub fn assert_same(found: &Place<'_>, expected: &Place<'_>) {
    assert_same_rows(found, expected);
    assert_eq!(found.strays(), [""; 0]);
}

/// Readers see the same in both outputs. There may be files that no reader sees.
#[track_caller]
pub fn assert_same_rows(found: &Place<'_>, expected: &Place<'_>) {
    for table in TABLES {
        assert_rows(table, found.rows(table), expected.rows(table));
        assert_rows(table, found.rejects(table), expected.rejects(table));
    }
    found.assert_whole();
}

#[track_caller]
fn assert_rows(table: &str, found: Vec<Row>, expected: Vec<Row>) {
    let [found, expected] = [found, expected].map(|mut rows| {
        rows.iter_mut().for_each(|row| row.retain(|(name, _)| !OF_THE_RUN.contains(&&**name)));
        multiset(&rows)
    });
    let first = found.iter().zip(&expected).find(|(a, b)| a != b);
    assert!(first.is_none(), "{table}: {first:#?}");
    assert_eq!(found.len(), expected.len(), "{table}");
}

/// The files below a folder, relative to it, sorted; none if it is not there.
pub fn files(folder: &std::path::Path) -> Vec<String> {
    let (mut found, mut waiting) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(next) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            match path.is_dir() {
                true => waiting.push(path),
                false => found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().into()),
            }
        }
    }
    found.sort_unstable();
    found
}
