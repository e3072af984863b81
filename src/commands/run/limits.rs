//! What the memory budget allows.

use std::thread::available_parallelism;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::pipeline::fetch::FetchLimits;

/// What a worker needs besides its batches: columns of a batch before and
/// after cleaning, and a row group under way.
const PER_WORKER: u64 = 64 << 20;

/// How many workers there are, and how much each takes at a time.
pub struct Limits {
    /// Threads that work.
    pub workers: usize,
    /// What each reads ahead.
    pub fetch: FetchLimits,
}

/// Lets the process open as many files as the system allows it: on a disk each
/// file that waits for the commit is an open one.
pub fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

impl Limits {
    /// As many workers as `memory` bytes allow; they share the requests.
    pub fn new(memory: u64, concurrency: usize) -> Limits {
        let cores = available_parallelism().map_or(1, usize::from);
        Limits::with_cores(memory, concurrency, cores)
    }

    fn with_cores(memory: u64, concurrency: usize, cores: usize) -> Limits {
        let affordable = usize::try_from(memory / PER_WORKER).unwrap_or(usize::MAX).max(1);
        let workers = cores.min(affordable);
        Limits { workers, fetch: FetchLimits { concurrency, ..FetchLimits::default() } }
    }
}

#[cfg(test)]
mod tests {
    use super::Limits;

    #[test]
    fn the_budget_bounds_the_workers() {
        let cases: &[(u64, usize, usize)] = &[
            // memory in MiB, cores → workers
            (256, 2, 2),
            (256, 16, 4),
            (64, 16, 1),
            (64, 1, 1),
            (4096, 16, 16),
        ];
        for &(memory, cores, workers) in cases {
            let limits = Limits::with_cores(memory << 20, 64, cores);
            assert_eq!(limits.workers, workers, "{memory} MiB on {cores} cores");
            assert_eq!(limits.fetch.concurrency, 64);
        }
    }
}
