//! The files of a view → a frame of the columns that are asked for.

use std::any::Any;
use std::sync::{Arc, Mutex};

use arrow::datatypes::SchemaRef as ArrowSchema;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt, stream};
use polars::prelude::{
    AnonymousScan, AnonymousScanArgs, DataFrame, PolarsError, PolarsResult, SchemaRef,
};
use tokio::runtime::Handle;

use super::view::{File, View};
use crate::arrow_bridge::data_frame;
use crate::delta::read::FileReader;
use crate::{Error, Result};

/// Files that are read at a time.
const AT_ONCE: usize = 32;

/// What went wrong with files while Polars computed: it passes on only words.
pub(super) type Failed = Arc<Mutex<Option<Error>>>;

/// A view as Polars reads it.
pub(super) struct Scan {
    pub(super) view: Arc<View>,
    /// Where the reading is done: not on the threads of Polars.
    pub(super) runtime: Handle,
    pub(super) failed: Failed,
}

impl AnonymousScan for Scan {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn schema(&self, _: Option<usize>) -> PolarsResult<SchemaRef> {
        let empty = RecordBatch::new_empty(Arc::clone(&self.view.schema));
        data_frame(&empty).map(|frame| Arc::clone(frame.schema())).map_err(|e| self.failed(e))
    }

    fn allows_projection_pushdown(&self) -> bool {
        true
    }

    fn scan(&self, asked: AnonymousScanArgs) -> PolarsResult<DataFrame> {
        let read = || {
            let wanted = match &asked.with_columns {
                Some(names) => self.view.columns(names.iter().map(|name| name.as_str()))?,
                None => Arc::clone(&self.view.schema),
            };
            let frames = match asked.n_rows {
                Some(rows) => self.runtime.block_on(first(&self.view, &wanted, rows))?,
                None => self.runtime.block_on(all(&self.view, &wanted))?,
            };
            stacked(&wanted, frames)
        };
        read().map_err(|e| self.failed(e))
    }
}

impl Scan {
    fn failed(&self, error: Error) -> PolarsError {
        let words = PolarsError::ComputeError(error.to_string().into());
        // The first error is the cause; a poisoned lock still has it.
        let mut first = self.failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        first.get_or_insert(error);
        words
    }
}

impl View {
    /// The schema of some of the columns, in this order.
    fn columns<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<ArrowSchema> {
        let places = names.map(|name| self.schema.index_of(name)).collect::<Result<Vec<_>, _>>();
        let schema = places.and_then(|places| self.schema.project(&places));
        schema.map(Arc::new).map_err(internal)
    }
}

/// The rows of all files, in their order.
async fn all(view: &Arc<View>, wanted: &ArrowSchema) -> Result<Vec<DataFrame>> {
    let (view, wanted) = (Arc::clone(view), Arc::clone(wanted));
    let files = 0..view.files.len();
    let read = move |at: usize| {
        let (view, wanted) = (Arc::clone(&view), Arc::clone(&wanted));
        // A task of its own, to be decoded beside others.
        let task = tokio::spawn(async move { rows(&view, &view.files[at], &wanted, None).await });
        async move { task.await.map_err(internal)? }
    };
    let frames: Vec<Vec<DataFrame>> =
        stream::iter(files).map(read).buffered(AT_ONCE).try_collect().await?;
    Ok(frames.into_iter().flatten().collect())
}

/// So many rows, of as few files as they are in.
async fn first(view: &View, wanted: &ArrowSchema, limit: usize) -> Result<Vec<DataFrame>> {
    let (mut frames, mut missing) = (Vec::new(), limit);
    for file in &view.files {
        if missing == 0 {
            break;
        }
        for frame in rows(view, file, wanted, Some(missing)).await? {
            let frame = frame.slice(0, missing);
            missing -= frame.height();
            frames.push(frame);
        }
    }
    Ok(frames)
}

/// The rows of a file; with `enough`, no batch is read after that many.
async fn rows(
    view: &View,
    file: &File,
    wanted: &ArrowSchema,
    enough: Option<usize>,
) -> Result<Vec<DataFrame>> {
    let reader = FileReader::open(&view.output, &file.path).await.map_err(|e| view.gone(e))?;
    if wanted.fields().is_empty() {
        let rows = usize::try_from(reader.rows()).map_err(internal)?;
        return Ok(vec![DataFrame::empty_with_height(rows)]);
    }
    let mut batches = reader.read(wanted, &file.partition)?;
    let (mut frames, mut read) = (Vec::new(), 0);
    while enough.is_none_or(|enough| read < enough) {
        let Some(batch) = batches.try_next().await.map_err(|e| view.gone(e))? else { break };
        read += batch.num_rows();
        frames.push(data_frame(&batch)?);
    }
    Ok(frames)
}

impl View {
    /// The files of an older version may have been vacuumed.
    fn gone(&self, error: Error) -> Error {
        match (error, self.version) {
            (Error::DataFileGone { path, .. }, Some(as_of)) => Error::Usage(format!(
                "--as-of {as_of}: that version of {} can no longer be read: files that it \
                 consists of were deleted since, such as {path}",
                self.name
            )),
            (error, _) => error,
        }
    }
}

/// One frame of all, with the columns even if there are no rows.
fn stacked(wanted: &ArrowSchema, frames: Vec<DataFrame>) -> Result<DataFrame> {
    let mut frames = frames.into_iter();
    let Some(mut whole) = frames.next() else {
        return data_frame(&RecordBatch::new_empty(Arc::clone(wanted)));
    };
    for frame in frames {
        whole.vstack_mut_owned(frame).map_err(internal)?;
    }
    Ok(whole)
}

fn internal(e: impl std::fmt::Display) -> Error {
    Error::Internal { stage: "query", message: e.to_string() }
}
