//! `pinclean vacuum`: files that no table uses any more, deleted.

use std::fmt::Write as _;

use super::ending;
use super::tables::{self, Finished};
use crate::Result;
use crate::delta::{Log, Retention, State, Unused};
use crate::grid::{Column, grid, megabytes, thousands};
use crate::settings::{Ui, Vacuum};
use crate::store::{Output, Session, Store};

/// Deletes the files that tables have not used for as long as is asked for.
///
/// # Errors
/// Those of finding the tables, and of reading, listing and deleting. What was
/// deleted before is told all the same.
pub fn vacuum(settings: &Vacuum, ui: &Ui) -> Result<()> {
    let runtime = super::runtime()?;
    let session = Session::new(settings.tables.s3.clone());
    let mut vacuumed = Vec::new();
    let done = runtime.block_on(async {
        let Vacuum { tables, durability, .. } = settings;
        let store = Store::for_changing(&tables.url, &session, *durability).await?;
        below(&Output::new(&store), settings, &mut vacuumed).await
    });
    let shown = match ui.quiet || vacuumed.is_empty() {
        true => Ok(()),
        false => super::print(&show(&vacuumed, settings.dry_run)),
    };
    ending::gravest([done, shown])
}

/// [`vacuum`] below an output that is open already, whatever place the settings
/// name. What is deleted is added to `vacuumed`.
///
/// # Errors
/// As [`vacuum`].
pub async fn below(output: &Output, settings: &Vacuum, vacuumed: &mut Vec<Vacuumed>) -> Result<()> {
    for table in tables::find(output, &settings.tables.names).await? {
        Vacuuming { settings, vacuumed }.table(&table).await?;
    }
    output.finish().await
}

/// What was deleted of one table, or would be.
#[derive(Debug)]
pub struct Vacuumed {
    /// The table's folder, below the output.
    name: String,
    place: String,
    unused: Unused,
}

/// The vacuum of tables, one after the other.
struct Vacuuming<'a> {
    settings: &'a Vacuum,
    vacuumed: &'a mut Vec<Vacuumed>,
}

impl Vacuuming<'_> {
    /// The rows and the quarantine of a table. The files that the rows owe to the
    /// quarantine are in no log until it has taken them over.
    async fn table(&mut self, table: &Finished) -> Result<()> {
        let (logs, rows) = (&table.logs, &table.state);
        let owed = match self.settings.dry_run {
            true => logs.unsettled(rows).await?,
            false => {
                logs.settle(rows).await?;
                Default::default()
            }
        };
        self.log(logs.rows(), rows, |_| true).await?;
        if let Some(rejects) = logs.rejects().read().await? {
            self.log(logs.rejects(), &rejects, |file| !owed.contains(file)).await?;
        }
        Ok(())
    }

    async fn log(
        &mut self,
        log: &Log,
        state: &State,
        counts: impl Fn(&String) -> bool,
    ) -> Result<()> {
        let retention = self.retention(log, state);
        let mut unused = log.unused(retention).await?;
        unused.retain(|file, _| counts(file));
        if !self.settings.dry_run && !unused.is_empty() {
            log.vacuum(retention).await?;
        }
        self.vacuumed.push(Vacuumed { name: log.folder().to_string(), place: log.place(), unused });
        Ok(())
    }

    /// A table may ask to keep files longer than the operator does.
    fn retention(&self, log: &Log, state: &State) -> Retention {
        let Vacuum { retain, force, .. } = *self.settings;
        let asked = state.file_retention();
        if force || asked <= retain {
            return Retention { keep: retain, forced: force };
        }
        tracing::info!(
            "{} keeps its files for {} hours (delta.deletedFileRetentionDuration); --force goes by \
             --retain alone",
            log.place(),
            asked.as_secs() / 3_600
        );
        Retention { keep: asked, forced: false }
    }
}

/// A line for each file that would be deleted, and what it is in all.
fn show(vacuumed: &[Vacuumed], dry_run: bool) -> String {
    let mut out = String::new();
    let listed = vacuumed.iter().filter(|_| dry_run);
    for (table, path) in listed.flat_map(|table| table.unused.keys().map(move |p| (table, p))) {
        let _ = writeln!(out, "{}/{path}", table.place);
    }
    let columns = match dry_run {
        true => [Column::Text("table"), Column::Number("files to delete"), Column::Number("MB")],
        false => [Column::Text("table"), Column::Number("files deleted"), Column::Number("MB")],
    };
    out + &grid(columns, vacuumed.iter().map(cells))
}

fn cells(table: &Vacuumed) -> [String; 3] {
    let bytes = table.unused.values().sum();
    [table.name.clone(), thousands(table.unused.len() as u64), megabytes(bytes)]
}

#[cfg(test)]
mod tests;
