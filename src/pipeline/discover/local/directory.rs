//! One directory of the file system, held open: entries and sizes are asked for
//! by their names in it, so that the system walks no path for each.

use std::ffi::CStr;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};
use rustix::io::{Errno, retry_on_intr};

use crate::{Error, Result};

/// Bytes of entries that are asked for at once: about a thousand names.
const ENTRIES: usize = 64 << 10;

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    fd: OwnedFd,
}

/// What an entry is, or leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    LinkedDirectory,
    /// A socket, a device, or a link that leads nowhere.
    Other,
}

impl Directory {
    /// Opens a directory; `None` if it is not there.
    pub fn open(path: PathBuf) -> Result<Option<Directory>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match retry_on_intr(|| openat(CWD, &path, flags, Mode::empty())) {
            Ok(fd) => Ok(Some(Directory { path, fd })),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(failed(&path, e.into())),
        }
    }

    /// Gives every entry to `take`, in the order of the file system, with its kind
    /// as the file system notes it beside the name. To be called once.
    pub fn each(&self, mut take: impl FnMut(&CStr, FileType) -> Result<()>) -> Result<()> {
        let mut buffer = Vec::with_capacity(ENTRIES);
        let mut entries = RawDir::new(&self.fd, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = match entry {
                // The directory was removed meanwhile: there are no more.
                Err(Errno::NOENT) => break,
                Err(Errno::INTR) => continue,
                entry => entry.map_err(|e| failed(&self.path, e.into()))?,
            };
            let name = entry.file_name();
            if name != c"." && name != c".." {
                take(name, entry.file_type())?;
            }
        }
        Ok(())
    }

    /// What an entry is; `noted` is what [`each`](Self::each) said of it, which
    /// is all that is needed but for links, and file systems that note nothing.
    pub fn kind(&self, name: &str, noted: FileType) -> Result<Kind> {
        let own = match noted {
            FileType::Unknown => self.stat(name, AtFlags::SYMLINK_NOFOLLOW)?,
            noted => Some((noted, 0)),
        };
        Ok(match own {
            Some((FileType::RegularFile, _)) => Kind::File,
            Some((FileType::Directory, _)) => Kind::Directory,
            Some((FileType::Symlink, _)) => match self.stat(name, AtFlags::empty())? {
                Some((FileType::RegularFile, _)) => Kind::File,
                Some((FileType::Directory, _)) => Kind::LinkedDirectory,
                _ => Kind::Other,
            },
            _ => Kind::Other,
        })
    }

    /// The bytes of a file, or of the one that a link leads to; `None` if it was
    /// deleted since.
    pub fn size(&self, name: &str) -> Result<Option<u64>> {
        Ok(self.stat(name, AtFlags::empty())?.map(|(_, size)| size))
    }

    /// When a file was written, or the one that a link leads to; `None` if that
    /// cannot be learnt.
    pub fn modified(&self, name: &str) -> Option<DateTime<Utc>> {
        let stat = statat(&self.fd, name, AtFlags::empty()).ok()?;
        DateTime::from_timestamp(stat.st_mtime as i64, 0)
    }

    fn stat(&self, name: &str, flags: AtFlags) -> Result<Option<(FileType, u64)>> {
        match statat(&self.fd, name, flags) {
            Ok(stat) => {
                let size = u64::try_from(stat.st_size).unwrap_or(0);
                Ok(Some((FileType::from_raw_mode(stat.st_mode), size)))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(failed(&self.path.join(name), e.into())),
        }
    }
}

/// An error of listing, with the place that the operator has to look at.
pub(super) fn failed(path: &Path, e: io::Error) -> Error {
    Error::of_file("list", path.display().to_string(), e)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = |kind| failed(Path::new("/data/t"), io::Error::from(kind));
        let denied = error(ErrorKind::PermissionDenied);
        assert!(matches!(&denied, Error::FileDenied { path, .. } if path == "/data/t"));
        let broken = error(ErrorKind::NotADirectory);
        assert!(matches!(&broken, Error::Read { object, .. } if object == "/data/t"));
    }

    #[test]
    fn entries_are_told_apart_whether_the_file_system_notes_their_kind_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "12345").unwrap();
        fs::create_dir(path("directory")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        for (link, to) in [("to-file", "file"), ("to-directory", "directory"), ("lost", "x")] {
            symlink(to, path(link)).unwrap();
        }
        let directory = Directory::open(folder.path().into()).unwrap().unwrap();
        let mut kinds = BTreeMap::new();
        let each = directory.each(|name, noted| {
            let name = name.to_str().unwrap();
            let kind = directory.kind(name, noted)?;
            assert_eq!(directory.kind(name, FileType::Unknown)?, kind, "{name}");
            kinds.insert(name.to_owned(), kind);
            Ok(())
        });
        each.unwrap();
        let expected = [
            ("directory", Kind::Directory),
            ("file", Kind::File),
            ("lost", Kind::Other),
            ("socket", Kind::Other),
            ("to-directory", Kind::LinkedDirectory),
            ("to-file", Kind::File),
        ];
        assert_eq!(kinds, expected.map(|(name, kind)| (name.to_owned(), kind)).into());
        assert_eq!(directory.size("to-file").unwrap(), Some(5));
        assert_eq!(directory.size("gone").unwrap(), None);
    }

    #[test]
    fn a_directory_of_many_entries_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..3000).map(|n| format!("{n:0100}")).collect();
        names.iter().for_each(|name| fs::write(folder.path().join(name), "").unwrap());
        let mut seen = Vec::new();
        let directory = Directory::open(folder.path().into()).unwrap().unwrap();
        let each = directory.each(|name, _| {
            seen.push(name.to_str().unwrap().to_owned());
            Ok(())
        });
        each.unwrap();
        seen.sort_unstable();
        assert_eq!(seen, names);
        assert!(Directory::open(folder.path().join("none")).unwrap().is_none());
        assert!(Directory::open(folder.path().join(&names[0])).is_err());
    }
}
