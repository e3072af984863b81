//! Objects that overlap: nothing is lost, and what is proven to be there twice lands
//! once.

use super::records::{GEO, geo, geos, gzip, key};
use super::site::Site;

#[test]
fn what_lies_around_a_stale_object_is_in_the_table_once() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos(0..10));
        site.put(&key(GEO, 0, 4), geos(4..6));
        site.put(&key(GEO, 0, 10), geos(10..12));
        assert_eq!(site.run(&[]).done().counts(), [14, 12, 0, 2]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..12));
        assert_eq!(site.run(&[]).done().counts(), [0; 4]);
        assert_eq!(site.run(&["--full"]).done().counts(), [14, 12, 0, 2]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..12));
        site.assert_settled();
    }
}

#[test]
fn a_run_that_ends_with_a_stale_object_has_read_what_is_around_it() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos(0..10));
        site.put(&key(GEO, 0, 4), geos(4..6));
        assert_eq!(site.run(&[]).done().counts(), [12, 10, 0, 2]);
        // The sink goes on from the stale one, or from the longer one.
        site.put(&key(GEO, 0, 6), geos(6..9));
        site.put(&key(GEO, 0, 9), geos(9..12));
        assert_eq!(site.run(&[]).done().counts(), [6, 2, 0, 4]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..12));
    }
}

#[test]
fn rejects_and_envelopes_that_overlap_land_once() {
    let wrapped = |ind| format!("{{\"value\":{},\"offset\":{ind}}}\n", geo(ind));
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos([0]) + "{}\n" + &wrapped(2) + "nonsense\n" + &geos([4]));
        site.put(&key(GEO, 0, 1), format!("\n{{}}\r\n  {}", wrapped(2)));
        site.put(&(key(GEO, 0, 3) + ".gz"), gzip(b"nonsense\n"));
        site.put(&key(GEO, 0, 5), geos([5]));
        assert_eq!(site.run(&[]).done().counts(), [9, 4, 2, 3]);
        assert_eq!(site.inds("geo"), [0, 2, 4, 5]);
        assert_eq!(site.rejects("geo").len(), 2);
    }
}

#[test]
fn objects_of_one_start_and_two_endings_land_once() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos(0..3));
        site.put(&(key(GEO, 0, 0) + ".gz"), gzip(geos(0..5).as_bytes()));
        site.put(&key(GEO, 0, 5), geos(5..6));
        assert_eq!(site.run(&[]).done().counts(), [9, 6, 0, 3]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..6));
    }
}

#[test]
fn other_records_at_the_same_offsets_are_all_kept_with_a_warning() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos(0..10));
        site.put(&key(GEO, 0, 4), geos(40..42));
        let ran = site.run(&[]).done();
        assert_eq!(ran.counts(), [12, 12, 0, 0]);
        ran.said("objects hold more records than offsets");
        assert_eq!(site.inds("geo"), Vec::from_iter((0..10).chain(40..42)));
    }
}

#[test]
fn a_stale_object_of_the_next_shard_costs_nothing_that_lies_behind_it() {
    // A shard is cut after 32 MiB: the first object is one by itself.
    let long = |ind| geo(ind).replace("Peru", &"x".repeat(9 << 20)) + "\n";
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), (0..4).map(long).collect::<String>() + &geos(4..10));
        site.put(&key(GEO, 0, 4), geos(4..6));
        site.put(&key(GEO, 0, 7), geos(7..8));
        site.put(&key(GEO, 0, 10), geos(10..12));
        assert_eq!(site.run(&[]).done().counts(), [15, 12, 0, 3]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..12));
        // Both shards count for how far the source is read.
        site.put(&key(GEO, 0, 11), geos(11..13));
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 0, 1]);
    }
}
