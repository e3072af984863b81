//! The commit of a run: table by table, each in one atomic step.

use chrono::Utc;

use super::{Job, Table};
use crate::error::Result;
use crate::pipeline::commit::{Counts, Draft, Mode};
use crate::pipeline::discover::Watermarks;
use crate::pipeline::report::{Outcome, Report, TableReport, rfc3339};
use crate::pipeline::work::Done;
use crate::pipeline::write::{Staged, fields};
use crate::spec::Spec;

impl Job<'_> {
    /// Commits what each table got, once all of them balance.
    ///
    /// # Errors
    /// [`Error::Balance`](crate::Error::Balance) before anything is committed;
    /// then those of the commits.
    pub(super) fn commit(
        &self,
        tables: &[Table],
        done: Vec<Done>,
        report: &mut Report,
    ) -> Result<()> {
        let mut pending: Vec<Pending> = tables.iter().map(|_| Pending::default()).collect();
        for shard in done {
            let name = &self.specs[shard.table].table;
            let table = report.tables.entry(name.clone()).or_default();
            pending[shard.table].add(shard, table);
        }
        let mut pending = self.specs.iter().zip(tables).zip(pending);
        let committed = report.balance().and_then(|()| {
            for ((spec, table), pending) in pending.by_ref() {
                self.commit_pending(spec, table, pending, report)?;
            }
            Ok(())
        });
        // Of the tables that are left.
        for ((_, table), pending) in pending {
            self.runtime.block_on(table.log.discard(pending.staged));
        }
        committed
    }

    fn commit_pending(
        &self,
        spec: &Spec,
        table: &Table,
        pending: Pending,
        report: &mut Report,
    ) -> Result<()> {
        if pending.reached.is_empty() {
            return Ok(());
        }
        if let Err(stopped) = self.stop.check() {
            self.runtime.block_on(table.log.discard(pending.staged));
            return Err(stopped);
        }
        let part = report.tables.entry(spec.table.clone()).or_default();
        part.manifest = Some(self.commit_table(spec, table, pending, part)?);
        report.outcome = Outcome::Committed;
        Ok(())
    }

    fn commit_table(
        &self,
        spec: &Spec,
        table: &Table,
        pending: Pending,
        part: &TableReport,
    ) -> Result<String> {
        let draft = Draft {
            run_id: self.run_id.clone(),
            committed_at: rfc3339(Utc::now()),
            source: self.source.url().to_owned(),
            spec_hash: spec.hash.clone(),
            schema: fields(spec),
            mode: if self.settings.full { Mode::Full } else { Mode::Append },
            reached: pending.reached,
            files: part.files.clone(),
            rejects: part.quarantine_files.clone(),
            counts: Counts {
                read: part.records_read,
                written: part.records_written,
                quarantined: part.records_quarantined,
                duplicate: part.records_duplicate,
            },
        };
        let commit = table.log.commit(table.base.as_ref(), draft, pending.staged);
        Ok(self.runtime.block_on(commit)?.place)
    }
}

/// What one table has to commit.
#[derive(Default)]
struct Pending {
    staged: Vec<Staged>,
    reached: Watermarks,
}

impl Pending {
    fn add(&mut self, shard: Done, table: &mut TableReport) {
        table.add_shard(&shard.source, &shard.counts);
        table.files.extend(shard.written.files.iter().map(|staged| staged.file.clone()));
        table
            .quarantine_files
            .extend(shard.written.rejects.iter().map(|staged| staged.file.clone()));
        self.staged.extend(shard.written.files.into_iter().chain(shard.written.rejects));
        let reached = self.reached.entry((*shard.source).clone()).or_insert(shard.reached);
        if shard.reached.start >= reached.start {
            *reached = shard.reached;
        }
    }
}
