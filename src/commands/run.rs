//! `pinclean run`: what is new, cleaned and committed.

mod job;
mod keys;
pub(super) mod limits;
pub(super) mod places;

use crate::error::{Error, Result};
use crate::failpoint::{self, Point};
use crate::pipeline::report::{Outcome, Report};
use crate::progress::Progress;
use crate::settings::{Format, MaxRejects, Run, Ui};

pub use job::{Job, Opened};

/// Cleans what is new in a bucket or folder into tables.
///
/// # Errors
/// Any of [`Error`]. [`Error::TooManyRejects`] comes after the commit.
pub fn run(settings: &Run, ui: &Ui) -> Result<()> {
    check_format(settings)?;
    if let Some(file) = &settings.report {
        places::check_report(file)?;
        places::clear_report(file)?;
    }
    limits::allow_open_files();
    let runtime = super::runtime()?;
    let job = Job::open(settings, runtime.handle())?;
    let progress = Progress::start(ui);
    let result = job.execute(&progress);
    progress.finish();
    let mut report = result.map_err(|e| job.explain(e))?;
    let gate = check_gate(settings.max_rejects.as_ref(), &report, settings);
    if gate.is_err() {
        report.outcome = Outcome::TooManyRejects;
    }
    failpoint::hit(Point::BeforeReport);
    let saved = job.save(&report).map(drop);
    failpoint::hit(Point::AfterReport);
    if saved.is_err() && report.outcome != Outcome::NothingNew {
        tracing::warn!("the tables are committed; only the report could not be saved");
    }
    if !ui.quiet {
        super::print(&report.terminal())?;
    }
    let kept = settings.report.as_ref().map_or(Ok(()), |file| report.save_file(file));
    saved.and(kept).and(gate)
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

/// The quality gate, over all tables together.
fn check_gate(limit: Option<&MaxRejects>, report: &Report, settings: &Run) -> Result<()> {
    let Some(limit) = limit else { return Ok(()) };
    let sum = |count: fn(&crate::pipeline::report::TableReport) -> u64| -> u64 {
        report.tables.values().map(count).sum()
    };
    let (read, rejects) = (sum(|t| t.records_read), sum(|t| t.records_quarantined));
    if !limit.is_broken_by(rejects, read) {
        return Ok(());
    }
    let out = settings.out.trim_end_matches('/');
    Err(Error::TooManyRejects {
        rejects,
        read,
        limit: limit.to_string(),
        place: format!("{out}/_quarantine"),
    })
}
