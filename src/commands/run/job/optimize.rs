//! `--optimize-after`: what a run leaves is packed when it is too many files.

use super::{Job, Table};
use crate::Result;
use crate::delta::Log;
use crate::optimize::Optimizer;
use crate::pipeline::commit::TableLog;
use crate::pipeline::report::{Packed, Report};
use crate::settings::DEFAULT_TARGET_SIZE;

impl Job<'_> {
    /// Packs the files of those tables that the run committed to and that have
    /// more small files than `--optimize-after` allows. What fails is no failure
    /// of the run, which is committed: it is told, and the next run tries again.
    pub(super) fn optimize(&self, tables: &[Table], report: &mut Report) {
        let Some(few) = self.settings.optimize_after else { return };
        let optimizer = Optimizer {
            runtime: self.runtime,
            stop: &self.stop,
            id: &self.run_id,
            target_size: DEFAULT_TARGET_SIZE,
            memory: self.settings.memory,
        };
        for (spec, table) in self.specs.iter().zip(tables) {
            let Some(part) = report.tables.get_mut(&spec.table) else { continue };
            let (Some(_), TableLog::Delta(delta)) = (&part.commit, &table.log) else { continue };
            let pack = |log: &Log, name: &str| told(name, optimizer.pack(log, name, None, few));
            let (logs, name) = (delta.logs(), &spec.table);
            part.packed = pack(logs.rows(), name);
            part.quarantine_packed = pack(logs.rejects(), &format!("_quarantine/{name}"));
        }
    }
}

fn told(table: &str, packed: Result<Option<Packed>>) -> Option<Packed> {
    packed.unwrap_or_else(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(table, error, "the run is committed; its small files were not packed");
        None
    })
}
