//! Runs plan and work side by side: one planner, a few workers, a short queue.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::discover::{Discovered, Listing};
use super::fetch::Fetcher;
use super::plan::{Shard, ShardLimits, plan};
use super::watch::Watch;
use super::work::{Done, Line};
use super::write::Target;
use crate::error::{Error, Result};
use crate::failpoint::{self, Point};

/// Shards that wait for a worker. Few: they hold the names of their objects.
const QUEUE: usize = 2;

/// A worker's stack. JSON is walked down by recursion, 128 levels deep; without
/// optimisation a level takes 28 KiB.
pub(crate) const STACK: usize = 8 << 20;

/// All that plan and work need.
pub struct Engine<'a> {
    /// What is listed.
    pub listing: Listing<'a>,
    /// How large a shard gets.
    pub shards: ShardLimits,
    /// How objects are read.
    pub fetcher: &'a Fetcher,
    /// Where each table is written, in the order of the specs.
    pub targets: &'a [Arc<Target>],
    /// Threads that work.
    pub workers: usize,
    /// Who is asked and told.
    pub watch: &'a Watch<'a>,
}

/// Why plan or work ended early, and what had been listed by then.
#[derive(Debug)]
pub struct Broken {
    /// The first error of a stage.
    pub error: Error,
    /// What was listed, if that was all there is.
    pub listed: Option<Box<Discovered>>,
}

impl Engine<'_> {
    /// Plans and works until there is nothing left, or something fails. The
    /// shards that are done are returned in the order of their keys.
    ///
    /// # Errors
    /// The first error of a stage; what was done by then is dropped unseen.
    pub fn execute(&self) -> Result<(Discovered, Vec<Done>), Broken> {
        let (sender, receiver) = bounded(QUEUE);
        let (discovered, mut done) = thread::scope(|scope| {
            let workers: Vec<_> = (0..self.workers)
                .map(|_| {
                    let shards = receiver.clone();
                    let worker = thread::Builder::new().stack_size(STACK);
                    worker.spawn_scoped(scope, move || self.work(&shards))
                })
                .filter_map(|worker| self.started(worker))
                .collect();
            // The planner sees by this that nobody works any more.
            drop(receiver);
            let planner = scope.spawn(move || self.plan(&sender));
            let worked = workers.into_iter().flat_map(|worker| joined(worker.join()));
            let done: Vec<Done> = worked.collect();
            (joined(planner.join()), done)
        });
        let ended = match (self.watch.outcome(), discovered) {
            (Ok(()), Ok((discovered, _))) => Ok(discovered),
            (Err(error), Ok((discovered, true))) => {
                Err(Broken { error, listed: Some(Box::new(discovered)) })
            }
            (Err(error), _) | (Ok(()), Err(error)) => Err(Broken { error, listed: None }),
        };
        let discovered = match ended {
            Ok(discovered) => discovered,
            Err(broken) => {
                done.into_iter()
                    .for_each(|shard| shard.written.discard(&self.targets[shard.table]));
                return Err(broken);
            }
        };
        done.sort_by(|a, b| (&a.source, a.reached.start).cmp(&(&b.source, b.reached.start)));
        Ok((discovered, done))
    }

    /// The planner: lists, and queues what there is to do.
    fn plan(&self, shards: &Sender<Shard>) -> Result<(Discovered, Whole)> {
        failpoint::hit(Point::BeforePlan);
        let mut whole = true;
        let discovered = plan(&self.listing, self.shards, |shard| {
            let bytes = shard.objects.iter().map(|object| object.size).sum();
            self.watch.progress().found(shard.objects.len() as u64, bytes);
            whole = self.watch.go_on().is_ok() && shards.send(shard).is_ok();
            match whole {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        });
        failpoint::hit(Point::Planned);
        self.watch.progress().planned();
        Ok((discovered?, whole))
    }

    /// A worker, unless the system gives no thread for it.
    fn started<T>(&self, worker: std::io::Result<T>) -> Option<T> {
        let failed = |e: std::io::Error| Error::Internal { stage: "start", message: e.to_string() };
        worker.map_err(|e| self.watch.fail(failed(e))).ok()
    }

    /// One worker: takes shards until there are none. A failure ends it, and
    /// with it the others, after the batch that they are at.
    fn work(&self, shards: &Receiver<Shard>) -> Vec<Done> {
        let mut lines: Vec<Option<Line<'_>>> = self.targets.iter().map(|_| None).collect();
        let mut done = Vec::new();
        for shard in shards {
            let worked = self.one(&mut lines, shard);
            match worked {
                Ok(shard) => done.push(shard),
                Err(error) => {
                    self.watch.fail(error);
                    break;
                }
            }
        }
        done
    }

    fn one<'s>(&'s self, lines: &mut [Option<Line<'s>>], shard: Shard) -> Result<Done> {
        self.watch.go_on()?;
        let table = shard.table;
        let line = match &mut lines[table] {
            Some(line) => line,
            empty => {
                let target = Arc::clone(&self.targets[table]);
                empty.insert(Line::new(&self.listing.specs[table], target)?)
            }
        };
        line.work(self.fetcher, shard, self.watch)
    }
}

/// Whether a listing came to its end.
type Whole = bool;

/// A thread's result; its panic goes on in this thread.
fn joined<T>(result: thread::Result<T>) -> T {
    result.unwrap_or_else(|panic| resume_unwind(panic))
}
