//! How many requests a run costs.

use super::world::{Ended, LAKE, OUT, World};
use crate::s3::Op;
use crate::table::Format;

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
    let bytes: usize =
        keys.iter().filter_map(|key| world.server.get(LAKE, key)).map(|b| b.len()).sum();
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

#[test]
fn scratch() {
    let world = World::new();
    world.fill(&["--rows", "30", "--partitions", "3", "--bad-rate", "20%"]);
    for n in 0..4 {
        world.server.clear_log();
        world.run("s3://tables").done();
        println!("RUN {n}");
        for r in world.server.log() {
            if r.bucket == OUT {
                println!(
                    "{:?} {:?} {:?} {:?} {:?}",
                    r.op, r.key, r.prefix, r.start_after, r.status
                );
            }
        }
        if n == 2 {
            world.server.put(
                LAKE,
                "topics/u.geo/partition=0/u.geo+0+0000000000.json",
                "{\"ind\":1}\n{}\n",
            );
        }
    }
    panic!();
}
