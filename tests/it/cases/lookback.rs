//! Folders of time: which of them a later run lists.

use super::records::{GEO, geos};
use super::site::{Ran, Site};

/// One record in the folder of a day.
fn put(site: &Site, folder: &str, ind: u64) {
    let key = format!("topics/{GEO}/{folder}/{GEO}+0+{ind:010}.json");
    site.put(&key, geos([ind]));
}

fn older(ran: &Ran) -> &serde_json::Value {
    &ran.report()["tables"]["geo"]["topics"][GEO]["folders_older_than_lookback"]
}

#[test]
fn what_arrives_late_lands_within_the_lookback_and_else_waits_for_a_longer_one() {
    for site in Site::all() {
        for (day, ind) in [("dt=2024-01-01", 1), ("dt=2024-01-10", 2), ("dt=2024-01-20", 3)] {
            put(&site, day, ind);
        }
        // A first run lists all.
        assert_eq!(site.run(&[]).done().counts(), [3, 3, 0, 0]);

        // Seven days before the 20th is the 13th.
        let late = ["dt=2024-01-14", "dt=2024-01-13", "dt=2024-01-12", "dt=2024-01-10"];
        late.iter().zip(11..).for_each(|(day, ind)| put(&site, day, ind));
        let ran = site.run(&[]).done();
        assert_eq!((ran.counts(), older(&ran)), ([2, 2, 0, 0], &3.into()));
        assert_eq!(site.inds("geo"), [1, 2, 3, 11, 12]);
        let ran = site.run(&["-v"]).done().said("3 folders older than --lookback were not listed");
        assert_eq!((ran.counts(), older(&ran)), ([0; 4], &3.into()));

        let ran = site.run(&["--lookback", "10d"]).done();
        assert_eq!((ran.counts(), older(&ran)), ([2, 2, 0, 0], &1.into()));
        // What was not listed is still known as committed.
        assert_eq!(site.run(&["--lookback=9w"]).done().counts(), [0; 4]);

        put(&site, "dt=2024-01-02", 21);
        assert_eq!(site.run(&[]).done().counts(), [0; 4]);
        assert_eq!(site.run(&["--full"]).done().counts(), [8, 8, 0, 0]);
        assert_eq!(site.inds("geo"), [1, 2, 3, 11, 12, 13, 14, 21]);
    }
}

#[test]
fn a_run_after_a_long_pause_reads_all_that_came_since() {
    for site in Site::all() {
        put(&site, "year=2023/month=12/day=30/hour=23", 1);
        assert_eq!(site.run(&[]).done().counts(), [1, 1, 0, 0]);
        let since = ["year=2023/month=12/day=31/hour=00", "year=2024/month=01/day=01/hour=05"];
        since.iter().zip(2..).for_each(|(hour, ind)| put(&site, hour, ind));
        put(&site, "year=2024/month=11/day=01/hour=00", 4);
        assert_eq!(site.run(&["--lookback=0s"]).done().counts(), [3, 3, 0, 0]);
        assert_eq!(site.inds("geo"), [1, 2, 3, 4]);
        // Now all but the last is old: the year before, and ten months' folders.
        let ran = site.run(&["--lookback=0s"]).done();
        assert_eq!((ran.counts(), older(&ran)), ([0; 4], &2.into()));
    }
}

#[test]
fn a_record_from_the_future_hides_nothing() {
    for site in Site::all() {
        put(&site, "2024/01/01", 1);
        put(&site, "9999/12/31", 2);
        assert_eq!(site.run(&[]).done().counts(), [2, 2, 0, 0]);
        put(&site, "2024/01/02", 3);
        assert_eq!(site.run(&[]).done().counts(), [1, 1, 0, 0]);
        assert_eq!(site.inds("geo"), [1, 2, 3]);
    }
}
