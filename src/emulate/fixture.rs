//! The committed fixture bucket stays what the emulator writes, and what its
//! README says.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::tests::emulation;
use super::*;

/// The two slices of `fixtures/bucket`, as its README says.
fn slices() -> [Emulation; 2] {
    let single = Emulation { seed: 28372, rows: 12, partitions: 2, ..emulation() };
    let packed =
        Emulation { start_offset: 12, rows: 20, flush_size: 100, gzip: true, ..single.clone() };
    [single, packed]
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn plain(key: &str, body: &[u8]) -> Vec<u8> {
    if !key.ends_with(".gz") {
        return body.to_vec();
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn the_fixture_bucket_is_what_its_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bucket");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let is_sidecar = |key: &str| key.contains(".keys.") || key.contains(".headers.");
    let committed: BTreeMap<String, Vec<u8>> = paths
        .iter()
        .map(|path| (path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(key, _)| !is_sidecar(key))
        .map(|(key, path)| (key.clone(), plain(&key, &fs::read(path).unwrap())))
        .collect();
    let mut emulated = BTreeMap::new();
    for slice in slices() {
        let rotations = Rotations::new(&slice);
        for object in (0..rotations.count()).flat_map(|n| rotations.objects(n)) {
            emulated.insert(object.key.clone(), plain(&object.key, &object.body));
        }
    }
    assert!(committed.keys().eq(emulated.keys()), "other objects");
    assert_eq!(committed, emulated);
}
