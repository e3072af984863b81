//! `pinclean emulate` writes to a bucket what it writes to a folder.

use super::world::{LAKE, World};
use crate::s3::Op;

#[test]
fn the_emulator_writes_to_a_bucket_what_it_writes_to_a_folder() {
    let layout = ["--rows", "500", "--partitions", "2", "--flush-size", "7", "--gzip"];
    let world = World::new();
    let folder = world.emulate("bucket", &layout);
    world.server.create_bucket("copy");
    world.server.load_folder("copy", &folder);
    world.pinclean("emulate").arg("s3://lake").args(layout).done();
    let keys = world.server.keys(LAKE, "");
    assert_eq!(keys, world.server.keys("copy", ""));
    for key in &keys {
        assert_eq!(world.server.get(LAKE, key), world.server.get("copy", key), "{key}");
    }
    assert_eq!(world.requests(LAKE, Op::Put), keys.len());
}
