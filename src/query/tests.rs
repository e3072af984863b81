//! Tables of both formats, asked in SQL.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int32Array, Int64Array, LargeListBuilder, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use chrono::{DateTime, Utc};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use polars::prelude::{AnyValue, DataType as Polars};
use serde_json::json;
use tokio::runtime::Runtime;

use super::*;
use crate::delta::{
    Action, Change, Description, Log, Property, Requires, begin, evolve, struct_type,
};
use crate::pipeline::commit::{Counts, Draft, ManifestLog, Mode, same_rows};
use crate::pipeline::discover::Watermarks;
use crate::pipeline::write::{DataFile, Field, FileSink, FileWriter, publish};

mod lists;
mod meaning;
mod order;
mod using;

/// Where tables are: in memory and on a disk.
struct World {
    runtime: Runtime,
    output: Output,
    _folder: Option<tempfile::TempDir>,
}

fn worlds() -> [World; 2] {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let world = |objects: Arc<dyn ObjectStore>, folder| World {
        runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap(),
        output: Output { objects, url: "out".into(), refusals: None },
        _folder: folder,
    };
    [world(Arc::new(InMemory::new()), None), world(Arc::new(local), Some(folder))]
}

/// The columns of `pin`; those of an older version lack the last.
fn schema(columns: usize) -> Schema {
    let field = |name, ty| ArrowField::new(name, ty, true);
    let element = Arc::new(field("element", DataType::Utf8View));
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let all = Schema::new(vec![
        field("n", DataType::Int64),
        field("category", DataType::Utf8View),
        field("at", time),
        field("tags", DataType::LargeList(element)),
        field("likes", DataType::Int32),
    ]);
    all.project(&(0..columns).collect::<Vec<_>>()).unwrap()
}

/// Rows with these numbers. Every third has no category; `at` is as many hours
/// after 2024-01-01; each has two tags.
fn batch(columns: usize, numbers: std::ops::Range<i64>) -> RecordBatch {
    let category = |n: i64| (n % 3 != 2).then(|| ["art", "food"][n as usize % 2]);
    let start = DateTime::parse_from_rfc3339("2024-01-01T00:00:00Z").unwrap().timestamp_micros();
    let mut tags = LargeListBuilder::new(StringBuilder::new()).with_field(ArrowField::new(
        "element",
        DataType::Utf8,
        true,
    ));
    for n in numbers.clone() {
        tags.values().append_value(format!("t{}", n % 2));
        tags.values().append_null();
        tags.append(true);
    }
    let all: [ArrayRef; 5] = [
        Arc::new(Int64Array::from_iter_values(numbers.clone())),
        Arc::new(numbers.clone().map(category).collect::<StringArray>()),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(
                numbers.clone().map(|n| start + n * 3_600_000_000),
            )
            .with_timezone("UTC"),
        ),
        Arc::new(tags.finish()),
        Arc::new(Int32Array::from_iter_values(numbers.map(|n| n as i32 * 10))),
    ];
    let names = ["n", "category", "at", "tags", "likes"];
    let columns = names.into_iter().zip(all).take(columns);
    RecordBatch::try_from_iter(columns).unwrap()
}

impl World {
    fn log(&self, table: &str) -> Log {
        Log::new(&self.output, Path::from(table))
    }

    fn file(&self, folder: &str, name: &str, batch: &RecordBatch) -> DataFile {
        let log = Log::new(&self.output, Path::parse(folder).unwrap());
        let sink = FileSink::anew(&log, self.runtime.handle().clone());
        let path = format!("{name}.parquet");
        let mut file = FileWriter::open(&sink, log.file_path(&path), batch).unwrap();
        file.write(batch).unwrap();
        let mut staged = file.finish().unwrap();
        staged.file.path = path;
        let file = staged.file.clone();
        self.runtime.block_on(publish(&self.output, vec![staged])).unwrap();
        file
    }

    /// The next version of a Delta table of so many columns.
    fn delta(&self, table: &str, columns: usize, partition_by: &[&str], files: &[DataFile]) {
        let log = self.log(table);
        let schema = struct_type(&schema(columns), &[].into()).unwrap();
        let partition_by: Vec<String> = partition_by.iter().map(ToString::to_string).collect();
        let description = Description {
            name: table,
            text: "",
            schema: &schema,
            partition_by: &partition_by,
            properties: vec![(Property::Table, table.to_owned())],
        };
        let base = self.runtime.block_on(log.read()).unwrap();
        let mut actions: Vec<Action> = match &base {
            None => begin(&description, "a-b").unwrap(),
            Some(state) => evolve(state, &description).unwrap().into_iter().collect(),
        };
        actions.extend(same_rows(&[], files));
        let version = base.as_ref().map_or(0, |state| state.version() + 1);
        let change = Change {
            id: format!("{table}-{version}"),
            operation: "WRITE",
            parameters: json!({}),
            note: json!({}),
            actions,
            requires: Requires::default(),
        };
        self.runtime.block_on(log.commit(base.as_ref(), &change)).unwrap();
    }

