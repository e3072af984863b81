//! A name in SQL → the files of a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use object_store::path::Path;

use super::as_of::{AsOf, spelt};
use crate::delta::{AtTime, Log, State, arrow_schema};
use crate::pipeline::commit::{Holds, Latest, ManifestLog, Snapshot, TableLogs};
use crate::pipeline::write::{DataFile, quarantine_schema, schema_of};
use crate::spec::is_table_name;
use crate::store::Output;
use crate::{Error, Result};

/// What the name of a table's quarantine begins with.
const QUARANTINE: &str = "quarantine_";

/// One version of the rows of a table, or of its rejects.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Its name in SQL.
    pub(super) name: String,
    /// Its columns.
    pub(super) schema: SchemaRef,
    /// Its files, the oldest first.
    pub(super) files: Vec<File>,
    /// Where they are.
    pub(super) output: Output,
    /// Its version, if it is not the latest.
    pub(super) version: Option<AsOf>,
}

/// A file of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// From the output's root.
    pub(super) path: Path,
    /// The values of the partition columns, as the log spells them.
    pub(super) partition: BTreeMap<String, Option<String>>,
}

/// The names of all views below an output, in order. A quarantine is there for
/// each table.
pub(super) async fn names(output: &Output) -> Result<Vec<String>> {
    let tables = tables(output).await?;
    let quarantines = tables.iter().map(|name| format!("{QUARANTINE}{name}"));
    Ok(tables.iter().cloned().chain(quarantines).collect())
}

async fn tables(output: &Output) -> Result<Vec<String>> {
    let found = TableLogs::look_into(output, TableLogs::folders(output).await?).await?;
    let ours =
        found.iter().filter(|(_, holds)| matches!(holds, Ok(Holds::Table(_) | Holds::Manifests)));
    Ok(ours.map(|(logs, _)| logs.name().to_owned()).collect())
}

/// Opens a view by its name; nothing if there is none.
///
/// # Errors
/// Those of the store, [`Error::BadTable`], [`Error::BadManifest`] and
/// [`Error::TableFeatures`]; [`Error::Usage`] for a version that there is not.
pub(super) async fn open(output: &Output, name: &str, as_of: Option<AsOf>) -> Result<Option<View>> {
    if !is_table_name(name) {
        return Ok(None);
    }
    let table = name.strip_prefix(QUARANTINE).filter(|table| is_table_name(table));
    if let Some(table) = table
        && let Some(view) = (Finder { output, name, table, as_of }).quarantine().await?
    {
        return Ok(Some(view));
    }
    Finder { output, name, table: name, as_of }.rows().await
}

/// A view that is looked for.
struct Finder<'a> {
    output: &'a Output,
    /// Its name in SQL.
    name: &'a str,
    /// The table that it is of.
    table: &'a str,
    as_of: Option<AsOf>,
}

