//! What a later run costs over a bucket of 100,000 objects.

use super::world::{Ended, LAKE, World};
use crate::s3::Op;

/// By the default partitioner: ten Kafka partitions of 7,000 objects.
const GEO: &str = "u.geo";
const PARTITIONS: u64 = 10;
const A_PARTITION: u64 = 7_000;
/// By the DailyPartitioner: 2024-01-01 to 2024-02-29, 500 objects a day.
const PIN: &str = "u.pin";
const DAYS: u64 = 60;
const A_DAY: u64 = 500;

fn put_geo(world: &World, partition: u64, offset: u64) {
    let key = format!("topics/{GEO}/partition={partition}/{GEO}+{partition}+{offset:010}.json");
    world.server.put(LAKE, &key, format!("{{\"ind\":{offset}}}\n"));
}

fn folder(day: u64) -> String {
    let (month, day) = if day < 31 { (1, day + 1) } else { (2, day - 30) };
    format!("topics/{PIN}/year=2024/month={month:02}/day={day:02}/")
}

fn put_pin(world: &World, day: u64, offset: u64) {
    let key = format!("{}{PIN}+0+{offset:010}.json", folder(day));
    world.server.put(LAKE, &key, format!("{{\"index\":{offset}}}\n"));
}

/// Of each day the last object.
fn put_last_pins(world: &World) {
    (0..DAYS).for_each(|day| put_pin(world, day, (day + 1) * A_DAY - 1));
}

/// What was listed in the source: the prefixes, each once.
fn listed(world: &World) -> Vec<String> {
    let log = world.server.log();
    let lists = log.into_iter().filter(|r| r.op == Op::List && r.bucket == LAKE);
    let mut prefixes: Vec<String> = lists.filter_map(|r| r.prefix).collect();
    prefixes.sort_unstable();
    prefixes
}

/// The levels above the days, the first of them that of the topics.
fn levels(months: &[u64]) -> Vec<String> {
    let year = format!("topics/{PIN}/year=2024/");
    let months = months.iter().map(|month| format!("{year}month={month:02}/"));
    ["topics/".to_owned(), format!("topics/{PIN}/"), year.clone()]
        .into_iter()
        .chain(months)
        .collect()
}

fn sorted(parts: [Vec<String>; 3]) -> Vec<String> {
    let mut all = parts.concat();
    all.sort_unstable();
    all
}

fn older(ended: &Ended) -> u64 {
    ended.number("/tables/pin/topics/u.pin/folders_older_than_lookback")
}

#[test]
fn a_hundred_thousand_objects_with_nothing_new_cost_one_list_a_directory() {
    let world = World::new();
    // The last ones are read and committed; all others are put after that, so
    // that the test need not read them. Only a listing could tell, and that
    // begins behind them.
    (0..PARTITIONS).for_each(|partition| put_geo(&world, partition, A_PARTITION - 1));
    put_last_pins(&world);
    world.run("s3://tables").done();
    for partition in 0..PARTITIONS {
        (0..A_PARTITION - 1).for_each(|offset| put_geo(&world, partition, offset));
    }
    for day in 0..DAYS {
        (day * A_DAY..(day + 1) * A_DAY - 1).for_each(|offset| put_pin(&world, day, offset));
    }
    assert_eq!(world.server.keys(LAKE, "").len(), 100_000);

    // One LIST for the topics; one for each topic's folder; one for each folder
    // of a Kafka partition; for the days, one for the year, one for February
    // and one for each day from a week before the newest.
    let geo: Vec<String> = (0..PARTITIONS)
        .map(|partition| format!("topics/{GEO}/partition={partition}/"))
        .chain([format!("topics/{GEO}/")])
        .collect();
    let week: Vec<String> = (DAYS - 8..DAYS).map(folder).collect();
    let all: Vec<String> = (0..DAYS).map(folder).collect();
    let cases = [("7d", levels(&[2]), week, 1 + 2 + 10 + 2 + 8), ("9w", levels(&[1, 2]), all, 76)];
    for (lookback, levels, days, lists) in cases {
        world.server.clear_log();
        let ended = world.run("s3://tables").args(["--lookback", lookback]).done();
        assert_eq!(ended.report["outcome"], "nothing_new");
        assert_eq!(listed(&world), sorted([geo.clone(), levels, days]), "{lookback}");
        assert_eq!(world.requests(LAKE, Op::List), lists, "{lookback}");
        let log = world.server.log();
        assert_eq!(log.iter().filter(|r| r.bucket == LAKE).count(), lists, "no data, no HEAD");
    }
}

#[test]
fn of_sixty_days_a_later_run_lists_the_recent_ones_and_a_full_run_all() {
    let world = World::new();
    put_last_pins(&world);
    world.run("s3://tables").done();
    assert_eq!(world.requests(LAKE, Op::List), 1 + 1 + 1 + 2 + 60);

    world.server.clear_log();
    // One arrives late, within the week; one before it, which waits.
    put_pin(&world, DAYS - 8, DAYS * A_DAY);
    put_pin(&world, DAYS - 9, DAYS * A_DAY + 1);
    let ended = world.run("s3://tables").done();
    let week = (DAYS - 8..DAYS).map(folder).collect();
    assert_eq!(listed(&world), sorted([levels(&[2]), week, Vec::new()]));
    assert_eq!(world.requests(LAKE, Op::Get), 1);
    assert_eq!(ended.number("/tables/pin/records_read"), 1);
    // January, and 21 days of February.
    assert_eq!(older(&ended), 22);

    world.server.clear_log();
    let ended = world.run("s3://tables").arg("--full").done();
    let all = (0..DAYS).map(folder).collect();
    assert_eq!(listed(&world), sorted([levels(&[1, 2]), all, Vec::new()]));
    assert_eq!(world.requests(LAKE, Op::Get), 62);
    assert_eq!(ended.number("/tables/pin/records_read"), 62);
    assert_eq!(older(&ended), 0);
}
