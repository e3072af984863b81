//! Puts that fail, and puts that are done and say that they failed.

use super::place::assert_same;
use super::world::{OUT, World};
use crate::s3::{Fault, Op, Rule};

const LAYOUT: [&str; 4] = ["--rows", "100", "--partitions", "2"];

#[test]
fn a_manifest_whose_acknowledgement_is_lost_is_committed_once() {
    for fault in [Fault::LandThenError, Fault::LandThenClose] {
        let world = World::new();
        let expected = world.local(&world.fill(&LAYOUT));
        for table in ["geo", "pin", "user"] {
            let put = Rule::new(fault).on(Op::Put).under(&format!("{table}/_pinclean/"));
            world.server.faults().add(put.first(1));
        }
        world.run("s3://tables").done();
        assert_same(&world.out(""), &expected);
        for table in ["geo", "pin", "user"] {
            assert_eq!(world.out("").manifests(table).len(), 1, "{fault:?}");
        }
    }
}

#[test]
fn data_files_whose_acknowledgement_is_lost_are_there_once() {
    for fault in [Fault::LandThenError, Fault::LandThenClose] {
        let world = World::new();
        let expected = world.local(&world.fill(&["--rows", "2000", "--flush-size", "500"]));
        for op in [Op::Put, Op::UploadPart, Op::CompleteUpload] {
            world.server.faults().add(Rule::new(fault).on(op).first(1));
        }
        world.run("s3://tables").done();
        assert!(world.server.count(Op::CompleteUpload) > 1, "{fault:?}");
        assert_same(&world.out(""), &expected);
    }
}

#[test]
fn a_put_that_fails_for_good_commits_nothing_and_the_next_run_carries_on() {
    // The pin table's file is too large to be held in memory until the commit.
    let cases = [
        ("geo/_pinclean/", Fault::AccessDenied),
        ("geo/", Fault::AccessDenied),
        ("", Fault::AccessDenied),
        ("geo/_pinclean/", Fault::InternalError),
    ];
    for (prefix, fault) in cases {
        let world = World::new();
        let layout = ["--rows", "2000", "--flush-size", "500"];
        let expected = world.local(&world.fill(&layout));
        for op in [Op::Put, Op::CreateUpload, Op::UploadPart, Op::CompleteUpload] {
            world.server.faults().add(Rule::new(fault).on(op).under(prefix));
        }
        let told = world.run("s3://tables").failed(1);
        match fault {
            Fault::AccessDenied => assert!(told.contains("s3:PutObject is not allowed"), "{told}"),
            _ => assert!(told.contains("cannot write s3://tables/geo/_pinclean/"), "{told}"),
        }
        assert_eq!(world.open_uploads(), 0, "{prefix:?}");
        for table in ["geo", "pin", "user"] {
            assert_eq!(world.out("").manifests(table).len(), 0, "{prefix:?}");
        }
        world.server.faults().clear();
        world.run("s3://tables").done();
        assert_same(&world.out(""), &expected);
        assert_eq!(world.server.keys(OUT, "_runs/").len(), 1);
    }
}
