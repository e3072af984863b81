//! Where objects may lie and how they may be named.

use super::records::{geo, geos, key, pin};
use super::site::Site;
use crate::command::thorough;
use crate::table::Format;

const TABLES: [&str; 3] = ["geo", "pin", "user"];

/// The rows of all tables, and what is in quarantine: code and bytes.
fn content(site: &Site) -> (Vec<Vec<String>>, Vec<(String, Vec<u8>)>) {
    let rows = TABLES.map(|table| site.rows(table)).to_vec();
    let rejects = TABLES.iter().flat_map(|table| site.rejects(table));
    let mut rejects: Vec<_> = rejects.map(|reject| (reject.code, reject.raw)).collect();
    rejects.sort_unstable();
    (rows, rejects)
}

/// A bucket of this partitioner, read in two slices.
fn partitioned(site: Site, partitioner: &str) -> (Vec<Vec<String>>, Vec<(String, Vec<u8>)>) {
    let emulate = |more: &[&str]| {
        let same = ["--seed=7", "--partitions=3", "--flush-size=5", "--bad-rate=5%", "--gzip"];
        site.emulate(&[&same[..], &["--partitioner", partitioner], more].concat());
    };
    emulate(&["--rows=45"]);
    // The records' times, and so the folders, lie anywhere in five years.
    let all = ["--lookback=300w"];
    let first = site.run(&all).done().counts();
    assert_eq!((first[0], first[3]), (135, 0), "{partitioner}");
    emulate(&["--rows=15", "--start-offset=45"]);
    let second = site.run(&all).done().counts();
    assert_eq!((second[0], second[3]), (45, 0), "{partitioner}");
    assert_eq!(site.run(&all).done().report()["outcome"], "nothing_new", "{partitioner}");
    site.assert_settled();
    content(&site)
}

#[test]
fn every_partitioner_gives_the_same_rows_and_rejects() {
    let folder = || Site::folder(Format::Delta);
    let expected = partitioned(folder(), "default");
    let (rows, rejects) = &expected;
    let counted = rows.iter().map(Vec::len).sum::<usize>() + rejects.len();
    assert!(counted == 180 && rejects.len() > 5, "{counted}");
    for partitioner in ["field", "daily", "hourly", "time"] {
        assert!(partitioned(folder(), partitioner) == expected, "{partitioner}");
    }
    // Folders are listed alike for both formats.
    let formats = if thorough() { &Format::BOTH[..] } else { &[Format::Delta] };
    for &format in formats {
        let found = partitioned(Site::buckets(format), "hourly");
        assert!(found == expected, "{format:?} on S3");
    }
    let found = partitioned(Site::folder(Format::Parquet), "daily");
    assert!(found == expected, "Parquet in a folder");
}

#[test]
fn topics_lie_where_topics_dir_says_and_names_are_split_where_file_delim_says() {
    let cases = [("", "+"), ("raw/kafka", "+"), ("topics", "--"), ("", "_-_")];
    for (dir, delim) in cases {
        for site in Site::all() {
            let (dir, delim) = (format!("--topics-dir={dir}"), format!("--file-delim={delim}"));
            let layout = [dir.as_str(), delim.as_str()];
            site.emulate(&[&layout[..], &["--rows=20", "--flush-size=4"]].concat());
            assert_eq!(site.run(&layout).done().counts(), [60, 60, 0, 0], "{layout:?}");
            assert_eq!(site.run(&layout).done().counts(), [0; 4], "{layout:?}");
        }
    }
}

#[test]
fn a_glob_chooses_topics_and_the_others_wait() {
    for site in Site::all() {
        site.put(&key("a.geo", 0, 0), geos([1]));
        site.put(&key("b.geo", 0, 0), geos([2]));
        site.put(&key("a.pin", 0, 0), pin(3, "1k"));
        assert_eq!(site.run(&["--topic", "b.*"]).done().counts(), [1, 1, 0, 0]);
        assert_eq!(site.inds("geo"), [2]);
        let both = site.run(&["--topic", "a.geo", "--topic", "*.pin"]).done();
        assert_eq!(both.counts(), [2, 2, 0, 0]);
        assert_eq!((site.inds("geo"), site.inds("pin")), (vec![1, 2], vec![3]));
        assert_eq!(site.run(&[]).done().report()["outcome"], "nothing_new");
        site.assert_settled();
    }
}

#[test]
fn a_topic_without_a_transform_is_listed_and_no_error() {
    for site in Site::all() {
        site.put(&key("u.geo", 0, 0), geos([1]));
        site.put(&key("u.orders", 0, 0), "{}");
        let ran = site.run(&[]).done();
        assert_eq!(ran.counts(), [1, 1, 0, 0]);
        assert_eq!(ran.report()["topics_without_transform"], serde_json::json!(["u.orders"]));
    }
}

#[test]
fn no_topic_at_all_says_what_is_there_instead() {
    type Args = &'static [&'static str];
    let record = geo(1);
    let cases: [(&[&str], Args, &[&str]); 6] = [
        (&[], &[], &["nothing to clean"]),
        (&["topics/u.orders/partition=0/u.orders+0+0.json"], &[], &["u.orders", "*.geo"]),
        (
            &["topics/u.geo/partition=0/u.geo+0+0000000000.json"],
            &["--topic=x.*"],
            &["u.geo", "x.*"],
        ),
        (&["raw/u.geo/partition=0/u.geo+0+0000000000.json"], &[], &["raw", "--topics-dir"]),
        (&["u.geo/partition=0/u.geo+0+0000000000.json"], &[], &["u.geo", "--topics-dir \"\""]),
        (&["topics/u.geo+0+0000000000.json"], &[], &["u.geo+0+0000000000.json"]),
    ];
    for (keys, args, named) in cases {
        for site in Site::all() {
            keys.iter().for_each(|key| site.put(key, record.as_str()));
            let ran = site.run(args).exited(1);
            for text in named {
                assert!(ran.stderr.contains(text), "{keys:?}: {text} is not in {}", ran.stderr);
            }
            assert_eq!(site.out_keys(""), Vec::<String>::new(), "{keys:?}");
        }
    }
}
