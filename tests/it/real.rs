//! Real records, where they are at hand: rows, nulls and types are those that
//! are known of them. They belong to third parties, so the repository has none.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::record::Field;

use crate::command::succeed;
use crate::table::{Format, Place, Row, TABLES, column, multiset};

const USER: &str = "12e255fc4fcd";
/// Records of each topic.
const RECORDS: usize = 2525;

/// How a bucket is laid out.
pub struct Sink {
    flush_size: usize,
    partitions: usize,
    gzip: bool,
    /// Times with a blank in place of the `T`.
    spaced: bool,
}

/// An object a record, as many sinks are set up.
pub const SINGLE: Sink = Sink { flush_size: 1, partitions: 1, gzip: false, spaced: false };

/// The folder of the real records, if it is there.
pub fn records() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real");
    let there = folder.join("pin.ndjson").is_file();
    if !there {
        println!("skipped: there are no real records in {}", folder.display());
    }
    there.then_some(folder)
}

impl Sink {
    /// Writes the records as the sink does: to partitions in turn, an object
    /// each `flush_size` records of a partition.
    fn write(&self, records: &Path, bucket: &Path) {
        for table in TABLES {
            let text = fs::read_to_string(records.join(format!("{table}.ndjson"))).unwrap();
            let lines: Vec<String> = text.lines().map(|line| self.line(table, line)).collect();
            assert_eq!(lines.len(), RECORDS, "{table}");
            for partition in 0..self.partitions {
                self.partition(table, partition, &lines, bucket);
            }
        }
    }

    fn partition(&self, table: &str, partition: usize, lines: &[String], bucket: &Path) {
        let topic = format!("{USER}.{table}");
        let folder = bucket.join(format!("topics/{topic}/partition={partition}"));
        fs::create_dir_all(&folder).unwrap();
        let mine: Vec<&String> = lines.iter().skip(partition).step_by(self.partitions).collect();
        for (object, records) in mine.chunks(self.flush_size).enumerate() {
            let body: String = records.iter().map(|line| format!("{line}\n")).collect();
            let offset = object * self.flush_size;
            let name = format!("{topic}+{partition}+{offset:010}.json");
            match self.gzip {
                true => fs::write(folder.join(name + ".gz"), gzip(&body)).unwrap(),
                false => fs::write(folder.join(name), body).unwrap(),
            }
        }
    }

    fn line(&self, table: &str, line: &str) -> String {
        let field = match table {
            "geo" => "timestamp",
            "user" => "date_joined",
            _ => return line.to_owned(),
        };
        if !self.spaced {
            return line.to_owned();
        }
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = record[field].as_str().unwrap();
        line.replacen(time, &time.replace('T', " "), 1)
    }
}

fn gzip(body: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Lays out a bucket and cleans it; the tables.
pub fn clean(sink: &Sink, records: &Path, scratch: &Path, format: Format) -> Place<'static> {
    let (bucket, out) = (format!("bucket-{format:?}"), format!("clean-{format:?}"));
    sink.write(records, &scratch.join(&bucket));
    let run = ["run", "--source", &bucket, "--out", &out, "--max-rejects", "0"];
    succeed(scratch, &[&run[..], format.args()].concat());
    Place::Folder(scratch.join(out))
}

fn nulls(rows: &[Row], name: &str) -> usize {
    column(rows, name).filter(|field| matches!(field, Field::Null)).count()
}

fn sum(rows: &[Row], name: &str) -> i64 {
    let number = |field: &Field| match field {
        Field::Int(n) => i64::from(*n),
        Field::Null => 0,
        other => panic!("{name} holds {other:?}"),
    };
    column(rows, name).map(number).sum()
}

#[test]
fn real_records_become_the_known_rows_however_they_are_laid_out_and_in_both_formats() {
    let Some(records) = records() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let packed = Sink { flush_size: 100, partitions: 3, gzip: true, spaced: true };
    let single = clean(&SINGLE, &records, scratch.path(), Format::Delta);
    let packed = clean(&packed, &records, scratch.path(), Format::Parquet);
    for table in TABLES {
        let rows = single.rows(table);
        assert_eq!(rows.len(), RECORDS, "{table}");
        let other = packed.rows(table);
        assert!(multiset(&rows) == multiset(&other), "{table}: the layouts differ");
        check_schema(&single, table);
        check_schema(&packed, table);
        check_nulls(table, &rows);
    }
    let pins = single.rows("pin");
    assert_eq!(sum(&pins, "follower_count"), 868_901_914);
}

fn check_nulls(table: &str, rows: &[Row]) {
    let known: &[(&str, usize)] = match table {
        "pin" => &[
            ("title", 20),
            ("description", 202),
            ("follower_count", 19),
            ("poster_name", 19),
            ("tag_list", 35),
            ("image_src", 57),
        ],
        _ => &[],
    };
    for (column, _) in &rows[0] {
        let expected = known.iter().find(|(name, _)| name == column).map_or(0, |(_, n)| *n);
        assert_eq!(nulls(rows, column), expected, "nulls in {table}.{column}");
    }
    let in_lists = rows[0].iter().any(|(column, _)| column == "coordinates");
    if in_lists {
        let whole = |field: &Field| match field {
            Field::ListInternal(list) => {
                list.len() == 2 && list.elements().iter().all(|e| matches!(e, Field::Double(_)))
            }
            _ => false,
        };
        assert!(column(rows, "coordinates").all(whole), "coordinates are two doubles");
    }
}

fn check_schema(out: &Place<'_>, table: &str) {
    let documented = match table {
        "pin" => PIN,
        "geo" => GEO,
        _ => USERS,
    };
    let schema = out.schema(table);
    let columns = schema.lines().map(str::trim).filter(|line| !line.starts_with("message"));
    let columns: Vec<&str> = columns.filter(|line| *line != "}").collect();
    assert_eq!(columns, documented, "{table}");
}

const PIN: &[&str] = &[
    "OPTIONAL INT32 ind;",
    "OPTIONAL BYTE_ARRAY unique_id (STRING);",
    "OPTIONAL BYTE_ARRAY title (STRING);",
    "OPTIONAL BYTE_ARRAY description (STRING);",
    "OPTIONAL INT32 follower_count;",
    "OPTIONAL BYTE_ARRAY poster_name (STRING);",
    "OPTIONAL BYTE_ARRAY tag_list (STRING);",
    "OPTIONAL BYTE_ARRAY is_image_or_video (STRING);",
    "OPTIONAL BYTE_ARRAY image_src (STRING);",
    "OPTIONAL BYTE_ARRAY save_location (STRING);",
    "OPTIONAL BYTE_ARRAY category (STRING);",
];

const GEO: &[&str] = &[
    "OPTIONAL INT32 ind;",
    "OPTIONAL BYTE_ARRAY country (STRING);",
    "OPTIONAL group coordinates (LIST) {",
    "REPEATED group list {",
    "OPTIONAL DOUBLE element;",
    "OPTIONAL INT64 timestamp (TIMESTAMP(MICROS,true));",
];

const USERS: &[&str] = &[
    "OPTIONAL INT32 ind;",
    "OPTIONAL BYTE_ARRAY user_name (STRING);",
    "OPTIONAL INT32 age;",
    "OPTIONAL INT64 date_joined (TIMESTAMP(MICROS,true));",
];
