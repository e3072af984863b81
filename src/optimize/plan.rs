//! Which files are packed together. Pure.

use std::collections::BTreeMap;

use crate::delta::LiveFile;

/// Whether a file is worth packing: smaller than three quarters of the target.
pub(super) fn is_small(file: &LiveFile, target_size: u64) -> bool {
    file.size < target_size / 4 * 3
}

/// The groups of files that become one file each. Files of one partition come
/// in the order of their commits, so that rows stay near those of their time.
pub(super) fn packs(files: Vec<LiveFile>, target_size: u64) -> Vec<Vec<LiveFile>> {
    let small = files.into_iter().filter(|file| is_small(file, target_size)).collect();
    let groups = partitions(small).into_iter().flat_map(|files| pack(files, target_size));
    groups.filter(|group| group.len() > 1).collect()
}

/// All files, a group for each partition.
pub(super) fn partitions(files: Vec<LiveFile>) -> Vec<Vec<LiveFile>> {
    let mut partitions: BTreeMap<_, Vec<LiveFile>> = BTreeMap::new();
    for file in files {
        partitions.entry(file.partition.clone()).or_default().push(file);
    }
    let mut partitions: Vec<_> = partitions.into_values().collect();
    for files in &mut partitions {
        files.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
    }
    partitions
}

/// Neighbours, as many as fit.
fn pack(files: Vec<LiveFile>, target_size: u64) -> Vec<Vec<LiveFile>> {
    let mut groups: Vec<Vec<LiveFile>> = Vec::new();
    let mut size = 0;
    for file in files {
        size += file.size;
        match groups.last_mut() {
            Some(group) if size <= target_size => group.push(file),
            _ => {
                size = file.size;
                groups.push(vec![file]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn file(partition: &str, modified: i64, path: &str, size: u64) -> LiveFile {
        LiveFile {
            path: path.into(),
            size,
            modified,
            partition: [("c".to_owned(), Some(partition.to_owned()))].into(),
            stats: Value::Null,
            has_deletion_vector: false,
        }
    }

    fn paths(groups: &[Vec<LiveFile>]) -> Vec<Vec<&str>> {
        groups.iter().map(|group| group.iter().map(|file| file.path.as_str()).collect()).collect()
    }

    #[test]
    fn small_neighbours_of_a_partition_are_packed_up_to_the_target() {
        let cases: &[(&[(i64, &str, u64)], &[&[&str]])] = &[
            (&[], &[]),
            (&[(1, "a", 10)], &[]),
            (&[(1, "a", 10), (2, "b", 10)], &[&["a", "b"]]),
            // As they were committed, and by name within a commit.
            (&[(2, "a", 1), (1, "c", 1), (1, "b", 1)], &[&["b", "c", "a"]]),
            // A file of three quarters is large enough.
            (&[(1, "a", 10), (2, "b", 75), (3, "c", 74)], &[&["a", "c"]]),
            // What does not fit begins the next one.
            (&[(1, "a", 40), (2, "b", 60), (3, "c", 1), (4, "d", 2)], &[&["a", "b"], &["c", "d"]]),
            (&[(1, "a", 60), (2, "b", 60), (3, "c", 60)], &[]),
        ];
        for (files, expected) in cases {
            let files =
                files.iter().map(|(modified, path, size)| file("x", *modified, path, *size));
            assert_eq!(paths(&packs(files.collect(), 100)), *expected);
        }
    }

    #[test]
    fn partitions_are_not_mixed() {
        let files = vec![file("x", 1, "a", 1), file("y", 2, "b", 1), file("x", 3, "c", 1)];
        assert_eq!(paths(&packs(files.clone(), 100)), [["a", "c"]]);
        assert_eq!(paths(&partitions(files)), [vec!["a", "c"], vec!["b"]]);
    }
}
