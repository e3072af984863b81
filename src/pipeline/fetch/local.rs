//! Objects in a folder: read in the calling thread, straight into the batch.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::buffer::spare_capacity;
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::{Errno, read, retry_on_intr};

use super::batches::Objects;
use crate::key::Layout;
use crate::pipeline::plan::Shard;
use crate::store::Requests;
use crate::{Error, Result};

/// The files of one shard.
pub(super) struct Local {
    shard: Arc<Shard>,
    layout: Layout,
    requests: Arc<Requests>,
    /// The shard's folder, and a handle of it: the system walks the path once,
    /// not for each file.
    path: PathBuf,
    folder: Option<OwnedFd>,
    /// The name of the file that was opened last.
    name: String,
    file: Option<OpenFile>,
    /// Files and bytes that were read, until they are told.
    opened: u64,
    read: u64,
}

struct OpenFile {
    file: File,
    stamp: Stamp,
    read: u64,
    ended: bool,
}

/// What tells that a file was replaced or grew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, u64),
}

impl Stamp {
    fn of(file: &File) -> io::Result<Stamp> {
        let stat = fstat(file)?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        Ok(Stamp { size, modified: (stat.st_mtime, stat.st_mtime_nsec) })
    }
}

impl Local {
    pub(super) fn new(
        root: &Path,
        shard: Arc<Shard>,
        layout: Layout,
        requests: Arc<Requests>,
    ) -> Local {
        let path = root.join(shard.source.prefix(&layout));
        let first = shard.objects.first();
        let name = first.map(|object| object.file_name(&shard.source, &layout)).unwrap_or_default();
        let (folder, file, opened, read) = (None, None, 0, 0);
        Local { shard, layout, requests, path, folder, name, file, opened, read }
    }

    fn place(&self) -> String {
        self.path.join(&self.name).display().to_string()
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::of_file("read", self.place(), source)
    }

    /// Opens the file of the name; `None` if it, or all of the folder, is gone.
    fn open_file(&mut self) -> io::Result<Option<OpenFile>> {
        let folder = match &self.folder {
            Some(folder) => folder,
            None => match open_folder(&self.path) {
                Ok(folder) => self.folder.insert(folder),
                Err(Errno::NOENT) => return Ok(None),
                Err(e) => return Err(e.into()),
            },
        };
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        match retry_on_intr(|| openat(folder, &*self.name, flags, Mode::empty())) {
            Ok(fd) => OpenFile::new(fd.into()).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }
}

/// A handle that names are looked up in. It cannot be read, so that it needs no
/// more rights than a path would.
fn open_folder(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    retry_on_intr(|| openat(CWD, path, flags, Mode::empty()))
}

impl Drop for Local {
    /// Tells all at once: workers that count file by file get into each other's
    /// way.
    fn drop(&mut self) {
        self.requests.get(self.opened, self.read);
    }
}

impl Objects for Local {
    fn open(&mut self, object: usize) -> Result<bool> {
        self.name.clear();
        let listed = &self.shard.objects[object];
        listed.push_file_name(&mut self.name, &self.shard.source, &self.layout);
        self.opened += 1;
        self.file = self.open_file().map_err(|e| self.failed(e))?;
        Ok(self.file.is_some())
    }

    fn size(&self) -> Option<u64> {
        self.file.as_ref().map(|file| file.stamp.size)
    }

    fn append(&mut self, out: &mut Vec<u8>, most: usize) -> Result<usize> {
        let Some(file) = &mut self.file else { return Ok(0) };
        match file.append(out, most) {
            Ok(Some(n)) => {
                self.read += n as u64;
                Ok(n)
            }
            Ok(None) => Err(Error::Changed { object: self.place() }),
            Err(e) => Err(self.failed(e)),
        }
    }
}

impl OpenFile {
    fn new(file: File) -> io::Result<OpenFile> {
        let stamp = Stamp::of(&file)?;
        Ok(OpenFile { file, stamp, read: 0, ended: false })
    }

    /// `None` if the file changed since it was opened.
    fn append(&mut self, out: &mut Vec<u8>, most: usize) -> io::Result<Option<usize>> {
        if self.ended {
            return Ok(Some(0));
        }
        if self.read == 0 && self.stamp.size < most as u64 {
            return self.append_whole(out);
        }
        let n = (&self.file).take(most as u64).read_to_end(out)?;
        self.read += n as u64;
        self.ended = n < most;
        let sound = !self.ended || self.is_unchanged()?;
        Ok(sound.then_some(n))
    }

