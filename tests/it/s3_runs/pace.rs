//! How many requests are under way, over how many connections, and what becomes
//! of those that are late or refused.

use std::collections::BTreeSet;
use std::time::Duration;

use super::world::{Ended, LAKE, World};
use crate::s3::{Fault, Op, Rule};
use crate::table::{Format, assert_same};

const OBJECTS: u64 = 1200;
const LAYOUT: [&str; 4] = ["--rows", "400", "--partitions", "3"];

/// A run to a folder, so that all requests are the source's.
fn run(world: &World, more: &[&str]) -> Ended {
    let out = world.path(&format!("out-{}", more.concat()));
    world.run(out.to_str().unwrap()).args(more).done()
}

fn delay(world: &World, milliseconds: u64) {
    let delay = Fault::Delay(Duration::from_millis(milliseconds));
    world.server.faults().add(Rule::new(delay).on(Op::Get).in_bucket(LAKE));
}

#[test]
fn connections_are_used_again_and_no_more_than_requests_at_a_time() {
    let world = World::of(Format::Parquet);
    world.fill(&LAYOUT);
    delay(&world, 50);
    let ended = run(&world, &["--concurrency", "32"]);
    assert_eq!(ended.number("/requests/get"), OBJECTS);
    let peak = world.server.peak_in_flight();
    assert!((24..=32 + 2).contains(&peak), "{peak} at a time");
    let connections = world.server.connections();
    assert!((24..=32 + 16).contains(&connections), "{connections} connections");
}

#[test]
fn more_requests_are_under_way_where_the_answers_come_as_soon() {
    let world = World::of(Format::Parquet);
    world.fill(&LAYOUT);
    // So slow that the processor is not the limit, wherever this runs.
    delay(&world, 400);
    run(&world, &[]);
    let peak = world.server.peak_in_flight();
    assert!(peak > 64 + 16, "{peak} at a time");
}

#[test]
fn a_request_that_stalls_is_sent_a_second_time() {
    const STALL: Duration = Duration::from_secs(25);
    let world = World::of(Format::Parquet);
    let expected = world.local(&world.fill(&LAYOUT));
    let stall = |n| Rule::new(Fault::Delay(STALL)).on(Op::Get).in_bucket(LAKE).only(n);
    [50, 300, 1199].map(stall).into_iter().for_each(|rule| world.server.faults().add(rule));
    let ended = world.run("s3://tables").done();
    assert!(ended.time < STALL, "{:?}", ended.time);
    assert_same(&world.out(""), &expected);
    let gets = world.requests(LAKE, Op::Get) as u64;
    assert!((OBJECTS + 3..=OBJECTS + OBJECTS / 20 + 1).contains(&gets), "{gets} GETs");
}

#[test]
fn refusals_of_a_tenth_hold_up_no_other_request() {
    let world = World::of(Format::Parquet);
    world.fill(&LAYOUT);
    delay(&world, 100);
    let free = run(&world, &["--concurrency", "16"]).time;
    world.server.clear_log();
    let refusals = Rule::new(Fault::SlowDown).on(Op::Get).in_bucket(LAKE).every(10);
    world.server.faults().add(refusals);
    let ended = run(&world, &["--concurrency", "16", "--mode", "overwrite"]);
    let log = world.server.log();
    let refused = log.iter().filter(|request| request.status == Some(503)).count() as u64;
    assert!(refused >= OBJECTS / 10, "{refused}");
    assert_eq!(ended.number("/requests/retries"), refused);
    assert_eq!(
        ended.number("/requests/get"),
        log.iter().filter(|r| r.op == Op::Get).count() as u64
    );
    // A ninth more requests, and room for a machine that is busy.
    assert!(ended.time < free * 3 / 2, "{:?}, {free:?} without refusals", ended.time);
}

#[test]
fn objects_are_fetched_while_others_are_still_listed() {
    let world = World::of(Format::Parquet);
    let key = |partition: u64, offset: u64| {
        format!("topics/u.geo/partition={partition}/u.geo+{partition}+{offset:010}.json")
    };
    let put = |key: String| world.server.put(LAKE, &key, "{\"ind\":1}\n");
    (0..20).for_each(|offset| put(key(0, offset)));
    (0..1010).for_each(|offset| put(key(1, offset)));
    let slow = Fault::Delay(Duration::from_secs(3));
    let slow = Rule::new(slow).on(Op::List).in_bucket(LAKE).under("topics/u.geo/partition=1/");
    world.server.faults().add(slow);
    run(&world, &[]);
    let log = world.server.log();
    let second_page = log.iter().position(|r| r.op == Op::List && r.continued).unwrap();
    let before: BTreeSet<_> = log[..second_page]
        .iter()
        .filter(|r| r.op == Op::Get)
        .filter_map(|r| r.key.clone())
        .collect();
    assert_eq!(before, (0..20).map(|offset| key(0, offset)).collect());
}
