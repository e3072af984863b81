//! Runs that are killed, stopped or met by another one.

use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use super::site::{Ran, Site};
use crate::command::thorough;
use crate::table::{Format, TABLES};

/// A folder of 1,500 one-record objects.
fn folder(format: Format) -> Site {
    let site = Site::folder(format);
    site.emulate(&["--rows=500", "--partitions=2", "--bad-rate=1%"]);
    site
}

/// A bucket of 240 one-record objects, far away.
fn buckets(format: Format) -> Site {
    let site = Site::buckets(format);
    site.emulate(&["--rows=80", "--partitions=2", "--bad-rate=1%"]);
    site.slow_down(Duration::from_millis(40));
    site
}

/// Rows and rejects of all tables.
fn content(site: &Site) -> Vec<(Vec<String>, usize)> {
    TABLES.map(|table| (site.rows(table), site.rejects(table).len())).to_vec()
}

/// What an undisturbed run gives and how long it takes; the output is empty again.
fn undisturbed(site: &Site) -> (Vec<(Vec<String>, usize)>, Duration) {
    let started = Instant::now();
    let [_, written, rejects, duplicate] = site.run(&[]).done().counts();
    let took = started.elapsed();
    assert!(written > 200 && rejects > 0 && duplicate == 0);
    let content = content(site);
    site.clear_out();
    (content, took)
}

fn ended(site: &Site, child: Child) -> Ran {
    site.ran(child.wait_with_output().unwrap())
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().is_ok());
}

/// Kills runs at moments spread over the length of one, each on an empty output.
fn killed_anywhere(site: &Site, times: u32) {
    let (expected, took) = undisturbed(site);
    for n in 0..times {
        let mut child = site.command(&[]).spawn().unwrap();
        thread::sleep(took * n / times);
        child.kill().unwrap();
        child.wait().unwrap();
        site.run(&[]).done();
        assert!(content(site) == expected, "killed after {n}/{times} of {took:?}");
        match site.format {
            Format::Parquet => site.assert_settled(),
            // What a killed run leaves is of no table; `vacuum` removes it.
            Format::Delta => site.out().assert_whole(),
        }
        site.clear_out();
    }
}

#[test]
fn a_run_that_is_killed_anywhere_is_made_good_by_the_next_in_a_folder() {
    Format::BOTH
        .into_iter()
        .for_each(|format| killed_anywhere(&folder(format), if thorough() { 8 } else { 4 }));
}

#[test]
fn a_run_that_is_killed_anywhere_is_made_good_by_the_next_on_s3() {
    Format::BOTH
        .into_iter()
        .for_each(|format| killed_anywhere(&buckets(format), if thorough() { 5 } else { 3 }));
}

/// Ends runs by a signal until two were met in the middle.
fn stopped(site: &Site, name: &str, code: i32) {
    let (expected, took) = undisturbed(site);
    let mut met = 0;
    for n in 0..24 {
        let child = site.command(&[]).spawn().unwrap();
        thread::sleep(took * (n % 8 + 1) / 10);
        signal(&child, name);
        let ran = ended(site, child);
        // It may have been done already, or not have listened yet.
        assert_eq!(site.out().strays(), [""; 0], "{ran:#?}");
        if ran.code == Some(code) {
            met += 1;
            ran.said("stopped by");
            assert_eq!(site.out_keys(""), Vec::<String>::new(), "nothing was committed");
        }
        site.run(&[]).done();
        assert!(content(site) == expected, "stopped after {}/10 of {took:?}", n % 8 + 1);
        site.assert_settled();
        site.clear_out();
        if met == 2 {
            return;
        }
    }
    panic!("{met} runs were stopped in the middle, of {took:?}");
}

#[test]
fn ctrl_c_leaves_nothing_half_done() {
    Format::BOTH.into_iter().for_each(|format| stopped(&folder(format), "INT", 130));
}

#[test]
fn sigterm_leaves_nothing_half_done() {
    Format::BOTH.into_iter().for_each(|format| stopped(&buckets(format), "TERM", 143));
}

/// Two runs at once: one commits, the other is told or finds nothing to do.
fn two_at_once(site: &Site) {
    let (expected, took) = undisturbed(site);
    for n in [0, 2, 5] {
        let first = site.command(&[]).spawn().unwrap();
        thread::sleep(took * n / 10);
        let second = site.command(&[]).spawn().unwrap();
        let ends = [ended(site, first), ended(site, second)];
        let about = ends.each_ref().map(|ran| format!("{:?}: {}", ran.code, ran.stderr));
        let about = format!("{:?}, {n}/10 of {took:?} apart: {about:#?}", site.format);
        for ran in &ends {
            assert!(matches!(ran.code, Some(0 | 75)), "{about}");
            assert!(ran.code == Some(0) || ran.stderr.contains("another run is ahead"), "{about}");
        }
        assert!(ends.iter().any(|ran| ran.code == Some(0)), "{about}");
        assert!(content(site) == expected, "{about}");
        site.run(&[]).done();
        assert!(content(site) == expected, "{about}");
        site.assert_settled();
        site.clear_out();
    }
}

#[test]
fn of_two_runs_at_once_each_record_is_written_once_in_a_folder() {
    Format::BOTH.into_iter().for_each(|format| two_at_once(&folder(format)));
}

#[test]
fn of_two_runs_at_once_each_record_is_written_once_on_s3() {
    Format::BOTH.into_iter().for_each(|format| two_at_once(&buckets(format)));
}
