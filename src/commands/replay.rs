//! `pinclean replay`: quarantined records, cleaned again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use self::tables::Table;
use super::ending;
use super::run::{limits::Limits, places};
use crate::key::Layout;
use crate::pipeline::report::{Outcome, rfc3339, run_id};
use crate::pipeline::write::{Target, table_schema};
use crate::replay::report::{ReplayReport, TableReplay};
use crate::settings::{Replay, Ui};
use crate::signals::Stop;
use crate::spec::{self, Spec};
use crate::store::{Output, RequestCounts, Session, Store, blame_signal};
use crate::{Error, Result, replay as library};

mod tables;

/// Takes quarantined records through cleaning again and lands those that pass.
///
/// # Errors
/// Any of [`Error`]. What was landed in the tables before the one that failed
/// stays landed.
pub fn replay(settings: &Replay, ui: &Ui, run_id: &str) -> Result<()> {
    if let Some(file) = &settings.report {
        places::check_report(file)?;
        places::clear_report(file)?;
    }
    let runtime = super::runtime()?;
    let job = Job::open(settings, runtime.handle(), run_id)?;
    let report = job.execute().map_err(|e| job.explain(e))?;
    let saved = job.save(&report).map(drop);
    if saved.is_err() && report.outcome == Outcome::Committed {
        tracing::warn!("the records are landed; only the report could not be saved");
    }
    let kept =
        settings.report.as_ref().map_or(Ok(()), |file| report.save_file(file, settings.durability));
    let shown = super::end(ui, || log(&report), || report.terminal());
    ending::gravest([saved, kept, shown])
}

/// The report as a message, with what an alert may go by.
fn log(report: &ReplayReport) {
    let sum = |count: fn(&TableReplay) -> u64| -> u64 { report.tables.values().map(count).sum() };
    tracing::info!(
        outcome = report.outcome.as_str(),
        rejects_open = sum(|t| t.rejects_open),
        rejects_landed = sum(|t| t.rejects_landed),
        rejects_stayed = sum(|t| t.rejects_stayed),
        records_written = sum(|t| t.records_written),
        elapsed_s = report.elapsed_s,
        report = report.place(),
        "replay ended"
    );
}

/// What a replay works with besides its settings, opened.
pub struct Opened {
    /// Where the tables are.
    pub out: Output,
    /// The transforms of the tables.
    pub specs: Vec<Spec>,
    /// Ends the replay, and the requests of stores that were opened with it.
    pub stop: Stop,
}

/// One replay. Its tables are where [`Opened`] says, whatever place the settings
/// name.
pub struct Job<'a> {
    settings: &'a Replay,
    runtime: &'a Handle,
    stop: Stop,
    specs: Vec<Spec>,
    output: Output,
    run_id: String,
    started: DateTime<Utc>,
    clock: Instant,
}

