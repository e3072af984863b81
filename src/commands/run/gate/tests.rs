use std::collections::BTreeMap;

use super::*;
use crate::pipeline::report::Outcome;
use crate::store::RequestCounts;

/// Tables, each with what it wrote and rejected, and whether it was committed.
type Tables<'a> = &'a [(&'a str, u64, u64, bool)];

fn report(tables: Tables<'_>) -> Report {
    let tables = tables.iter().map(|(name, written, rejected, committed)| {
        let mut table = TableReport {
            commit: committed.then(|| "0.json".to_owned()),
            records_read: written + rejected + 1,
            records_written: *written,
            records_quarantined: *rejected,
            records_duplicate: 1,
            ..TableReport::default()
        };
        if *rejected > 0 {
            table.rejects.insert("format", [("timestamp".to_owned(), *rejected)].into());
        }
        ((*name).to_owned(), table)
    });
    Report {
        run_id: String::new(),
        version: "1",
        outcome: Outcome::Committed,
        broken_gates: Vec::new(),
        started: String::new(),
        elapsed_s: 0.0,
        source: String::new(),
        out: "s3://lake/clean/".to_owned(),
        spec_hash: String::new(),
        requests: RequestCounts::default(),
        tables: tables.collect::<BTreeMap<_, _>>(),
        topics_without_transform: Vec::new(),
    }
}

fn names(gates: &[BrokenGate]) -> Vec<&str> {
    let mut names = Vec::new();
    for gate in gates {
        names.push(match gate {
            BrokenGate::MaxRejects { .. } => "--max-rejects",
            BrokenGate::EmptyTable(empty) => empty.table.as_str(),
        });
    }
    names
}

#[test]
fn a_gate_is_broken_by_too_many_rejects_and_by_a_table_that_got_nothing() {
    use MaxRejects::{Count, Share};

    let cases: [(Option<MaxRejects>, Tables<'_>, &[&str]); 16] = [
        // limit, tables: name, written, rejected, committed → gates
        (None, &[], &[]),
        (None, &[("geo", 0, 0, true)], &[]),
        (None, &[("geo", 1, 99, true)], &[]),
        (None, &[("geo", 0, 1, true)], &["geo"]),
        (None, &[("geo", 0, 3, true), ("pin", 9, 0, true)], &["geo"]),
        (None, &[("geo", 0, 3, true), ("pin", 0, 1, true)], &["geo", "pin"]),
        (None, &[("geo", 0, 3, false), ("pin", 9, 0, true)], &[]),
        (Some(Count(1_000)), &[("geo", 0, 3, true)], &["geo"]),
        (Some(Count(0)), &[("geo", 0, 3, true)], &["--max-rejects", "geo"]),
        (Some(Count(0)), &[("geo", 5, 1, true)], &["--max-rejects"]),
        (Some(Count(0)), &[("geo", 5, 1, false)], &[]),
        (Some(Share(0.01)), &[("geo", 0, 1, true), ("pin", 999, 0, true)], &["geo"]),
        (Some(Share(0.99)), &[("geo", 0, 3, true)], &["geo"]),
        (Some(Share(0.999_999)), &[("geo", 0, 3, true)], &["geo"]),
        (Some(Share(1.0)), &[("geo", 0, 3, true)], &[]),
        (Some(Share(1.0)), &[("geo", 0, 3, true), ("pin", 0, 1, true)], &[]),
    ];
    for (limit, tables, expected) in cases {
        let gates = broken(limit, &report(tables));
        assert_eq!(names(&gates), expected, "{limit:?} {tables:?}");
    }
}

#[test]
fn the_error_says_which_gates_were_broken_and_where_the_rejects_are() {
    let cases: [(Option<MaxRejects>, Tables<'_>, &str); 3] = [
        (
            Some(MaxRejects::Count(2)),
            &[("geo", 5, 3, true)],
            "3 of 9 records were quarantined, more than --max-rejects 2; the run was committed, \
             the rejects are in s3://lake/clean/_quarantine",
        ),
        (
            None,
            &[("geo", 0, 3, true), ("pin", 1, 0, true)],
            "table geo got none of its records, which only --max-rejects 100% allows; the run was \
             committed, the rejects are in s3://lake/clean/_quarantine",
        ),
        (
            Some(MaxRejects::Share(0.5)),
            &[("geo", 0, 3, true), ("pin", 0, 2, true)],
            "5 of 7 records were quarantined, more than --max-rejects 50%; tables geo, pin got \
             none of their records, which only --max-rejects 100% allows; the run was committed, \
             the rejects are in s3://lake/clean/_quarantine",
        ),
    ];
    for (limit, tables, expected) in cases {
        let mut report = report(tables);
        report.broken_gates = broken(limit, &report);
        let error = verdict(&report).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.exit_code(), 3);
    }
    assert!(verdict(&report(&[("geo", 1, 1, true)])).is_ok());
}
