//! Objects in a folder: read in the calling thread, straight into the batch.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

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
    /// The file that was opened last, in the shard's folder.
    path: PathBuf,
    file: Option<OpenFile>,
}

struct OpenFile {
    file: File,
    stamp: Stamp,
    read: u64,
    ended: bool,
}

/// What tells that a file was replaced or grew.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp { size: metadata.len(), modified: metadata.modified().ok() }
    }
}

impl Local {
    pub(super) fn new(
        root: &Path,
        shard: Arc<Shard>,
        layout: Layout,
        requests: Arc<Requests>,
    ) -> Local {
        let first = shard.objects.first().map(|object| object.key(&shard.source, &layout));
        let path = root.join(first.unwrap_or_default());
        Local { shard, layout, requests, path, file: None }
    }

    fn failed(&self, source: io::Error) -> Error {
        let place = self.path.display().to_string();
        match source.kind() {
            ErrorKind::PermissionDenied => {
                Error::FileDenied { action: "read", path: place, source: source.into() }
            }
            _ => Error::Read { object: place, source: source.into() },
        }
    }
}

impl Objects for Local {
    fn open(&mut self, object: usize) -> Result<bool> {
        let name = self.shard.objects[object].file_name(&self.shard.source, &self.layout);
        self.path.set_file_name(name);
        self.requests.get(1, 0);
        self.file = match OpenFile::open(&self.path) {
            Ok(file) => Some(file),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(self.failed(e)),
        };
        Ok(self.file.is_some())
    }

    fn append(&mut self, out: &mut Vec<u8>, most: usize) -> Result<usize> {
        let Some(file) = &mut self.file else { return Ok(0) };
        match file.append(out, most) {
            Ok(Some(n)) => {
                self.requests.get(0, n as u64);
                Ok(n)
            }
            Ok(None) => Err(Error::Changed { object: self.path.display().to_string() }),
            Err(e) => Err(self.failed(e)),
        }
    }
}

impl OpenFile {
    fn open(path: &Path) -> io::Result<OpenFile> {
        let file = File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        Ok(OpenFile { file, stamp, read: 0, ended: false })
    }

    /// `None` if the file changed since it was opened.
    fn append(&mut self, out: &mut Vec<u8>, most: usize) -> io::Result<Option<usize>> {
        if self.ended {
            return Ok(Some(0));
        }
        let n = (&self.file).take(most as u64).read_to_end(out)?;
        self.read += n as u64;
        self.ended = n < most;
        let sound = !self.ended || self.is_unchanged()?;
        Ok(sound.then_some(n))
    }

    fn is_unchanged(&self) -> io::Result<bool> {
        Ok(self.read == self.stamp.size && Stamp::of(&self.file.metadata()?) == self.stamp)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
            Fetcher {
                store,
                layout: self.layout(),
                limits: FetchLimits { batch_bytes, concurrency: 4 },
                runtime: self.runtime.handle().clone(),
            }
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
}
