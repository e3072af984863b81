//! Types that widen: the files that are there, written anew.
//!
//! The log could say that older files are of a narrower type (the protocol's
//! feature `typeWidening`), but few readers can read such a table.

use super::{DeltaTable, internal};
use crate::Result;
use crate::delta::{LiveFile, State, arrow_schema};
use crate::pipeline::commit::{Draft, Mode};
use crate::pipeline::write::{DataFile, FileSink};
use crate::rewrite::{Many, Rewrite};
use crate::settings::DEFAULT_TARGET_SIZE;
use crate::signals::Stop;

/// Files that are written anew at a time.
const WORKERS: usize = 2;

/// The files of a table whose types widen, before and after.
#[derive(Debug, Default)]
pub(super) struct Widened {
    /// Whether any type does.
    pub(super) any: bool,
    pub(super) old: Vec<LiveFile>,
    pub(super) new: Vec<DataFile>,
}

impl DeltaTable {
    /// Writes all files of `base` with the types of the transform, if these are
    /// wider. The new ones are published, and no log lists them. Memory is
    /// bounded, but for the list of the files.
    ///
    /// # Errors
    /// [`Error::SchemaChanged`](crate::Error::SchemaChanged) if the columns
    /// cannot become those of the transform; those of [`Rewrite::run`]. Nothing is
    /// left then.
    pub(super) async fn widen(&self, base: Option<&State>, draft: &Draft) -> Result<Widened> {
        let Some(state) = base.filter(|_| draft.mode == Mode::Append) else {
            return Ok(Widened::default());
        };
        let widened = self.check(state)?.widened;
        if widened.is_empty() {
            return Ok(Widened::default());
        }
        let old = self.logs.rows.files(state).await?;
        tracing::info!(
            table = self.logs.table,
            columns = widened.join(", "),
            files = old.len(),
            "types have become wider: the files that are there are written anew"
        );
        let (table, name) = (self.clone(), format!("widened-{}", draft.run_id));
        let work = move || table.write_wider(old, &name);
        tokio::task::spawn_blocking(work).await.map_err(internal)?
    }

    /// To be called on a thread that may wait.
    fn write_wider(&self, old: Vec<LiveFile>, name: &str) -> Result<Widened> {
        let log = &self.logs.rows;
        let schema = arrow_schema(&self.about.schema)
            .ok_or_else(|| internal("a column is of a type that no file has"))?;
        let sink = FileSink::anew(log, tokio::runtime::Handle::current());
        let rewrite = Rewrite {
            log,
            sink: &sink,
            schema: &schema,
            target_size: DEFAULT_TARGET_SIZE,
            sort: None,
        };
        let groups: Vec<Vec<LiveFile>> = old.iter().map(|file| vec![file.clone()]).collect();
        let stop = Stop::default();
        let new = rewrite.publish_all(&groups, Many { name, workers: WORKERS, stop: &stop })?;
        Ok(Widened { any: true, old, new })
    }
}
