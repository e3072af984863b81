//! One run after another: what is new, and each record once.

use super::records::{GEO, geos, key};
use super::site::Site;
use crate::table::Format;

#[test]
fn a_run_reads_what_is_new_and_nothing_else() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos([1, 2]));
        site.put(&key(GEO, 1, 0), geos([3]));
        assert_eq!(site.run(&[]).done().counts(), [3, 3, 0, 0]);
        assert_eq!(site.run(&[]).done().counts(), [0; 4]);

        site.put(&key(GEO, 0, 2), geos([4]) + "{}\n");
        site.put(&key(GEO, 2, 7), geos([5]));
        site.put(&key("other.geo", 0, 0), geos([6]));
        let ran = site.run(&[]).done();
        assert_eq!(ran.counts(), [4, 3, 1, 0]);
        let geo = &ran.report()["tables"]["geo"];
        assert_eq!(geo["objects"], 3);
        let partition = &geo["topics"][GEO]["directories"]["partition=0"]["0"];
        assert_eq!((&partition["first_offset"], &partition["last_offset"]), (&2.into(), &3.into()));
        assert_eq!(site.inds("geo"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(site.rejects("geo").len(), 1);
        assert_eq!(site.out().commits("geo").len(), 2);
        site.assert_settled();
    }
}

#[test]
fn what_the_sink_delivered_again_is_in_the_table_once() {
    for site in Site::all() {
        // Offsets 0 to 3; 2 to 5, of which two again; 6 and 7.
        site.put(&key(GEO, 0, 0), geos(0..4));
        site.put(&key(GEO, 0, 2), geos(2..6));
        assert_eq!(site.run(&[]).done().counts(), [8, 6, 0, 2]);
        site.put(&key(GEO, 0, 6), geos(6..8));
        assert_eq!(site.run(&[]).done().counts(), [2, 2, 0, 0]);
        // Now over two runs: 7 again, then 7 and 8 again.
        site.put(&key(GEO, 0, 7), geos(7..9));
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 0, 1]);
        site.put(&key(GEO, 0, 8), geos(8..10));
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 0, 1]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..10));
        // Read at once, it is the same.
        assert_eq!(site.run(&["--full"]).done().counts(), [14, 10, 0, 4]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..10));
    }
}

#[test]
fn a_reject_that_was_delivered_again_is_in_quarantine_once() {
    for site in Site::all() {
        let bad = "{}\n".to_owned();
        site.put(&key(GEO, 0, 0), geos([0]) + &bad);
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 1, 0]);
        site.put(&key(GEO, 0, 1), bad.clone() + &geos([2]));
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 0, 1]);
        assert_eq!((site.inds("geo"), site.rejects("geo").len()), (vec![0, 2], 1));
    }
}

#[test]
fn an_overlap_over_three_runs_is_in_the_table_once() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos(0..5));
        assert_eq!(site.run(&[]).done().counts(), [5, 5, 0, 0]);
        // A shorter object in between must not hide how far the first one reached.
        site.put(&key(GEO, 0, 1), geos([1]));
        assert_eq!(site.run(&[]).done().counts(), [1, 0, 0, 1]);
        site.put(&key(GEO, 0, 2), geos(2..7));
        assert_eq!(site.run(&[]).done().counts(), [5, 2, 0, 3]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..7));
    }
}

#[test]
fn what_was_added_to_the_last_object_after_it_was_read_is_not_lost() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), geos([0]));
        site.put(&key(GEO, 0, 1), geos([1, 2]));
        assert_eq!(site.run(&[]).done().counts(), [3, 3, 0, 0]);
        site.put(&key(GEO, 0, 1), geos([1, 2, 3, 4]));
        site.put(&key(GEO, 0, 5), geos([5]));
        assert_eq!(site.run(&[]).done().counts(), [5, 3, 0, 2]);
        // Shorter again: nothing new, and nothing twice.
        site.put(&key(GEO, 0, 5), geos([5, 6]));
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 0, 1]);
        site.put(&key(GEO, 0, 5), geos([5]));
        assert_eq!(site.run(&[]).done().counts(), [1, 0, 0, 1]);
        assert_eq!(site.run(&[]).done().report()["outcome"], "nothing_new");
        site.put(&key(GEO, 0, 6), geos([6, 7]));
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 0, 1]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..8));
    }
}

#[test]
fn offsets_go_on_over_ten_digits() {
    const TEN_DIGITS: u64 = 10_000_000_000;
    for site in Site::all() {
        site.put(&key(GEO, 0, 999_999_998), geos([0, 1]));
        site.put(&key(GEO, 0, 1_000_000_000), geos([2]));
        assert_eq!(site.run(&[]).done().counts(), [3, 3, 0, 0]);
        // The longer name comes first where keys are sorted.
        site.put(&key(GEO, 0, TEN_DIGITS - 2), geos([3, 4]));
        site.put(&key(GEO, 0, TEN_DIGITS), geos([5]));
        assert_eq!(site.run(&[]).done().counts(), [3, 3, 0, 0]);
        site.put(&key(GEO, 0, TEN_DIGITS + 1), geos([6]));
        assert_eq!(site.run(&[]).done().counts(), [1, 1, 0, 0]);
        assert_eq!(site.run(&[]).done().report()["outcome"], "nothing_new");
        assert_eq!(site.inds("geo"), Vec::from_iter(0..7));
    }
}

#[test]
fn a_run_that_ended_at_ten_digits_is_followed_by_eleven() {
    const TEN_DIGITS: u64 = 10_000_000_000;
    for site in Site::all() {
        site.put(&key(GEO, 0, TEN_DIGITS - 2), geos([0, 1]));
        assert_eq!(site.run(&[]).done().counts(), [2, 2, 0, 0]);
        site.put(&key(GEO, 0, TEN_DIGITS), geos([2, 3]));
        site.put(&key(GEO, 0, TEN_DIGITS + 1), geos([3, 4]));
        assert_eq!(site.run(&[]).done().counts(), [4, 3, 0, 1]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..5));
    }
}

#[test]
fn very_many_small_files_are_counted_to_the_byte_and_the_last_is_watched() {
    for site in [Site::folder(Format::Delta), Site::folder(Format::Parquet)] {
        let bodies: Vec<String> = (0..5000).map(|n| geos([n])).collect();
        (0..).zip(&bodies).for_each(|(start, body)| site.put(&key(GEO, 0, start), body.clone()));
        let ran = site.run(&[]).done();
        assert_eq!(ran.counts(), [5000, 5000, 0, 0]);
        let geo = &ran.report()["tables"]["geo"];
        let bytes: usize = bodies.iter().map(String::len).sum();
        assert_eq!((&geo["objects"], &geo["bytes"]), (&5000.into(), &bytes.into()));
        assert_eq!(site.run(&[]).done().counts(), [0; 4]);
        site.put(&key(GEO, 0, 4999), geos(4999..5001));
        assert_eq!(site.run(&[]).done().counts(), [2, 1, 0, 1]);
        assert_eq!(site.inds("geo"), Vec::from_iter(0..5001));
    }
}
