//! Bad inputs that are too large, too odd or too many to be files.

use std::fs;
use std::os::unix::fs::symlink;

use super::records::{GEO, PIN, geo, geos, gzip, inds, key, pin, plain};
use super::site::{Site, write};
use crate::table::Format;

const DEPTH: usize = 100_000;
/// The longest line that is read.
const LINE_LIMIT: usize = 16 << 20;

fn one(code: &str) -> Vec<(String, u64)> {
    vec![(code.to_owned(), 1)]
}

/// A bad line between two good ones, and a good object after them.
fn put_between(site: &Site, bad: &[u8]) {
    let lines = [geos([1]).as_bytes(), bad, b"\n", geos([2]).as_bytes()].concat();
    site.put(&key(GEO, 0, 0), lines);
    site.put(&key(GEO, 0, 3), geos([3]));
}

#[test]
fn a_line_nested_100_000_deep_is_a_reject_and_ends_nothing_else() {
    let arrays = format!(r#"{{"ind":9,"x":{}{}}}"#, "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = r#"{"ind":"#.repeat(DEPTH) + "1" + &"}".repeat(DEPTH);
    let open = "[".repeat(DEPTH);
    let wrapped = format!(r#"{{"value":{}{}}}"#, "[".repeat(DEPTH), "]".repeat(DEPTH));
    for line in [arrays, objects, open, wrapped] {
        for site in Site::all() {
            put_between(&site, line.as_bytes());
            let ran = site.run(&[]).done();
            assert_eq!((ran.counts(), ran.codes()), ([4, 3, 1, 0], one("too_deep")));
            assert_eq!(site.inds("geo"), [1, 2, 3]);
            assert!(site.rejects("geo")[0].raw == line.as_bytes(), "the record is kept whole");
        }
    }
}

#[test]
fn a_line_of_20_mib_is_a_reject_that_keeps_its_first_16_mib() {
    let long = format!(r#"{{"ind":9,"country":"{}"}}"#, "x".repeat(20 << 20));
    for site in Site::all() {
        put_between(&site, long.as_bytes());
        let ran = site.run(&[]).done();
        assert_eq!((ran.counts(), ran.codes()), ([4, 3, 1, 0], one("too_long")));
        assert_eq!(site.inds("geo"), [1, 2, 3]);
        let [reject] = &site.rejects("geo")[..] else { panic!("one reject") };
        assert_eq!((reject.offset, reject.line), (1, 2));
        assert!(reject.raw == long.as_bytes()[..LINE_LIMIT], "{} bytes", reject.raw.len());
        assert!(reject.message.contains(&long.len().to_string()), "{}", reject.message);
    }
}

#[test]
fn a_gzip_bomb_is_cut_off_and_what_came_before_it_is_kept() {
    let bomb = [geos([1, 2]).into_bytes(), vec![b'\n'; 64 << 20]].concat();
    let bomb = gzip(&bomb);
    assert!(bomb.len() < 80_000, "{} bytes", bomb.len());
    for site in Site::all() {
        site.put(&(key(GEO, 0, 0) + ".gz"), bomb.clone());
        site.put(&key(GEO, 0, 9), geos([3]));
        let ran = site.run(&[]).done();
        assert_eq!((ran.counts(), ran.codes()), ([4, 3, 1, 0], one("gzip_ratio")));
        assert_eq!(site.inds("geo"), [1, 2, 3]);
    }
}

#[test]
fn gzip_that_is_cut_anywhere_gives_what_came_before_the_cut() {
    let whole = gzip(geos(0..200).as_bytes());
    let cuts = (2..whole.len()).step_by(whole.len() / 23);
    let objects: Vec<Vec<u8>> = cuts.map(|cut| whole[..cut].to_vec()).collect();
    let mut good: Vec<i64> = objects.iter().flat_map(|body| whole_lines(&plain(body))).collect();
    good.sort_unstable();
    assert!(good.len() > 1000 && objects.len() > 20);
    for site in Site::all() {
        for (n, body) in (0..).zip(&objects) {
            site.put(&(key(GEO, 0, n * 1000) + ".gz"), body.clone());
        }
        let ran = site.run(&[]).done();
        let cut = objects.len() as u64;
        assert_eq!(ran.codes(), [("gzip_truncated".to_owned(), cut)]);
        assert_eq!(site.inds("geo"), good);
        // Each object has one, at the record that it lacks.
        for (n, (reject, body)) in site.rejects("geo").iter().zip(&objects).enumerate() {
            let records = whole_lines(&plain(body)).len();
            assert_eq!(reject.offset, (n * 1000 + records) as i64, "{reject:?}");
        }
    }
}

/// The numbers of the records that are whole.
fn whole_lines(text: &[u8]) -> Vec<i64> {
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter(|line| line.ends_with(b"}")).flat_map(inds).collect()
}

#[test]
fn integers_that_do_not_fit_say_which_column_they_were_for() {
    let cases = [
        ("99999999999999999999", "overflow"),
        ("-9223372036854775809", "overflow"),
        ("2147483648", "overflow"),
        ("1e400", "overflow"),
        ("1.5", "type"),
        ("\"12x\"", "type"),
        ("true", "type"),
        ("[1]", "type"),
    ];
    for (number, code) in cases {
        let site = Site::folder(Format::Delta);
        let bad = geo(9).replace(":9,", &format!(":{number},"));
        put_between(&site, bad.as_bytes());
        let ran = site.run(&[]).done();
        assert_eq!((ran.counts(), ran.codes()), ([4, 3, 1, 0], one(code)), "{number}");
        let [reject] = &site.rejects("geo")[..] else { panic!("one reject") };
        assert_eq!(reject.column.as_deref(), Some("ind"), "{number}");
        assert_eq!(reject.raw, bad.as_bytes(), "{number}");
    }
}

#[test]
fn followers_are_multiplied_and_checked_against_a_range_of_ones_own() {
    let site = Site::folder(Format::Delta);
    let followers = ["1.5k", "999999M", "-5", "0", "12x", "User Info Error"];
    let lines: Vec<String> = (0..).zip(followers).map(|(n, f)| pin(n, f)).collect();
    site.put(&key(PIN, 0, 0), lines.join("\n"));
    let transform = include_str!("../../../transforms/pin.toml").replacen(
        "suffixes = {",
        "range = { min = 0 }\nsuffixes = {",
        1,
    );
    write(&site.home.path().join("transforms/pin.toml"), transform.as_bytes());
    let ran = site.run(&["--transforms", "transforms"]).done();
    assert_eq!(ran.counts(), [6, 3, 3, 0]);
    assert_eq!(site.inds("pin"), [0, 3, 5]);
    let rejects = site.rejects("pin");
    let told: Vec<_> = rejects.iter().map(|r| (r.offset, r.code.as_str())).collect();
    assert_eq!(told, [(1, "overflow"), (2, "range"), (4, "type")]);
    assert!(rejects.iter().all(|r| r.column.as_deref() == Some("follower_count")), "{rejects:#?}");
}

#[test]
fn objects_of_no_records_are_read_without_complaint() {
    for site in Site::all() {
        site.put(&key(GEO, 0, 0), "");
        site.put(&(key(GEO, 0, 1) + ".gz"), "");
        site.put(&(key(GEO, 0, 2) + ".gz"), gzip(b""));
        site.put(&key(GEO, 0, 3), "\n \r\n\t\n");
        site.put(&key(GEO, 0, 4), "\u{feff}");
        let ran = site.run(&[]).done();
        assert_eq!(ran.counts(), [0; 4]);
        assert_eq!(ran.report()["tables"]["geo"]["objects"], 5);
        assert_eq!(site.visible(), Vec::<String>::new());
        // They are committed: nobody reads them again.
        assert_eq!(site.run(&[]).done().report()["outcome"], "nothing_new");
    }
}

#[test]
fn what_is_named_like_an_object_and_is_no_file_is_counted_and_not_read() {
    let site = Site::folder(Format::Delta);
    site.put(&key(GEO, 0, 0), geos([1]));
    let place = |start| site.in_folder().join(key(GEO, 0, start));
    fs::create_dir(place(1)).unwrap();
    symlink("/nowhere", place(2)).unwrap();
    symlink("/dev/null", place(3)).unwrap();
    let ran = site.run(&[]).done();
    assert_eq!(ran.counts(), [1, 1, 0, 0]);
    // A directory may be one of a partitioner's: it is listed, and is empty.
    assert_eq!(ran.report()["tables"]["geo"]["foreign"], 2);
}

#[test]
fn a_file_that_cannot_be_read_ends_the_run_and_is_named() {
    let site = Site::folder(Format::Delta);
    site.put(&key(GEO, 0, 0), geos([1]));
    // For root too: the system has nothing at its first address.
    symlink("/proc/self/mem", site.in_folder().join(key(GEO, 0, 1))).unwrap();
    site.run(&[]).exited(1).said("cannot read").said(&key(GEO, 0, 1));
    assert_eq!(site.out_keys(""), Vec::<String>::new());

    fs::remove_file(site.in_folder().join(key(GEO, 0, 1))).unwrap();
    assert_eq!(site.run(&[]).done().counts(), [1, 1, 0, 0]);
}

#[test]
fn a_file_that_nobody_may_read_ends_the_run_and_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::folder(Format::Delta);
    site.put(&key(GEO, 0, 0), geos([1]));
    let path = site.in_folder().join(key(GEO, 0, 0));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        eprintln!("skipped: root reads every file");
        return;
    }
    site.run(&[]).exited(1).said("no permission to read").said(&key(GEO, 0, 0));
    assert_eq!(site.out_keys(""), Vec::<String>::new());
}
