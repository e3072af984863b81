//! A store that does what a script says at one operation of a run: fail, land
//! and fail, wait, or take the process away.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::panic::{self, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, Once};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    RenameOptions, Result, UploadPart,
};
use tokio::sync::oneshot;

/// What a panic carries that stands for the end of the process.
pub struct Crashed;

/// Keeps quiet about what the kernel's threads say as their process is taken
/// away: the answer that they wait for never comes.
pub fn silence_the_dead() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let text = info.payload_as_str().unwrap_or_default();
            if !text.starts_with("TokioMultiThreadExecutor has crashed") {
                tell(info);
            }
        }));
    });
}

/// What goes wrong at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process dies before it.
    Crash,
    /// It is done, and the process dies before it hears so.
    CrashAfter,
    /// It is done, and an error is told.
    Lost,
    /// It is not done.
    Refused,
    /// So many in a row are not done, then the store is well again.
    Busy(u64),
    /// Neither it nor any after it is done.
    Down,
    /// It is done; the client heard nothing, asked again by itself, and tells
    /// that the object is there. Only of a put that must find nothing.
    Doubled,
}

/// Stops a run before an operation until it is let on.
struct Gate {
    at: u64,
    arrived: mpsc::Sender<Kind>,
    open: Mutex<Option<oneshot::Receiver<()>>>,
}

/// The other side of a [`Gate`].
pub struct Keeper {
    arrived: mpsc::Receiver<Kind>,
    open: oneshot::Sender<()>,
}

impl Keeper {
    /// Waits until the run is at the gate; `None` if it ended before.
    pub fn wait(&self) -> Option<Kind> {
        self.arrived.recv().ok()
    }

    pub fn open(self) {
        // A run that ended before has nobody at the gate.
        let _ = self.open.send(());
    }
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
    /// A write to a quarantine, which may be owed by an earlier command.
    Settle,
}

impl Kind {
    fn of_write(path: &Path) -> Kind {
        let is_aside = path.prefix_matches(&Path::from("_quarantine"));
        if is_aside { Kind::Settle } else { Kind::Write }
    }
}

/// What happens to the operations of one run, counted from 0.
#[derive(Default)]
pub struct Script {
    fault: Option<(u64, Fault)>,
    gate: Option<Gate>,
    seen: Arc<AtomicU64>,
    dead: Arc<AtomicBool>,
}

impl Script {
    pub fn fault(mut self, at: u64, fault: Fault) -> Script {
        self.fault = Some((at, fault));
        self
    }

    pub fn gate(mut self, at: u64) -> (Script, Keeper) {
        let (arrived, heard) = mpsc::channel();
        let (open, opened) = oneshot::channel();
        self.gate = Some(Gate { at, arrived, open: Mutex::new(Some(opened)) });
        (self, Keeper { arrived: heard, open })
    }

    /// Whether nothing goes wrong by it.
    pub fn is_empty(&self) -> bool {
        self.fault.is_none()
    }

    /// Counts on after the script is given away.
    pub fn seen(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.seen)
    }

    /// Whether the process was taken away: what it still tells is not heard.
    pub fn dead(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.dead)
    }

    /// Ends a run as the end of its process would, for its store: it asks for
    /// nothing more. Past the panic hook, which would print.
    fn die(&self) -> ! {
        self.dead.store(true, SeqCst);
        resume_unwind(Box::new(Crashed))
    }

    async fn pass<T>(&self, kind: Kind, done: impl Future<Output = Result<T>>) -> Result<T> {
        match self.meet(kind).await? {
            After::Answer | After::Exists => done.await,
            After::Fail => done.await.and_then(|_| Err(failure("the answer was lost"))),
            After::Die => {
                let _ = done.await;
                self.die()
            }
        }
    }

    async fn meet(&self, kind: Kind) -> Result<After> {
        let now = self.seen.fetch_add(1, SeqCst);
        if let Some(gate) = self.gate.as_ref().filter(|gate| gate.at == now) {
            gate.hold(kind).await;
        }
        let Some((at, fault)) = self.fault.filter(|(at, _)| *at <= now) else {
            return Ok(After::Answer);
        };
        match fault {
            Fault::Crash => self.die(),
            Fault::CrashAfter if now > at => self.die(),
            Fault::CrashAfter => Ok(After::Die),
            Fault::Down => Err(failure("the store is down")),
            Fault::Busy(n) if now < at + n => Err(failure("503 SlowDown")),
            _ if now > at => Ok(After::Answer),
            Fault::Refused => Err(failure("refused")),
            Fault::Lost => Ok(After::Fail),
            Fault::Doubled => Ok(After::Exists),
            Fault::Busy(_) => Ok(After::Answer),
        }
    }
}

