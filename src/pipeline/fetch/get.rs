//! One GET of an object or a part of it: sent again if it fails for a while, and
//! a second time beside the first if that is late.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::future::{Either, select};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, ObjectStore, Result};
use tokio::time::sleep;

use super::again;
use super::gate::{Gate, Slot};
use crate::store::unserved;

/// Objects up to this size are read at once, larger ones in parts of it.
pub(super) const PART: u64 = 8 << 20;

/// Objects up to this size may be asked for twice.
const SMALL: u64 = 256 << 10;

/// How often a body is asked for that is shorter than it should be.
const SHORT_TRIES: u32 = 3;

/// What to get.
pub(super) struct Get {
    /// Sends each request once.
    pub store: Arc<dyn ObjectStore>,
    pub gate: Arc<Gate>,
    pub path: Path,
    /// As listed.
    pub etag: Option<String>,
    /// As listed.
    pub size: u64,
}

/// A body, and the ETag of the content that it is of.
pub(super) struct Got {
    pub bytes: Bytes,
    pub etag: Option<String>,
}

/// Why an attempt came to nothing.
enum Failure {
    /// The server's word on it.
    Final(Error),
    /// It was not served, or the connection broke.
    Passing(Error),
    /// A body ended early, without an error.
    Short(Error),
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Ask<'a> {
    range: Option<&'a Range<u64>>,
    etag: Option<&'a str>,
}

impl Get {
    /// Gets the range, or all of the object; `None` if it is gone. The first
    /// request has its slot.
    ///
    /// An object that was replaced since it was listed is taken as it is now if
    /// all of it is asked for: one GET gives one content. A range fails with
    /// [`Error::Precondition`].
    pub(super) async fn run(self, range: Option<Range<u64>>, slot: Slot) -> Result<Option<Got>> {
        let ask = Ask { range: range.as_ref(), etag: self.etag.as_deref() };
        let mut got = self.attempts(ask, slot).await;
        if range.is_none() && matches!(got, Err(Error::Precondition { .. })) {
            let slot = self.gate.enter().await;
            got = self.attempts(Ask { etag: None, ..ask }, slot).await;
        }
        match got {
            Err(Error::NotFound { .. }) => Ok(None),
            got => got.map(Some),
        }
    }

    /// Tries until there is an answer. A request that waits to be sent again
    /// has no slot: the others go on.
    async fn attempts(&self, ask: Ask<'_>, mut slot: Slot) -> Result<Got> {
        let begun = Instant::now();
        let mut failed = 0;
        loop {
            let (e, most) = match self.answer(ask, &slot).await {
                Ok(got) => return Ok(got),
                Err(Failure::Final(e)) => return Err(e),
                Err(Failure::Passing(e)) => (e, again::TIMES),
                Err(Failure::Short(e)) => (e, SHORT_TRIES - 1),
            };
            drop(slot);
            failed += 1;
            if failed > most || begun.elapsed() > again::PATIENCE {
                return Err(e);
            }
            sleep(self.gate.pause(failed)).await;
            slot = self.gate.enter().await;
        }
    }

    /// One request, or two if the first is late: whichever is answered first.
    async fn answer(&self, ask: Ask<'_>, slot: &Slot) -> Result<Got, Failure> {
        if ask.range.is_some() || self.size > SMALL {
            return self.once(ask, slot).await;
        }
        let begun = Instant::now();
        let first = std::pin::pin!(self.once(ask, slot));
        let late = std::pin::pin!(sleep(self.gate.late()));
        let got = match select(first, late).await {
            Either::Left((got, _)) => got,
            Either::Right(((), first)) if self.gate.may_hedge() => {
                let second = std::pin::pin!(self.once(ask, slot));
                match select(first, second).await {
                    Either::Left((Err(Failure::Passing(_)), second)) => second.await,
                    Either::Right((Err(Failure::Passing(_)), first)) => first.await,
                    Either::Left((got, _)) | Either::Right((got, _)) => got,
                }
            }
            Either::Right(((), first)) => first.await,
        };
        if got.is_ok() {
            self.gate.answered(begun.elapsed());
        }
        got
    }

    async fn once(&self, ask: Ask<'_>, slot: &Slot) -> Result<Got, Failure> {
        let begun = Instant::now();
        let options = GetOptions {
            range: ask.range.cloned().map(GetRange::Bounded),
            if_match: ask.etag.map(str::to_owned),
            ..GetOptions::default()
        };
        let result = match self.store.get_opts(&self.path, options).await {
            Ok(result) => result,
            Err(e) => {
                let Some(unserved) = unserved(&e) else { return Err(Failure::Final(e)) };
                if unserved.asks_to_slow_down() {
                    slot.refused();
                }
                return Err(Failure::Passing(e));
            }
        };
        slot.served(begun.elapsed());
        let fits = match ask.range {
            Some(_) => result.meta.size == self.size,
            None => result.meta.size <= PART,
        };
        if !fits {
            let why = "it has another size than when it was listed";
            return Err(Failure::Final(changed(why)));
        }
        body(result).await
    }
}

async fn body(result: GetResult) -> Result<Got, Failure> {
    let etag = result.meta.e_tag.clone();
    let size = result.range.end - result.range.start;
    let bytes = result.bytes().await.map_err(Failure::Passing)?;
    if bytes.len() as u64 != size {
        let source = format!("{} of {size} bytes came", bytes.len()).into();
        return Err(Failure::Short(Error::Generic { store: "fetch", source }));
    }
    // A small body is a part of the connection's buffer, and would keep all of it.
    let bytes = if size <= SMALL { Bytes::copy_from_slice(&bytes) } else { bytes };
    Ok(Got { bytes, etag })
}

/// The error of an object whose content is not the one that was begun.
pub(super) fn changed(why: &'static str) -> Error {
    Error::Precondition { path: String::new(), source: why.into() }
}