impl Finder<'_> {
    async fn rows(&self) -> Result<Option<View>> {
        let logs = TableLogs::new(self.output, self.table);
        match self.look(&logs).await? {
            Holds::Nothing => Ok(None),
            Holds::Manifests => {
                let Some(snapshot) = self.snapshot().await? else { return Ok(None) };
                let schema = schema_of(&snapshot.schema).ok_or_else(|| self.foreign(&logs))?;
                let files = self.listed(logs.rows(), snapshot.files);
                Ok(Some(self.view(schema, files)))
            }
            Holds::Table(latest) => {
                let state = self.version(logs.rows(), latest).await?;
                let schema = arrow_schema(&state.schema()).ok_or_else(|| self.foreign(&logs))?;
                Ok(Some(self.view(schema, self.live(logs.rows(), &state).await?)))
            }
            Holds::Stranger(_) => Ok(None),
        }
    }

    async fn quarantine(&self) -> Result<Option<View>> {
        let logs = TableLogs::new(self.output, self.table);
        let files = match self.look(&logs).await? {
            Holds::Nothing | Holds::Stranger(_) => return Ok(None),
            Holds::Manifests => match self.snapshot().await? {
                Some(snapshot) => self.listed(logs.rejects(), snapshot.rejects),
                None => return Ok(None),
            },
            Holds::Table(latest) => self.rejects(&logs, latest).await?,
        };
        Ok(Some(self.view(quarantine_schema(), files)))
    }

    /// The rejects of a Delta table. Of a version by its number, which is the
    /// quarantine's own, those that it has; else also those that the table owes
    /// to it.
    async fn rejects(&self, logs: &TableLogs, latest: State) -> Result<Vec<File>> {
        let there = logs.quarantine().await?;
        if let Some(AsOf::Version(_)) = self.as_of {
            let Some(there) = there else {
                return Err(Error::Usage(format!(
                    "--as-of: {} has no versions: nothing was ever rejected",
                    self.name
                )));
            };
            let state = self.version(logs.rejects(), there).await?;
            return self.live(logs.rejects(), &state).await;
        }
        let rows = self.version(logs.rows(), latest).await?;
        let there = match (there, self.as_of) {
            (Some(there), Some(AsOf::Time(time))) => {
                match logs.rejects().version_at(there.version(), time).await? {
                    AtTime::Version(version) => Some(self.read_at(logs.rejects(), version).await?),
                    AtTime::Before { version: 0, .. } => None,
                    AtTime::Before { version, committed } => {
                        return Err(self.cleaned_away(version, &spelt(committed)));
                    }
                }
            }
            (there, _) => there,
        };
        let pending = logs.pending(&rows, there.as_ref()).await?;
        if let [.., replay] = pending.replays.as_slice() {
            tracing::warn!(
                "{}: the rejects that the replay {replay} landed are still marked as open, until \
                 the next run",
                self.name
            );
        }
        let mut files = match there {
            Some(there) if !pending.replace => self.live(logs.rejects(), &there).await?,
            _ => Vec::new(),
        };
        files.extend(pending.files.into_iter().map(|file| File {
            path: logs.rejects().file_path(&file.path),
            partition: BTreeMap::new(),
        }));
        Ok(files)
    }

    /// What is there; a stranger's table is told of, and is no view.
    async fn look(&self, logs: &TableLogs) -> Result<Holds> {
        let holds = logs.look().await?;
        if let Holds::Stranger(problem) = &holds {
            tracing::warn!("{} is passed over: {problem}", logs.rows().place());
        }
        Ok(holds)
    }

    /// The version that is asked of a Delta table.
    async fn version(&self, log: &Log, latest: State) -> Result<State> {
        let version = match self.as_of {
            None => return Ok(latest),
            Some(AsOf::Version(version)) if version > latest.version() => {
                return Err(self.no_version(version, 0, latest.version()));
            }
            Some(AsOf::Version(version)) => version,
            Some(AsOf::Time(time)) => match log.version_at(latest.version(), time).await? {
                AtTime::Version(version) => version,
                AtTime::Before { version: 0, committed } => {
                    return Err(self.begins(&spelt(committed)));
                }
                AtTime::Before { version, committed } => {
                    return Err(self.cleaned_away(version, &spelt(committed)));
                }
            },
        };
        match version == latest.version() {
            true => Ok(latest),
            false => self.read_at(log, version).await,
        }
    }

    async fn read_at(&self, log: &Log, version: u64) -> Result<State> {
        let gone = || {
            Error::Usage(format!(
                "--as-of: version {version} of {} can no longer be read: it was cleaned out of \
                 its log",
                self.name
            ))
        };
        match log.read_at(Some(version)).await {
            Ok(Some(state)) => Ok(state),
            Ok(None) => Err(gone()),
            // The kernel has no error of its own for a log that begins later.
            Err(Error::BadTable { .. }) if log.entry(0).await?.is_none() => Err(gone()),
            Err(error) => Err(error),
        }
    }

    /// The version that is asked of a table of plain Parquet.
    async fn snapshot(&self) -> Result<Option<Snapshot>> {
        let log = ManifestLog::new(self.output.clone(), self.table);
        let Some(latest) = log.read_latest().await? else { return Ok(None) };
        let at: Latest = match self.as_of {
            None => latest,
            Some(AsOf::Version(number)) if !(1..=latest.number).contains(&number) => {
                return Err(self.no_version(number, 1, latest.number));
            }
            Some(AsOf::Version(number)) => log.read_at(number).await?,
            Some(AsOf::Time(time)) => match log.read_at_time(latest, time).await? {
                Ok(at) => at,
                Err(first) => return Err(self.begins(&spelt(first))),
            },
        };
        log.snapshot(at).await.map(Some)
    }

    async fn live(&self, log: &Log, state: &State) -> Result<Vec<File>> {
        let mut files = log.files(state).await?;
        log.refuse_deletion_vectors(&files)?;
        files.sort_by(|a, b| (a.modified, &a.path).cmp(&(b.modified, &b.path)));
        let file = |file: crate::delta::LiveFile| File {
            path: log.file_path(&file.path),
            partition: file.partition,
        };
        Ok(files.into_iter().map(file).collect())
    }

    fn listed(&self, log: &Log, files: Vec<DataFile>) -> Vec<File> {
        let file = |file: DataFile| File {
            path: log.file_path(&file.path),
            partition: file.partition.into_iter().collect(),
        };
        files.into_iter().map(file).collect()
    }

    fn view(&self, schema: SchemaRef, files: Vec<File>) -> View {
        View {
            name: self.name.to_owned(),
            schema: widened(&schema),
            files,
            output: self.output.clone(),
            version: self.as_of,
        }
    }

    fn foreign(&self, logs: &TableLogs) -> Error {
        Error::BadTable {
            place: logs.rows().place(),
            problem: "it has a column of a type that pinclean does not write".to_owned(),
        }
    }

    fn no_version(&self, version: u64, first: u64, last: u64) -> Error {
        let there = match first == last {
            true => format!("only version {first}"),
            false => format!("versions {first} to {last}"),
        };
        Error::Usage(format!("--as-of {version}: {} has {there}", self.name))
    }

    fn begins(&self, first: &str) -> Error {
        let as_of = self.as_of.map(|as_of| as_of.to_string()).unwrap_or_default();
        Error::Usage(format!("--as-of {as_of}: {} begins at {first}", self.name))
    }

    fn cleaned_away(&self, version: u64, committed: &str) -> Error {
        let as_of = self.as_of.map(|as_of| as_of.to_string()).unwrap_or_default();
        Error::Usage(format!(
            "--as-of {as_of}: the log of {} goes back to version {version} of {committed}; what \
             was before was cleaned out of it",
            self.name
        ))
    }
}

/// A schema with all whole numbers in 64 bits: Polars adds up 32 bits in 32 bits.
fn widened(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| wide(field));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn wide(field: &Field) -> Field {
    let ty = match field.data_type() {
        DataType::Int32 => DataType::Int64,
        DataType::List(element) => DataType::List(Arc::new(wide(element))),
        DataType::LargeList(element) => DataType::LargeList(Arc::new(wide(element))),
        other => other.clone(),
    };
    field.clone().with_data_type(ty)
}

/// A column's type as the transforms spell it; of a view, none is of 32 bits.
pub(super) fn spelt_type(ty: &DataType) -> String {
    match ty {
        DataType::Int64 => "int64".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::List(element) | DataType::LargeList(element) => {
            format!("list<{}>", spelt_type(element.data_type()))
        }
        _ => "string".to_owned(),
    }
}
