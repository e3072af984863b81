//! `--full`, and transforms that changed.

use super::records::{GEO, PIN, geos, key, pin};
use super::site::{Site, write};
use crate::table::Format;

const GEO_TRANSFORM: &str = include_str!("../../../transforms/geo.toml");
const PIN_TRANSFORM: &str = include_str!("../../../transforms/pin.toml");
const ARGS: [&str; 2] = ["--transforms", "transforms"];

fn transforms(site: &Site, geo: &str, pin: &str) {
    for (name, text) in [("geo", geo), ("pin", pin)] {
        write(&site.home.path().join(format!("transforms/{name}.toml")), text.as_bytes());
    }
}

/// A transform with a column more, before its examples.
fn with_column(transform: &str) -> String {
    let column = "[[column]]\nname = \"origin\"\ntype = \"string\"\nconstant = \"kafka\"\n\n";
    let (head, examples) = transform.split_at(transform.find("[[example]]").unwrap());
    [head, column, examples].concat()
}

#[test]
fn full_after_a_changed_transform_replaces_the_table_and_its_old_files() {
    for site in Site::all() {
        transforms(&site, GEO_TRANSFORM, PIN_TRANSFORM);
        site.put(&key(GEO, 0, 0), geos([1, 2]));
        site.run(&ARGS).done();
        site.put(&key(GEO, 0, 2), geos([3]) + "{}\n");
        site.run(&ARGS).done();
        let old = site.visible();
        assert_eq!(old.len(), 3);

        transforms(&site, &with_column(GEO_TRANSFORM), PIN_TRANSFORM);
        let full = site.run(&["--transforms", "transforms", "--full"]).done();
        assert_eq!(full.counts(), [4, 3, 1, 0]);
        site.assert_settled();
        assert!(site.visible().iter().all(|key| !old.contains(key)), "old files are there");
        assert_eq!(site.inds("geo"), [1, 2, 3]);
        assert!(site.rows("geo").iter().all(|row| row.contains(r#"origin: Str("kafka")"#)));

        // From there it goes on.
        site.put(&key(GEO, 0, 4), geos([5]));
        assert_eq!(site.run(&ARGS).done().counts(), [1, 1, 0, 0]);
        assert_eq!(site.inds("geo"), [1, 2, 3, 5]);
        site.assert_settled();
    }
}

#[test]
fn full_twice_gives_the_same_table() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos(0..5) + "{}\n");
        site.run(&[]).done();
        let rows = site.rows("geo");
        for _ in 0..2 {
            assert_eq!(site.run(&["--full"]).done().counts(), [6, 5, 1, 0]);
            assert_eq!((site.rows("geo"), site.rejects("geo").len()), (rows.clone(), 1));
            site.assert_settled();
        }
    }
}

#[test]
fn changed_columns_without_full_are_refused_and_nothing_is_changed() {
    for site in Site::all() {
        let wider = with_column(PIN_TRANSFORM);
        transforms(&site, GEO_TRANSFORM, &wider);
        site.put(&key(GEO, 0, 0), geos([1]));
        site.put(&key(PIN, 0, 0), pin(1, "1"));
        site.run(&ARGS).done();
        site.put(&key(GEO, 0, 1), geos([2]));
        site.put(&key(PIN, 0, 1), pin(2, "2"));
        let before = site.out().snapshot();

        // The pins alone: the geo table comes before them.
        transforms(&site, GEO_TRANSFORM, PIN_TRANSFORM);
        let ran = site.run(&ARGS).exited(2).said("table pin").said("origin").said("--full");
        assert!(ran.report.is_none());
        assert_eq!(site.out().snapshot(), before);

        transforms(&site, GEO_TRANSFORM, &wider);
        assert_eq!(site.run(&ARGS).done().counts(), [2, 2, 0, 0]);
        site.assert_settled();
    }
}

#[test]
fn a_new_column_is_added_to_a_delta_table_and_refused_by_a_parquet_one() {
    for site in Site::all() {
        transforms(&site, GEO_TRANSFORM, PIN_TRANSFORM);
        site.put(&key(GEO, 0, 0), geos([1]));
        site.run(&ARGS).done();
        site.put(&key(GEO, 0, 1), geos([2]));
        let before = site.out().snapshot();

        transforms(&site, &with_column(GEO_TRANSFORM), PIN_TRANSFORM);
        if site.format == Format::Parquet {
            site.run(&ARGS).exited(2).said("table geo").said("origin").said("--full");
            assert!(site.out().snapshot() == before);
            continue;
        }
        assert_eq!(site.run(&ARGS).done().counts(), [1, 1, 0, 0]);
        assert_eq!(site.inds("geo"), [1, 2]);
        let rows = site.rows("geo");
        let new = rows.iter().filter(|row| row.contains(r#"origin: Str("kafka")"#));
        assert_eq!(new.count(), 1, "{rows:?}");
        let actions = site.out().actions("geo");
        let schema = actions.iter().rev().find_map(|a| a["metaData"]["schemaString"].as_str());
        assert!(schema.is_some_and(|schema| schema.contains("origin")), "{schema:?}");
    }
}

#[test]
fn full_for_some_topics_of_a_table_is_refused_and_nothing_is_changed() {
    for site in Site::all() {
        site.put(&key("a.geo", 0, 0), geos([1]));
        site.put(&key("b.geo", 0, 0), geos([2]));
        site.put(&key("a.pin", 0, 0), pin(3, "1"));
        site.run(&[]).done();
        let before = site.out().snapshot();
        for glob in ["a.geo", "a.*"] {
            let ran = site.run(&["--full", "--topic", glob]).exited(2);
            ran.said("table geo").said("b.geo").said("--topic");
            assert_eq!(site.out().snapshot(), before, "{glob}");
        }
        // Tables that the glob leaves alone, or takes whole, are no matter.
        assert_eq!(site.run(&["--full", "--topic", "*.pin"]).done().counts(), [1, 1, 0, 0]);
        assert_eq!(site.run(&["--full", "--topic", "*.geo"]).done().counts(), [2, 2, 0, 0]);
        assert_eq!((site.inds("geo"), site.inds("pin")), (vec![1, 2], vec![3]));
        site.assert_settled();
    }
}

#[test]
fn changed_rules_hold_from_the_next_run_on() {
    let site = Site::folder(Format::Delta);
    transforms(&site, GEO_TRANSFORM, PIN_TRANSFORM);
    site.put(&key(GEO, 0, 0), geos([1]));
    site.run(&ARGS).done();
    let country = "field = \"country\"\nnull_values = [\"\"";
    let no_peru = GEO_TRANSFORM.replace(country, &format!("{country}, \"Peru\""));
    transforms(&site, &no_peru, PIN_TRANSFORM);
    site.put(&key(GEO, 0, 1), geos([2]));
    let ran = site.run(&ARGS).done();
    assert_eq!(ran.counts(), [1, 1, 0, 0]);
    let with_peru = |site: &Site| {
        let rows = site.rows("geo");
        rows.iter().filter(|row| row.contains("Peru")).count()
    };
    assert_eq!((site.inds("geo"), with_peru(&site)), (vec![1, 2], 1));
    site.run(&["--transforms", "transforms", "--full"]).done();
    assert_eq!((site.inds("geo"), with_peru(&site)), (vec![1, 2], 0));
}
