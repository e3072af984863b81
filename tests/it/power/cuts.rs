//! The power goes at each operation of each command.

use std::collections::HashSet;
use std::fs;
use std::sync::Mutex;
use std::thread;

use super::disk::{Disk, Survival, Tree, read, write};
use super::record::Event;
use super::steps::{Home, Life, Lived, Step, steps, succeeded};
use crate::command::thorough;
use crate::table::Format;

/// States of the disk that are tried of each command, unless all are.
const SAMPLE: usize = 10;
/// And where more is tried.
const THOROUGH_SAMPLE: usize = 60;
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

/// As many as there is time for, the end among them.
fn sampled(cuts: Vec<Cut<'_>>, sample: usize) -> Vec<Cut<'_>> {
    let step = cuts.len().div_ceil(sample);
    let chosen = cuts.into_iter().enumerate();
    chosen.filter(|(n, cut)| n % step == 0 || cut.ended).map(|(_, cut)| cut).collect()
}

impl Cut<'_> {
    /// Writes what is left on the disk.
    fn home(&self, format: Format) -> Home {
        let home = Home::new(format);
        write(&self.tree, &home.path());
        home
    }

    /// The tables open, what was committed is in them, and the next command completes
    /// what this one began.
    fn is_survived(&self, format: Format) {
        let Cut { lived, about, ended, .. } = self;
        let home = self.home(format);
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

fn cut_everywhere(format: Format) -> usize {
    let life = Life::of(format, &[]);
    let sample = if thorough() { THOROUGH_SAMPLE } else { SAMPLE };
    let cuts = life.steps.iter().flat_map(|lived| sampled(cuts(lived), sample));
    survive(&Vec::from_iter(cuts), format)
}

/// Lives through cuts, a few at a time; how many they are.
fn survive(cuts: &[Cut<'_>], format: Format) -> usize {
    let waiting = Mutex::new(cuts.iter());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(cut) = next else { break };
                    cut.is_survived(format);
                }
            });
        }
    });
    cuts.len()
}

#[test]
fn a_delta_table_survives_a_power_cut_at_each_operation() {
    let cuts = cut_everywhere(Format::Delta);
    assert!(cuts >= 60, "{cuts}");
}

#[test]
fn a_parquet_table_survives_a_power_cut_at_each_operation() {
    let cuts = cut_everywhere(Format::Parquet);
    assert!(cuts >= 24, "{cuts}");
}

/// A process that dies leaves what it did not sync to the next one, which counts on it.
fn die_and_cut_everywhere(format: Format) -> usize {
    let home = Home::new(format);
    let (mut disk, mut before, mut cut) = (Disk::new(&home.path()), None, 0);
    for step in &steps(format)[..2] {
        let events = home.does(*step);
        let after = home.content().unwrap();
        let names = (1..=events.len()).filter(|&n| {
            matches!(
                events[n - 1],
                Event::Link { .. } | Event::Rename { .. } | Event::MakeFolder { .. }
            )
        });
        for died in names.step_by(if thorough() { 1 } else { 5 }) {
            let mut disk = disk.clone();
            events[..died].iter().for_each(|event| disk.apply(event));
            restore(&disk, &home);
            let events = home.does(*step);
            let name = "after a death";
            let step = Step { name, ..*step };
            let lived = Lived { step, disk, events, before: before.clone(), after: after.clone() };
            cut += survive(&sampled(cuts(&lived), SAMPLE / 2), format);
        }
        events.iter().for_each(|event| disk.apply(event));
        restore(&disk, &home);
        before = Some(after);
    }
    cut
}

/// Puts all that was written to a disk, synced or not, where it was.
fn restore(disk: &Disk, home: &Home) {
    _ = fs::remove_dir_all(home.path().join("out"));
    write(&disk.after_cut(Survival::All), &home.path());
}

#[test]
fn a_power_cut_after_a_process_died_loses_nothing_that_another_counted_on() {
    for format in Format::BOTH {
        let cuts = die_and_cut_everywhere(format);
        assert!(cuts >= 20, "{format:?}: {cuts}");
    }
}

/// That the tests above can fail.
#[test]
fn without_syncs_a_power_cut_may_take_a_table() {
    for format in Format::BOTH {
        let life = Life::of(format, &["--no-fsync"]);
        let last = life.steps.last().unwrap();
        let after_the_end = cuts(last).into_iter().filter(|cut| cut.ended);
        let lost =
            after_the_end.filter(|cut| cut.home(format).content().as_ref() != Ok(&last.after));
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
