//! The real records, if they are at hand, laid out as the sink writes them.

use std::path::Path;

use super::world::{LAKE, World};
use crate::table::{Place, TABLES, assert_same};

const USER: &str = "12e255fc4fcd";

/// One record an object, one partition: the layout of the real bucket.
fn lay_out(real: &Path, bucket: &Path) {
    for table in TABLES {
        let topic = format!("{USER}.{table}");
        let folder = bucket.join(format!("topics/{topic}/partition=0"));
        std::fs::create_dir_all(&folder).unwrap();
        let text = std::fs::read_to_string(real.join(format!("{table}.ndjson"))).unwrap();
        for (offset, line) in text.split_inclusive('\n').enumerate() {
            std::fs::write(folder.join(format!("{topic}+0+{offset:010}.json")), line).unwrap();
        }
    }
}

#[test]
fn the_real_records_give_the_same_tables_from_a_bucket_as_from_a_folder() {
    let real = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/real");
    if !real.is_dir() {
        eprintln!("skipped: there are no real records here");
        return;
    }
    let world = World::new();
    let bucket = world.path("bucket");
    lay_out(&real, &bucket);
    world.server.load_folder(LAKE, &bucket);
    let expected = world.local(&bucket);
    let out = world.path("clean");
    world.run(out.to_str().unwrap()).done();
    let found = Place::Folder(out);
    assert_same(&found, &expected);
    for table in TABLES {
        assert_eq!(found.rows(table).len(), 2525, "{table}");
    }
}
