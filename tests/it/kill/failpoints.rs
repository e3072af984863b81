//! A process that dies at each place of a run, as by `kill -9`.
//!
//! Only builds with debug assertions die on request.

use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::thread;

use pinclean::failpoint::Point;

use super::content::{Content, assert_checkpoints};
use super::lake::{Kind, Lake, Objects, slices};
use crate::command::{said, thorough};

/// Runs before the one that dies, where tables are there already: that one makes
/// the tenth version of all of them, which gets a checkpoint.
const BEFORE: usize = 9;
/// Processes at a time.
const THREADS: usize = 4;
/// Signals as Unix numbers them.
const SIGKILL: i32 = 9;

/// How often a run comes to a place, at the least: it has six shards of three
/// tables, and each table has rejects.
fn times(point: Point, start: Start) -> u32 {
    match point {
        Point::BeforePlan
        | Point::Planned
        | Point::BeforePublish
        | Point::Published
        | Point::BeforeReport
        | Point::AfterReport => 1,
        Point::BeforeFetch
        | Point::Fetched
        | Point::Decoded
        | Point::Cleaned
        | Point::Written
        | Point::Finished
        | Point::BeforeFile
        | Point::AfterFile
        | Point::BeforePut
        | Point::AfterPut => 6,
        Point::BeforeSettle => 3,
        Point::BeforeCheckpoint | Point::AfterCheckpoint => match start {
            Start::Nothing => 0,
            Start::Tables => 6,
        },
    }
}

/// What is there before the run that dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Nothing,
    Tables,
}

#[derive(Debug)]
struct Case {
    start: Start,
    /// Where one process after the other dies.
    deaths: Vec<(Point, u32)>,
    /// Whether new objects come before the run that lives.
    grows: bool,
}

impl Case {
    /// Whether a checkpoint may be damaged.
    fn is_of_checkpoints(&self) -> bool {
        let of_checkpoints = [Point::BeforeCheckpoint, Point::AfterCheckpoint];
        self.deaths.iter().any(|(point, _)| of_checkpoints.contains(point))
    }
}

/// Every place, the first time, in the middle and the last time; and what follows
/// on the death between the commit of rows and that of their rejects. Requests
/// cost more than files: on S3 it is the first time where there is no table, and
/// the last time where there are some.
fn cases(kind: Kind) -> Vec<Case> {
    let mut deaths: Vec<(Start, Vec<(Point, u32)>)> = Vec::new();
    for start in [Start::Nothing, Start::Tables] {
        for &point in Point::ALL {
            let last = times(point, start);
            let mut positions = match (kind, start) {
                (Kind::Folder, _) => vec![1, last / 2 + 1, last],
                (Kind::S3, Start::Nothing) => vec![1],
                (Kind::S3, Start::Tables) => vec![last],
            };
            positions.retain(|&n| (1..=last).contains(&n));
            positions.dedup();
            deaths.extend(positions.into_iter().map(|n| (start, vec![(point, n)])));
        }
        for table in 1..=3 {
            for again in [Point::BeforePut, Point::AfterPut] {
                deaths.push((start, vec![(Point::BeforeSettle, table), (again, 1)]));
            }
        }
    }
    let (first, step) = match (thorough(), kind) {
        (true, _) => (0, 1),
        (false, Kind::Folder) => (0, 6),
        (false, Kind::S3) => (1, 6),
    };
    let cases = deaths.into_iter().skip(first).step_by(step).enumerate();
    cases.map(|(n, (start, deaths))| Case { start, deaths, grows: n % 2 == 0 }).collect()
}

/// The tables of a start, before the run that dies, after it, and once more has
/// come.
struct World {
    kind: Kind,
    start: Start,
    objects: Objects,
    increment: Objects,
    expected: [Content; 3],
}

impl World {
    fn new(kind: Kind, start: Start) -> World {
        let before = match start {
            Start::Nothing => 0,
            Start::Tables => BEFORE,
        };
        let lake = Lake::new(kind);
        for slice in 0..before {
            lake.put_all(&slices(slice..slice + 1));
            lake.done();
        }
        let expected = [before, before + 1, before + 2].map(|until| undisturbed(kind, until));
        lake.content().assert_is(&expected[0], "one run after the other");
        lake.put_all(&slices(before..before + 1));
        let increment = slices(before + 1..before + 2);
        World { kind, start, objects: lake.objects(), increment, expected }
    }

    fn live_through(&self, case: &Case) {
        let about = format!("{:?}: {case:?}", self.kind);
        let lake = Lake::with(self.kind, &self.objects);
        let [before, after, grown] = &self.expected;
        for (point, times) in &case.deaths {
            let value = format!("{}:{times}", point.name());
            let output = lake.run().env("PINCLEAN_FAILPOINT", value).output().unwrap();
            let signal = output.status.signal();
            assert_eq!(signal, Some(SIGKILL), "{about}: {}", said(&output));
            lake.content().assert_between(before, after, &about);
        }
        if case.grows {
            lake.put_all(&self.increment);
        }
        let output = lake.run().output().unwrap();
        assert!(output.status.success(), "{about}: {}", said(&output));
        let objects = lake.objects();
        Content::of(&objects).assert_is(if case.grows { grown } else { after }, &about);
        if case.is_of_checkpoints() {
            assert_checkpoints(&objects, &about);
        }
    }
}

/// What a single run over so many slices gives.
fn undisturbed(kind: Kind, until: usize) -> Content {
    let lake = Lake::with(kind, &slices(0..until));
    if until > 0 {
        lake.done();
        assert_eq!(lake.content().tables().len(), 6, "three tables, each with rejects");
    }
    lake.content()
}

/// Lives through all cases, a few at a time; the number of deaths.
fn die_everywhere(kind: Kind) -> usize {
    let worlds = [Start::Nothing, Start::Tables].map(|start| World::new(kind, start));
    let cases = cases(kind);
    let waiting = Mutex::new(cases.iter());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(case) = next else { break };
                    let world = worlds.iter().find(|world| world.start == case.start);
                    world.unwrap().live_through(case);
                }
            });
        }
    });
    cases.iter().map(|case| case.deaths.len()).sum()
}

#[test]
fn a_process_that_dies_anywhere_loses_and_doubles_nothing_in_a_folder() {
    let deaths = die_everywhere(Kind::Folder);
    assert!(deaths >= if thorough() { 100 } else { 16 }, "{deaths}");
}

#[test]
fn a_process_that_dies_anywhere_loses_and_doubles_nothing_on_s3() {
    let deaths = die_everywhere(Kind::S3);
    assert!(deaths >= if thorough() { 50 } else { 8 }, "{deaths}");
}

#[test]
fn a_place_to_die_that_there_is_not_is_refused() {
    let lake = Lake::new(Kind::Folder);
    let output = lake.run().env("PINCLEAN_FAILPOINT", "after-putt").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("before-put, after-put"));
    assert!(lake.objects().is_empty());
}
