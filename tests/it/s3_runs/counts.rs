//! How many requests a run costs.

use std::collections::BTreeMap;

use super::world::{Ended, LAKE, OUT, World};
use crate::s3::{Op, Request};
use crate::table::{Format, TABLES};

/// Tables; each is one topic here.
const TOPICS: usize = 3;
const PARTITIONS: usize = 3;
/// One for the topics, one for each topic, one for each of its partitions.
const LISTS: usize = 1 + TOPICS + TOPICS * PARTITIONS;

fn assert_reported(world: &World, ended: &Ended) {
    let count = |op| (world.requests(LAKE, op) + world.requests(OUT, op)) as u64;
    assert_eq!(ended.number("/requests/list"), count(Op::List));
    assert_eq!(ended.number("/requests/get"), count(Op::Get));
    // The report cannot count its own put.
    assert_eq!(ended.number("/requests/put") + 1, count(Op::Put));
    assert_eq!(ended.number("/requests/retries"), 0);
}

#[test]
fn a_first_run_gets_each_object_once_and_asks_for_nothing_else() {
    let world = World::new();
    world.fill(&["--rows", "150", "--partitions", "3"]);
    let ended = world.run("s3://tables").done();
    let keys = world.server.keys(LAKE, "topics/");
    assert_eq!(keys.len(), 450);
    let log = world.server.log();
    let gets = log.iter().filter(|r| r.op == Op::Get && r.bucket == LAKE);
    let mut got: Vec<_> = gets.filter_map(|r| r.key.clone()).collect();
    got.sort_unstable();
    assert_eq!(got, keys);
    assert_eq!(world.requests(LAKE, Op::List), LISTS);
    assert_eq!(world.server.count(Op::Head) + world.server.count(Op::HeadBucket), 0);
    assert_eq!(log.iter().filter(|r| r.bucket == LAKE).count(), 450 + LISTS);
    assert_reported(&world, &ended);
    // Each commit is read back, for what it owes to the quarantine.
    let commits = TABLES.map(|table| Format::Delta.first_commit(table));
    let read = keys.iter().map(|key| (LAKE, key)).chain(commits.iter().map(|key| (OUT, key)));
    let bytes: usize =
        read.filter_map(|(bucket, key)| world.server.get(bucket, key)).map(|b| b.len()).sum();
    assert_eq!(ended.number("/requests/bytes_read"), bytes as u64);
}

#[test]
fn a_run_with_nothing_new_lists_each_directory_once_and_gets_the_last_manifests() {
    let world = World::of(Format::Parquet);
    world.fill(&["--rows", "30", "--partitions", "3"]);
    world.run("s3://tables").done();
    world.server.clear_log();
    let ended = world.run("s3://tables").done();
    assert_eq!(ended.report["outcome"], "nothing_new");
    assert_eq!(world.requests(LAKE, Op::List), LISTS);
    assert_eq!(world.requests(LAKE, Op::Get), 0);
    assert_eq!(world.requests(OUT, Op::List), TOPICS, "the folders of manifests");
    assert_eq!(world.requests(OUT, Op::Get), TOPICS, "the last manifests");
    assert_eq!(world.requests(OUT, Op::Put), 1, "the report");
    assert_eq!(world.server.log().len(), LISTS + 2 * TOPICS + 1);
    assert_reported(&world, &ended);
}

#[test]
fn a_hundred_new_objects_behind_fifteen_thousand_cost_one_list_a_partition() {
    let (topic, old) = ("u.geo", 5000_u64);
    let world = World::new();
    let put = |partition: u64, offset: u64| {
        let key =
            format!("topics/{topic}/partition={partition}/{topic}+{partition}+{offset:010}.json");
        world.server.put(LAKE, &key, format!("{{\"ind\":{offset}}}\n"));
    };
    // The last old ones first: the others are then in the bucket, and only a
    // listing from the start would find them.
    (0..3).for_each(|partition| put(partition, old - 1));
    world.run("s3://tables").done();
    for partition in 0..3 {
        (0..old - 1).for_each(|offset| put(partition, offset));
        (old..old + 34 - u64::from(partition > 0)).for_each(|offset| put(partition, offset));
    }
    assert_eq!(world.server.keys(LAKE, "").len(), 15_100);
    world.server.clear_log();
    let ended = world.run("s3://tables").done();
    assert_eq!(ended.number("/tables/geo/records_written"), 100);
    assert_eq!(world.requests(LAKE, Op::Get), 100);
    let log = world.server.log();
    let lists = log.iter().filter(|r| r.op == Op::List && r.bucket == LAKE);
    let mut after: Vec<_> = lists.map(|r| r.start_after.as_deref()).collect();
    after.sort_unstable();
    let keys: Vec<_> = (0..3)
        .map(|p| format!("topics/{topic}/partition={p}/{topic}+{p}+0000004999.json"))
        .collect();
    assert_eq!(after[..2], [None, None], "the topics, and the topic's folder");
    assert_eq!(after.len(), 2 + 3);
    for (after, last) in after[2..].iter().zip(&keys) {
        // The last committed object itself is listed, to see that it is there.
        assert_eq!(*after, last.strip_suffix(".json"));
    }
    assert_reported(&world, &ended);
    assert_eq!(world.out("").rows("geo").len(), 103);
}

