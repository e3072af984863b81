//! One GET of an object or a part of it: sent again if it fails for a while, and
//! a second time beside the first if that is late.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures::future::{Either, select};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, Result};
use tokio::time::sleep;

use super::again::Patience;
use super::came::{Came, Cut};
use super::gate::{Gate, Slot};
use crate::store::{timed_out, unserved};

/// Objects up to this size are read at once, larger ones in parts of it.
pub(super) const PART: u64 = 8 << 20;

/// Objects up to this size may be asked for twice.
const SMALL: u64 = 256 << 10;

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

/// A body, and the content that it is of.
pub(super) struct Got {
    pub bytes: Bytes,
    pub etag: Option<String>,
    /// All bytes of the object, as stored.
    pub size: u64,
}

/// Why an attempt failed.
enum Failure {
    /// The server's word on it.
    Final(Error),
    /// It was not served.
    Passing(Error),
    /// So much of the body came.
    Cut(Came, Cut),
}

/// What is asked for.
#[derive(Clone, Copy)]
struct Ask<'a> {
    range: Option<&'a Range<u64>>,
    etag: Option<&'a str>,
    /// The size that the object must have, if that is known.
    size: Option<u64>,
}

impl Get {
    /// Gets the range, or all of the object; `None` if it is gone. The first
    /// request has its slot.
    ///
    /// An object that was replaced since it was listed is taken as it is now if
    /// all of it is asked for: one GET gives one content. A range fails with
    /// [`Error::Precondition`].
    pub(super) async fn run(self, range: Option<Range<u64>>, slot: Slot) -> Result<Option<Got>> {
        let size = range.is_some().then_some(self.size);
        let ask = Ask { range: range.as_ref(), etag: self.etag.as_deref(), size };
        let mut got = self.attempts(ask, slot).await;
        if range.is_none() && matches!(got, Err(Error::Precondition { .. })) {
            let slot = self.gate.enter().await;
            got = self.attempts(Ask { etag: None, ..ask }, slot).await;
        }
        match got {
            Err(Error::NotFound { .. }) => Ok(None),
            got => got.map(|came| {
                let (etag, size) = (came.etag.clone(), came.size);
                Some(Got { bytes: came.into_bytes(), etag, size })
            }),
        }
    }

    /// Tries until there is an answer. A request that waits to be sent again
    /// has no slot: the others go on. What came of a body that broke off is kept,
    /// and the rest asked for, if an ETag says that it is of the same content.
    async fn attempts(&self, ask: Ask<'_>, mut slot: Slot) -> Result<Came> {
        let mut patience = Patience::new(Instant::now());
        let mut before: Option<Came> = None;
        loop {
            let (e, short) = match self.next(ask, before.as_ref(), &slot).await {
                Ok(came) => return Ok(came.after(before)),
                Err(Failure::Final(e)) => return Err(e),
                Err(Failure::Passing(e)) => (e, false),
                Err(Failure::Cut(came, cut)) => {
                    let (e, short) = match cut {
                        Cut::Broken(e) => (e, false),
                        Cut::Short(e) => (e, true),
                    };
                    if came.etag.is_some() && !came.is_empty() {
                        if !short {
                            patience.renew(Instant::now());
                        }
                        before = Some(came.after(before));
                    }
                    (e, short)
                }
            };
            drop(slot);
            let Some(failed) = patience.failed(Instant::now(), short) else { return Err(e) };
            sleep(self.gate.pause(failed)).await;
            slot = self.gate.enter().await;
        }
    }

    /// Asks for what is missing.
    async fn next(
        &self,
        ask: Ask<'_>,
        before: Option<&Came>,
        slot: &Slot,
    ) -> Result<Came, Failure> {
        let Some(before) = before else { return self.answer(ask, slot).await };
        let (range, etag) = (before.rest(), before.etag.as_deref());
        let size = Some(before.size);
        let came = self.answer(Ask { range: Some(&range), etag, size }, slot).await;
        let other = match &came {
            Ok(came) | Err(Failure::Cut(came, _)) => came.etag != before.etag,
            Err(_) => false,
        };
        if other { Err(Failure::Final(changed("its parts are not of one content"))) } else { came }
    }

