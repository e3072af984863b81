//! Puts that fail, and puts that are done and say that they failed.

use super::world::{OUT, World, at_once};
use crate::command::thorough;
use crate::s3::{Fault, Op, Rule};
use crate::table::{Format, TABLES, assert_same, assert_same_rows};

const LAYOUT: [&str; 6] = ["--rows", "100", "--partitions", "2", "--bad-rate", "10%"];
/// The pin table's file is too large to be held in memory until the commit.
const LARGE: [&str; 4] = ["--rows", "2000", "--flush-size", "500"];

const LOST: [Fault; 2] = [Fault::LandThenError, Fault::LandThenClose];

/// Whether a fault that never ends is tried: a server's error is tried again for
/// half a minute, which is left to a thorough test.
fn is_tried(fault: Fault) -> bool {
    thorough() || fault != Fault::InternalError
}

#[test]
fn a_commit_whose_acknowledgement_is_lost_is_made_once() {
    let cases = Format::BOTH.into_iter().flat_map(|f| LOST.map(|fault| (f, fault)));
    at_once(cases, |(format, fault)| {
        let world = World::of(format);
        let expected = world.local(&world.fill(&LAYOUT));
        for table in TABLES {
            for table in [table.to_owned(), format!("_quarantine/{table}")] {
                let put = Rule::new(fault).on(Op::Put).under(&format.commits(&table));
                world.server.faults().add(put.first(1));
            }
        }
        world.run("s3://tables").done();
        assert_same(&world.out(""), &expected);
        for table in TABLES {
            assert_eq!(world.out("").commits(table).len(), 1, "{format:?}, {fault:?}");
        }
    });
}

#[test]
fn data_files_whose_acknowledgement_is_lost_are_there_once() {
    let cases = Format::BOTH.into_iter().flat_map(|f| LOST.map(|fault| (f, fault)));
    at_once(cases, |(format, fault)| {
        let world = World::of(format);
        let expected = world.local(&world.fill(&LARGE));
        for op in [Op::Put, Op::UploadPart, Op::CompleteUpload] {
            world.server.faults().add(Rule::new(fault).on(op).first(1));
        }
        world.run("s3://tables").done();
        assert!(world.server.count(Op::CompleteUpload) > 1, "{format:?}, {fault:?}");
        assert_same(&world.out(""), &expected);
    });
}

#[test]
fn a_put_that_fails_for_good_commits_nothing_and_the_next_run_carries_on() {
    let cases = Format::BOTH.into_iter().flat_map(|format| {
        let log = format.commits("geo");
        [
            (format, log.clone(), Fault::AccessDenied),
            (format, "geo/".to_owned(), Fault::AccessDenied),
            (format, String::new(), Fault::AccessDenied),
            (format, log, Fault::InternalError),
        ]
    });
    at_once(cases.filter(|case| is_tried(case.2)), |(format, prefix, fault)| {
        let world = World::of(format);
        let expected = world.local(&world.fill(&LARGE));
        for op in [Op::Put, Op::CreateUpload, Op::UploadPart, Op::CompleteUpload] {
            world.server.faults().add(Rule::new(fault).on(op).under(&prefix));
        }
        let told = world.run("s3://tables").failed(1);
        let wanted = match fault {
            Fault::AccessDenied => "s3:PutObject is not allowed".to_owned(),
            _ => format!("cannot write s3://tables/{}", format.commits("geo")),
        };
        assert!(told.contains(&wanted), "{told}");
        assert_eq!(world.open_uploads(), 0, "{prefix:?}");
        for table in TABLES {
            assert_eq!(world.out("").commits(table), [""; 0], "{prefix:?}");
        }
        world.server.faults().clear();
        world.run("s3://tables").done();
        match format {
            Format::Parquet => assert_same(&world.out(""), &expected),
            // The first run's files are of no table; `vacuum` removes them.
            Format::Delta => assert_same_rows(&world.out(""), &expected),
        }
        assert_eq!(world.server.keys(OUT, "_runs/").len(), 1);
    });
}

#[test]
fn rejects_that_the_quarantine_could_not_take_over_are_there_after_the_next_run_once() {
    let faults = [Fault::AccessDenied, Fault::InternalError].into_iter();
    at_once(faults.filter(|&fault| is_tried(fault)), |fault| {
        let world = World::new();
        let expected = world.local(&world.fill(&LAYOUT));
        world.server.faults().add(Rule::new(fault).on(Op::Put).under("_quarantine/geo/_delta_log"));
        let ended = world.run("s3://tables").done();
        assert!(ended.stderr.contains("left to the next run"), "{}", ended.stderr);
        assert_eq!(world.out("").rejects("geo"), [[]; 0]);
        world.server.faults().clear();
        for _ in 0..2 {
            let ended = world.run("s3://tables").done();
            assert_eq!(ended.report["outcome"], "nothing_new");
            assert_same(&world.out(""), &expected);
        }
    });
}
