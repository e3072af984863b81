//! A table that had records and got none of them: committed, and told by the exit code.

use serde_json::{Value, json};

use super::records::{GEO, PIN, geo, geos, gzip, key, pin};
use super::site::{Ran, Site, write};
use crate::table::Format;

const GEO_TRANSFORM: &str = include_str!("../../../transforms/geo.toml");

/// A record of the geo topic, by a producer that writes days with colons.
fn misdated(ind: u64) -> String {
    geo(ind).replace("2018-05-27", "2020:08:28") + "\n"
}

/// What is said of a table that got nothing, a line each.
fn told(ran: &Ran) -> Vec<&str> {
    let lines = ran.stderr.lines().filter(|line| line.contains(": none of "));
    lines.map(|line| line.split_once("ERROR ").map_or(line, |(_, said)| said)).collect()
}

#[test]
fn a_run_that_rejects_every_record_of_a_table_commits_and_ends_with_3() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), misdated(1) + &misdated(2) + &misdated(3));
        site.put(&key(PIN, 0, 0), pin(4, "1"));
        let ran = site.run(&[]).exited(3);
        assert_eq!(ran.counts(), [4, 1, 3, 0]);
        let [line] = told(&ran)[..] else { panic!("{}", ran.stderr) };
        let begin = "geo: none of 3 records was written: timestamp: format (3), e.g. ";
        assert!(line.starts_with(begin), "{line}");
        let place = format!("({} line 1)", key(GEO, 0, 0));
        assert!(line.ends_with(&place) && line.contains("2020:08:28 02:07:31"), "{line}");
        let last = ran.stderr.lines().last().unwrap();
        for part in ["error: ", "table geo", "--max-rejects 100%", "was committed", "_quarantine"] {
            assert!(last.contains(part), "{part}: {last}");
        }
        let report = ran.report();
        assert_eq!(report["outcome"], "too_many_rejects");
        let gate = &report["broken_gates"][0];
        let expected = json!(["empty_table", "geo", 3, "timestamp", "format", 3]);
        let names = ["gate", "table", "records", "column", "code", "rejects"];
        assert_eq!(Value::from_iter(names.map(|name| gate[name].clone())), expected);
        assert_eq!(gate["example"]["object"], key(GEO, 0, 0));
        assert_eq!(gate["example"]["line"], 1);
        assert_eq!((site.rejects("geo").len(), site.inds("pin")), (3, vec![4]));
        site.assert_settled();

        // What is new is judged by itself.
        assert_eq!(site.run(&[]).done().report()["broken_gates"], json!([]));
        site.put(&key(GEO, 0, 3), misdated(5));
        site.run(&[]).exited(3).said("geo: none of 1 record was written");
        site.put(&key(GEO, 0, 4), misdated(6) + &geo(7));
        assert_eq!(told(&site.run(&[]).done()), [""; 0]);
        assert_eq!(site.inds("geo"), [7]);
    }
}

#[test]
fn only_a_limit_of_100_percent_allows_a_table_to_get_nothing() {
    let cases: [(&[&str], Option<&str>, Option<&str>, i32); 13] = [
        // options, variable, key of pinclean.toml → exit code
        (&["--max-rejects", "100%"], None, None, 0),
        (&["--max-rejects=100 %"], None, None, 0),
        (&["--max-rejects", "99.9%"], None, None, 3),
        (&["--max-rejects", "0"], None, None, 3),
        (&["--max-rejects", "1"], None, None, 3),
        (&["--max-rejects", "1000"], None, None, 3),
        (&[], Some("100%"), None, 0),
        (&[], Some("1000"), None, 3),
        (&[], None, Some("100%"), 0),
        (&[], None, Some("50%"), 3),
        (&["--max-rejects", "100%"], Some("1%"), Some("1%"), 0),
        (&["--max-rejects", "1%"], Some("100%"), Some("100%"), 3),
        (&["--mode", "overwrite"], None, None, 3),
    ];
    for ((args, variable, setting, code), format) in
        cases.into_iter().zip(Format::BOTH.into_iter().cycle())
    {
        let site = Site::folder(format);
        site.put(&key(GEO, 0, 0), misdated(1));
        let mut command = site.command(args);
        if let Some(limit) = variable {
            command.env("PINCLEAN_MAX_REJECTS", limit);
        }
        if let Some(limit) = setting {
            let text = format!("[run]\nmax_rejects = \"{limit}\"\n");
            write(&site.home.path().join("pinclean.toml"), text.as_bytes());
        }
        let ran = site.ran(command.output().unwrap()).exited(code);
        let count = usize::from(code == 3);
        assert_eq!(told(&ran).len(), count, "{args:?} {variable:?} {setting:?}: {}", ran.stderr);
        assert_eq!((ran.counts(), site.rejects("geo").len()), ([1, 0, 1, 0], 1));
    }
}

