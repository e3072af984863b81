//! What changes under a run, and runs side by side.

use std::time::Duration;

use super::world::{LAKE, OUT, World};
use crate::s3::{Fault, Op, Rule};
use crate::table::{Format, assert_same, column, shown};

const TOPIC: &str = "u.geo";

fn key(offset: u64) -> String {
    format!("topics/{TOPIC}/partition=0/{TOPIC}+0+{offset:010}.json")
}

fn record(ind: u64) -> String {
    format!("{{\"ind\":{ind},\"country\":\"Chad\"}}\n")
}

/// The first column of each row of the geo table.
fn inds(world: &World) -> Vec<u64> {
    let rows = world.out("").rows("geo");
    column(&rows, "ind").map(|ind| ind.to_string().parse().unwrap()).collect()
}

#[test]
fn an_object_that_is_gone_is_quarantined_and_its_neighbours_are_written() {
    let world = World::new();
    (0..5).for_each(|offset| world.server.put(LAKE, &key(offset), record(offset)));
    world.server.faults().on_get(LAKE, &key(2), |store| {
        store.delete(LAKE, &key(2));
    });
    let ended = world.run("s3://tables").done();
    assert_eq!(inds(&world), [0, 1, 3, 4]);
    assert_eq!(ended.number("/tables/geo/rejects/object_gone/"), 1);
    let rejects = world.out("").rejects("geo");
    assert!(rejects.len() == 1 && shown(&rejects[0]).contains(&key(2)), "{rejects:?}");
}

#[test]
fn a_small_object_that_was_replaced_is_read_as_it_is_now() {
    let world = World::new();
    (0..5).for_each(|offset| world.server.put(LAKE, &key(offset), record(offset)));
    world.server.faults().on_get(LAKE, &key(2), |store| store.put(LAKE, &key(2), record(22)));
    let ended = world.run("s3://tables").done();
    assert_eq!(inds(&world), [0, 1, 22, 3, 4]);
    assert_eq!(ended.number("/tables/geo/records_quarantined"), 0);
}

#[test]
fn a_large_object_that_was_replaced_ends_the_run_and_nothing_is_committed() {
    let world = World::new();
    let large = |ind| record(ind).repeat((20 << 20) / record(ind).len());
    world.server.put(LAKE, &key(0), large(1));
    world.server.faults().on_get(LAKE, &key(0), move |store| store.put(LAKE, &key(0), large(2)));
    let told = world.run("s3://tables").failed(1);
    let expected = format!("error: s3://lake/{} changed while it was read: run again\n", key(0));
    assert!(told.starts_with(&expected), "{told}");
    assert_eq!(world.server.keys(OUT, ""), [""; 0]);
    assert_eq!(world.open_uploads(), 0);
}

#[test]
fn of_two_runs_at_a_time_one_commits_and_the_other_says_so() {
    Format::BOTH.into_iter().for_each(of_two_runs_one_commits);
}

fn of_two_runs_one_commits(format: Format) {
    let world = World::of(format);
    let expected = world.local(&world.fill(&["--rows", "300", "--partitions", "2"]));
    let slow = Fault::Delay(Duration::from_millis(1500));
    world.server.faults().add(Rule::new(slow).on(Op::Put).under(&format.commits("geo")));
    let runs = [world.run("s3://tables").start(), world.run("s3://tables").start()];
    let ended = runs.map(super::world::Running::end);
    let assert_fine = |world: &World| assert_same(&world.out(""), &expected);
    assert_fine(&world);
    let mut codes = ended.each_ref().map(|ended| ended.code);
    codes.sort_unstable();
    // The later one may have been too late to see anything new.
    assert!(codes == [Some(0), Some(75)] || codes == [Some(0), Some(0)], "{ended:?}");
    for ended in ended.iter().filter(|ended| ended.code == Some(75)) {
        assert!(ended.stderr.contains("another run is ahead"), "{}", ended.stderr);
    }
    let after = world.run("s3://tables").done();
    assert_eq!(after.report["outcome"], "nothing_new");
    assert_fine(&world);
}