    /// The next manifest of a plain table.
    fn plain(&self, table: &str, at: &str, mode: Mode, files: Vec<DataFile>) {
        let log = ManifestLog::new(self.output.clone(), table);
        let base = self.runtime.block_on(log.read_latest()).unwrap();
        let columns = [
            ("n", "int64"),
            ("category", "string"),
            ("at", "timestamp"),
            ("tags", "list<string>"),
            ("likes", "int32"),
        ];
        let field = |(name, ty): (&str, &str)| Field { name: name.into(), ty: ty.into() };
        let draft = Draft {
            run_id: format!("run-{}", base.as_ref().map_or(1, |base| base.number + 1)),
            committed_at: at.to_owned(),
            source: "in".into(),
            spec_hash: "hash".into(),
            schema: columns.map(field).to_vec(),
            mode,
            reached: Watermarks::new(),
            files,
            rejects: vec![],
            resolved: None,
            counts: Counts::default(),
        };
        self.runtime.block_on(log.commit(base.as_ref(), draft)).unwrap();
    }

    fn catalog(&self, as_of: Option<&str>) -> Catalog {
        let _runtime = self.runtime.enter();
        Catalog::over(self.output.clone(), as_of.map(|text| AsOf::parse(text).unwrap()))
    }

    fn answer(&self, sql: &str) -> Result<DataFrame> {
        self.catalog(None).answer(sql)
    }

    fn as_of(&self, as_of: &str, sql: &str) -> Result<DataFrame> {
        self.catalog(Some(as_of)).answer(sql)
    }

    /// `pin` in Delta, of 12 rows in three versions, the last of which brought
    /// `likes`; `geo` without a row; `plain` of plain Parquet, which began anew
    /// once.
    fn filled(self) -> World {
        for (version, columns) in [(0, 4), (1, 4), (2, 5)] {
            let numbers = version * 4..version * 4 + 4;
            let file = self.file("pin", &format!("f{version}"), &batch(columns, numbers));
            self.delta("pin", columns, &[], &[file]);
        }
        self.delta("geo", 2, &[], &[]);
        for (number, mode) in [(1, Mode::Append), (2, Mode::Full), (3, Mode::Append)] {
            let file = self.file("plain", &format!("p{number}"), &batch(5, number..number + 2));
            let at = format!("2026-11-{:02}T00:00:00Z", number * 5);
            self.plain("plain", &at, mode, vec![file]);
        }
        self
    }
}

/// The rows of a frame, as Polars shows their values.
fn shown(frame: &DataFrame) -> Vec<String> {
    let row = |at: usize| {
        let values = frame.columns().iter().map(|column| match column.get(at).unwrap() {
            AnyValue::String(text) => text.to_owned(),
            AnyValue::StringOwned(text) => text.to_string(),
            value => value.to_string(),
        });
        values.collect::<Vec<_>>().join("|")
    };
    (0..frame.height()).map(row).collect()
}

