//! Reading back what a run wrote, as any reader of Parquet would.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::printer::print_schema;

/// The Parquet files of a table's folder, by name.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
    paths.sort();
    paths
}

fn reader(file: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(file).unwrap())
        .unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// All rows of a table's folder, in no order that counts.
pub fn rows(folder: &Path) -> Vec<Row> {
    let files = files(folder);
    files.iter().flat_map(|file| reader(file).into_iter().map(Result::unwrap)).collect()
}

/// All rows as texts that differ where the rows differ, sorted: two tables are
/// equal as multisets if these are equal.
pub fn multiset(rows: &[Row]) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    texts.sort_unstable();
    texts
}

/// The values of one column.
pub fn column<'r>(rows: &'r [Row], name: &str) -> impl Iterator<Item = &'r Field> {
    rows.iter().map(move |row| {
        let found = row.get_column_iter().find(|(column, _)| *column == name);
        found.unwrap_or_else(|| panic!("no column {name}")).1
    })
}

/// The Parquet schema of a table's files, which must be one and the same.
pub fn schema(folder: &Path) -> String {
    let print = |file: &PathBuf| {
        let mut text = Vec::new();
        print_schema(&mut text, reader(file).metadata().file_metadata().schema());
        String::from_utf8(text).unwrap()
    };
    let mut schemas: Vec<String> = files(folder).iter().map(print).collect();
    schemas.dedup();
    assert_eq!(schemas.len(), 1, "{}: {schemas:#?}", folder.display());
    schemas.remove(0)
}
