//! The loop of this stage: one object after the other → batches.

use std::sync::Arc;

use super::RawBatch;
use super::body::{Body, Flow};
use super::cut::{CutLimits, Cutter};
use crate::Result;
use crate::pipeline::plan::Shard;
use crate::signals::Stop;

/// The objects of one shard, read in order.
pub(super) trait Objects {
    /// Goes on to an object; leaves what is unread of the one before. False if
    /// the object is gone.
    fn open(&mut self, object: usize) -> Result<bool>;

    /// The bytes of the object that is open, as they are stored, if opening it
    /// told them; else they are as listed.
    fn size(&self) -> Option<u64> {
        None
    }

    /// Appends the next bytes of the object, as they are stored, at most `most`.
    /// Returns how many; 0 only at its end.
    fn append(&mut self, out: &mut Vec<u8>, most: usize) -> Result<usize>;
}

/// The batches of one shard.
pub(super) struct Batches<O> {
    objects: O,
    cutter: Cutter,
    chunk: usize,
    object_limit: u64,
    /// The object to open next, and how many there are.
    next: usize,
    count: usize,
    body: Option<Body>,
    /// Whether an error was given: nothing follows it.
    failed: bool,
    stop: Stop,
}

impl<O: Objects> Batches<O> {
    pub(super) fn new(objects: O, shard: Arc<Shard>, limits: CutLimits, object_limit: u64) -> Self {
        let count = shard.objects.len();
        let cutter = Cutter::new(shard, limits);
        let (next, body, failed, stop) = (0, None, false, Stop::default());
        let chunk = limits.chunk;
        Batches { objects, cutter, chunk, object_limit, next, count, body, failed, stop }
    }

    /// The same, but once asked to stop no further object is opened. Until a batch of
    /// small objects is full, minutes may pass.
    pub(super) fn stopped_by(self, stop: Stop) -> Self {
        Batches { stop, ..self }
    }

    fn batch(&mut self) -> Result<Option<RawBatch>> {
        while self.body.is_some() || self.next < self.count {
            match self.body.take() {
                Some(body) => self.pour(body)?,
                None => self.open()?,
            }
            if self.cutter.is_full() {
                return Ok(self.cutter.take());
            }
        }
        Ok(self.cutter.take())
    }

    fn open(&mut self) -> Result<()> {
        self.stop.check()?;
        let object = self.next;
        self.next += 1;
        let there = self.objects.open(object)?;
        self.cutter.begin(object);
        if there {
            self.body = Some(Body::new(self.object_limit));
        } else {
            self.cutter.end(Some(super::BodyFault::Gone), None);
        }
        Ok(())
    }

    fn pour(&mut self, mut body: Body) -> Result<()> {
        match body.pour(&mut self.objects, self.cutter.buffer(), self.chunk)? {
            Flow::More => {
                self.cutter.settle();
                self.body = Some(body);
            }
            Flow::End(fault) => self.cutter.end(fault, self.objects.size()),
        }
        Ok(())
    }
}

impl<O: Objects> Iterator for Batches<O> {
    type Item = Result<RawBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.batch().transpose();
        self.failed = matches!(batch, Some(Err(_)));
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::shard;
    use super::*;
    use crate::Error;
    use crate::error::Signal;

    /// Objects of one line; a signal comes while one of them is read.
    struct Signalled {
        at: usize,
        stop: Stop,
        opened: Arc<std::sync::Mutex<Vec<usize>>>,
        line: Vec<u8>,
    }

    impl Objects for Signalled {
        fn open(&mut self, object: usize) -> Result<bool> {
            self.opened.lock().unwrap().push(object);
            self.line = b"{}\n".to_vec();
            if object == self.at {
                self.stop.request(Signal::Terminate);
            }
            Ok(true)
        }

        fn append(&mut self, out: &mut Vec<u8>, most: usize) -> Result<usize> {
            let n = most.min(self.line.len());
            out.extend(self.line.drain(..n));
            Ok(n)
        }
    }

    #[test]
    fn after_a_signal_no_further_object_is_opened() {
        let limits = CutLimits {
            batch_bytes: 1 << 20,
            batch_pieces: 100,
            batch_lines: 1 << 20,
            line: 1 << 20,
            chunk: 16,
        };
        // The signal at this object → the batches before the error.
        for (at, batches) in [(0, 0), (7, 0), (99, 1), (150, 1)] {
            let (stop, opened) = (Stop::default(), Arc::default());
            let objects =
                Signalled { at, stop: stop.clone(), opened: Arc::clone(&opened), line: Vec::new() };
            let read: Vec<_> =
                Batches::new(objects, shard(1000), limits, 1 << 30).stopped_by(stop).collect();
            assert_eq!(*opened.lock().unwrap(), (0..=at).collect::<Vec<_>>());
            let (last, before) = read.split_last().unwrap();
            assert!(matches!(last, Err(Error::Stopped(Signal::Terminate))), "{at}: {last:?}");
            assert_eq!((before.len(), before.iter().all(Result::is_ok)), (batches, true), "{at}");
        }
    }
}
