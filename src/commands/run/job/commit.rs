//! The commit of a run: table by table, each in one atomic step.

use std::collections::BTreeSet;

use chrono::Utc;

use super::{Job, Table};
use crate::error::{Error, Result};
use crate::failpoint::{self, Point};
use crate::key::{Source, Topic};
use crate::pipeline::commit::{Base, Committed, Counts, Draft, Mode};
use crate::pipeline::discover::Watermarks;
use crate::pipeline::report::{NullColumn, Outcome, Report, TableReport, rfc3339};
use crate::pipeline::work::Done;
use crate::pipeline::write::{Staged, discard, fields, publish};
use crate::spec::Spec;
use crate::store::probe;

impl Job<'_> {
    /// Commits what each table got, once all of them balance and all files are
    /// written: what can fail comes before the first manifest.
    ///
    /// # Errors
    /// [`Error::Balance`], [`Error::SchemaChanged`], [`Error::Usage`] if
    /// `--full` would drop topics, and those of writing, before anything is
    /// committed; then those of the commits.
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
        for spec in &self.specs {
            if let Some(table) = report.tables.get_mut(&spec.table) {
                table.null_columns = NullColumn::all(spec, table);
            }
        }
        let checked = self.check(tables, &pending, report);
        let staged = pending.iter_mut().flat_map(|pending| pending.staged.drain(..)).collect();
        let output = self.output();
        if let Err(error) = checked {
            self.runtime.block_on(discard(&output, staged));
            return Err(error);
        }
        failpoint::hit(Point::BeforePublish);
        if let Err(error) = self.runtime.block_on(publish(&output, staged)) {
            self.abandon(tables, report, 0);
            return Err(error);
        }
        failpoint::hit(Point::Published);
        for (n, pending) in pending.into_iter().enumerate() {
            if pending.reached.is_empty() {
                continue;
            }
            let (spec, table) = (&self.specs[n], &tables[n]);
            let part = report.tables.entry(spec.table.clone()).or_default();
            match self.commit_table(spec, table, pending, part) {
                Ok(Committed { place, files, replaced, .. }) => {
                    part.commit = Some(place);
                    part.files = files;
                    part.records_replaced = replaced;
                    report.outcome = Outcome::Committed;
                }
                Err(error) => {
                    self.abandon(tables, report, n + 1);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Removes the files of the tables from the `first` on: no commit of them was
    /// tried.
    fn abandon(&self, tables: &[Table], report: &Report, first: usize) {
        for (spec, table) in self.specs.iter().zip(tables).skip(first) {
            if let Some(part) = report.tables.get(&spec.table) {
                let (files, rejects) = (&part.files, &part.quarantine_files);
                self.runtime.block_on(table.log.abandon(files, rejects));
            }
        }
    }

    /// What can be refused while nobody has seen a file.
    fn check(&self, tables: &[Table], pending: &[Pending], report: &Report) -> Result<()> {
        report.balance()?;
        for ((spec, table), pending) in self.specs.iter().zip(tables).zip(pending) {
            if let Some(base) = table.base.as_ref().filter(|_| self.settings.rebuilds())
                && !pending.reached.is_empty()
            {
                self.check_rebuild(spec, base, &pending.reached)?;
            }
        }
        for (table, _) in tables.iter().zip(pending).filter(|(_, pending)| pending.rejects) {
            self.runtime.block_on(table.log.check_quarantine())?;
        }
        self.stop.check()?;
        let begins = tables
            .iter()
            .zip(pending)
            .any(|(table, pending)| table.base.is_none() && !pending.reached.is_empty());
        match begins && self.out.is_remote() {
            true => self.runtime.block_on(probe(&self.out, &self.run_id)),
            false => Ok(()),
        }
    }

    /// A full run must read all that is in the table.
    fn check_rebuild(&self, spec: &Spec, base: &Base, reached: &Watermarks) -> Result<()> {
        let globs = &self.settings.topics;
        check_rebuild(&spec.table, &base.watermarks, reached, |topic| {
            globs.is_empty() || globs.iter().any(|g| g.matcher.is_match(topic.as_str()))
        })
    }

    fn commit_table(
        &self,
        spec: &Spec,
        table: &Table,
        pending: Pending,
        part: &TableReport,
    ) -> Result<Committed> {
        let draft = Draft {
            run_id: self.run_id.clone(),
            committed_at: rfc3339(Utc::now()),
            source: self.source.url().to_owned(),
            spec_hash: spec.hash.clone(),
            schema: fields(spec),
            mode: if self.settings.rebuilds() { Mode::Full } else { Mode::Append },
            reached: pending.reached,
            files: part.files.clone(),
            rejects: part.quarantine_files.clone(),
            resolved: None,
            counts: Counts {
                read: part.records_read,
                written: part.records_written,
                quarantined: part.records_quarantined,
                duplicate: part.records_duplicate,
            },
        };
        let commit = table.log.commit(table.base.as_ref(), draft);
        self.runtime.block_on(commit)
    }
}

/// What one table has to commit.
#[derive(Default)]
struct Pending {
    staged: Vec<Staged>,
    reached: Watermarks,
    /// Whether there are rejects.
    rejects: bool,
}

impl Pending {
    fn add(&mut self, shard: Done, table: &mut TableReport) {
        table.add_shard(&shard.source, &shard.counts);
        table.files.extend(shard.written.files.iter().map(|staged| staged.file.clone()));
        table
            .quarantine_files
            .extend(shard.written.rejects.iter().map(|staged| staged.file.clone()));
        self.rejects |= !shard.written.rejects.is_empty();
        self.staged.extend(shard.written.files.into_iter().chain(shard.written.rejects));
        let reached = self.reached.entry((*shard.source).clone()).or_insert(shard.reached);
        // Shards come in the order of their offsets. An earlier one may reach farther, if
        // its last object is longer than those after it.
        let covered = if shard.has_offsets { reached.end } else { 0 };
        if shard.reached.start >= reached.start {
            *reached = shard.reached;
        }
        reached.end = reached.end.max(covered);
    }
}

/// Refuses to rebuild a table without a topic that it holds and that the
/// operator left out; a topic that the source no longer has is only told.
fn check_rebuild(
    table: &str,
    before: &Watermarks,
    reached: &Watermarks,
    wanted: impl Fn(&Topic) -> bool,
) -> Result<()> {
    for Source { topic, .. } in before.keys() {
        if !wanted(topic) {
            return Err(Error::Usage(format!(
                "--full rebuilds table {table} whole, and --topic leaves out {topic}, whose rows \
                 are in it: leave out --topic, or write to another --out"
            )));
        }
    }
    let gone: BTreeSet<&Topic> = before
        .keys()
        .map(|source| &source.topic)
        .filter(|topic| !reached.keys().any(|source| source.topic == **topic))
        .collect();
    for topic in gone {
        tracing::warn!(table, %topic, "the source has no records of this topic any more: the rebuilt table has none");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::discover::Watermark;

    fn watermarks(topics: &[&str]) -> Watermarks {
        let source = |topic: &&str| Source {
            topic: Topic::parse(topic).unwrap(),
            directory: "partition=0".into(),
            partition: 0,
        };
        topics
            .iter()
            .map(|topic| (source(topic), Watermark { start: 0, end: 1, last: None }))
            .collect()
    }

    #[test]
    fn a_rebuild_never_loses_a_topic_that_was_left_out() {
        let before = watermarks(&["a.geo", "b.geo"]);
        let rebuild = |reached: &[&str], wanted: fn(&Topic) -> bool| {
            check_rebuild("geo", &before, &watermarks(reached), wanted)
        };
        assert!(rebuild(&["a.geo", "b.geo"], |_| true).is_ok());
        assert!(rebuild(&["a.geo"], |_| true).is_ok(), "the source has no b.geo any more");
        let error = rebuild(&["a.geo"], |topic| topic.as_str() == "a.geo").unwrap_err();
        assert!(error.to_string().contains("leaves out b.geo"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }
}