    /// Appends a small file with as few calls as there can be: one.
    ///
    /// It had room for a byte more than the file had when it was opened, so that
    /// the file neither grew nor shrank in between. What it returns came from one
    /// moment, as far as one call of the system does. A second look at the time
    /// of the last change would show little more: the clock of files goes by
    /// milliseconds on most systems, and all of this takes a few microseconds.
    fn append_whole(&mut self, out: &mut Vec<u8>) -> io::Result<Option<usize>> {
        // Less than `most`, which is a `usize`.
        let size = self.stamp.size as usize;
        let before = out.len();
        out.reserve(size + 1);
        let mut n = retry_on_intr(|| read(&self.file, spare_capacity(out)))?;
        // A file system may give less at a time.
        while n > 0 && out.len() - before < size {
            n = retry_on_intr(|| read(&self.file, spare_capacity(out)))?;
        }
        self.ended = true;
        let appended = out.len() - before;
        Ok((appended == size).then_some(appended))
    }

    fn is_unchanged(&self) -> io::Result<bool> {
        Ok(self.read == self.stamp.size && Stamp::of(&self.file)? == self.stamp)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::time::SystemTime;

    use super::super::testing::{gz, lines_of, model, object, shard_of};
    use super::super::{CHUNK, fetch};
    use super::*;
    use crate::key::Source;
    use crate::pipeline::fetch::{BodyFault, FetchLimits, Fetcher, RawBatch};
    use crate::store::{S3Options, Session, Store};

    struct Folder {
        dir: tempfile::TempDir,
        runtime: tokio::runtime::Runtime,
    }

    impl Folder {
        fn new() -> Folder {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            Folder { dir: tempfile::tempdir().unwrap(), runtime }
        }

        fn layout(&self) -> Layout {
            Layout { topics_dir: "topics".into(), file_delim: "+".into() }
        }

        fn path(&self, source: &Source, start: u64) -> PathBuf {
            self.dir.path().join(object(start, 0).key(source, &self.layout()))
        }

        fn write(&self, bodies: &[Option<Vec<u8>>]) -> Arc<Shard> {
            let objects = (0..bodies.len() as u64).map(|n| object(n * 3, 0)).collect();
            let shard = shard_of(objects);
            for (n, body) in (0..).zip(bodies) {
                let path = self.path(&shard.source, n * 3);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                if let Some(body) = body {
                    fs::write(path, body).unwrap();
                }
            }
            shard
        }

        fn fetcher(&self, batch_bytes: usize) -> Fetcher {
            let session = Session::new(S3Options::default());
            let url = self.dir.path().to_str().unwrap();
            let store = self.runtime.block_on(Store::open(url, &session)).unwrap();
            let limits = FetchLimits { batch_bytes, concurrency: 4 };
            Fetcher::new(store, self.layout(), limits, self.runtime.handle().clone())
        }

        fn fetch(&self, shard: &Arc<Shard>, batch_bytes: usize) -> Result<Vec<RawBatch>> {
            fetch(&self.fetcher(batch_bytes), Arc::clone(shard)).collect()
        }
    }

    #[test]
    fn a_folder_gives_its_lines_in_order() {
        let folder = Folder::new();
        let bodies: Vec<Vec<u8>> =
            (0..300).map(|n| format!("{{\"n\":{n}}}\n").repeat(n % 4).into_bytes()).collect();
        let stored: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(n, body)| Some(if n % 5 == 0 { gz(body) } else { body.clone() }))
            .collect();
        let shard = folder.write(&stored);
        let expected: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        for batch_bytes in [1, 100, 8 << 20] {
            let batches = folder.fetch(&shard, batch_bytes).unwrap();
            assert_eq!(lines_of(&batches), model(&expected, super::super::LINE_LIMIT));
        }
    }

    #[test]
    fn a_large_object_is_read_in_chunks() {
        let folder = Folder::new();
        let body = b"0123456789abcdef0123456789abcde\n".repeat(5 * CHUNK / 32 + 7);
        for stored in [body.clone(), gz(&body)] {
            let shard = folder.write(&[Some(stored)]);
            let batches = folder.fetch(&shard, CHUNK).unwrap();
            assert!(batches.len() > 2);
            assert!(batches.iter().all(|batch| batch.bytes.len() < 3 * CHUNK));
            assert_eq!(lines_of(&batches), model(&[&body], super::super::LINE_LIMIT));
        }
    }

    #[test]
    fn a_line_over_the_real_limit_is_cut() {
        let folder = Folder::new();
        let mut body = b"first\n".to_vec();
        body.resize(20 << 20, b'x');
        body.extend_from_slice(b"\nlast");
        let shard = folder.write(&[Some(body.clone())]);
        let batches = folder.fetch(&shard, 8 << 20).unwrap();
        assert_eq!(lines_of(&batches), model(&[&body], super::super::LINE_LIMIT));
    }

