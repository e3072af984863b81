//! One run of pinclean as a call, and how it ended.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use object_store::ObjectStore;
use pinclean::cli;
use pinclean::commands::run::{Job, Opened};
use pinclean::progress::Progress;
use pinclean::settings::{Command, Layers, LogFormat, ProgressMode, Run, Ui};
use pinclean::signals::Stop;
use pinclean::spec::{self, Spec};
use pinclean::store::Output;
use tokio::runtime::{Builder, Runtime};

use crate::chaos::Crashed;
use crate::place::Place;
use crate::sink::TRANSFORMS;

/// What all runs share.
pub struct Program {
    pub runtime: Runtime,
    append: Run,
    full: Run,
    specs: Vec<Spec>,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// It committed all that it had, to so many tables by its own words; perhaps
    /// its report could not be saved.
    Done(u64, Result<(), pinclean::Error>),
    Failed(pinclean::Error),
    /// The script took the process away.
    Crashed,
}

impl Program {
    pub fn new() -> Program {
        let files = TRANSFORMS.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Program {
            runtime: Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
            append: settings(&[]),
            full: settings(&["--full"]),
            specs: spec::parse_files(&files).unwrap(),
        }
    }

    /// A run from the place's source into `objects`.
    pub fn run(&self, place: &Place, full: bool, objects: Arc<dyn ObjectStore>) -> Ended {
        let settings = if full { &self.full } else { &self.append };
        let url = "tables:".to_owned();
        let opened = Opened {
            source: place.source.clone(),
            out: Output { objects, url, refusals: place.refusals.clone() },
            specs: self.specs.clone(),
            stop: Stop::default(),
        };
        let job = Job::new(settings, self.runtime.handle(), opened);
        let quiet =
            Ui { progress: ProgressMode::Never, log: LogFormat::Text, quiet: true, verbose: false };
        let ran = catch_unwind(AssertUnwindSafe(|| match job.execute(&Progress::start(&quiet)) {
            Ok(report) => {
                let committed = report.tables.values().filter(|table| table.commit.is_some());
                Ended::Done(committed.count() as u64, job.save(&report).map(drop))
            }
            Err(error) => Ended::Failed(error),
        }));
        match ran {
            Ok(ended) => ended,
            Err(panic) if panic.is::<Crashed>() => Ended::Crashed,
            Err(panic) => resume_unwind(panic),
        }
    }
}

/// The settings of a run as they are typed, with one worker, so that operations
/// come in the same order each time.
fn settings(more: &[&str]) -> Run {
    let typed = [
        "pinclean", "run", "--source", "in", "--out", "out", "--memory", "64MiB", "--format",
        "parquet",
    ];
    let typed = cli::parse(typed.iter().chain(more)).unwrap();
    let layers = Layers::read(&typed, &|_| None).unwrap();
    match Command::resolve(typed.verb, &layers).unwrap() {
        Command::Run(run) => run,
        other => panic!("{other:?}"),
    }
}
