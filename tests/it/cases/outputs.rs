//! Outputs that cannot be written, and runs that must not or should not pass.

use std::fs;

use super::records::{GEO, PIN, geo, geos, key, pin};
use super::site::{Ran, Site, write};
use crate::command::program;
use crate::table::{Format, TABLES};

const GEO_TRANSFORM: &str = include_str!("../../../transforms/geo.toml");

/// Three good records and a bad one, `{}`.
fn put_one_bad_of_four(site: &Site) {
    site.put(&key(GEO, 0, 0), geos([1, 2]) + "{}\n" + &geo(3));
}

fn transforms(site: &Site, text: &str) -> [&'static str; 2] {
    write(&site.home.path().join("transforms/geo.toml"), text.as_bytes());
    ["--transforms", "transforms"]
}

/// What the run before left is of no table; only a commit of manifests removes it.
#[track_caller]
fn assert_carried_on(site: &Site) {
    match site.format {
        Format::Parquet => site.assert_settled(),
        Format::Delta => site.out().assert_whole(),
    }
}

/// A run in which no file may grow beyond so many blocks of 512 bytes: the
/// write that passes it fails, as on a full disk.
fn run_on_a_small_disk(site: &Site, blocks: u32) -> Ran {
    let mut shell = site.tame("sh");
    // The signal is ignored, so that the write gives an error.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    shell.args(["-c", &script, "sh"]).arg(program()).arg("run").args(site.places());
    site.ran(shell.output().unwrap())
}

#[test]
fn a_full_disk_ends_the_run_with_nothing_committed_and_the_next_carries_on() {
    // Of the pins a file is held in memory up to the commit; or sent before.
    let cases = Format::BOTH.into_iter().flat_map(|format| [(format, 2_000_u64), (format, 20_000)]);
    for (format, pins) in cases {
        let site = Site::folder(format);
        site.put(&key(GEO, 0, 0), geos(0..10));
        let lines = (0..pins).map(|n| {
            let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            pin(noise % 1_000_000_007, &(n % 1000).to_string()) + "\n"
        });
        site.put(&key(PIN, 0, 0), lines.collect::<String>());
        let full = run_on_a_small_disk(&site, 16).exited(1).said("cannot write");
        assert!(full.stderr.contains("out/tables/pin/"), "{}", full.stderr);
        for table in TABLES {
            assert!(site.out().commits(table).is_empty(), "{table} was committed");
        }
        assert_eq!(site.run(&[]).done().counts(), [pins + 10, pins + 10, 0, 0]);
        assert_eq!(site.inds("pin").len() as u64, pins);
        assert_carried_on(&site);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    // A file where a folder has to be.
    let cases = [
        (Format::Parquet, "out", "out"),
        (Format::Delta, "out", "out"),
        (Format::Parquet, "out/tables", "out/tables"),
        (Format::Delta, "out/tables", "out/tables"),
        (Format::Parquet, "out/tables/geo", "geo"),
        (Format::Delta, "out/tables/geo", "geo"),
        (Format::Parquet, "out/tables/geo/_pinclean", "geo/_pinclean"),
        (Format::Delta, "out/tables/geo/_delta_log", "geo/_delta_log"),
        (Format::Parquet, "out/tables/_quarantine", "_quarantine"),
        (Format::Delta, "out/tables/_quarantine", "_quarantine"),
    ];
    for (format, file, named) in cases {
        let site = Site::folder(format);
        put_one_bad_of_four(&site);
        write(&site.home.path().join(file), b"not a folder");
        let ran = site.run(&[]).exited(1).said(named);
        assert!(ran.stderr.starts_with("error: cannot "), "{format:?} {file}: {}", ran.stderr);
        assert!(site.out().commits("geo").is_empty(), "{file}");
        assert!(ran.report.is_none(), "{file}");

        fs::remove_file(site.home.path().join(file)).unwrap();
        assert_eq!(site.run(&[]).done().counts(), [4, 3, 1, 0], "{file}");
        assert_carried_on(&site);
    }
}

#[test]
fn a_folder_that_nobody_may_write_to_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let site = Site::folder(Format::Delta);
    put_one_bad_of_four(&site);
    fs::create_dir_all(site.out_folder()).unwrap();
    let read_only = PermissionsExt::from_mode(0o555);
    fs::set_permissions(site.out_folder(), read_only).unwrap();
    if fs::create_dir(site.out_folder().join("probe")).is_ok() {
        eprintln!("skipped: root writes everywhere");
        return;
    }
    site.run(&[]).exited(1).said("no permission to write");
    let writable = PermissionsExt::from_mode(0o755);
    fs::set_permissions(site.out_folder(), writable).unwrap();
    assert_eq!(site.run(&[]).done().counts(), [4, 3, 1, 0]);
}

#[test]
fn too_many_rejects_are_committed_and_told_by_the_exit_code() {
    let cases = [("0", 3), ("1", 0), ("24%", 3), ("25%", 0), ("0%", 3), ("100%", 0)];
    for ((limit, code), format) in cases.into_iter().zip(Format::BOTH.into_iter().cycle()) {
        let site = Site::folder(format);
        put_one_bad_of_four(&site);
        let ran = site.run(&["--max-rejects", limit]).exited(code);
        assert_eq!(ran.counts(), [4, 3, 1, 0], "{limit}");
        let outcome = if code == 3 { "too_many_rejects" } else { "committed" };
        assert_eq!(ran.report()["outcome"], outcome, "{limit}");
        assert_eq!((site.inds("geo"), site.rejects("geo").len()), (vec![1, 2, 3], 1), "{limit}");
        site.assert_settled();
        if code == 3 {
            ran.said("1 of 4 records").said("_quarantine");
        }
        // The rejects were told of once; what is new has none.
        site.run(&["--max-rejects", limit]).done();
    }
}

#[test]
fn on_error_fail_ends_the_run_and_nothing_is_committed() {
    let fail =
        GEO_TRANSFORM.replacen("type = \"int32\"", "type = \"int32\"\non_error = \"fail\"", 1);
    for site in Site::all() {
        let args = transforms(&site, &fail);
        // A good pair of objects before it, in a partition of their own.
        site.put(&key(GEO, 0, 0), geos([1, 2]));
        site.put(&key(GEO, 1, 0), geos([3]) + "{\"ind\":\"12x\"}\n");
        let ran = site.run(&args).exited(1).said("partition=1").said("line 2").said("column ind");
        assert!(ran.report.is_none());
        assert_eq!(site.out_keys(""), Vec::<String>::new());

        site.put(&key(GEO, 1, 0), geos([3, 4]));
        assert_eq!(site.run(&args).done().counts(), [4, 4, 0, 0]);
        assert_eq!(site.inds("geo"), [1, 2, 3, 4]);
    }
}

#[test]
fn on_error_null_keeps_the_row() {
    let null =
        GEO_TRANSFORM.replacen("type = \"int32\"", "type = \"int32\"\non_error = \"null\"", 1);
    let site = Site::folder(Format::Delta);
    let args = transforms(&site, &null);
    site.put(&key(GEO, 0, 0), geos([1]) + "{\"ind\":\"12x\",\"country\":\"Peru\"}\n");
    let ran = site.run(&args).done();
    assert_eq!(ran.counts(), [2, 2, 0, 0]);
    assert_eq!(site.inds("geo"), [-1, 1]);
    assert_eq!(ran.report()["tables"]["geo"]["columns"]["ind"]["on_error type"], 1);
}