/// Asks each statement in both formats, of one catalog, and checks the rows.
fn all_answer(cases: &[(&str, &[&str])]) {
    for world in worlds().map(World::filled) {
        let catalog = world.catalog(None);
        for (sql, expected) in cases {
            let frame = catalog.answer(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert_eq!(shown(&frame), *expected, "{sql}");
        }
    }
}

#[test]
fn questions_are_answered_over_the_live_files() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT count(*) FROM pin", &["12"]),
        ("SELECT COUNT(*) AS rows, count(likes) AS c, sum(likes) FROM pin", &["12|4|380"]),
        ("SELECT n FROM pin ORDER BY n DESC LIMIT 2", &["11", "10"]),
        // Only the first file is needed.
        ("SELECT n FROM pin LIMIT 3", &["0", "1", "2"]),
        ("SELECT n FROM pin LIMIT 2 OFFSET 3", &["3", "4"]),
        ("SELECT n FROM pin LIMIT 0", &[]),
        ("SELECT count(*) FROM (SELECT * FROM pin LIMIT 1000000)", &["12"]),
        ("SELECT n FROM pin WHERE n > 100", &[]),
        (
            "SELECT category, count(*) AS posts FROM pin GROUP BY category ORDER BY posts DESC, category",
            &["null|4", "art|4", "food|4"],
        ),
        ("SELECT n FROM pin WHERE category IS NULL AND n < 6 ORDER BY n", &["2", "5"]),
        ("SELECT DISTINCT EXTRACT(DAY FROM at) FROM pin", &["1"]),
        ("SELECT n FROM pin WHERE at >= '2024-01-01 10:00:00' ORDER BY n", &["10", "11"]),
        (
            "WITH a AS (SELECT n FROM pin WHERE n < 3), b AS (SELECT n FROM plain) \
             SELECT a.n FROM a JOIN b ON a.n = b.n",
            &["2"],
        ),
        ("SELECT n FROM pin WHERE n IN (SELECT n FROM plain) ORDER BY n", &["2", "3", "4"]),
        (
            "SELECT n, rank() OVER (PARTITION BY category ORDER BY n DESC) AS place FROM pin \
             WHERE category = 'art' ORDER BY place LIMIT 2",
            &["10|1", "6|2"],
        ),
        (
            "SELECT a.n, b.n AS m FROM pin a JOIN pin b ON a.n + 1 = b.n WHERE a.n < 2 ORDER BY a.n",
            &["0|1", "1|2"],
        ),
        ("SELECT array_length(tags) FROM pin LIMIT 1", &["2"]),
        ("SELECT count(*) FROM geo", &["0"]),
        ("SELECT * FROM geo", &[]),
        // The first manifest was before the table began anew.
        ("SELECT n FROM plain ORDER BY n", &["2", "3", "3", "4"]),
        ("SELECT count(*) FROM quarantine_pin", &["0"]),
        ("SELECT code, message FROM quarantine_plain", &[]),
        (
            "SHOW TABLES",
            &["geo", "pin", "plain", "quarantine_geo", "quarantine_pin", "quarantine_plain"],
        ),
        (
            "DESCRIBE pin",
            &["n|int64", "category|string", "at|timestamp", "tags|list<string>", "likes|int64"],
        ),
        ("SELECT 1 + 1", &["2"]),
        ("SELECT 'a;b' AS x; -- nothing more", &["a;b"]),
    ];
    all_answer(cases);
}

#[test]
fn a_frame_has_the_columns_of_the_table_even_without_rows() {
    let [world, _] = worlds().map(World::filled);
    for sql in ["SELECT * FROM pin", "SELECT * FROM pin WHERE n < 0", "SELECT * FROM pin LIMIT 0"] {
        let frame = world.answer(sql).unwrap();
        let names: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
        assert_eq!(names, ["n", "category", "at", "tags", "likes"], "{sql}");
        let at = frame.column("at").unwrap().dtype().clone();
        assert!(matches!(at, Polars::Datetime(_, None)), "{at}");
    }
    let frame = world.answer("EXPLAIN SELECT n FROM pin WHERE n > 1").unwrap();
    assert!(shown(&frame).join("\n").contains("PROJECT"), "{frame}");
}

#[test]
fn partition_columns_have_their_values_from_the_log() {
    for world in worlds() {
        let mut file = world.file("geo", "f", &batch(1, 0..3));
        file.partition = vec![("category".to_owned(), Some("a/b".to_owned()))];
        let mut none = world.file("geo", "g", &batch(1, 3..4));
        none.partition = vec![("category".to_owned(), None)];
        world.delta("geo", 2, &["category"], &[file, none]);
        for (sql, expected) in [
            ("SELECT * FROM geo ORDER BY n", &["0|a/b", "1|a/b", "2|a/b", "3|null"][..]),
            (
                "SELECT category, count(*) FROM geo GROUP BY category ORDER BY 1",
                &["a/b|3", "null|1"],
            ),
            ("SELECT DISTINCT category FROM geo WHERE category IS NOT NULL", &["a/b"]),
            ("SELECT count(*) FROM geo WHERE category = 'a/b'", &["3"]),
        ] {
            let mut rows = shown(&world.answer(sql).unwrap());
            rows.sort();
            assert_eq!(rows, expected, "{sql}");
        }
    }
}

