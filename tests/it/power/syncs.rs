//! How often a command waits for the disk.

use std::fs;
use std::path::Path;

use super::disk::read;
use super::record::Event;
use super::steps::{Home, steps};
use crate::table::Format;

fn count(events: &[Event], is: impl Fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| is(event)).count()
}

fn synced_paths(events: &[Event]) -> impl Iterator<Item = &Path> {
    events.iter().filter_map(|event| match event {
        Event::Synced { path } => Some(path.as_path()),
        _ => None,
    })
}

#[test]
fn a_command_syncs_each_file_and_each_commit_at_most_twice() {
    for format in Format::BOTH {
        let home = Home::new(format);
        for step in steps(format) {
            let events = home.does(step);
            let synced = count(&events, |e| matches!(e, Event::Synced { .. }));
            let files = count(&events, |e| matches!(e, Event::Rename { .. }));
            let commits = count(&events, |e| matches!(e, Event::Link { .. }));
            let folders = count(&events, |e| matches!(e, Event::MakeFolder { .. }));
            // The name under which a file was staged is removed too.
            let removed = count(
                &events,
                |e| matches!(e, Event::Remove { path } if !path.to_str().unwrap().contains('#')),
            );
            let most = 2 * (files + removed) + 2 * commits + folders;
            let about = format!("{format:?}, {}: {files} files, {commits} commits", step.name);
            let paths: Vec<_> = synced_paths(&events).collect();
            assert!(synced <= most, "{about}: {synced} syncs, not {most}: {paths:#?}");
            assert!(synced >= files + 2 * commits, "{about}: {synced} syncs are too few");
        }
    }
}

#[test]
fn only_the_output_is_synced() {
    for format in Format::BOTH {
        let home = Home::new(format);
        let out = home.path().join("out");
        for step in steps(format) {
            for event in home.does(step) {
                if let Event::Sync { path } = event {
                    let parent = path == home.path() && step.name == "first run";
                    assert!(path.starts_with(&out) || parent, "{}", path.display());
                }
            }
        }
    }
}

#[test]
fn without_fsync_nothing_is_synced_and_the_tables_are_the_same() {
    for format in Format::BOTH {
        let [home, other] = [Home::new(format), Home::new(format)];
        for step in steps(format) {
            let events = home.does_with(step, &["--no-fsync"]);
            assert_eq!(count(&events, |e| matches!(e, Event::Sync { .. })), 0, "{}", step.name);
            assert!(!events.is_empty());
            other.does(step);
            assert_eq!(home.content(), other.content(), "{}", step.name);
        }
    }
}

#[test]
fn a_commit_whose_process_died_before_it_was_synced_is_synced_by_whoever_counts_on_it() {
    for format in Format::BOTH {
        let home = Home::new(format);
        let step = steps(format)[0];
        home.does(step);
        let out = home.path().join("out");
        let is_commit = |name: &str| {
            name.strip_suffix(".json").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        let tree = read(&out);
        let commit = tree.keys().rfind(|path| {
            !path.starts_with("_quarantine")
                && is_commit(path.file_name().unwrap().to_str().unwrap())
        });
        let commit = out.join(commit.unwrap());
        let log = commit.parent().unwrap();
        let syncs_log = || synced_paths(&home.does(step)).any(|path| path == log);
        assert!(!syncs_log(), "{format:?}: there is nothing to sync");
        let staged = format!("{}#1", commit.display());
        fs::hard_link(&commit, staged).unwrap();
        assert!(syncs_log(), "{format:?}: the staged file is still there");
    }
}
