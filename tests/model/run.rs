//! A command of pinclean as a call, and how it ended.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use chrono::Utc;
use pinclean::cli;
use pinclean::commands::run::{Job, Opened};
use pinclean::commands::{optimize, replay, vacuum};
use pinclean::optimize::Optimizer;
use pinclean::pipeline::plan::ShardLimits;
use pinclean::pipeline::report::run_id;
use pinclean::progress::Progress;
use pinclean::settings::{Command, Layers, LogFormat, ProgressMode, Replay, Run, Ui};
use pinclean::signals::Stop;
use pinclean::spec::{self, Spec};
use pinclean::store::Output;
use tokio::runtime::{Builder, Runtime};

use crate::act::Act;
use crate::chaos::{Chaos, Script, silence_the_dead};
use crate::found::Format;
use crate::place::Place;
use crate::sink::TRANSFORMS;

const QUIET: Ui =
    Ui { progress: ProgressMode::Never, log: LogFormat::Text, quiet: true, verbose: false };

/// What all commands share.
pub struct Program {
    pub runtime: Runtime,
    pub format: Format,
    specs: Vec<Spec>,
    mended: Vec<Spec>,
}

/// How a command ended.
#[derive(Debug)]
pub enum Ended {
    /// It did all that it had to, and if it is a run or a replay, committed to so many tables
    /// by its own words; perhaps its report could not be saved.
    Done(Option<u64>, Result<(), pinclean::Error>),
    Failed(pinclean::Error),
    /// The script took the process away.
    Crashed,
}

impl Program {
    pub fn new(format: Format) -> Program {
        silence_the_dead();
        let files = TRANSFORMS.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let mended = files.clone().map(|(name, text)| (name, text.replace("required = true", "")));
        Program {
            runtime: Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
            format,
            specs: spec::parse_files(&files).unwrap(),
            mended: spec::parse_files(&mended).unwrap(),
        }
    }

    /// Does it to the place's tables. What a process tells that was taken away is
    /// not heard: on threads of the runtime it may take some time to end.
    pub fn start(&self, place: &Place, act: Act, script: Script) -> Ended {
        let dead = script.dead();
        let out = Output {
            objects: Arc::new(Chaos::new(Arc::clone(&place.out), script)),
            url: "tables:".to_owned(),
            refusals: place.refusals.clone(),
        };
        let ended = catch_unwind(AssertUnwindSafe(|| match self.settings(act) {
            Command::Run(settings) => self.run(place, &settings, out),
            Command::Optimize(settings) => {
                let (id, stop) = (run_id(Utc::now()), Stop::default());
                let optimizer = Optimizer {
                    runtime: self.runtime.handle(),
                    stop: &stop,
                    id: &id,
                    target_size: settings.target_size,
                    memory: settings.memory,
                };
                ended(optimize::below(&out, &settings, &optimizer, &QUIET))
            }
            Command::Vacuum(settings) => {
                let vacuumed = &mut Vec::new();
                ended(self.runtime.block_on(vacuum::below(&out, &settings, vacuumed)))
            }
            Command::Replay(settings) => self.replay(&settings, out),
            other => panic!("{other:?}"),
        }));
        match ended {
            _ if dead.load(SeqCst) => Ended::Crashed,
            Ok(ended) => ended,
            Err(panic) => resume_unwind(panic),
        }
    }

    fn run(&self, place: &Place, settings: &Run, out: Output) -> Ended {
        let opened = Opened {
            source: place.source.clone(),
            out,
            specs: self.specs.clone(),
            stop: Stop::default(),
        };
        let job = Job::new(settings, self.runtime.handle(), opened);
        let limits = ShardLimits { objects: place.shard_objects, ..ShardLimits::default() };
        let job = job.cut_into(limits);
        match job.execute(&Progress::start(&QUIET)) {
            Ok(report) => {
                let committed = report.tables.values().filter(|table| table.commit.is_some());
                Ended::Done(Some(committed.count() as u64), job.save(&report).map(drop))
            }
            Err(error) => Ended::Failed(error),
        }
    }

    fn replay(&self, settings: &Replay, out: Output) -> Ended {
        let opened = replay::Opened { out, specs: self.mended.clone(), stop: Stop::default() };
        let job = replay::Job::new(settings, self.runtime.handle(), opened);
        match job.execute() {
            Ok(report) => {
                let committed = report.tables.values().filter(|table| table.commit.is_some());
                Ended::Done(Some(committed.count() as u64), job.save(&report).map(drop))
            }
            Err(error) => Ended::Failed(error),
        }
    }

    /// The settings of a command as it is typed: one worker, so that operations
    /// come in the same order each time.
    fn settings(&self, act: Act) -> Command {
        let typed = format!("pinclean {act}");
        let more: &[&str] = match (act, self.format) {
            (Act::Run { .. }, Format::Parquet) => {
                &["--source", "in", "--out", "out", "--memory", "64MiB", "--format", "parquet"]
            }
            (Act::Run { .. }, Format::Delta) => {
                &["--source", "in", "--out", "out", "--memory", "64MiB"]
            }
            (Act::Optimize { .. } | Act::Replay, _) => &["--tables", "out", "--memory", "64MiB"],
            (Act::Vacuum, _) => &["--tables", "out"],
        };
        let typed = cli::parse(typed.split(' ').chain(more.iter().copied())).unwrap();
        let layers = Layers::read(&typed, &|_| None).unwrap();
        Command::resolve(typed.verb, &layers).unwrap()
    }
}

fn ended(result: pinclean::Result<()>) -> Ended {
    match result {
        Ok(()) => Ended::Done(None, Ok(())),
        Err(error) => Ended::Failed(error),
    }
}