/// A request to the output, by what it is for.
fn kind(request: &Request) -> &'static str {
    let name = request.key.as_deref().or(request.prefix.as_deref()).unwrap_or_default();
    let in_log = name.contains("/_delta_log/");
    match request.op {
        Op::List if in_log => "LIST log",
        Op::List if name.contains("/_pinclean") => "LIST manifests",
        Op::Get if name.ends_with("/_last_checkpoint") => "GET hint",
        Op::Get if in_log && name.ends_with(".json") => "GET commit",
        Op::Get if in_log && name.ends_with(".parquet") => "GET checkpoint",
        Op::Head if in_log && name.ends_with(".parquet") => "HEAD checkpoint",
        Op::Put if name.ends_with("/_last_checkpoint") => "PUT hint",
        Op::Put if in_log && name.ends_with(".json") => "PUT commit",
        Op::Put if in_log && name.ends_with(".parquet") => "PUT checkpoint",
        Op::Put if name.starts_with("_runs/") => "PUT report",
        Op::Put if name.starts_with("_pinclean/probe-") => "PUT probe",
        Op::DeleteMany => "DELETE probe",
        Op::Put if name.ends_with(".parquet") => "PUT file",
        _ => panic!("a run does not need this: {request:?}"),
    }
}

/// The requests of a run to the output.
fn asked(world: &World) -> BTreeMap<&'static str, usize> {
    let log = world.server.log();
    let mut asked = BTreeMap::new();
    for request in log.iter().filter(|request| request.bucket == OUT) {
        *asked.entry(kind(request)).or_default() += 1;
    }
    asked
}

/// A good record and a bad one.
fn put_pair(world: &World, partition: usize, start: u64) {
    let key = format!("topics/u.geo/partition={partition}/u.geo+{partition}+{start:010}.json");
    world.server.put(LAKE, &key, format!("{{\"ind\":{start}}}\nno record\n"));
}

#[test]
fn a_delta_table_and_its_quarantine_cost_these_requests_and_no_others() {
    let world = World::new();
    let run = || {
        world.server.clear_log();
        let ended = world.run("s3://tables").done();
        assert_reported(&world, &ended);
        asked(&world)
    };
    (0..PARTITIONS).for_each(|partition| put_pair(&world, partition, 0));
    // All three tables are looked for, in either format; one is begun.
    let first = [
        ("DELETE probe", 1),
        // The rows' commit is read back for what it owes to the quarantine.
        ("GET commit", 1),
        // Of each table to begin with; of the quarantine before anything is
        // published; before and after the rows' commit; and before the
        // quarantine's, once for what it has.
        ("GET hint", 3 + 2 + 3),
        ("LIST log", 3 + 2 + 3),
        ("LIST manifests", 3),
        ("PUT commit", 2),
        ("PUT file", 2 * PARTITIONS),
        ("PUT probe", 2),
        ("PUT report", 1),
    ];
    assert_eq!(run(), BTreeMap::from(first));
    // A table that is there is read with its quarantine; the other two are not.
    let idle = [
        ("GET commit", 2),
        ("GET hint", 2 + 2),
        ("LIST log", 2 + 2),
        ("LIST manifests", 2),
        ("PUT report", 1),
    ];
    assert_eq!(run(), BTreeMap::from(idle));
    put_pair(&world, 0, 2);
    let third = [
        ("GET commit", 2 + 1),
        ("GET hint", 2 + 2 + 2 + 3),
        ("LIST log", 2 + 2 + 2 + 3),
        ("LIST manifests", 2),
        ("PUT commit", 2),
        ("PUT file", 2),
        ("PUT report", 1),
    ];
    assert_eq!(run(), BTreeMap::from(third));
}

#[test]
fn requests_for_a_log_do_not_grow_with_its_versions_and_objects() {
    let world = World::new();
    let mut costs = Vec::new();
    for version in 0..25 {
        put_pair(&world, 0, 2 * version);
        world.server.clear_log();
        world.run("s3://tables").done();
        costs.push(asked(&world));
    }
    // Every tenth version is a checkpoint, and only what came after it is read.
    for (version, cost) in costs.iter().enumerate().skip(10) {
        let logs = 2;
        assert!(cost["GET commit"] <= logs * 10, "{version}: {cost:?}");
        assert_eq!(cost["PUT commit"], logs, "{version}: {cost:?}");
    }
    for version in 10..15 {
        assert_eq!(costs[version], costs[version + 10], "version {version}");
    }
}
