//! Stores: a URL → where objects are read from and written to.
//!
//! This is the only place that builds clients and finds credentials.

mod credentials;
mod local;
mod location;
mod once;
mod output;
mod probe;
mod refusal;
mod region;
mod requests;
mod s3;
mod session;
#[cfg(test)]
mod testing;
mod within;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::disk::{Durability, PendingSyncs};
use crate::signals::Stop;
use crate::{Error, Result};
use local::LocalDisk;
use location::Location;

pub use local::sync_failed;
pub use once::{Unserved, timed_out, unserved};
pub use output::Output;
pub use probe::probe;
pub use requests::{RequestCounts, Requests};
pub use s3::{ListPage, ListedKey, Page, S3};
pub use session::{S3Options, Session};
pub use wire::blame_signal;

/// A place that holds objects; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    url: String,
    backend: Backend,
    objects: Arc<dyn ObjectStore>,
    attempts: Arc<dyn ObjectStore>,
    requests: Arc<Requests>,
    stop: Stop,
    /// A local folder that is written to.
    disk: Option<Arc<LocalDisk>>,
}

/// What holds the objects.
#[derive(Debug, Clone)]
pub enum Backend {
    /// A folder that exists, as an absolute path without links.
    Local(PathBuf),
    /// A bucket, or a prefix of one.
    S3(S3),
}

impl Store {
    /// Opens a folder path, a `file://` URL, or `s3://bucket[/prefix]` for reading.
    ///
    /// No request goes to the bucket, unless its region must be found out.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is none of these, [`Error::File`] for a folder
    /// that is not there, [`Error::NoCredentials`], and, if the region must be
    /// found out, [`Error::NoSuchBucket`] and [`Error::Read`].
    pub async fn open(url: &str, session: &Session) -> Result<Store> {
        Store::at(Location::parse(url)?, session).await
    }

    /// Like [`open`](Store::open), for reading and writing. In a local folder that is
    /// `durable`, what is written survives a power cut.
    ///
    /// # Errors
    /// Those of [`open`](Store::open).
    pub async fn for_changing(
        url: &str,
        session: &Session,
        durability: Durability,
    ) -> Result<Store> {
        Store::open(url, session).await?.writable(PendingSyncs::new(durability))
    }

    /// Like [`for_changing`](Store::for_changing), and makes the local folder if there
    /// is none.
    ///
    /// # Errors
    /// Those of [`open`](Store::open), and [`Error::Write`] for a folder that
    /// cannot be made.
    pub async fn for_writing(
        url: &str,
        session: &Session,
        durability: Durability,
    ) -> Result<Store> {
        let location = Location::parse(url)?;
        let pending = PendingSyncs::new(durability);
        if let Location::Local(folder) = &location {
            let made = std::path::absolute(folder).and_then(|folder| pending.make_folder(&folder));
            made.map_err(|e| Error::Write {
                place: folder.display().to_string(),
                source: Box::new(e),
            })?;
        }
        Store::at(location, session).await?.writable(pending)
    }

    /// The same place, written to by the one store that syncs.
    fn writable(self, pending: PendingSyncs) -> Result<Store> {
        let Backend::Local(root) = &self.backend else { return Ok(self) };
        let problem =
            |e: object_store::Error| Error::File { path: root.clone(), problem: e.to_string() };
        let disk = Arc::new(LocalDisk::new(root, pending).map_err(problem)?);
        let objects: Arc<dyn ObjectStore> = Arc::clone(&disk) as _;
        Ok(Store { attempts: Arc::clone(&objects), objects, disk: Some(disk), ..self })
    }

    /// Waits until all that was written is on the disk, if it is to be.
    ///
    /// # Errors
    /// [`Error::Write`]: what was written may not survive a power cut.
    pub async fn finish(&self) -> Result<()> {
        let Some(disk) = &self.disk else { return Ok(()) };
        let finished = disk.finish().await;
        finished.map_err(|e| Error::Write { place: self.url.clone(), source: Box::new(e) })
    }

    async fn at(location: Location, session: &Session) -> Result<Store> {
        match location {
            Location::Local(folder) => Store::local(&folder, session.stop().clone()),
            Location::S3 { bucket, prefix } => {
                let requests = Arc::default();
                let s3 = S3::open((bucket, prefix), session, &requests).await?;
                Ok(Store {
                    url: s3.join("").trim_end_matches('/').to_owned(),
                    objects: s3.object_store()?,
                    attempts: s3.attempts()?,
                    backend: Backend::S3(s3),
                    requests,
                    stop: session.stop().clone(),
                    disk: None,
                })
            }
        }
    }

