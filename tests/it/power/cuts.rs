//! The power goes at each operation of each command.

use std::collections::HashSet;
use std::fs;
use std::sync::Mutex;
use std::thread;

use super::disk::{Disk, Survival, Tree, read, write};
use super::steps::{Home, Life, Lived, succeeded};
use crate::command::thorough;
use crate::table::Format;

/// States of the disk that are tried of each command, unless all are.
const SAMPLE: usize = 16;
/// Processes at a time.
const THREADS: usize = 3;

/// What is left on the disk by a power cut.
struct Cut<'a> {
    lived: &'a Lived,
    about: String,
    /// Whether the command had ended by then.
    ended: bool,
    tree: Tree,
}

/// All states that a command may leave, each once.
fn cuts(lived: &Lived) -> Vec<Cut<'_>> {
    let seeds = if thorough() { 24 } else { 4 };
    let mut seen = HashSet::new();
    let mut cuts = Vec::new();
    let mut disk = lived.disk.clone();
    for done in 0..=lived.events.len() {
        if done > 0 {
            disk.apply(&lived.events[done - 1]);
        }
        let ended = done == lived.events.len();
        let fixed = [
            Survival::Nothing,
            Survival::NamesAlone,
            Survival::Torn,
            Survival::Zeros,
            Survival::All,
        ];
        for survival in fixed.into_iter().chain((0..seeds).map(Survival::Some)) {
            let tree = disk.after_cut(survival);
            if seen.insert((ended, tree.clone())) {
                let about = format!("{}, cut after {done}, {survival:?}", lived.step.name);
                cuts.push(Cut { lived, about, ended, tree });
            }
        }
    }
    cuts
}

/// Those that are tried: all, or as many as there is time for, the end among them.
fn sampled(cuts: Vec<Cut<'_>>) -> Vec<Cut<'_>> {
    let step = if thorough() { 1 } else { cuts.len().div_ceil(SAMPLE) };
    let chosen = cuts.into_iter().enumerate();
    chosen.filter(|(n, cut)| n % step == 0 || cut.ended).map(|(_, cut)| cut).collect()
}

impl Cut<'_> {
    /// Writes what is left on the disk.
    fn home(&self, life: &Life) -> Home {
        let home = Home::new(life.home.format);
        write(&self.tree, &home.path());
        home
    }

    /// The tables open, what was committed is in them, and the next command completes
    /// what this one began.
    fn is_survived(&self, life: &Life) {
        let Cut { lived, about, ended, .. } = self;
        let home = self.home(life);
        let found = home.content();
        match (&found, &lived.before) {
            (Ok(found), Some(before)) if !ended => {
                assert!(
                    [&before.rows, &lived.after.rows].contains(&&found.rows),
                    "{about}: {found:?}"
                );
                let rejects = [&before.rejects, &lived.after.rejects];
                assert!(rejects.contains(&&found.rejects), "{about}: {found:?}");
            }
            (Ok(found), _) => assert_eq!(*found, lived.after, "{about}"),
            (Err(error), None) if !ended => {
                let nothing = ["no such folder", "no tables", "no table geo"];
                assert!(nothing.iter().any(|text| error.contains(text)), "{about}: {error}");
            }
            (Err(error), _) => panic!("{about}: {error}"),
        }
        succeeded(&mut home.command(lived.step), about);
        assert_eq!(home.content().as_ref(), Ok(&lived.after), "{about}: after the next command");
    }
}

/// Lives through the cuts, a few at a time; how many they are.
fn cut_everywhere(format: Format) -> usize {
    let life = Life::of(format, &[]);
    let cuts: Vec<Cut> = life.steps.iter().flat_map(|lived| sampled(cuts(lived))).collect();
    let waiting = Mutex::new(cuts.iter());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(cut) = next else { break };
                    cut.is_survived(&life);
                }
            });
        }
    });
    cuts.len()
}

#[test]
fn a_delta_table_survives_a_power_cut_at_each_operation() {
    let cuts = cut_everywhere(Format::Delta);
    assert!(cuts >= 80, "{cuts}");
}

#[test]
fn a_parquet_table_survives_a_power_cut_at_each_operation() {
    let cuts = cut_everywhere(Format::Parquet);
    assert!(cuts >= 40, "{cuts}");
}

/// That the test above can fail.
#[test]
fn without_syncs_a_power_cut_may_take_a_table() {
    for format in Format::BOTH {
        let life = Life::of(format, &["--no-fsync"]);
        let last = life.steps.last().unwrap();
        let after_the_end = cuts(last).into_iter().filter(|cut| cut.ended);
        let lost =
            after_the_end.filter(|cut| cut.home(&life).content().as_ref() != Ok(&last.after));
        assert!(lost.count() > 1, "{format:?}");
    }
}

#[test]
fn the_record_has_all_that_is_on_the_disk() {
    for format in Format::BOTH {
        let life = Life::of(format, &[]);
        let last = life.steps.last().unwrap();
        let disk = last.events.iter().fold(last.disk.clone(), |mut disk: Disk, event| {
            disk.apply(event);
            disk
        });
        let out = fs::canonicalize(life.home.path().join("out")).unwrap();
        let there = read(&out);
        let recorded = disk.after_cut(Survival::All);
        let recorded: Tree = recorded
            .into_iter()
            .filter_map(|(path, bytes)| Some((path.strip_prefix("out").ok()?.to_owned(), bytes)))
            .filter(|(path, _)| !path.as_os_str().is_empty())
            .collect();
        assert!(there == recorded, "{:?}\n{:?}", there.keys(), recorded.keys());
    }
}
