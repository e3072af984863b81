//! Requests that fail for a while, are slow, or break off.

use std::time::Duration;

use super::world::{LAKE, World, at_once};
use crate::s3::{Fault, Op, Request, Rule};
use crate::table::{Format, assert_same};

const LAYOUT: [&str; 6] = ["--rows", "200", "--partitions", "3", "--bad-rate", "2%"];

fn refused(world: &World) -> u64 {
    let log = world.server.log();
    log.iter().filter(|r| matches!(r.status, Some(500..=599))).count() as u64
}

#[test]
fn a_tenth_of_all_requests_may_be_refused() {
    let cases = Format::BOTH.map(|f| [(f, Fault::SlowDown), (f, Fault::InternalError)]);
    at_once(cases.into_iter().flatten(), |(format, fault)| {
        let world = World::of(format);
        let expected = world.local(&world.fill(&LAYOUT));
        world.server.faults().add(Rule::new(fault).every(10));
        let ended = world.run("s3://tables").done();
        assert_same(&world.out(""), &expected);
        assert!(refused(&world) >= 60, "{}", refused(&world));
        // The put of the report, which comes after the count, may be among them.
        let counted = refused(&world) - ended.number("/requests/retries");
        assert!(counted <= 1, "{counted} were not counted");
    });
}

#[test]
fn connections_may_close_and_bodies_break_off() {
    at_once([Fault::Close, Fault::CutBody(0), Fault::CutBody(50)], |fault| {
        let world = World::new();
        let expected = world.local(&world.fill(&LAYOUT));
        world.server.faults().add(Rule::new(fault).on(Op::Get).in_bucket(LAKE).every(10));
        let ended = world.run("s3://tables").done();
        assert_same(&world.out(""), &expected);
        let gets = ended.number("/requests/get");
        assert!(gets >= 600 + 60, "{fault:?}: {gets}");
    });
}

#[test]
fn a_large_object_comes_over_connections_that_never_last() {
    let world = World::new();
    let key = "topics/u.geo/partition=0/u.geo+0+0000000000.json";
    let record = "{\"ind\":1,\"country\":\"Chad\"}\n";
    let body = record.repeat((8 << 20) / record.len());
    let bytes = body.len() as u64;
    world.server.put(LAKE, key, body);
    // More breaks than a request that gets nowhere may meet.
    let breaks = Rule::new(Fault::CutBody(500 << 10)).on(Op::Get).in_bucket(LAKE).first(15);
    world.server.faults().add(breaks);
    let ended = world.run("s3://tables").done();
    assert_eq!(ended.number("/tables/geo/bytes"), bytes);
    assert_eq!(ended.number("/tables/geo/records_read"), bytes / record.len() as u64);
    let asked = |request: &&Request| request.op == Op::Get && request.bucket == LAKE;
    assert_eq!(world.server.log().iter().filter(asked).count(), 16);
}

#[test]
fn requests_in_flight_hide_their_latency() {
    const LATENCY: Duration = Duration::from_millis(100);
    const OBJECTS: u32 = 1200;
    let world = World::new();
    world.fill(&["--rows", "400", "--partitions", "3"]);
    let run = |out| world.run(out).args(["--concurrency", "64"]).done().time;
    // What a run takes without latency differs with the machine and its load.
    let computing = run("s3://tables/quick");
    world.server.faults().add(Rule::new(Fault::Delay(LATENCY)).on(Op::Get).in_bucket(LAKE));
    world.server.clear_log();
    let time = run("s3://tables/slow");
    let peak = world.server.peak_in_flight();
    assert!((48..=64 + 16).contains(&peak), "{peak} at a time");
    // Half of what 64 at a time give.
    let waiting = LATENCY * OBJECTS / 64 * 2;
    assert!(time < computing + waiting, "{time:?}, {computing:?} without latency");
}