    fn local(folder: &Path, stop: Stop) -> Result<Store> {
        let problem = |problem: String| Error::File { path: folder.to_owned(), problem };
        let root = folder.canonicalize().map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                problem("there is no such folder: check the path, and where it starts; a bucket is s3://NAME".into())
            }
            _ => problem(e.to_string()),
        })?;
        if !root.is_dir() {
            return Err(problem("this is not a folder: name the folder that it is in".into()));
        }
        let objects: Arc<dyn ObjectStore> =
            Arc::new(LocalFileSystem::new_with_prefix(&root).map_err(|e| problem(e.to_string()))?);
        Ok(Store {
            url: root.display().to_string(),
            backend: Backend::Local(root),
            attempts: Arc::clone(&objects),
            objects,
            requests: Arc::default(),
            stop,
            disk: None,
        })
    }

    /// The place, for messages: an absolute path, or `s3://bucket[/prefix]`;
    /// no slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What holds the objects.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// Rooted at the URL: paths are relative to it. Make paths with
    /// [`object_store::path::Path::parse`], which takes keys as they are.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.objects)
    }

    /// The same, for reading, but on S3 no request is sent again: [`unserved`]
    /// says of an error whether it may be.
    pub fn attempts(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.attempts)
    }

    /// The requests so far; work on a local folder counts what callers add.
    pub fn requests(&self) -> &Arc<Requests> {
        &self.requests
    }

    /// What asks whoever reads from it to stop: that of its [`Session`].
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// The full URL or path of an object, for messages.
    pub fn join(&self, path: &str) -> String {
        match &self.backend {
            Backend::Local(root) => root.join(path).display().to_string(),
            Backend::S3(s3) => s3.join(path),
        }
    }

    /// What the operator can do about an object that could not be read.
    ///
    /// An ETag that does not match is [`Error::Changed`]. A missing object is
    /// [`Error::Read`]: callers for whom it is no error look for it first.
    pub fn read_error(&self, object: &str, e: object_store::Error) -> Error {
        if let Some(known) = self.explain("s3:GetObject", object, &e) {
            return known;
        }
        let object = self.join(object);
        match e {
            object_store::Error::Precondition { .. } => Error::Changed { object },
            e => Error::Read { object, source: Box::new(e) },
        }
    }

    /// What the operator can do about a prefix that could not be listed.
    pub fn list_error(&self, prefix: &str, e: object_store::Error) -> Error {
        self.explain("s3:ListBucket", prefix, &e)
            .unwrap_or_else(|| Error::Read { object: self.join(prefix), source: Box::new(e) })
    }

    /// What the operator can do about an object that could not be written.
    pub fn write_error(&self, object: &str, e: object_store::Error) -> Error {
        self.explain("s3:PutObject", object, &e)
            .unwrap_or_else(|| Error::Write { place: self.join(object), source: Box::new(e) })
    }

    /// What the operator can do about objects that could not be deleted.
    pub fn delete_error(&self, object: &str, e: object_store::Error) -> Error {
        self.explain("s3:DeleteObject", object, &e)
            .unwrap_or_else(|| Error::Write { place: self.join(object), source: Box::new(e) })
    }

    fn explain(
        &self,
        action: &'static str,
        object: &str,
        e: &object_store::Error,
    ) -> Option<Error> {
        match &self.backend {
            Backend::Local(_) => None,
            Backend::S3(s3) => s3.explain(action, object, e),
        }
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    async fn open(url: &str) -> Result<Store> {
        Store::open(url, &Session::new(S3Options::default())).await
    }

    #[tokio::test]
    async fn a_folder_is_read_by_path_and_by_url() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("a b+0.json"), "{}").unwrap();
        let path = root.to_str().unwrap();
        for url in [path.to_owned(), format!("{path}/"), format!("file://{path}")] {
            let store = open(&url).await.unwrap();
            assert_eq!(store.url(), path);
            assert_eq!(store.join("x/y"), format!("{path}/x/y"));
            assert!(matches!(store.backend(), Backend::Local(at) if *at == root));
            let key = object_store::path::Path::parse("a b+0.json").unwrap();
            let got = store.object_store().get(&key).await.unwrap().bytes().await.unwrap();
            assert_eq!(&got[..], b"{}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_is_an_error_when_read_and_made_when_written() {
        let folder = tempfile::tempdir().unwrap();
        let new = folder.path().join("a/b");
        let url = new.to_str().unwrap();
        match open(url).await {
            Err(Error::File { path, problem }) => {
                assert_eq!(path, new);
                assert!(problem.contains("no such folder"), "{problem}");
            }
            other => panic!("{other:?}"),
        }
        let session = Session::new(S3Options::default());
        Store::for_writing(url, &session, Durability::Synced).await.unwrap();
        open(url).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_is_not_a_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let url = file.path().to_str().unwrap();
        let opened = open(url).await;
        assert!(matches!(&opened, Err(Error::File { problem, .. }) if problem.contains("folder")));
        let session = Session::new(S3Options::default());
        let made = Store::for_writing(&format!("{url}/out"), &session, Durability::Synced).await;
        assert!(matches!(made, Err(Error::Write { .. })), "{made:?}");
    }

    #[tokio::test]
    async fn a_local_failure_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path().to_str().unwrap()).await.unwrap();
        let key = object_store::path::Path::from("none.json");
        let e = store.object_store().get(&key).await.map(|_| ()).unwrap_err();
        let shown = store.read_error("none.json", e).to_string();
        assert_eq!(shown, format!("cannot read {}/none.json", store.url()));
    }
}
