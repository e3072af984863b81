//! A reference model: whatever happens to the runs, the tables hold each record
//! once.
//!
//! Each seed is a short history of a sink and of the commands over what it wrote:
//! objects, runs, rebuilds, `replay`, `optimize` and `vacuum`, commands that crash or whose
//! store fails at some operation, and pairs of them at a time. After each step
//! every table and its quarantine must equal a model on ordered maps; older
//! versions too.
//!
//! `cargo test --test model` lives through 40 seeds of Delta tables in memory, and
//! a share of that of the other three kinds; `PINCLEAN_MODEL_SEEDS=710` makes it
//! 2,000 of all kinds. A seed that fails prints the command that repeats it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/s3/mod.rs"]
mod s3;

mod act;
mod chaos;
mod draw;
mod found;
mod oracle;
mod past;
mod place;
mod run;
mod sink;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use found::Format;
use place::{Kind, Place};
use run::Program;
use world::World;

const SEEDS: &str = "PINCLEAN_MODEL_SEEDS";
/// Two thousand of all kinds are 710 of these.
const DEFAULT: u64 = 40;
const SEED: &str = "PINCLEAN_MODEL_SEED";
/// The first of the seeds, for those who want others than everybody.
const FIRST: &str = "PINCLEAN_MODEL_FIRST";
/// Threads that live through seeds: more than processors, since many a run waits
/// before it tries again.
const THREADS: usize = 6;

#[test]
fn delta_tables_in_memory_equal_the_model() {
    check(Kind::Memory, Format::Delta, "delta_tables_in_memory");
}

#[test]
fn delta_tables_on_s3_equal_the_model() {
    check(Kind::S3, Format::Delta, "delta_tables_on_s3");
}

#[test]
fn parquet_tables_in_memory_equal_the_model() {
    check(Kind::Memory, Format::Parquet, "parquet_tables_in_memory");
}

#[test]
fn parquet_tables_on_s3_equal_the_model() {
    check(Kind::S3, Format::Parquet, "parquet_tables_on_s3");
}

/// For a hundred seeds of Delta tables in memory, so many of each kind: what takes
/// ten times as long gets less.
fn percent(kind: Kind, format: Format) -> u64 {
    match (kind, format) {
        (Kind::Memory, Format::Delta) => 100,
        (Kind::Memory, Format::Parquet) => 150,
        (Kind::S3, Format::Delta) => 15,
        (Kind::S3, Format::Parquet) => 20,
    }
}

fn check(kind: Kind, format: Format, name: &str) {
    let begin = Instant::now();
    let program = Program::new(format);
    let (first, count) = match number(SEED) {
        Some(seed) => (seed, 1),
        None => {
            let seeds = number(SEEDS).unwrap_or(DEFAULT);
            (number(FIRST).unwrap_or(0), (seeds * percent(kind, format)).div_ceil(100))
        }
    };
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..THREADS.min(count as usize) {
            scope.spawn(|| {
                let mut place = Place::new(kind, program.runtime.handle());
                while !failed.load(Relaxed) {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    if let Err(problem) = live(&program, &mut place, seed) {
                        failed.store(true, Relaxed);
                        let command = format!("{SEED}={seed} cargo test --test model {name}");
                        eprintln!("\n{command}\n{problem}");
                    }
                }
            });
        }
    });
    eprintln!("{name}: {count} seeds from {first} on in {:.1?}", begin.elapsed());
    assert!(!failed.load(Relaxed), "a seed failed: see above how to repeat it");
}

/// Lives through one seed; the problem, with what led to it.
fn live(program: &Program, place: &mut Place, seed: u64) -> Result<(), String> {
    place.clear();
    // Many a seed has all objects of a run in one shard, as nearly all runs have.
    place.shard_objects = [1, 2, 3, 1 << 15, 1 << 15][(seed % 5) as usize];
    let mut world = World::new(program, place, seed);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live()));
    let lived = lived.unwrap_or_else(|_| Err("it panicked: see above".to_owned()));
    let shown = number(SEED).is_some() && lived.is_ok();
    if shown {
        eprintln!("{}", world.told);
    }
    lived.map_err(|problem| format!("{}{problem}", world.told))
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text:?} is no number")))
}
