//! `pinclean history`: the runs of tables.

mod entry;
mod terminal;

use futures::{StreamExt, TryStreamExt, stream};

use super::tables::{self, Finished};
use crate::Result;
use crate::settings::{History, Ui};
use crate::store::Session;
use entry::{Entry, Reached};

/// Commits that are read at a time.
const AT_ONCE: usize = 16;

/// Prints the versions of tables, the latest first: what was done, by which run,
/// with which counts; and how far each source is read.
///
/// # Errors
/// Those of finding the tables, and of reading their logs.
pub fn history(settings: &History, _ui: &Ui) -> Result<()> {
    let runtime = super::runtime()?;
    let session = Session::new(settings.tables.s3.clone());
    let past = runtime.block_on(async {
        let tables = tables::open(&settings.tables, &session).await?;
        let past = stream::iter(&tables).then(|table| Past::read(table, settings.limit));
        past.try_collect::<Vec<_>>().await
    })?;
    let shown = past.iter().map(|past| match settings.json {
        true => past.json(),
        false => Ok(past.terminal()),
    });
    let shown = shown.collect::<Result<Vec<_>>>()?;
    super::print(&shown.join(if settings.json { "" } else { "\n" }))
}

/// The latest versions of a table.
#[derive(Debug)]
struct Past {
    place: String,
    /// The latest first; at least one, unless its commit is gone.
    entries: Vec<Entry>,
    /// The latest version whose commit is no longer there, if it was to be shown.
    gone: Option<u64>,
    /// How far each source is read.
    watermarks: Vec<Reached>,
}

impl Past {
    async fn read(table: &Finished, limit: usize) -> Result<Past> {
        let (logs, state) = (&table.logs, &table.state);
        let versions = (0..=state.version()).rev().take(limit);
        let read = async |version| Ok((version, logs.rows().entry(version).await?));
        let mut commits = stream::iter(versions).map(read).buffered(AT_ONCE);
        let (mut entries, mut gone) = (Vec::new(), None);
        while let Some((version, commit)) = commits.try_next().await? {
            match commit {
                Some(actions) => entries.push(Entry::new(logs, version, actions)),
                // Only the oldest commits are cleaned away.
                None => {
                    gone = Some(version);
                    break;
                }
            }
        }
        let watermarks = Reached::all(&logs.watermarks(state));
        if let Some(latest) = entries.first_mut() {
            latest.watermarks = Some(watermarks.clone());
        }
        Ok(Past { place: logs.rows().place(), entries, gone, watermarks })
    }

    /// An object a line for each version.
    fn json(&self) -> Result<String> {
        if let Some(gone) = self.gone {
            tracing::info!("{}: {}", self.place, cleaned_away(gone));
        }
        let lines = self.entries.iter().map(Entry::line);
        Ok(lines.collect::<Result<Vec<_>>>()?.concat())
    }
}

/// Says that the log does not go back further.
fn cleaned_away(version: u64) -> String {
    format!("the commits up to version {version} were cleaned out of the log")
}

#[cfg(test)]
mod tests;
