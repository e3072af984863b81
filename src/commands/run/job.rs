//! One run: opened, executed, committed, reported.

mod commit;
mod complete;
mod found;
mod optimize;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Utc};
use tokio::runtime::Handle;

use super::limits::Limits;
use super::{gate, keys, places};
use crate::error::{Error, Result};
use crate::metrics::{Lag, lag};
use crate::pipeline::commit::{Base, TableLog};
use crate::pipeline::discover::{Discovered, Listing, Lookback, Watermarks};
use crate::pipeline::engine::Engine;
use crate::pipeline::fetch::Fetcher;
use crate::pipeline::plan::ShardLimits;
use crate::pipeline::report::{Outcome, Report, TableReport, rfc3339, run_id};
use crate::pipeline::watch::Watch;
use crate::pipeline::write::{Target, table_schema};
use crate::progress::Progress;
use crate::settings::{Format, Run};
use crate::signals::Stop;
use crate::spec::{self, Spec};
use crate::store::{Output, RequestCounts, Session, Store, blame_signal};
use complete::check_complete;

/// What a run works with besides its settings, opened.
pub struct Opened {
    /// Where the sink wrote.
    pub source: Store,
    /// Where the tables are.
    pub out: Output,
    /// The transforms of the tables.
    pub specs: Vec<Spec>,
    /// Ends the run, and the requests of stores that were opened with it.
    pub stop: Stop,
}

/// One run. Its `out` and its `source` are what [`Opened`] says, whatever the
/// settings name.
pub struct Job<'a> {
    settings: &'a Run,
    runtime: &'a Handle,
    stop: Stop,
    specs: Vec<Spec>,
    source: Store,
    out: Output,
    shards: ShardLimits,
    run_id: String,
    started: DateTime<Utc>,
    clock: Instant,
}

/// What is known of a run at its end, whichever end that is.
#[derive(Debug, Default)]
pub struct Known {
    /// What became of the tables, if the run came so far.
    pub report: Option<Report>,
    /// What was asked of both stores.
    pub requests: RequestCounts,
    /// How far the tables are behind the source, as far as that is known.
    pub lag: BTreeMap<String, Lag>,
    /// What was listed, if that was all there is.
    listed: Option<Discovered>,
}

/// A table's log and what it said when the run began.
struct Table {
    log: TableLog,
    base: Option<Base>,
}

