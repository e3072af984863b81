//! `pinclean run`: what is new, cleaned and committed.

mod gate;
mod job;
mod keys;
pub(super) mod limits;
pub(super) mod places;
mod watched;

use super::ending;
use crate::error::{Error, Result};
use crate::failpoint::{self, Point};
use crate::pipeline::report::{Outcome, Report, TableReport};
use crate::progress::Progress;
use crate::settings::{Format, Run, Ui};
use watched::Watched;

pub use job::{Job, Known, Opened};

/// Cleans what is new in a bucket or folder into tables.
///
/// # Errors
/// Any of [`Error`]. [`Error::BrokenGate`] comes after the commit.
pub fn run(settings: &Run, ui: &Ui, run_id: &str) -> Result<()> {
    let watched = Watched::start(settings, run_id)?;
    let mut known = Known::default();
    let ended = attempt(settings, ui, run_id, &mut known);
    watched.end(ended, &known)
}

fn attempt(settings: &Run, ui: &Ui, run_id: &str, known: &mut Known) -> Result<()> {
    check_format(settings)?;
    if let Some(file) = &settings.report {
        places::check_report(file)?;
        places::clear_report(file)?;
    }
    limits::allow_open_files();
    let runtime = super::runtime()?;
    let job = Job::open(settings, runtime.handle(), run_id)?;
    let progress = Progress::start(ui);
    let result = job.execute_knowing(&progress, known);
    progress.finish();
    match result {
        Ok(report) => finish(&job, settings, ui, known.report.insert(report)),
        Err(error) => {
            // Some tables may be committed. The next run reads nothing of them again.
            let gate = known.report.as_ref().map_or(Ok(()), |report| {
                gate::log(report, ui);
                gate::verdict(report)
            });
            ending::gravest([Err(job.explain(error)), gate])
        }
    }
}

/// Reports a run that is committed. Each step is done whether or not another one failed.
fn finish(job: &Job<'_>, settings: &Run, ui: &Ui, report: &mut Report) -> Result<()> {
    let gate = gate::verdict(report);
    if gate.is_err() {
        report.outcome = Outcome::TooManyRejects;
    }
    failpoint::hit(Point::BeforeReport);
    let saved = job.save(report).map(drop);
    failpoint::hit(Point::AfterReport);
    if saved.is_err() && report.outcome != Outcome::NothingNew {
        tracing::warn!("the tables are committed; only the report could not be saved");
    }
    gate::log(report, ui);
    let kept =
        settings.report.as_ref().map_or(Ok(()), |file| report.save_file(file, settings.durability));
    let shown = super::end(ui, || log(report), || report.terminal());
    ending::gravest([gate, saved, kept, shown])
}

/// The report as a message, with what an alert may go by.
fn log(report: &Report) {
    let sum = |count: fn(&TableReport) -> u64| -> u64 { report.tables.values().map(count).sum() };
    tracing::info!(
        outcome = report.outcome.as_str(),
        objects = sum(|t| t.objects),
        bytes = sum(|t| t.bytes),
        records_read = sum(|t| t.records_read),
        records_written = sum(|t| t.records_written),
        records_quarantined = sum(|t| t.records_quarantined),
        records_duplicate = sum(|t| t.records_duplicate),
        records_replaced = sum(|t| t.records_replaced),
        elapsed_s = report.elapsed_s,
        report = report.place(),
        "run ended"
    );
}

/// What the format cannot do is refused before anything is opened.
fn check_format(settings: &Run) -> Result<()> {
    match settings.format {
        Format::Parquet if settings.optimize_after.is_some() => Err(Error::Usage(
            "--optimize-after packs files of Delta tables: it needs --format delta".to_owned(),
        )),
        _ => Ok(()),
    }
}