    /// One request, or two if the first is late: whichever is answered first.
    async fn answer(&self, ask: Ask<'_>, slot: &Slot) -> Result<Came, Failure> {
        if self.size > SMALL {
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
                    Either::Left((Err(Failure::Passing(_) | Failure::Cut(..)), second)) => {
                        second.await
                    }
                    Either::Right((Err(Failure::Passing(_) | Failure::Cut(..)), first)) => {
                        first.await
                    }
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

    async fn once(&self, ask: Ask<'_>, slot: &Slot) -> Result<Came, Failure> {
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
        let waited = begun.elapsed();
        let fits = match ask.size {
            Some(size) => result.meta.size == size,
            None => result.meta.size <= PART,
        };
        if !fits {
            slot.served(waited);
            let why = "it has another size than when it was listed";
            return Err(Failure::Final(changed(why)));
        }
        // It is an answer once all of it is there: where the network is the
        // limit, it begins soon and does not end in time.
        match Came::read(result).await {
            (came, None) => {
                slot.served(waited);
                Ok(came)
            }
            (came, Some(cut)) => {
                if let Cut::Broken(e) = &cut
                    && timed_out(e)
                {
                    slot.refused();
                }
                Err(Failure::Cut(came, cut))
            }
        }
    }
}

/// The error of an object whose content is not the one that was begun.
pub(super) fn changed(why: &'static str) -> Error {
    Error::Precondition { path: String::new(), source: why.into() }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::super::faulty::{Fault, Faulty};
    use super::*;

    struct World {
        store: Arc<Faulty>,
        gate: Arc<Gate>,
        path: Path,
        etag: Option<String>,
        body: Vec<u8>,
    }

    impl World {
        async fn new(size: usize) -> World {
            let store = Arc::new(Faulty::new(InMemory::new()));
            let (gate, path) = (Gate::new(512), Path::from("k"));
            let body: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
            let etag = store.inner.put(&path, body.clone().into()).await.unwrap().e_tag;
            World { store, gate, path, etag, body }
        }

        async fn get(&self, range: Option<Range<u64>>, etag: bool) -> Result<Option<Got>> {
            let (store, gate) = (Arc::clone(&self.store), Arc::clone(&self.gate));
            let etag = self.etag.clone().filter(|_| etag);
            let (path, size) = (self.path.clone(), self.body.len() as u64);
            let slot = gate.enter().await;
            Get { store, gate, path, etag, size }.run(range, slot).await
        }

        /// Ranges and ETags that were asked for.
        fn asked(&self) -> Vec<(Option<Range<u64>>, Option<String>)> {
            let asked = self.store.asked.lock().unwrap();
            let range = |range: &Option<GetRange>| match range {
                Some(GetRange::Bounded(range)) => Some(range.clone()),
                _ => None,
            };
            asked.iter().map(|asked| (range(&asked.range), asked.if_match.clone())).collect()
        }

        fn slots(&self) -> usize {
            let slots: Vec<_> = std::iter::from_fn(|| self.gate.enter().now_or_never()).collect();
            slots.len()
        }
    }

    #[tokio::test]
    async fn the_rest_of_a_body_that_broke_off_is_asked_for() {
        for fault in [Fault::Reset(1000), Fault::Late(1000), Fault::Short(1000)] {
            for (range, listed) in [(None, true), (None, false), (Some(500..9000), true)] {
                let world = World::new(10_000).await;
                world.store.script([fault.clone(), fault.clone()]);
                let got = world.get(range.clone(), listed).await.unwrap().unwrap();
                let all = range.clone().unwrap_or(0..10_000);
                assert!(got.bytes == world.body[all.start as usize..all.end as usize]);
                assert_eq!((got.size, &got.etag), (10_000, &world.etag));
                let asked = [
                    (range, world.etag.clone().filter(|_| listed)),
                    (Some(all.start + 1000..all.end), world.etag.clone()),
                    (Some(all.start + 2000..all.end), world.etag.clone()),
                ];
                assert_eq!(world.asked(), asked, "{fault:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_slow_link_gets_through() {
        let world = World::new(10_000).await;
        world.store.script(vec![Fault::Late(300); 30]);
        let got = world.get(None, true).await.unwrap().unwrap();
        assert!(got.bytes == world.body);
        assert_eq!(world.asked().len(), 31);
    }

    #[tokio::test]
    async fn refusals_do_not_count_as_short_bodies() {
        let world = World::new(100).await;
        let faults = [Fault::Refused, Fault::Refused, Fault::Short(0), Fault::Short(0)];
        world.store.script(faults.clone());
        let got = world.get(None, true).await.unwrap().unwrap();
        assert!(got.bytes == world.body);
        assert_eq!(world.asked().len(), 5);
        world.store.script(faults.into_iter().chain([Fault::Short(50)]));
        assert!(world.get(None, true).await.is_err());
    }

    #[tokio::test]
    async fn bodies_that_end_too_late_are_refusals_and_no_answers() {
        // Half of the slots are taken away; or nothing is known yet.
        for (fault, slots) in [(Fault::Late(10), 32), (Fault::Reset(10), 64)] {
            let world = World::new(2000).await;
            world.store.script(vec![fault.clone(); 64]);
            world.get(None, true).await.unwrap();
            assert_eq!(world.slots(), slots, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn an_object_that_is_replaced_while_it_is_read_is_read_from_its_start() {
        for listed in [true, false] {
            let world = World::new(1000).await;
            world.store.script([Fault::Replaced(400, Bytes::from_static(b"new"))]);
            let got = world.get(None, listed).await.unwrap().unwrap();
            assert_eq!((&got.bytes[..], got.size), (&b"new"[..], 3));
            assert_ne!(got.etag, world.etag);
            // A part of it is of no use.
            let world = World::new(1000).await;
            world.store.script([Fault::Replaced(400, Bytes::from_static(b"new"))]);
            let error = world.get(Some(0..900), listed).await.err();
            assert!(matches!(error, Some(Error::Precondition { .. })), "{error:?}");
        }
    }

    #[tokio::test]
    async fn an_object_that_is_deleted_while_it_is_read_is_gone() {
        let world = World::new(1000).await;
        world.store.script([Fault::Deleted(400)]);
        assert!(world.get(None, true).await.unwrap().is_none());
    }
}