    #[test]
    fn a_file_that_is_gone_is_a_fault_of_its_piece() {
        let folder = Folder::new();
        let shard = folder.write(&[Some(b"a".to_vec()), None, Some(b"b".to_vec())]);
        let batches = folder.fetch(&shard, 8 << 20).unwrap();
        let faults: Vec<_> = batches[0].pieces.iter().map(|piece| piece.fault).collect();
        assert_eq!(faults, [None, Some(BodyFault::Gone), None]);
    }

    #[test]
    fn what_cannot_be_read_names_the_file_and_ends_the_batches() {
        let folder = Folder::new();
        let shard = folder.write(&[None, Some(b"a".to_vec())]);
        let path = folder.path(&shard.source, 0);
        fs::create_dir(&path).unwrap();
        let mut batches = fetch(&folder.fetcher(1), Arc::clone(&shard));
        let error = batches.next().unwrap().unwrap_err();
        assert!(matches!(&error, Error::Read { object, .. } if *object == path.to_str().unwrap()));
        assert!(batches.next().is_none());
    }

    #[test]
    fn a_denied_file_is_an_access_error() {
        let folder = Folder::new();
        let shard = folder.write(&[Some(b"a".to_vec())]);
        let requests = Arc::clone(folder.fetcher(1).store.requests());
        let local = Local::new(folder.dir.path(), shard, folder.layout(), requests);
        // The tests may run as root, whom no mode keeps out.
        let error = local.failed(ErrorKind::PermissionDenied.into());
        assert!(error.to_string().contains("a.pin+0+0000000000.json"), "{error}");
        assert!(matches!(error, Error::FileDenied { .. }));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_fails_the_run() {
        type Change = fn(&Path);
        let changes: [(&str, Change); 3] = [
            ("grows", |path| fs::write(path, vec![b'y'; 3 * CHUNK]).unwrap()),
            ("shrinks", |path| fs::write(path, b"").unwrap()),
            ("is touched", |path| {
                let file = File::options().append(true).open(path).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            }),
        ];
        for (name, change) in changes {
            let folder = Folder::new();
            let shard = folder.write(&[Some(b"x\n".repeat(CHUNK))]);
            let mut batches = fetch(&folder.fetcher(1), Arc::clone(&shard));
            batches.next().unwrap().unwrap();
            change(&folder.path(&shard.source, 0));
            let error = batches.find_map(Result::err);
            assert!(matches!(error, Some(Error::Changed { .. })), "{name}: {error:?}");
        }
    }

    #[test]
    fn a_small_file_that_changes_once_it_is_open_fails_the_run() {
        for (change, sound) in [("ab\n", true), ("abcd\n", false), ("a\n", false), ("", false)] {
            let folder = Folder::new();
            let shard = folder.write(&[Some(b"xy\n".to_vec())]);
            let requests = Arc::default();
            let mut local = Local::new(folder.dir.path(), shard, folder.layout(), requests);
            assert!(local.open(0).unwrap());
            fs::write(folder.dir.path().join(&local.path).join(&local.name), change).unwrap();
            let mut out = b"before".to_vec();
            match local.append(&mut out, CHUNK) {
                Ok(n) => {
                    assert!(sound, "{change:?}");
                    assert_eq!((n, &out[..]), (3, &b"beforeab\n"[..]));
                    assert_eq!(local.append(&mut out, CHUNK).unwrap(), 0);
                }
                Err(error) => {
                    assert!(!sound, "{change:?}");
                    assert!(matches!(error, Error::Changed { .. }), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_folder_that_is_gone_takes_its_files_with_it() {
        let folder = Folder::new();
        let shard = folder.write(&[Some(b"a".to_vec()), Some(b"b".to_vec())]);
        fs::remove_dir_all(folder.path(&shard.source, 0).parent().unwrap()).unwrap();
        let batches = folder.fetch(&shard, 8 << 20).unwrap();
        let faults: Vec<_> = batches[0].pieces.iter().map(|piece| piece.fault).collect();
        assert_eq!(faults, [Some(BodyFault::Gone); 2]);
    }

    #[test]
    fn sizes_are_those_of_the_files_and_what_is_gone_keeps_the_size_that_was_listed() {
        let folder = Folder::new();
        let packed = gz(&b"{}\n".repeat(100));
        let stored = [Some(b"a\nb\n".to_vec()), Some(packed.clone()), None, Some(Vec::new())];
        let mut shard = Arc::unwrap_or_clone(folder.write(&stored));
        shard.objects.iter_mut().for_each(|object| object.size = 77);
        let fetcher = folder.fetcher(1);
        let batches = fetch(&fetcher, Arc::new(shard));
        let sizes: Vec<u64> = batches.flat_map(|batch| batch.unwrap().sizes).collect();
        assert_eq!(sizes, [4, packed.len() as u64, 77, 0]);
        let requests = fetcher.store.requests().snapshot();
        assert_eq!((requests.get, requests.bytes_read), (4, 4 + packed.len() as u64));
    }
}
