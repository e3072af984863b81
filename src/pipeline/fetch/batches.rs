//! The loop of this stage: one object after the other → batches.

use std::sync::Arc;

use super::RawBatch;
use super::body::{Body, Flow};
use super::cut::{CutLimits, Cutter};
use crate::Result;
use crate::pipeline::plan::Shard;

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
}

impl<O: Objects> Batches<O> {
    pub(super) fn new(objects: O, shard: Arc<Shard>, limits: CutLimits, object_limit: u64) -> Self {
        let count = shard.objects.len();
        let cutter = Cutter::new(shard, limits);
        let (next, body, failed) = (0, None, false);
        Batches { objects, cutter, chunk: limits.chunk, object_limit, next, count, body, failed }
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
