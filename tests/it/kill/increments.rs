//! Many runs into one table, each with one new object.

use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::content::{Content, assert_checkpoints};
use super::lake::{Kind, Lake};
use crate::command::{said, thorough};

/// Runs after which a table is young.
const YOUNG: u64 = 10;
/// Runs that are measured: from one checkpoint to the next.
const MEASURED: usize = 10;

/// What a run took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    time: Duration,
    /// Peak memory in KiB.
    memory: u64,
}

/// A table that grows by an object a run.
struct Growing {
    lake: Lake,
    runs: u64,
}

impl Growing {
    fn new(kind: Kind, runs: u64) -> Growing {
        let mut growing = Growing { lake: Lake::new(kind), runs: 0 };
        (0..runs).for_each(|_| _ = growing.run());
        growing
    }

    /// One more object, one more run.
    fn run(&mut self) -> Cost {
        let (topic, n) = ("u.geo", self.runs);
        let record = format!("{{\"ind\":{n},\"country\":\"Chad\"}}\n");
        let key = format!("in/topics/{topic}/partition=0/{topic}+0+{n:010}.json");
        self.lake.put(&key, &Bytes::from(record));
        self.runs += 1;
        let begin = Instant::now();
        let mut child = self.lake.run().spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut memory = 0;
        while child.try_wait().unwrap().is_none() {
            memory = peak(&status).unwrap_or(memory);
            std::thread::sleep(Duration::from_millis(1));
        }
        let time = begin.elapsed();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        Cost { time, memory }
    }

    /// As many versions as runs, and each row once.
    fn check(&self) {
        let objects = self.lake.objects();
        let commits = (0..self.runs).map(|n| format!("out/geo/_delta_log/{n:020}.json"));
        commits.for_each(|key| assert!(objects.contains_key(&key), "{key}"));
        assert_eq!(Content::of(&objects).rows("geo"), self.runs);
        assert_checkpoints(&objects, "after many runs");
    }
}

/// The most memory that a process had so far, while it is there.
fn peak(status: &str) -> Option<u64> {
    let text = fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The middle of what was measured.
fn median(costs: &[Cost]) -> Cost {
    fn middle<T: Ord + Copy>(mut values: Vec<T>) -> T {
        values.sort_unstable();
        values[values.len() / 2]
    }
    Cost {
        time: middle(costs.iter().map(|cost| cost.time).collect()),
        memory: middle(costs.iter().map(|cost| cost.memory).collect()),
    }
}

/// Compares runs into a table of ten runs with runs into one of `runs`. The two
/// take turns, so that a busy machine is busy for both.
fn compare(kind: Kind, runs: u64) {
    let (mut young, mut old) = (Growing::new(kind, YOUNG), Growing::new(kind, runs));
    let pairs: Vec<[Cost; 2]> = (0..MEASURED).map(|_| [young.run(), old.run()]).collect();
    let of = |which: usize| median(&pairs.iter().map(|pair| pair[which]).collect::<Vec<_>>());
    let (first, last) = (of(0), of(1));
    println!("{kind:?}: run {YOUNG} and later {first:?}; run {runs} and later {last:?}");
    assert!(last.time <= first.time * 3, "{first:?} {last:?}");
    assert!(last.memory <= first.memory + first.memory / 5, "{first:?} {last:?}");
    old.check();
}

#[test]
fn a_late_run_takes_what_the_tenth_took() {
    compare(Kind::Folder, if thorough() { 100 } else { 20 });
}

/// A measurement of some minutes:
/// `cargo test --release --test it a_thousand -- --ignored --nocapture`
#[test]
#[ignore = "takes minutes; a hundred runs are measured in every build"]
fn a_thousand_runs_take_what_ten_take() {
    for kind in [Kind::Folder, Kind::S3] {
        compare(kind, 1_000);
    }
}
