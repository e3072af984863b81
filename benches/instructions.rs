//! A guard: how many instructions the pure stages take, held against
//! `benches/instructions.toml`.
//!
//! - `cargo run --release -p pinclean-benches --bin instructions`: fails if a stage takes over 5 % more
//! - the same with `-- --save`: writes the file anew
//!
//! Instructions are counted by valgrind, which sees those of all threads, and do
//! not depend on what else the machine does. Each stage runs once and three
//! times in processes of their own: half of the difference is one pass, without
//! what it takes to begin.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark that cannot start has nothing to measure"
)]

mod input;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use input::{Input, ROWS, TABLES};
use pinclean::pipeline::clean::Cleaner;
use pinclean::pipeline::decode::Decoder;
use pinclean::pipeline::write::ShardWriter;

const STAGES: [&str; 3] = ["decode", "clean", "encode"];
/// More instructions than the baseline, as a part of it, that are let pass.
const SLACK: f64 = 0.05;

/// Instructions a record, by stage and table.
type Counts = BTreeMap<String, f64>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["--pass", stage, table, times] => {
            pass(stage, table, times.parse().expect("a number of passes"));
            ExitCode::SUCCESS
        }
        [] => guard(false),
        ["--save"] => guard(true),
        _ => {
            eprintln!("usage: instructions [--save]");
            ExitCode::from(2)
        }
    }
}

/// Runs one stage so many times over.
fn pass(stage: &str, table: &str, times: u32) {
    let input = Input::new(table);
    let decoded = || Decoder::new(&input.spec).decode(input.raw()).unwrap();
    let cleaner = Cleaner::new(&input.spec).unwrap();
    match stage {
        "decode" => (0..times).for_each(|_| drop(black_box(decoded()))),
        "clean" => {
            // All are made, whatever is cleaned: decoding is not what is counted.
            let batches: Vec<_> = (0..MOST).map(|_| decoded()).collect();
            for batch in batches.into_iter().take(times as usize) {
                black_box(cleaner.clean(batch, &input.layout).unwrap());
            }
        }
        "encode" => {
            let clean = cleaner.clean(decoded(), &input.layout).unwrap();
            let target = input.target();
            for _ in 0..times {
                let mut writer = ShardWriter::new(Arc::clone(&target), Arc::clone(&input.shard));
                writer.append(&clean.frame, &[]).unwrap();
                black_box(writer.finish().unwrap());
            }
        }
        _ => panic!("no stage is called {stage}"),
    }
}

const MOST: u32 = 3;

fn guard(save: bool) -> ExitCode {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("skipped: the baseline is of Linux on x86-64");
        return ExitCode::SUCCESS;
    }
    let stages = STAGES.iter().flat_map(|stage| TABLES.map(|table| (*stage, table)));
    let now: Counts = stages
        .map(|(stage, table)| {
            let [once, most] = [1, MOST].map(|times| instructions(stage, table, times));
            let one = most.saturating_sub(once) as f64 / f64::from(MOST - 1);
            (format!("{stage}-{table}"), (one / ROWS as f64).round())
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.toml");
    if save {
        write(&path, &now);
    }
    let before: Counts = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    println!("instructions a record     baseline      now   change");
    let mut worse = before.len() != now.len();
    for (name, count) in &now {
        let was = before.get(name).copied().unwrap_or(f64::NAN);
        let change = count / was - 1.0;
        // No number, if the file lacks the stage.
        let failed = change.is_nan() || change > SLACK;
        worse |= failed;
        let mark = match () {
            () if failed => "  too many",
            () if change < -SLACK => "  fewer: --save",
            () => "",
        };
        println!("{name:24} {was:9.0} {count:8.0} {:+7.1} %{mark}", change * 100.0);
    }
    if worse {
        println!("over 5 % more than benches/instructions.toml allows; if that is meant, --save");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Instructions of a process that runs a stage, in all its threads.
fn instructions(stage: &str, table: &str, times: u32) -> u64 {
    let this: PathBuf = std::env::current_exe().unwrap();
    let out = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(this)
        .args(["--pass", stage, table, &times.to_string()])
        // More threads would differ in how long they look for work.
        .env("POLARS_MAX_THREADS", "1")
        .output()
        .expect("valgrind is needed: install it, as with `apt-get install valgrind`");
    let told = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{told}");
    let line = told.lines().find(|line| line.contains("I refs:") || line.contains("I   refs:"));
    let number = line.and_then(|line| line.rsplit(':').next()).expect("valgrind's count");
    number.trim().replace(',', "").parse().expect("a number of instructions")
}

fn write(path: &Path, counts: &Counts) {
    let mut text = "# Instructions a record on Linux and x86-64, Rust 1.95; written by\n# `instructions --save`.\n".to_owned();
    for (name, count) in counts {
        text += &format!("{name} = {count:.1}\n");
    }
    std::fs::write(path, text).unwrap();
}
