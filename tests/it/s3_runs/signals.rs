//! Ctrl-C and SIGTERM in the middle of a run over S3.

use std::time::{Duration, Instant};

use super::world::{LAKE, OUT, World};
use crate::s3::{Fault, Op, Rule};
use crate::table::{Format, assert_same, assert_same_rows};

/// Long enough for a machine under load, and far below the timeouts of requests.
const SOON: Duration = Duration::from_secs(4);

/// For `kill`, its exit code, and what pinclean calls it.
type Signal = (&'static str, i32, &'static str);
const INTERRUPT: Signal = ("INT", 130, "Ctrl-C");
const TERMINATE: Signal = ("TERM", 143, "SIGTERM");

fn wait_until(what: &str, reached: impl Fn() -> bool) {
    let begin = Instant::now();
    while !reached() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A run that is stopped once `under_way` holds ends soon, leaves nothing, and
/// the next run carries on.
fn assert_stops(signals: &[Signal], stall: fn(Rule) -> Rule, under_way: impl Fn(&World) -> bool) {
    let cases = signals.iter().flat_map(|signal| Format::BOTH.map(|format| (signal, format)));
    for (&(signal, code, name), format) in cases {
        let world = World::of(format);
        let layout = ["--rows", "2000", "--flush-size", "500"];
        let expected = world.local(&world.fill(&layout));
        let slow = Rule::new(Fault::Delay(Duration::from_secs(120)));
        world.server.faults().add(stall(slow));
        let run = world.run("s3://tables").start();
        wait_until("what is to be stopped", || under_way(&world));
        let begin = Instant::now();
        run.signal(signal);
        let ended = run.end();
        let time = begin.elapsed();
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("stopped by {name}")), "{}", ended.stderr);
        assert!(time < SOON, "{signal}: {time:?}");
        assert_eq!(world.server.keys(OUT, ""), [""; 0], "{signal}");
        assert_eq!(world.open_uploads(), 0, "{signal}");
        world.server.faults().clear();
        world.run("s3://tables").done();
        assert_same(&world.out(""), &expected);
    }
}

#[test]
fn a_run_that_waits_for_objects_stops_and_ends_its_uploads() {
    // One worker waits, the other does the rest.
    const LAST: &str = "topics/5f1c0d9a77b3.user/";
    assert_stops(
        &[INTERRUPT, TERMINATE],
        |rule| rule.on(Op::Get).under(LAST),
        |world| {
            let log = world.server.log();
            let waits = log.iter().any(|r| {
                r.op == Op::Get && r.key.as_ref().is_some_and(|key| key.starts_with(LAST))
            });
            waits && world.server.count(Op::UploadPart) > 0
        },
    );
}

#[test]
fn a_run_that_waits_for_a_listing_stops() {
    assert_stops(
        &[TERMINATE],
        |rule| rule.on(Op::List).in_bucket(LAKE),
        |world| world.requests(LAKE, Op::List) > 0,
    );
}

#[test]
fn a_run_that_waits_for_the_log_of_a_table_stops() {
    assert_stops(
        &[TERMINATE],
        |rule| rule.on(Op::List).on(Op::Get).in_bucket(OUT),
        |world| world.requests(OUT, Op::List) + world.requests(OUT, Op::Get) > 0,
    );
}

/// A commit that is under way may yet land: it is waited for, but not for long, and
/// whatever became of it, the next run carries on.
#[test]
fn a_run_that_waits_for_its_commit_stops() {
    for format in Format::BOTH {
        let world = World::of(format);
        let expected = world.local(&world.fill(&["--rows", "200", "--flush-size", "50"]));
        let log = match format {
            Format::Delta => "geo/_delta_log/",
            Format::Parquet => "geo/_pinclean/",
        };
        let slow = Rule::new(Fault::Delay(Duration::from_secs(120)));
        world.server.faults().add(slow.on(Op::Put).in_bucket(OUT).under(log));
        let run = world.run("s3://tables").start();
        let commits = || {
            let log = |key: Option<&str>| key.is_some_and(|key| key.starts_with(log));
            let requests = world.server.log();
            requests.iter().any(|r| r.op == Op::Put && r.bucket == OUT && log(r.key.as_deref()))
        };
        wait_until("the commit", commits);
        let begin = Instant::now();
        run.signal("TERM");
        let ended = run.end();
        assert_eq!(ended.code, Some(143), "{}", ended.stderr);
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        assert!(ended.stderr.contains("cut off after"), "{}", ended.stderr);
        world.server.faults().clear();
        world.run("s3://tables").done();
        assert_same_rows(&world.out(""), &expected);
    }
}

#[test]
fn a_run_that_waits_for_its_own_files_stops() {
    assert_stops(
        &[INTERRUPT],
        |rule| rule.on(Op::UploadPart),
        |world| world.server.count(Op::UploadPart) > 0,
    );
}
