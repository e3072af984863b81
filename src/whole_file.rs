//! Local files that are there as a whole or not at all.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::path::Path;

use crate::disk::{Durability, StagedFile, sync_file, sync_folder};

/// Writes a local file: another program that looks for it sees what was there
/// before, or all of this, even if two processes write it at once. Its mode is that
/// of any new file. What is not a plain file, such as a pipe, a link or `/dev/stdout`,
/// is written to as it is. If it is `durable`, the file is on the disk afterwards.
///
/// # Errors
/// What the system says. The file is then as it was before, unless its folder lets
/// nobody put a file beside it, so that it was written in its place; or unless it was
/// its folder that could not be synced ([`SyncFailed`](crate::disk::SyncFailed)).
pub fn write(file: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    match fs::symlink_metadata(file) {
        Ok(there) if !there.is_file() => write_in_place(file, bytes, durability),
        _ => replace(file, bytes, durability),
    }
}

/// Writes beside the file, then gives that its name.
fn replace(file: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    // The standard library seeds its hash maps from the system's randomness.
    let random = RandomState::new().build_hasher().finish();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.{random:016x}"));
    // A file may be writable where its folder is not.
    let Ok(whole) = StagedFile::create(beside, durability) else {
        return write_in_place(file, bytes, durability);
    };
    if let Err(error) = whole.write_at(0, bytes).and_then(|()| whole.sync()) {
        _ = whole.remove();
        return Err(error);
    }
    match whole.rename_to(file) {
        Ok(()) if durability.syncs() => sync_folder(folder_of(file)),
        Ok(()) => Ok(()),
        // A file that is mounted into a container can be written, and not replaced.
        Err(_) => write_in_place(file, bytes, durability),
    }
}

fn write_in_place(file: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let mut opened = fs::File::create(file)?;
    opened.write_all(bytes)?;
    // A pipe or a terminal has nothing to sync.
    match durability.syncs() && opened.metadata()?.is_file() {
        true => sync_file(&opened, file).and_then(|()| sync_folder(folder_of(file))),
        false => Ok(()),
    }
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_never_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.prom");
        write(&file, b"first", Durability::Synced).unwrap();
        let before = fs::metadata(&file).unwrap();
        // Who has it open still reads what was there.
        let open = fs::File::open(&file).unwrap();
        write(&file, b"2", Durability::Synced).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"2");
        assert_eq!(io::read_to_string(open).unwrap(), "first");
        assert_ne!(fs::metadata(&file).unwrap().ino(), before.ino());
        assert_eq!(names(folder.path()), ["a.prom"]);
    }

    #[test]
    fn its_mode_is_that_of_any_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let [ours, any] = ["ours", "any"].map(|name| folder.path().join(name));
        write(&ours, b"", Durability::Synced).unwrap();
        fs::write(&any, b"").unwrap();
        let mode = |file| fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&any));
    }

    #[test]
    fn a_file_is_written_in_its_place_where_none_can_be_put_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        // With anything added its name is too long for the file system.
        let name = "a".repeat(250);
        let file = folder.path().join(&name);
        for text in ["first", "2"] {
            write(&file, text.as_bytes(), Durability::Synced).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(names(folder.path()), [name]);
    }

    #[test]
    fn what_is_no_plain_file_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "before").unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"through", Durability::Synced).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"through");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write(Path::new("/dev/null"), b"gone", Durability::Synced).unwrap();
        assert!(!fs::symlink_metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("none/a.prom");
        assert_eq!(
            write(&file, b"x", Durability::Synced).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        assert_eq!(names(folder.path()), [""; 0]);
    }
}
