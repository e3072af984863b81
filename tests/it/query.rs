//! Questions in SQL, as a user asks them.

mod peers;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::command::{pinclean, said, succeed};
use crate::table::Format;
use crate::workplace::Workplace;

/// Invented records with rejects among them, cleaned in two runs.
fn worlds() -> [Workplace; 3] {
    let worlds = [
        Workplace::on_disk(Format::Delta),
        Workplace::on_disk(Format::Parquet),
        Workplace::on_s3(Format::Delta),
    ];
    for world in &worlds {
        for rows in ["100", "150"] {
            world.done(&["emulate", "in", "--rows", rows, "--bad-rate", "0.1"]);
            let run = ["run", "--source", "in", "--out", world.url()];
            world.done(&[&run, world.format.args()].concat());
        }
    }
    worlds
}

impl Workplace {
    /// The answer as CSV, without its heading.
    fn ask(&self, sql: &str, more: &[&str]) -> String {
        let ask = ["query", sql, "--tables", self.url(), "--format", "csv"];
        let answer = self.done(&[&ask, more].concat());
        answer.split_once('\n').unwrap().1.trim_end().to_owned()
    }

    /// What the command said that had to fail.
    fn refused(&self, sql: &str, more: &[&str]) -> String {
        let ask = ["query", sql, "--tables", self.url()];
        let output = self.ends(&[&ask, more].concat(), 2);
        assert!(output.stdout.is_empty(), "{}", said(&output));
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn tables_and_their_quarantines_are_asked_in_both_formats_and_on_s3() {
    for world in worlds() {
        let counted = |table: &str, more: &[&str]| -> u64 {
            world.ask(&format!("SELECT COUNT(*) FROM {table}"), more).parse().unwrap()
        };
        for table in ["pin", "geo", "user"] {
            let quarantine = format!("quarantine_{table}");
            assert_eq!(counted(table, &[]) + counted(&quarantine, &[]), 150, "{table}");
            assert!(counted(&quarantine, &[]) > 5, "{table}");
        }
        let tables = world.ask("SHOW TABLES", &[]);
        let expected = "geo\npin\nuser\nquarantine_geo\nquarantine_pin\nquarantine_user";
        assert_eq!(tables, expected);
        // Older versions: each run made one.
        let (first, second) = match world.format {
            Format::Delta => ("0", "1"),
            Format::Parquet => ("1", "2"),
        };
        for table in ["pin", "quarantine_pin"] {
            let [old, new] = [first, second].map(|v| counted(table, &["--as-of", v]));
            assert!(old < new, "{table}: {old} {new}");
            assert_eq!(new, counted(table, &[]), "{table}");
        }
        let both = ["pin", "quarantine_pin"].map(|table| counted(table, &["--as-of", first]));
        assert_eq!(both.iter().sum::<u64>(), 100);
        let now = ["--as-of", "2999-01-01"];
        assert_eq!(counted("pin", &now), counted("pin", &[]));
        assert_eq!(counted("quarantine_pin", &now), counted("quarantine_pin", &[]));
        let said = world.refused("SELECT 1 FROM pin", &["--as-of", "7"]);
        assert!(
            said.contains(&format!("--as-of 7: pin has versions {first} to {second}")),
            "{said}"
        );
        let said = world.refused("SELECT 1 FROM pin", &["--as-of", "2020-01-01"]);
        assert!(said.contains("pin begins at 20"), "{said}");
    }
}

#[test]
fn nulls_lists_and_shared_keys_are_those_of_spark_in_both_formats_and_on_s3() {
    for world in worlds() {
        let top = world.ask("SELECT MAX(follower_count) FROM pin", &[]);
        assert_ne!(top, "");
        for (sql, expected) in [
            ("SELECT follower_count FROM pin ORDER BY follower_count LIMIT 1", "\"\""),
            ("SELECT follower_count FROM pin ORDER BY follower_count DESC LIMIT 1", &top),
            (
                "SELECT follower_count FROM pin \
                 QUALIFY ROW_NUMBER() OVER (ORDER BY follower_count DESC) = 1",
                &top,
            ),
            (
                "SELECT DISTINCT RANK() OVER (ORDER BY follower_count) AS r FROM pin \
                 WHERE follower_count IS NULL",
                "1",
            ),
            ("SELECT COUNT(*) FROM geo WHERE coordinates[1] <> ELEMENT_AT(coordinates, -2)", "0"),
        ] {
            assert_eq!(world.ask(sql, &[]), *expected, "{sql}");
        }
        let said = world.refused("SELECT coordinates[0] FROM geo", &[]);
        assert!(said.contains("the first element is coordinates[1]"), "{said}");
        let sql = "SELECT * EXCLUDE (coordinates) FROM geo JOIN user USING (ind) LIMIT 1";
        let ask = ["query", sql, "--tables", world.url(), "--format", "csv"];
        let answer = world.done(&ask);
        let names: Vec<&str> = answer.lines().next().unwrap().split(',').collect();
        assert_eq!(names, ["ind", "country", "timestamp", "user_name", "age", "date_joined"]);
    }
}

#[test]
fn a_time_between_two_runs_gives_the_first_one_with_its_rejects() {
    let world = &worlds()[0];
    let history = world.done(&["history", "pin", "--json", "--tables", world.url()]);
    let times = history.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let times: Vec<Value> = times.collect();
    let first = ["--as-of", times[1]["time"].as_str().unwrap_or_else(|| panic!("{history}"))];
    let count = |table: &str| -> u64 {
        world.ask(&format!("SELECT COUNT(*) FROM {table}"), &first).parse().unwrap()
    };
    // At that moment the quarantine has not taken the rejects over yet.
    assert_eq!(count("pin") + count("quarantine_pin"), 100);
}

#[test]
fn rejects_that_the_quarantine_has_not_taken_over_yet_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeed(folder, &["emulate", "in", "--rows", "100", "--bad-rate", "0.2"]);
    let run = ["run", "--source", "in", "--out", "clean", "--topic", "*.pin"];
    let killed =
        pinclean(folder, &run).env("PINCLEAN_FAILPOINT", "before-settle").output().unwrap();
    assert!(!killed.status.success(), "{}", said(&killed));
    assert!(!folder.join("clean/_quarantine/pin/_delta_log").exists(), "it came too far");
    let ask = || -> String {
        let sql = "SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids FROM quarantine_pin";
        let ask = ["query", sql, "--format", "csv"];
        String::from_utf8(pinclean(folder, &ask).output().unwrap().stdout).unwrap()
    };
    let before = ask();
    assert_eq!(before.lines().count(), 2, "{before}");
    assert!(!before.ends_with("\n0,0\n"), "{before}");
    assert!(!folder.join("clean/_quarantine/pin/_delta_log").exists(), "a question writes nothing");
    succeed(folder, &run);
    assert!(folder.join("clean/_quarantine/pin/_delta_log").exists());
    assert_eq!(ask(), before);
}

#[test]
fn sql_comes_from_the_command_line_a_file_or_a_pipe() {
    let world = &worlds()[1];
    let folder = world.folder();
    let sql = "SELECT COUNT(*) AS n -- with a comment\nFROM geo;\n";
    std::fs::write(folder.join("q.sql"), format!("\u{feff}{sql}")).unwrap();
    let expected = world.done(&["query", sql, "--format", "json"]);
    assert!(expected.contains("\"n\":"), "{expected}");
    assert_eq!(world.done(&["query", "--file", "q.sql", "--format", "json"]), expected);
    for args in [&["query"][..], &["query", "-"], &["query", "-f", "-"]] {
        let mut command = world.command(&[args, &["--format", "json"]].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{args:?}");
    }
    for (args, expected) in [
        (&["SELECT 1", "--file", "q.sql"][..], "the SQL and --file contradict each other"),
        (&["--file", "none.sql"], "none.sql: it cannot be read"),
        (&["  "], "there is no SQL"),
    ] {
        let output = world.command(&[&["query"], args].concat()).output().unwrap();
        assert!(!output.status.success());
        let text = said(&output);
        assert!(text.contains(expected), "{args:?}: {text}");
    }
}

#[test]
fn an_answer_is_printed_or_saved_in_any_form() {
    let world = &worlds()[0];
    let sql = "SELECT ind, country FROM geo ORDER BY ind, country LIMIT 2";
    let print = |format: &str| world.done(&["query", sql, "--format", format]);
    assert_eq!(world.done(&["query", sql]), print("table"));
    for (format, ending) in [
        ("table", "txt"),
        ("csv", "csv"),
        ("json", "json"),
        ("ndjson", "ndjson"),
        ("markdown", "md"),
    ] {
        let file = format!("answer.{ending}");
        let output = world.ends(&["query", sql, "--save", &file], 0);
        assert!(output.stdout.is_empty());
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&format!("2 rows saved to {file}")), "{told}");
        let saved = std::fs::read_to_string(world.folder().join(&file)).unwrap();
        assert_eq!(saved, print(format), "{format}");
    }
    world.done(&["query", sql, "--save", "answer.parquet"]);
    let bytes = std::fs::read(world.folder().join("answer.parquet")).unwrap();
    assert_eq!(crate::table::rows_of(bytes.into()).len(), 2);
    // The format of `run` is none of an answer.
    let output = world.command(&["query", sql]).env("PINCLEAN_FORMAT", "delta").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), print("table"));
    for (args, expected) in [
        (["--save", "a.xlsx"], "ends with none of .csv, .json"),
        (["--format", "xml"], "\"xml\" is not one of: table, csv,"),
        (["--format", "parquet"], "give --save FILE too"),
    ] {
        let said = world.refused(sql, &args);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn mistakes_end_with_2_and_say_what_there_is() {
    let world = &worlds()[0];
    for (sql, expected) in [
        (
            "SELECT categry FROM pin",
            "no column categry in pin; did you mean `category`?\npin has ind, unique_id",
        ),
        ("SELECT 1 FROM pins", "did you mean `pin`?\nthere are geo, pin, user, quarantine_geo"),
        ("SELECT uppr(category) FROM pin", "did you mean `upper`?"),
        ("SELECT * FROM pin WHERE", "this is no SQL"),
        ("DELETE FROM pin", "no table is changed"),
        ("CREATE TABLE x AS SELECT 1", "CREATE is no question"),
        ("SELECT 1; DROP TABLE pin", "more than one statement"),
        // Polars panics over these.
        ("SELECT INTERVAL '1 fortnight'", "the SQL engine cannot do this and gave up"),
        ("SELECT GREATEST()", "the SQL engine cannot do this and gave up"),
        ("SELECT COLUMNS('[') FROM pin", "the SQL engine cannot do this and gave up"),
    ] {
        let said = world.refused(sql, &[]);
        assert!(said.contains(expected), "{sql}: {said}");
        assert!(said.starts_with("error: ") && !said.contains("panicked"), "{sql}: {said}");
    }
}

#[test]
fn an_answer_without_rows_has_its_columns() {
    let world = &worlds()[0];
    let none = "SELECT ind, country FROM geo WHERE ind < 0";
    assert_eq!(world.done(&["query", none, "--format", "csv"]), "ind,country\n");
    assert_eq!(world.done(&["query", none, "--format", "ndjson"]), "");
    assert!(world.done(&["query", none]).ends_with("0 rows\n"));
}

#[test]
fn old_files_lack_a_column_that_came_later_and_partitions_are_in_the_log() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path();
    let transforms = folder.join("transforms");
    std::fs::create_dir(&transforms).unwrap();
    let run = |column: &str| {
        let geo = "version = 1\ntable = 'geo'\ntopics = ['*.geo']\npartition_by = ['country']\n\
                   [[column]]\nname = 'ind'\ntype = 'int64'\nfield = 'ind'\n\
                   [[column]]\nname = 'country'\ntype = 'string'\nfield = 'country'\n";
        std::fs::write(transforms.join("geo.toml"), format!("{geo}{column}")).unwrap();
        succeed(folder, &["run", "--source", "in", "--transforms", "transforms"]);
    };
    succeed(folder, &["emulate", "in", "--rows", "30"]);
    run("");
    succeed(folder, &["emulate", "in", "--rows", "50"]);
    run("[[column]]\nname = 'latitude'\ntype = 'float64'\nfield = 'latitude'\n");
    let ask = |sql: &str| -> String {
        let output = pinclean(folder, &["query", sql, "--format", "csv"]).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let counts =
        ask("SELECT COUNT(*) AS n, COUNT(latitude) AS known, COUNT(country) AS c FROM geo");
    assert_eq!(counts, "n,known,c\n50,20,50\n");
    let sums =
        ask("SELECT SUM(n) AS n FROM (SELECT country, COUNT(*) AS n FROM geo GROUP BY country)");
    assert_eq!(sums, "n\n50\n");
    assert_eq!(ask("SELECT COUNT(*) AS n FROM geo WHERE country = 'no such'"), "n\n0\n");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = &worlds()[0];
    let sql = "SELECT * FROM pin CROSS JOIN geo LIMIT 20000";
    let mut command = world.command(&["query", sql, "--format", "ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with('{'), "{first}");
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success(), "{told}");
    assert_eq!(told, "");
}

#[test]
fn a_question_fetches_only_what_it_needs() {
    let world = &worlds()[2];
    let server = world.server.as_ref().unwrap();
    let before = server.log().len();
    world.ask("SELECT MAX(ind) FROM geo", &[]);
    let requests = server.log().split_off(before);
    let of_others: Vec<_> =
        requests.iter().filter(|request| !format!("{request:?}").contains("clean/geo")).collect();
    assert!(of_others.is_empty(), "{of_others:#?}");
    assert!(!requests.is_empty());
    assert!(!Path::new("clean").exists());
}

#[test]
fn what_the_engine_warns_of_is_not_said_to_who_asks() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("clean")).unwrap();
    // Of a date that is written down, Polars warns.
    let sql = "SELECT DATE '2024-02-29' AS day";
    let output =
        pinclean(folder.path(), &["query", sql, "-q", "--format", "csv"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "day\n2024-02-29\n");
    assert!(output.stderr.is_empty(), "{}", said(&output));
}
