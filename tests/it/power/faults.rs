//! A sync that fails: nothing counts on the file, whatever a later sync says.

use std::fs;

use super::disk::{Survival, read, write};
use super::steps::{Home, Life, Lived, steps};
use crate::command::{pinclean, said, thorough};
use crate::table::Format;

/// Fails the sync of a number; whether the command came so far.
fn fails_at(life: &Life, lived: &Lived, number: usize) -> bool {
    let about = format!("{}, sync {number}", lived.step.name);
    let home = Home::new(life.home.format);
    write(&lived.disk.after_cut(Survival::All), &home.path());
    let mut command = home.command(lived.step);
    let output = command.env("PINCLEAN_SYNC_FAILS", number.to_string()).output().unwrap();
    if output.status.success() {
        assert_eq!(home.content().as_ref(), Ok(&lived.after), "{about}");
        return false;
    }
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{about}: {text}");
    assert!(text.contains("cannot write "), "{about}: {text}");
    assert!(text.contains("could not be synced"), "{about}: {text}");
    assert!(text.contains("out"), "{about} names the place: {text}");
    let output = home.command(lived.step).output().unwrap();
    assert!(output.status.success(), "{about}, again: {}", said(&output));
    assert_eq!(home.content().as_ref(), Ok(&lived.after), "{about}: after the next command");
    true
}

#[test]
fn a_sync_that_fails_is_an_error_and_the_next_command_completes_the_work() {
    for format in Format::BOTH {
        let life = Life::of(format, &[]);
        for lived in &life.steps {
            let step = if thorough() { 1 } else { 5 };
            let numbers = (1..).step_by(step);
            let syncs = numbers.take_while(|&number| fails_at(&life, lived, number)).count();
            assert!(syncs >= 1, "{format:?}: {}", lived.step.name);
        }
    }
}

#[test]
fn a_report_metrics_and_answers_that_cannot_be_synced_are_errors() {
    let home = Home::new(Format::Delta);
    let step = steps(Format::Delta)[0];
    home.does(step);
    let sql = "SELECT COUNT(*) FROM geo";
    let cases: [(&[&str], &str); 4] = [
        (&["query", "--tables", "out", sql, "--save", "answer.csv"], "answer.csv"),
        (&["run", "--source=in", "--out=out", "--transforms=strict", "--report=r.json"], "r.json"),
        (&["run", "--source=in", "--out=out", "--transforms=strict", "--metrics=m.prom"], "m.prom"),
        (&["ask", "count", "--questions=q", "--tables=out", "--save=answers"], "answers/count.csv"),
    ];
    fs::create_dir(home.path().join("q")).unwrap();
    let question = "-- name = \"count\"\n-- answers = \"How many rows\"\n-- columns = [\"rows\"]\n\n\
                    SELECT COUNT(*) AS rows FROM geo\n";
    fs::write(home.path().join("q/count.sql"), question).unwrap();
    for (args, file) in cases {
        let mut failed = 0;
        // The syncs before are those of the report beside the tables.
        for number in 1..8 {
            let before = read(&home.path());
            let mut command = pinclean(&home.path(), args);
            let output = command.env("PINCLEAN_SYNC_FAILS", number.to_string()).output().unwrap();
            let text = said(&output);
            if output.status.success() {
                break;
            }
            assert_eq!(output.status.code(), Some(1), "{file}: {text}");
            failed += usize::from(text.contains(file));
            let staged = read(&home.path());
            let left = staged.keys().filter(|path| !before.contains_key(*path));
            let left: Vec<_> = left.filter(|path| path.to_str().unwrap().contains("#")).collect();
            assert!(left.is_empty(), "{left:?}");
        }
        assert!(failed >= 1, "{file}");
    }
}
