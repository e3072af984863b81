//! Reading Parquet files as any reader would, with the columns that a log adds.

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::printer::print_schema;

/// The columns of a row, in their order; those of the partition come last, as
/// the texts of the log.
pub type Row = Vec<(String, Field)>;

fn reader(file: Bytes) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(file).unwrap()
}

/// The rows of a file.
pub fn read(file: Bytes, partition: &[(String, Option<String>)]) -> Vec<Row> {
    let of_the_log = partition
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().map_or(Field::Null, Field::Str)));
    let of_the_log: Row = of_the_log.collect();
    let file = reader(file);
    let rows = file.get_row_iter(None).unwrap();
    rows.map(|row| [row.unwrap().into_columns(), of_the_log.clone()].concat()).collect()
}

/// The rows of a file that is all of a table.
pub fn rows_of(file: Bytes) -> Vec<Row> {
    read(file, &[])
}

/// A row as text; texts differ where rows differ.
pub fn shown(row: &Row) -> String {
    let values: Vec<String> =
        row.iter().map(|(name, field)| format!("{name}: {field:?}")).collect();
    values.join(", ")
}

/// All rows as texts, sorted: two tables are equal as multisets if these are
/// equal.
pub fn multiset(rows: &[Row]) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().map(shown).collect();
    texts.sort_unstable();
    texts
}

/// The values of one column.
pub fn column<'r>(rows: &'r [Row], name: &str) -> impl Iterator<Item = &'r Field> {
    rows.iter().map(move |row| {
        let found = row.iter().find(|(column, _)| column == name);
        &found.unwrap_or_else(|| panic!("no column {name}")).1
    })
}

/// The Parquet schema of files, which must be one and the same.
pub fn schema(files: impl Iterator<Item = Bytes>) -> String {
    let print = |file: Bytes| {
        let mut text = Vec::new();
        print_schema(&mut text, reader(file).metadata().file_metadata().schema());
        String::from_utf8(text).unwrap()
    };
    let mut schemas: Vec<String> = files.map(print).collect();
    schemas.dedup();
    assert_eq!(schemas.len(), 1, "{schemas:#?}");
    schemas.remove(0)
}
