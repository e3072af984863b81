use std::collections::BTreeSet;

use super::*;
use crate::key::Topic;
use crate::pipeline::discover::{Discovered, Latest, TopicFound, Total};
use crate::pipeline::report::Outcome;

const RUN: &str = "20240131T235959Z-0a1b2c3d";

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

fn report() -> Report {
    let pin = TableReport {
        commit: Some("pin/_delta_log/0.json".into()),
        objects: 4,
        bytes: 400,
        records_read: 9,
        records_written: 6,
        records_quarantined: 2,
        records_duplicate: 1,
        records_replaced: 3,
        ..TableReport::default()
    };
    // It was read, and its commit failed.
    let user = TableReport { commit: None, ..pin.clone() };
    Report {
        run_id: RUN.into(),
        version: "1",
        outcome: Outcome::PartlyCommitted,
        broken_gates: Vec::new(),
        started: String::new(),
        elapsed_s: 0.0,
        source: String::new(),
        out: String::new(),
        spec_hash: String::new(),
        requests: RequestCounts::default(),
        tables: [("pin".to_owned(), pin), ("user".to_owned(), user)].into(),
        topics_without_transform: Vec::new(),
    }
}

fn requests() -> RequestCounts {
    RequestCounts { list: 1, get: 2, put: 3, other: 4, ..RequestCounts::default() }
}

fn snapshot<'a>(report: Option<&'a Report>, lag: &'a BTreeMap<String, Lag>) -> Snapshot<'a> {
    Snapshot {
        out: "/data/a \"b\"\\c\nd",
        source: "s3://pins",
        run_id: RUN,
        ended: at(1_706_745_600),
        elapsed: Duration::from_millis(1_250),
        exit_code: 1,
        requests: Some(requests()),
        report,
        lag,
        last_success: Some(1_706_659_200),
    }
}

#[test]
fn the_text_has_every_sample_with_its_meaning() {
    let lag = [
        (
            "pin".to_owned(),
            Lag { objects: Some(0), seconds: Some(0), newest: Some(at(1_706_745_000)) },
        ),
        (
            "user".to_owned(),
            Lag { objects: Some(7), seconds: None, newest: Some(at(1_706_745_001)) },
        ),
    ];
    let lag = lag.into();
    let report = report();
    let text = render(&snapshot(Some(&report), &lag));
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text);
}

/// The rules of the format that a scrape fails on.
fn check(text: &str) {
    assert!(text.ends_with('\n'));
    let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
    let mut family = "";
    let sample = regex_of_a_sample();
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["#", "HELP", name, ..] => {
                assert!(families.insert(name), "{name} comes twice");
                family = name;
            }
            ["#", "TYPE", name, "gauge"] => assert_eq!(name, family),
            _ => {
                let Some(parts) = sample(line) else { panic!("no sample: {line}") };
                assert_eq!(parts.0, family, "{line}");
                assert!(series.insert(parts.1), "{line} comes twice");
            }
        }
    }
    assert!(!families.is_empty() && families.iter().all(|name| name.starts_with("pinclean_")));
}

/// A sample's name, and what tells it from others; no time, which collectors refuse.
fn regex_of_a_sample() -> impl Fn(&str) -> Option<(String, String)> {
    |line| {
        let (series, value) = line.rsplit_once("} ")?;
        let (name, labels) = series.split_once('{')?;
        let number = value.parse::<f64>().is_ok_and(f64::is_finite);
        let legal = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        (number && legal && labels.starts_with("out=\"")).then(|| (name.into(), series.into()))
    }
}

#[test]
fn each_family_is_whole_and_no_sample_comes_twice() {
    let (report, none) = (report(), BTreeMap::new());
    let full =
        [("pin".to_owned(), Lag { objects: Some(1), seconds: Some(2), newest: Some(at(3)) })];
    let full = full.into();
    for report in [None, Some(&report)] {
        for lag in [&none, &full] {
            check(&render(&snapshot(report, lag)));
        }
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    let lag = [("pin".to_owned(), Lag { objects: None, seconds: None, newest: None })].into();
    let unknown = Snapshot { last_success: None, requests: None, ..snapshot(None, &lag) };
    let text = render(&unknown);
    let of_requests = ["run_requests", "run_retries", "run_read_bytes", "run_written_bytes"];
    let others = ["lag", "newest", "last_success", "run_records", "run_objects"];
    for name in of_requests.into_iter().chain(others) {
        assert!(!text.contains(&format!("pinclean_{name}")), "{name}:\n{text}");
    }
    assert!(text.contains("pinclean_run_exit_code{"), "{text}");
}

#[test]
fn the_last_success_goes_from_file_to_file_until_there_is_another() {
    let lag = BTreeMap::new();
    let run = |exit_code, ended, last_success| {
        render(&Snapshot { exit_code, ended: at(ended), last_success, ..snapshot(None, &lag) })
    };
    let out = snapshot(None, &lag).out;
    let mut text = run(1, 10, None);
    assert_eq!(last_success(&text, out), None);
    for (exit_code, ended, expected) in [
        (0, 20, Some(20)),
        (1, 30, Some(20)),
        (3, 40, Some(20)),
        (75, 50, Some(20)),
        (0, 60, Some(60)),
    ] {
        text = run(exit_code, ended, last_success(&text, out));
        assert_eq!(last_success(&text, out), expected, "{exit_code} at {ended}");
    }
    assert_eq!(last_success(&text, "/another/out"), None);
    for damaged in ["", "pinclean_last_success_timestamp_seconds", &text.replace("} 60", "} x")] {
        assert_eq!(last_success(damaged, out), None, "{damaged}");
    }
}

#[test]
fn a_table_is_behind_by_what_was_listed_and_not_committed() {
    let found = |table, objects, listed: Option<i64>, committed: Option<i64>| TopicFound {
        table,
        new: Total { objects, bytes: objects },
        latest: Latest { listed: listed.map(at), committed: committed.map(at) },
        ..TopicFound::default()
    };
    let topics = [
        ("a.pin", found(0, 3, Some(100), Some(40))),
        // A table may have several topics.
        ("b.pin", found(0, 2, Some(90), Some(60))),
        ("a.geo", found(1, 4, Some(50), None)),
        ("a.user", found(2, 0, Some(70), Some(70))),
    ];
    let topics = topics.map(|(name, found)| (Topic::parse(name).unwrap(), found));
    let discovered = Discovered { topics: topics.into(), ..Discovered::default() };
    let of = |objects, seconds, newest| Lag { objects, seconds, newest: Some(at(newest)) };
    let cases: [(&[&str], bool, [Lag; 3]); 4] = [
        (&[], false, [of(Some(4), None, 50), of(Some(5), Some(40), 100), of(Some(0), Some(0), 70)]),
        (
            &["pin"],
            false,
            [of(Some(4), None, 50), of(Some(0), Some(0), 100), of(Some(0), Some(0), 70)],
        ),
        (
            &["pin", "geo"],
            true,
            [of(Some(0), Some(0), 50), of(Some(0), Some(0), 100), of(Some(0), Some(0), 70)],
        ),
        (&[], true, [of(None, None, 50), of(None, None, 100), of(Some(0), Some(0), 70)]),
    ];
    for (committed, rebuilds, expected) in cases {
        let found = lag(&discovered, &["pin", "geo", "user"], rebuilds, |t| committed.contains(&t));
        let names = ["geo", "pin", "user"].map(str::to_owned);
        assert_eq!(found, names.into_iter().zip(expected).collect(), "{committed:?} {rebuilds}");
    }
}
