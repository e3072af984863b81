//! A bucket gives what the same objects give as a folder.

use super::world::{LAKE, OUT, World};
use crate::table::{Format, Place, assert_same};

const LAYOUTS: [&[&str]; 2] = [
    &["--rows", "120", "--partitions", "3", "--bad-rate", "5%"],
    &["--rows", "1000", "--partitions", "3", "--bad-rate", "1%", "--flush-size", "100", "--gzip"],
];

#[test]
fn a_bucket_gives_the_rows_of_the_same_folder_in_a_folder_and_in_a_bucket() {
    for (layout, format) in LAYOUTS.iter().flat_map(|layout| Format::BOTH.map(|f| (layout, f))) {
        let world = World::of(format);
        let bucket = world.fill(layout);
        let expected = world.local(&bucket);
        assert!(!expected.rejects("geo").is_empty(), "the layout has bad records");
        let folder = world.path("clean");
        let to_folder = world.run(folder.to_str().unwrap()).done();
        assert_same(&Place::Folder(folder), &expected);
        let to_bucket = world.run("s3://tables/deep er/x=1").done();
        assert_same(&world.out("deep er/x=1/"), &expected);
        assert_eq!(to_folder.number("/tables/pin/records_read"), rows_of(layout));
        let tables = |report: &serde_json::Value| {
            let mut tables = report["tables"].clone();
            for table in tables.as_object_mut().unwrap().values_mut() {
                // Its place alone differs, and what names the run.
                table["commit"].take();
                for kind in ["files", "quarantine_files"] {
                    table[kind].as_array_mut().unwrap().iter_mut().for_each(of_any_run);
                }
                // The rejects name the run, and do not compress alike.
                let rejects = table["quarantine_files"].as_array_mut().unwrap();
                rejects.iter_mut().for_each(|file| _ = file["bytes"].take());
            }
            tables
        };
        assert_eq!(tables(&to_bucket.report), tables(&to_folder.report));
    }
}

/// Takes the run from the end of a file's name, where Delta tables have it.
fn of_any_run(file: &mut serde_json::Value) {
    let path = file["path"].as_str().unwrap();
    file["path"] = path.rsplit_once('-').unwrap().0.into();
}

fn rows_of(layout: &[&str]) -> u64 {
    layout[1].parse().unwrap()
}

#[test]
fn the_fixture_bucket_gives_its_rows_below_a_prefix_and_with_its_strays_counted() {
    let world = World::new();
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bucket");
    let copy = world.path("copy/in/here=1");
    copy_folder(&fixtures, &copy);
    world.server.load_folder(LAKE, &world.path("copy"));
    let expected = world.local(&fixtures);
    let done = world.run_from(&["--source", "s3://lake/in/here=1/"], "s3://tables").done();
    assert_same(&world.out(""), &expected);
    assert_eq!(done.number("/tables/user/sidecars"), 2);
    assert_eq!(done.number("/tables/user/tombstones"), 1);
    for table in ["pin", "geo", "user"] {
        assert_eq!(done.number(&format!("/tables/{table}/records_written")), 32);
    }
    assert!(world.server.keys(OUT, "_runs/").len() == 1, "the report lies beside the tables");
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.path().is_dir() {
            true => copy_folder(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}