impl<'a> Job<'a> {
    /// Opens both stores, reads the transforms, and listens for signals.
    ///
    /// # Errors
    /// [`Error::Spec`], and those of the stores.
    pub fn open(settings: &'a Run, runtime: &'a Handle, run_id: &str) -> Result<Job<'a>> {
        let stop = Stop::listen(runtime)?;
        let specs = spec::load(settings.transforms.as_deref())?;
        keys::check_format(&specs, settings.format)?;
        let session = Session::new(settings.s3.clone()).stopped_by(stop.clone());
        let source = runtime.block_on(Store::open(&settings.source, &session))?;
        places::keep_apart(&source, settings)?;
        let out =
            runtime.block_on(Store::for_writing(&settings.out, &session, settings.durability))?;
        let opened = Opened { source, out: Output::new(&out), specs, stop };
        Ok(Job { run_id: run_id.to_owned(), ..Job::new(settings, runtime, opened) })
    }

    /// A run between stores that are open already. It begins now.
    pub fn new(settings: &'a Run, runtime: &'a Handle, opened: Opened) -> Job<'a> {
        let Opened { source, out, specs, stop } = opened;
        let (started, clock) = (Utc::now(), Instant::now());
        let (run_id, shards) = (run_id(started), ShardLimits::default());
        Job { settings, runtime, stop, specs, source, out, shards, run_id, started, clock }
    }

    /// The same run, cut into shards of another size.
    #[must_use]
    pub fn cut_into(self, shards: ShardLimits) -> Job<'a> {
        Job { shards, ..self }
    }

    /// Plans, works and commits.
    ///
    /// # Errors
    /// Those of the stages. What was committed before stays committed.
    pub fn execute(&self, progress: &Progress) -> Result<Report> {
        self.execute_knowing(progress, &mut Known::default())
    }

    /// As [`execute`](Job::execute); what is known at the end is noted if it fails too.
    ///
    /// # Errors
    /// As [`execute`](Job::execute).
    pub fn execute_knowing(&self, progress: &Progress, known: &mut Known) -> Result<Report> {
        let executed = self.steps(progress, known);
        known.requests = self.requests();
        let report = executed.as_ref().ok().or(known.report.as_ref());
        known.lag = known.listed.as_ref().map(|all| self.lag(all, report)).unwrap_or_default();
        executed
    }

    fn steps(&self, progress: &Progress, known: &mut Known) -> Result<Report> {
        let tables = self.tables()?;
        let targets: Vec<_> =
            self.specs.iter().zip(&tables).map(|(s, t)| self.target(s, t)).collect();
        let watermarks: Vec<Watermarks> =
            tables.iter().map(|table| self.watermarks(table)).collect();
        let limits = Limits::new(self.settings.memory, self.settings.concurrency);
        let (source, layout) = (self.source.clone(), self.settings.layout.clone());
        let fetcher = Fetcher::new(source, layout, limits.fetch, self.runtime.clone());
        tracing::debug!(
            "from {} to {}, with {} workers, up to {} requests, and {} bytes of each at a time",
            self.source.url(),
            self.out.url,
            limits.workers,
            limits.fetch.concurrency,
            limits.fetch.batch_bytes,
        );
        let watch = Watch::new(&self.stop, progress);
        let engine = Engine {
            listing: Listing {
                store: &self.source,
                layout: &self.settings.layout,
                specs: &self.specs,
                topic_globs: &self.settings.topics,
                watermarks: &watermarks,
                full: self.settings.rebuilds(),
                lookback: Some(Lookback { span: self.settings.lookback, now: self.started }),
                // Files of plain Parquet are named by what they are made of.
                exact_sizes: self.settings.format == Format::Parquet,
                runtime: self.runtime,
            },
            shards: self.shards,
            fetcher: &fetcher,
            targets: &targets,
            workers: limits.workers,
            watch: &watch,
        };
        let (discovered, done) = engine.execute().map_err(|broken| {
            known.listed = broken.listed.map(|listed| *listed);
            broken.error
        })?;
        let discovered = &*known.listed.insert(discovered);
        let read_before = watermarks.iter().any(|marks| !marks.is_empty());
        found::tell_idle(&self.settings.topics, discovered);
        found::tell(discovered, self.source.url(), read_before)?;
        check_complete(discovered, &done)?;
        let mut report = self.report(discovered);
        let committed = self.commit(&tables, done, &mut report);
        report.broken_gates = gate::broken(self.settings.max_rejects, &report);
        if committed.is_ok() {
            self.optimize(&tables, &mut report);
        }
        let committed = committed.and(self.runtime.block_on(self.out.finish()));
        report.requests = self.requests();
        report.elapsed_s = self.clock.elapsed().as_secs_f64();
        if let Err(error) = committed {
            known.report = Some(self.save_partly(report));
            return Err(error);
        }
        Ok(report)
    }

    /// Saves the report beside the tables.
    ///
    /// # Errors
    /// [`Error::Write`] or [`Error::AccessDenied`].
    pub fn save(&self, report: &Report) -> Result<String> {
        self.runtime.block_on(report.save(&self.output()))
    }

    /// What was committed before a run failed stays, so that it is reported.
    fn save_partly(&self, mut report: Report) -> Report {
        if report.outcome != Outcome::Committed {
            return report;
        }
        report.outcome = Outcome::PartlyCommitted;
        let committed = report.tables.iter().filter(|(_, table)| table.commit.is_some());
        let tables = committed.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        tracing::warn!(tables, "committed before the failure; the next run carries on");
        if let Err(error) = self.save(&report) {
            tracing::warn!(%error, "the report was not saved");
        }
        report
    }

    /// Says of what failed only since a signal came that the signal ended it.
    pub fn explain(&self, error: Error) -> Error {
        blame_signal(error, &self.stop)
    }

    fn output(&self) -> Output {
        self.out.clone()
    }

    fn tables(&self) -> Result<Vec<Table>> {
        let open = |spec: &Spec| -> Result<Table> {
            let log = TableLog::new(self.settings.format, self.output(), spec)?;
            let base = self.runtime.block_on(log.read())?;
            if let Some(base) = &base {
                self.warn_of_other_source(&spec.table, &base.source);
                if !self.settings.rebuilds() {
                    log.check(base, spec)?;
                    warn_of_other_rules(spec, &base.spec_hash);
                }
            }
            Ok(Table { log, base })
        };
        self.specs.iter().map(open).collect()
    }

    /// Offsets tell what is new only as long as the source is the same one.
    fn warn_of_other_source(&self, table: &str, before: &str) {
        let now = self.source.url();
        if !self.settings.rebuilds() && !before.is_empty() && before != now {
            tracing::warn!(
                "table {table} was built from {before}, and this run reads {now}: records up to \
                 the offsets that were committed are taken as read; if these are other topics of \
                 the same name, use another --out"
            );
        }
    }

    fn watermarks(&self, table: &Table) -> Watermarks {
        match &table.base {
            Some(base) if !self.settings.rebuilds() => base.watermarks.clone(),
            _ => Watermarks::new(),
        }
    }

    fn target(&self, spec: &Spec, table: &Table) -> Arc<Target> {
        let next = table.base.as_ref().map_or(1, |base| base.version + 1);
        Arc::new(Target {
            output: self.output(),
            runtime: self.runtime.clone(),
            layout: self.settings.layout.clone(),
            table: spec.table.clone(),
            schema: table_schema(spec),
            partition_by: spec.partition_by.clone(),
            spec_hash: spec.hash.clone(),
            generation: if self.settings.rebuilds() { next } else { 0 },
            unique_names: self.settings.format == Format::Delta,
            run_id: self.run_id.clone(),
            started: self.started,
            held: Arc::default(),
        })
    }

    /// A report of what was listed; the tables' counts come with the commits.
    fn report(&self, discovered: &Discovered) -> Report {
        let mut tables: BTreeMap<String, TableReport> = BTreeMap::new();
        for (name, topic) in &discovered.topics {
            let spec = &self.specs[topic.table];
            let table = tables.entry(spec.table.clone()).or_default();
            table.spec_hash = spec.hash.clone();
            table.add_skipped(name, &topic.skipped);
        }
        Report {
            run_id: self.run_id.clone(),
            version: env!("CARGO_PKG_VERSION"),
            outcome: Outcome::NothingNew,
            broken_gates: Vec::new(),
            started: rfc3339(self.started),
            elapsed_s: 0.0,
            source: self.source.url().to_owned(),
            out: self.out.url.clone(),
            spec_hash: spec::hash_all(&self.specs),
            requests: RequestCounts::default(),
            tables,
            topics_without_transform: discovered
                .without_transform
                .iter()
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// How far the tables are behind the source, when all of it was listed.
    fn lag(&self, listed: &Discovered, report: Option<&Report>) -> BTreeMap<String, Lag> {
        let tables: Vec<&str> = self.specs.iter().map(|spec| spec.table.as_str()).collect();
        let part = |table: &str| report.and_then(|report| report.tables.get(table));
        let is_committed = |table: &str| part(table).is_some_and(|part| part.commit.is_some());
        lag(listed, &tables, self.settings.rebuilds(), is_committed)
    }

    /// What was asked of both stores.
    fn requests(&self) -> RequestCounts {
        self.source.requests().snapshot() + self.out.requests()
    }
}

/// What was written keeps the cleaning that it got.
fn warn_of_other_rules(spec: &Spec, before: &str) {
    if spec.hash != before {
        tracing::warn!(
            "{} has changed since the last run of table {}: rows that are there keep the old \
             cleaning; --full cleans all of them again",
            spec.file,
            spec.table
        );
    }
}