impl<'a> Job<'a> {
    /// Opens the store and reads the transforms.
    fn open(settings: &'a Replay, runtime: &'a Handle, run_id: &str) -> Result<Job<'a>> {
        let stop = Stop::listen(runtime)?;
        let specs = spec::load(settings.transforms.as_deref())?;
        let session = Session::new(settings.tables.s3.clone()).stopped_by(stop.clone());
        let store = Store::for_changing(&settings.tables.url, &session, settings.durability);
        let store = runtime.block_on(store)?;
        let opened = Opened { out: Output::new(&store), specs, stop };
        Ok(Job { run_id: run_id.to_owned(), ..Job::new(settings, runtime, opened) })
    }

    /// A replay in a store that is open already. It begins now.
    pub fn new(settings: &'a Replay, runtime: &'a Handle, opened: Opened) -> Job<'a> {
        let Opened { out: output, specs, stop } = opened;
        let (started, clock) = (Utc::now(), Instant::now());
        let run_id = run_id(started);
        Job { settings, runtime, stop, specs, output, run_id, started, clock }
    }

    /// Saves the report beside the tables.
    ///
    /// # Errors
    /// [`Error::Write`] or [`Error::AccessDenied`].
    pub fn save(&self, report: &ReplayReport) -> Result<String> {
        self.runtime.block_on(report.save(&self.output))
    }

    /// Replays one table after the other.
    ///
    /// # Errors
    /// As [`replay`].
    pub fn execute(&self) -> Result<ReplayReport> {
        let names = &self.settings.tables.names;
        let tables = self.runtime.block_on(tables::find(&self.output, &self.specs, names))?;
        let mut report = self.report();
        for table in &tables {
            let replayed = self.table(table);
            self.count(&mut report);
            match replayed {
                Ok(replayed) => {
                    if replayed.commit.is_some() {
                        report.outcome = Outcome::Committed;
                    }
                    report.tables.insert(table.spec.table.clone(), replayed);
                }
                Err(error) => {
                    self.save_partly(report);
                    return Err(error);
                }
            }
        }
        self.count(&mut report);
        match self.runtime.block_on(self.output.finish()) {
            Ok(()) => Ok(report),
            Err(error) => {
                self.save_partly(report);
                Err(error)
            }
        }
    }

    fn table(&self, table: &Table<'_>) -> Result<TableReplay> {
        let Table { spec, log, state } = table;
        log.check(state)?;
        let target = Arc::new(self.target(spec));
        let replay = library::Replay {
            table: log,
            spec,
            target: &target,
            workers: Limits::new(self.settings.memory, 1).workers,
            stop: &self.stop,
        };
        // After the rows were read: what comes to it from now on fences the commit.
        let Some(quarantine) = self.runtime.block_on(log.quarantine().read())? else {
            return Ok(TableReplay::new(&spec.hash, &library::Counts::default()));
        };
        let cleaned = replay.clean(&quarantine)?;
        let mut report = TableReplay::new(&spec.hash, &cleaned.counts);
        if let Err(error) = self.stop.check() {
            replay.discard(cleaned);
            return Err(error);
        }
        if let Some(landed) = self.runtime.block_on(replay.land(state, cleaned))? {
            report.land(log.place(landed.version), landed);
        }
        Ok(report)
    }

    fn target(&self, spec: &Spec) -> Target {
        Target {
            output: self.output.clone(),
            runtime: self.runtime.clone(),
            layout: Layout::default(),
            table: spec.table.clone(),
            schema: table_schema(spec),
            partition_by: spec.partition_by.clone(),
            spec_hash: spec.hash.clone(),
            generation: 0,
            unique_names: true,
            run_id: self.run_id.clone(),
            started: self.started,
            held: Arc::default(),
        }
    }

    fn report(&self) -> ReplayReport {
        ReplayReport {
            run_id: self.run_id.clone(),
            operation: "replay",
            version: env!("CARGO_PKG_VERSION"),
            outcome: Outcome::NothingNew,
            started: rfc3339(self.started),
            elapsed_s: 0.0,
            out: self.output.url.clone(),
            spec_hash: spec::hash_all(&self.specs),
            requests: RequestCounts::default(),
            tables: BTreeMap::new(),
        }
    }

    fn count(&self, report: &mut ReplayReport) {
        report.requests = self.output.requests();
        report.elapsed_s = self.clock.elapsed().as_secs_f64();
    }

    /// What was landed before a table failed stays, so that it is reported.
    fn save_partly(&self, mut report: ReplayReport) {
        if report.outcome != Outcome::Committed {
            return;
        }
        report.outcome = Outcome::PartlyCommitted;
        let tables: Vec<&str> = report.tables.keys().map(String::as_str).collect();
        tracing::warn!(tables = tables.join(", "), "replayed before the failure");
        if let Err(error) = self.save(&report) {
            tracing::warn!(%error, "the report was not saved");
        }
    }

    /// Says of what failed only since a signal came that the signal ended it.
    fn explain(&self, error: Error) -> Error {
        blame_signal(error, &self.stop)
    }
}