#[test]
fn an_older_version_is_answered_by_its_number_or_time() {
    for world in worlds().map(World::filled) {
        let count = |as_of: &str, table: &str| {
            let frame = world.as_of(as_of, &format!("SELECT count(*) FROM {table}"));
            frame.map(|frame| shown(&frame).concat()).map_err(|e| {
                assert_eq!(e.exit_code(), 2, "{e}");
                e.to_string()
            })
        };
        let now = Utc::now().to_rfc3339();
        for (as_of, table, expected) in [
            ("0", "pin", Ok("4")),
            ("1", "pin", Ok("8")),
            ("2", "pin", Ok("12")),
            (&now, "pin", Ok("12")),
            ("3", "pin", Err("--as-of 3: pin has versions 0 to 2")),
            ("7", "geo", Err("--as-of 7: geo has only version 0")),
            ("2020-01-01", "pin", Err("--as-of 2020-01-01T00:00:00Z: pin begins at 20")),
            ("2020-01-01", "quarantine_pin", Err("quarantine_pin begins at 20")),
            (&now, "quarantine_pin", Ok("0")),
            ("0", "quarantine_pin", Err("nothing was ever rejected")),
            ("2", "plain", Ok("2")),
            ("3", "plain", Ok("4")),
            ("0", "plain", Err("--as-of 0: plain has versions 1 to 3")),
            ("4", "plain", Err("--as-of 4: plain has versions 1 to 3")),
            ("2026-11-04T23:59:59Z", "plain", Err("plain begins at 2026-11-05T00:00:00Z")),
            ("2026-11-10", "plain", Ok("2")),
            ("2026-11-14", "plain", Ok("2")),
            ("2026-11-15", "plain", Ok("4")),
            ("2", "quarantine_plain", Ok("0")),
        ] {
            match (count(as_of, table), expected) {
                (Ok(rows), Ok(expected)) => assert_eq!(rows, expected, "{table} as of {as_of}"),
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{error}"),
                (got, expected) => panic!("{table} as of {as_of}: {got:?}, not {expected:?}"),
            }
        }
        // A column that came later is not there yet.
        let error = world.as_of("1", "SELECT likes FROM pin").unwrap_err().to_string();
        assert!(error.contains("there is no column likes in pin"), "{error}");
    }
}

#[test]
fn a_version_whose_files_are_gone_is_told_in_plain_words() {
    for world in worlds().map(World::filled) {
        let delete = |path: &str| {
            world.runtime.block_on(world.output.objects.delete(&Path::from(path))).unwrap();
        };
        delete("pin/f0.parquet");
        // A version that consists of it, asked as an old one and as the latest.
        let error = world.as_of("1", "SELECT n FROM pin").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let said = "--as-of 1: that version of pin can no longer be read";
        assert!(error.to_string().contains(said), "{error}");
        let error = world.answer("SELECT n FROM pin").unwrap_err();
        assert!(matches!(error, Error::DataFileGone { .. }), "{error}");
        let error = world.as_of("1", "SELECT n FROM plain").unwrap_err();
        assert!(error.to_string().contains("of plain can no longer be read"), "{error}");
    }
}

#[test]
fn a_version_that_was_cleaned_out_of_the_log_is_told_of() {
    for world in worlds().map(World::filled) {
        for _ in 3..12 {
            world.delta("pin", 5, &[], &[]);
        }
        let log = world.log("pin");
        world.runtime.block_on(log.maintain(9)).unwrap();
        for version in 0..5 {
            world.runtime.block_on(world.output.objects.delete(&log.entry_path(version))).unwrap();
        }
        for (as_of, expected) in [
            ("2", "--as-of: version 2 of pin can no longer be read: it was cleaned out of its log"),
            ("7", "--as-of: version 7 of pin can no longer be read"),
            ("2020-01-01", "the log of pin goes back to version 5 of 20"),
        ] {
            let error = world.as_of(as_of, "SELECT n FROM pin").unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.exit_code(), 2, "{error}");
        }
        for as_of in ["9", "10", "11"] {
            let frame = world.as_of(as_of, "SELECT count(*) FROM pin").unwrap();
            assert_eq!(shown(&frame), ["12"]);
        }
    }
}