#[test]
fn each_table_that_got_nothing_has_a_line_also_as_json() {
    let site = Site::folder(Format::Delta);
    site.put(&key(GEO, 0, 0), "{}\n[]\n[1]\n");
    site.put(&key(GEO, 1, 0), misdated(1));
    site.put(&key(PIN, 0, 0), pin(2, "12x"));
    site.put(&key("u.user", 0, 0), "{\"ind\":3}\n");
    let ran = site.run(&["--log", "json", "--max-rejects", "1"]).exited(3);
    let lines: Vec<Value> =
        ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |table: &str| {
        let is_of = |line: &&Value| line["table"] == table && line["level"] == "ERROR";
        let found: Vec<&Value> = lines.iter().filter(is_of).collect();
        assert!(found.len() < 2, "{found:#?}");
        found.first().map(|line| {
            let names = ["records", "column", "code", "rejects", "line"];
            Value::from_iter(names.map(|name| line[name].clone()))
        })
    };
    assert_eq!(of("geo"), Some(json!([4, null, "not_an_object", 2, 2])));
    assert_eq!(of("pin"), Some(json!([1, "follower_count", "type", 1, 1])));
    assert_eq!(of("user"), None);
    let last = lines.last().unwrap();
    assert_eq!((&last["level"], &last["exit_code"]), (&"ERROR".into(), &3.into()));
    let message = last["message"].as_str().unwrap();
    assert!(message.starts_with("5 of 6 records were quarantined, more than --max-rejects 1; "));
    assert!(message.contains("tables geo, pin got none of their records"), "{message}");
    let gates = ran.report()["broken_gates"].as_array().unwrap();
    let names: Vec<&Value> = gates.iter().map(|gate| &gate["gate"]).collect();
    assert_eq!(names, ["max_rejects", "empty_table", "empty_table"]);
}

#[test]
fn quiet_leaves_the_lines_of_a_broken_gate() {
    let site = Site::folder(Format::Parquet);
    site.put(&key(GEO, 0, 0), misdated(1));
    let ran = site.run(&["--quiet"]).exited(3);
    assert_eq!((told(&ran).len(), ran.stderr.lines().count()), (1, 2), "{}", ran.stderr);
}

#[test]
fn an_object_that_cannot_be_read_is_a_record_that_its_table_did_not_get() {
    for site in Site::all() {
        let name = key(GEO, 0, 0) + ".gz";
        site.put(&name, &gzip(geos([1]).as_bytes())[..12]);
        let ran = site.run(&[]).exited(3);
        let [line] = told(&ran)[..] else { panic!("{}", ran.stderr) };
        assert!(line.starts_with("geo: none of 1 record was written: gzip_truncated (1)"));
        assert!(line.ends_with(&format!(" ({name})")), "an object as a whole has no line: {line}");
    }
}

#[test]
fn a_table_without_records_or_with_duplicates_alone_breaks_no_gate() {
    for format in Format::BOTH {
        let site = Site::folder(format);
        site.put(&key(GEO, 0, 0), "");
        site.put(&key(PIN, 0, 0), "\n \n");
        site.run(&[]).done();

        let site = Site::folder(format);
        site.put(&key(GEO, 0, 0), geos([1, 2, 3]));
        site.run(&[]).done();
        site.put(&key(GEO, 0, 1), geos([2, 3]));
        assert_eq!(site.run(&[]).done().counts(), [2, 0, 0, 2]);
        // A duplicate is no record that the table should have got.
        site.put(&key(GEO, 0, 2), geos([3]) + &misdated(4));
        let ran = site.run(&[]).exited(3).said("geo: none of 1 record was written");
        assert_eq!(ran.counts(), [2, 0, 1, 1]);
    }
}

#[test]
fn values_that_become_null_and_records_that_end_the_run_break_no_gate() {
    let with = |on_error: &str| {
        let column = "type = \"timestamp\"";
        GEO_TRANSFORM.replace(column, &format!("{column}\non_error = \"{on_error}\""))
    };
    for (on_error, code) in [("null", 0), ("quarantine", 3), ("fail", 1)] {
        let site = Site::folder(Format::Delta);
        let path = site.home.path().join("transforms/geo.toml");
        // Its examples say what becomes of such a time.
        let transform = with(on_error);
        write(&path, transform.split("[[example]]").next().unwrap().as_bytes());
        site.put(&key(GEO, 0, 0), misdated(1));
        let ran = site.run(&["--transforms", "transforms"]).exited(code);
        assert_eq!(told(&ran).len(), usize::from(code == 3), "{}", ran.stderr);
        let rows = if code == 1 { 0 } else { site.out().rows("geo").len() };
        assert_eq!(rows, usize::from(on_error == "null"));
    }
}

#[test]
fn a_rebuild_in_which_a_table_gets_nothing_is_told_too() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos([1]));
        site.run(&[]).done();
        site.put(&key(GEO, 0, 0), misdated(1));
        site.run(&["--mode", "overwrite"]).exited(3).said("geo: none of 1 record was written");
        assert_eq!((site.inds("geo"), site.rejects("geo").len()), (vec![], 1));
        site.run(&["--mode", "overwrite", "--max-rejects", "100%"]).done();
    }
}

#[test]
fn a_replay_in_which_nothing_passes_breaks_no_gate() {
    let site = Site::folder(Format::Delta);
    site.put(&key(GEO, 0, 0), misdated(1));
    site.run(&[]).exited(3);
    let mut replay = site.binary();
    let output = replay.args(["replay", "--tables", "out/tables"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