impl Gate {
    async fn hold(&self, kind: Kind) {
        let opened = self.open.lock().unwrap().take();
        if let (Some(opened), Ok(())) = (opened, self.arrived.send(kind)) {
            let _ = opened.await;
        }
    }
}

enum After {
    Answer,
    Fail,
    Exists,
    Die,
}

fn failure(what: &'static str) -> Error {
    Error::Generic { store: "chaos", source: what.into() }
}

/// A store under a script.
pub struct Chaos {
    inner: Arc<dyn ObjectStore>,
    script: Arc<Script>,
}

impl Chaos {
    pub fn new(inner: Arc<dyn ObjectStore>, script: Script) -> Chaos {
        Chaos { inner, script: Arc::new(script) }
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chaos({})", self.inner)
    }
}

impl fmt::Debug for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[async_trait]
impl ObjectStore for Chaos {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let create = options.mode == PutMode::Create;
        let put = self.inner.put_opts(path, payload, options);
        match self.script.meet(Kind::of_write(path)).await? {
            After::Answer => put.await,
            After::Exists if create => put.await.and_then(|_| {
                Err(Error::AlreadyExists { path: path.to_string(), source: "412".into() })
            }),
            After::Exists => put.await,
            After::Fail => put.await.and_then(|_| Err(failure("the answer was lost"))),
            After::Die => {
                let _ = put.await;
                self.script.die()
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let begun = self.inner.put_multipart_opts(path, options);
        let kind = Kind::of_write(path);
        let inner = self.script.pass(kind, begun).await?;
        Ok(Box::new(Upload { inner, kind, script: Arc::clone(&self.script) }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.script.pass(Kind::Read, self.inner.get_opts(path, options)).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.script.pass(Kind::Read, self.inner.get_ranges(path, ranges)).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let (script, inner) = (Arc::clone(&self.script), Arc::clone(&self.inner));
        let delete = move |path: Path| {
            let (script, inner) = (Arc::clone(&script), Arc::clone(&inner));
            async move {
                let kind = Kind::of_write(&path);
                script.pass(kind, inner.delete(&path)).await.map(|()| path)
            }
        };
        paths.and_then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.script.pass(Kind::Read, self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.script.pass(Kind::of_write(to), self.inner.copy_opts(from, to, options)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.script.pass(Kind::of_write(to), self.inner.rename_opts(from, to, options)).await
    }
}

impl Chaos {
    /// A listing is one operation, whose answer comes once it is asked for.
    fn listing(
        &self,
        listed: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let script = Arc::clone(&self.script);
        let begin = async move { script.pass(Kind::Read, async { Ok(listed) }).await };
        stream::once(begin).try_flatten().boxed()
    }
}

/// An upload under a script.
struct Upload {
    inner: Box<dyn MultipartUpload>,
    kind: Kind,
    script: Arc<Script>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.inner)
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (part, script) = (self.inner.put_part(data), Arc::clone(&self.script));
        let kind = self.kind;
        async move { script.pass(kind, part).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.script.pass(self.kind, self.inner.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.script.pass(self.kind, self.inner.abort()).await
    }
}