#[test]
fn an_expression_as_deep_as_is_allowed_is_computed() {
    let [world, _] = worlds().map(World::filled);
    let terms = |with: &str, term: &str| vec![term; 62].join(with);
    let joins = |n: usize| -> String {
        (0..n).map(|i| format!("JOIN pin p{i} ON p.n = p{i}.n ")).collect()
    };
    for sql in [
        format!("SELECT {} AS x FROM pin WHERE n = 1", terms(" + ", "n")),
        format!("SELECT count(*) AS x FROM pin WHERE {}", terms(" OR ", "n < 120 AND n >= 0")),
        format!("SELECT {}n{} AS x FROM pin", "abs(".repeat(40), ")".repeat(40)),
        format!("SELECT max({}) AS x FROM pin GROUP BY category", terms(" || ", "category")),
        format!("SELECT CASE {} END AS x FROM pin", terms(" ", "WHEN n = 99 THEN 1")),
        vec!["SELECT n AS x FROM pin"; 128].join(" UNION ALL "),
        vec!["SELECT n AS x FROM pin"; 128].join(" UNION "),
        format!("SELECT p.n AS x FROM pin p {}", joins(127)),
        format!("SELECT n AS x FROM pin WHERE n IN ({})", vec!["1"; 20_000].join(",")),
    ] {
        let frame = world.answer(&sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert!(frame.height() > 0, "{sql}");
    }
}

#[test]
fn mistakes_say_what_there_is() {
    let cases = [
        (
            "SELECT categry FROM pin",
            "there is no column categry in pin; did you mean `category`?\npin has n, category, at, tags, likes",
        ),
        (
            "SELECT p.categry FROM pin p",
            "there is no column categry in pin; did you mean `category`?",
        ),
        ("SELECT n FROM pin WHERE xyz = 1", "there is no column xyz in pin\npin has n,"),
        ("SELECT n FROM pin ORDER BY catgory", "did you mean `category`?"),
        ("SELECT count(*) FROM pin GROUP BY categori", "did you mean `category`?"),
        ("SELECT a.n FROM pin a JOIN plain b ON a.n = b.nn", "there is no column nn"),
        (
            "SELECT n FROM pins",
            "there is no table pins in out; did you mean `pin`?\nthere are geo, pin, plain, quarantine_geo",
        ),
        ("SELECT n FROM Pin", "did you mean `pin`?"),
        ("SELECT n FROM quarantine_pins", "did you mean `quarantine_pin`?"),
        ("SELECT n FROM nothing", "there is no table nothing in out\nthere are"),
        ("DESCRIBE pins", "did you mean `pin`?"),
        ("SELECT lenght(category) FROM pin", "there is no function lenght; did you mean `length`?"),
        ("SELECT initcap(category) FROM pin", "there is no function initcap"),
        ("SELECT frobnicate(n) FROM pin", "there is no function frobnicate"),
        ("SELECT n FORM pin", "this is no SQL"),
        ("DELETE FROM pin", "DELETE is no question"),
        ("WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a", "recursive CTEs are not supported"),
        (
            "SELECT count(n), sum(n) FROM pin",
            "two columns of the answer are called n: name them with AS",
        ),
        (
            "SELECT n FROM pin WHERE category ~ '['",
            "regex parse error: error: unclosed character class",
        ),
        ("SELECT sum(category) FROM pin", "`sum` operation not supported for dtype `str`"),
        ("SELECT CAST(category AS INT) FROM pin", "conversion from `str` to `i32` failed"),
    ];
    let [world, _] = worlds().map(World::filled);
    for (sql, expected) in cases {
        let error = world.answer(sql).map(|frame| panic!("{sql}: {frame}")).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{sql}: {error}");
        assert!(error.to_string().contains(expected), "{sql}: {error}");
        assert!(!error.to_string().contains("did you mean `initcap`"), "{error}");
    }
}

#[test]
fn a_name_that_a_query_gives_itself_is_never_a_tables() {
    let [world, _] = worlds().map(World::filled);
    let frame = world.answer("WITH geo AS (SELECT n FROM pin WHERE n < 2) SELECT n FROM geo");
    assert_eq!(shown(&frame.unwrap()), ["0", "1"]);
    let error = world.answer("WITH pin AS (SELECT n FROM pin) SELECT n FROM pin").unwrap_err();
    assert!(error.to_string().contains("pin is a name that WITH gives"), "{error}");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn only_the_tables_that_are_named_are_read() {
    let [world, _] = worlds().map(World::filled);
    // A log that cannot be read does no harm to a question about another table.
    let bad = Path::from("broken/_delta_log/00000000000000000000.json");
    world.runtime.block_on(world.output.objects.put(&bad, "{".into())).unwrap();
    assert_eq!(shown(&world.answer("SELECT count(*) FROM pin").unwrap()), ["12"]);
    let error = world.answer("SELECT * FROM broken").unwrap_err();
    assert!(matches!(error, Error::BadTable { .. }), "{error}");
    assert!(shown(&world.answer("SHOW TABLES").unwrap()).contains(&"pin".to_owned()));
}

#[test]
fn where_there_is_no_table_the_place_is_named() {
    let [world, _] = worlds();
    let error = world.answer("SELECT * FROM pin").unwrap_err();
    let said = "there are no tables of pinclean in out: name the --out";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(shown(&world.answer("SHOW TABLES").unwrap()), [""; 0]);
}
