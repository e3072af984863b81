//! Micro-benchmarks of the pure stages, over one object of emulated records.
//!
//! `cargo run --release -p pinclean-benches --bin stages`

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

mod input;

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use pinclean::key::{Layout, Name, Topic};
use pinclean::pipeline::clean::Cleaner;
use pinclean::pipeline::decode::Decoder;
use pinclean::pipeline::write::ShardWriter;

use input::{Input, ROWS, TABLES};

fn main() {
    // Divan takes a program that cargo did not start as a bench for a test.
    divan::Divan::from_args().run_benches();
}

#[divan::bench]
fn key(bencher: Bencher) {
    let topic = Topic::parse("0a1b2c3d4e5f.pin").unwrap();
    let layout = Layout::default();
    let name = "0a1b2c3d4e5f.pin+0+0000012345.json";
    bencher.bench(|| Name::parse(black_box(name), &topic, &layout));
}

#[divan::bench(args = TABLES)]
fn decode(bencher: Bencher, table: &str) {
    let input = Input::new(table);
    let mut decoder = Decoder::new(&input.spec);
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::new(input.body.len()))
        .with_inputs(|| input.raw())
        .bench_local_values(|raw| decoder.decode(raw).unwrap());
}

#[divan::bench(args = TABLES)]
fn clean(bencher: Bencher, table: &str) {
    let input = Input::new(table);
    let cleaner = Cleaner::new(&input.spec).unwrap();
    bencher
        .counter(ItemsCount::new(ROWS))
        .with_inputs(|| Decoder::new(&input.spec).decode(input.raw()).unwrap())
        .bench_local_values(|batch| cleaner.clean(batch, &input.layout).unwrap());
}

#[divan::bench(args = TABLES)]
fn encode(bencher: Bencher, table: &str) {
    let input = Input::new(table);
    let batch = Decoder::new(&input.spec).decode(input.raw()).unwrap();
    let clean = Cleaner::new(&input.spec).unwrap().clean(batch, &input.layout).unwrap();
    let target = input.target();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut writer = ShardWriter::new(Arc::clone(&target), Arc::clone(&input.shard));
        writer.append(&clean.frame, &[]).unwrap();
        writer.finish().unwrap()
    });
}
