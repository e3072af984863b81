//! Reading a table's log.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use delta_kernel::actions::{LOG_TXN_SCHEMA, Metadata};
use delta_kernel::engine_data::{GetData, RowVisitor, TypedGetData};
use delta_kernel::expressions::{ColumnName, column_name};
use delta_kernel::schema::{ColumnNamesAndTypes, DataType, StructType};
use delta_kernel::snapshot::{Snapshot, SnapshotRef};
use delta_kernel::table_features::Operation;
use delta_kernel::{DeltaResult, Engine, Error as KernelError};
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::Action;
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use serde_json::Value;
use url::Url;

use super::remember::Remembering;
use crate::store::Output;
use crate::{Error, Result};

/// The number of a commit, from 0.
pub type Version = u64;

/// The log of one table, which need not exist. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Log {
    pub(super) output: Output,
    pub(super) folder: Path,
    pub(super) store: LogStoreRef,
}

/// A table as one version of its log says that it is.
#[derive(Debug, Clone)]
pub struct State {
    snapshot: SnapshotRef,
    txns: BTreeMap<String, i64>,
}

impl State {
    /// The version.
    pub fn version(&self) -> Version {
        self.snapshot.version()
    }

    /// The table's identity: a table that is begun again has another.
    pub fn id(&self) -> &str {
        self.metadata().id()
    }

    /// The latest `txn` action of every application.
    pub fn txns(&self) -> &BTreeMap<String, i64> {
        &self.txns
    }

    /// The columns.
    pub fn schema(&self) -> Arc<StructType> {
        self.snapshot.schema()
    }

    /// The columns that files are told apart by.
    pub fn partition_columns(&self) -> &[String] {
        self.metadata().partition_columns()
    }

    /// A table property.
    pub fn property(&self, key: &str) -> Option<&str> {
        self.metadata().configuration().get(key).map(String::as_str)
    }

    /// The table's metadata.
    pub(super) fn metadata(&self) -> &Metadata {
        self.snapshot.table_configuration().metadata()
    }

    pub(super) fn snapshot(&self) -> &SnapshotRef {
        &self.snapshot
    }

    /// Whether what a writer has to heed is as in `other`.
    pub(super) fn agrees_with(&self, other: &State) -> bool {
        let (a, b) = (self.snapshot.table_configuration(), other.snapshot.table_configuration());
        a.metadata() == b.metadata() && a.protocol() == b.protocol()
    }
}

impl Log {
    /// The log of the table in a folder below the output.
    pub fn new(output: &Output, folder: Path) -> Log {
        let root: Arc<dyn ObjectStore> = Arc::new(Remembering::new(Arc::clone(&output.objects)));
        let table = Arc::new(PrefixStore::new(Arc::clone(&root), folder.clone()));
        let options = StorageConfig::default();
        let store = default_logstore(table, Arc::clone(&root), &location(&folder), &options);
        let output = Output { objects: root, ..output.clone() };
        Log { output, folder, store }
    }

    /// Where the table is, for messages.
    pub fn place(&self) -> String {
        self.output.place(&self.folder)
    }

    /// The folder below the output.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The output that the folder is in.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The latest version; nothing if there is no table. Requests: a GET of the
    /// last checkpoint's number, a LIST from there, and the commits since. To be
    /// called on a runtime of several threads.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::AccessDenied`]; [`Error::BadTable`] if the
    /// log makes no sense; [`Error::TableFeatures`] if it asks for more than
    /// this version can do.
    pub async fn read(&self) -> Result<Option<State>> {
        self.read_at(None).await
    }

    /// A version; nothing if there is no table.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_at(&self, version: Option<Version>) -> Result<Option<State>> {
        let engine = self.store.engine(None);
        let root = self.url();
        let read = move || -> DeltaResult<State> {
            let builder = Snapshot::builder_for(root);
            let builder = match version {
                Some(version) => builder.at_version(version),
                None => builder,
            };
            let snapshot = builder.build(engine.as_ref())?;
            let txns = read_txns(&snapshot, engine.as_ref())?;
            Ok(State { snapshot, txns })
        };
        match self.blocking(read).await? {
            Ok(state) => {
                self.check_features(&state)?;
                Ok(Some(state))
            }
            Err(e) if is_no_table(&e) => Ok(None),
            Err(e) => Err(self.explain(e)),
        }
    }

    /// The actions of a commit; nothing if the log does not hold it.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::AccessDenied`]; [`Error::BadTable`] for what
    /// is no commit.
    pub async fn entry(&self, version: Version) -> Result<Option<Vec<Action>>> {
        let path = self.entry_path(version);
        let read = async {
            object_store::ObjectStoreExt::get(&self.output.objects, &path).await?.bytes().await
        };
        let bytes = match read.await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            read => read.map_err(|e| self.output.read_error(&path, e))?,
        };
        let lines = bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        // Spark writes actions that the library does not know.
        let known = lines.filter_map(|line| match serde_json::from_slice::<Action>(line) {
            Ok(action) => Some(Ok(action)),
            Err(_) if serde_json::from_slice::<Value>(line).is_ok() => None,
            Err(e) => Some(Err(self.bad(format!("commit {version}: {e}")))),
        });
        known.collect::<Result<_>>().map(Some)
    }

    /// Where a commit is below the output; it need not be there.
    pub fn entry_path(&self, version: Version) -> Path {
        self.folder_of_commits().join(format!("{version:020}.json"))
    }

    pub(super) fn folder_of_commits(&self) -> Path {
        self.folder.clone().join("_delta_log")
    }

    /// The table's root for the kernel; ends with a slash.
    pub(super) fn url(&self) -> Url {
        let mut url = location(&self.folder);
        url.set_path(&format!("{}/", url.path()));
        url
    }

    /// Runs what the kernel does: it waits for requests on its own.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|e| Error::Internal { stage: "table log", message: e.to_string() })
    }

    fn check_features(&self, state: &State) -> Result<()> {
        let configuration = state.snapshot.table_configuration();
        configuration
            .ensure_operation_supported(Operation::Write)
            .map_err(|e| Error::TableFeatures { place: self.place(), problem: e.to_string() })
    }

    pub(super) fn bad(&self, problem: String) -> Error {
        Error::BadTable { place: self.place(), problem }
    }

    /// What the operator can do about an error of the kernel.
    pub(super) fn explain(&self, e: KernelError) -> Error {
        let folder = self.folder_of_commits();
        match e {
            KernelError::Backtraced { source, .. } => self.explain(*source),
            KernelError::ObjectStore(e) if is_of_a_listing(&e) => {
                self.output.list_error(&folder, e)
            }
            KernelError::ObjectStore(e) => self.output.read_error(&folder, e),
            KernelError::IOError(e) => {
                Error::Read { object: self.output.place(&folder), source: e.into() }
            }
            KernelError::Unsupported(problem) => {
                Error::TableFeatures { place: self.place(), problem }
            }
            e => self.explain_any(e.into()),
        }
    }

    /// An error of any of the libraries. One of the store, which they pass on, says
    /// nothing of the table.
    pub(super) fn explain_any(&self, e: BoxedError) -> Error {
        if !is_of_store(e.as_ref()) {
            return self.bad(e.to_string());
        }
        let e = object_store::Error::Generic { store: "table log", source: e };
        self.output.read_error(&self.folder_of_commits(), e)
    }
}

/// Where the kernel takes the table to be: its path is below the output's root,
/// and the rest says only how the store is. The kernel believes that stores list
/// in order, but for local ones, which it looks for by itself, and S3 directory
/// buckets. So ours is one of these: it then sorts what it lists.
fn location(folder: &Path) -> Url {
    let mut url = UNORDERED.clone();
    url.set_path(&format!("/{folder}"));
    url
}

#[allow(clippy::expect_used, reason = "a constant")]
static UNORDERED: LazyLock<Url> =
    LazyLock::new(|| Url::parse("s3://output--x-s3/").expect("a URL"));

/// The store says what it was asked for in words only.
fn is_of_a_listing(e: &object_store::Error) -> bool {
    match e {
        object_store::Error::Generic { source, .. } => source.to_string().contains("list request"),
        _ => false,
    }
}

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// Whether what failed is the store, which the libraries only pass on.
fn is_of_store(e: &(dyn std::error::Error + 'static)) -> bool {
    // The kernel does not name the store's error as a source, and deltalake keeps
    // only the kernel's words of it.
    e.is::<object_store::Error>()
        || matches!(e.downcast_ref(), Some(KernelError::ObjectStore(_)))
        || matches!(e.downcast_ref(), Some(DeltaTableError::Generic(text))
            if text.starts_with("Error interacting with object store"))
        || e.source().is_some_and(is_of_store)
}

/// The kernel has no error of its own for it.
fn is_no_table(e: &KernelError) -> bool {
    match e {
        KernelError::Backtraced { source, .. } => is_no_table(source),
        KernelError::MissingVersion => true,
        e => e.to_string().contains("No files in log segment"),
    }
}

/// The latest transaction of every application, in one replay of the log.
fn read_txns(snapshot: &SnapshotRef, engine: &dyn Engine) -> DeltaResult<BTreeMap<String, i64>> {
    let mut latest = LatestTxns::default();
    let batches = snapshot.log_segment().read_actions(engine, LOG_TXN_SCHEMA.clone())?;
    for batch in batches {
        latest.visit_rows_of(batch?.actions.as_ref())?;
    }
    Ok(latest.0)
}

/// The replay goes from the newest commit to the oldest: the first one counts.
#[derive(Default)]
struct LatestTxns(BTreeMap<String, i64>);

impl RowVisitor for LatestTxns {
    fn selected_column_names_and_types(&self) -> (&'static [ColumnName], &'static [DataType]) {
        static COLUMNS: LazyLock<ColumnNamesAndTypes> = LazyLock::new(|| {
            let names = vec![column_name!("txn.appId"), column_name!("txn.version")];
            (names, vec![DataType::STRING, DataType::LONG]).into()
        });
        COLUMNS.as_ref()
    }

    fn visit<'a>(&mut self, rows: usize, getters: &[&'a dyn GetData<'a>]) -> DeltaResult<()> {
        for row in 0..rows {
            let app: Option<String> = getters[0].get_opt(row, "txn.appId")?;
            if let Some(app) = app {
                let version: i64 = getters[1].get(row, "txn.version")?;
                self.0.entry(app).or_insert(version);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow::error::ArrowError;
    use object_store::memory::InMemory;
    use parquet::errors::ParquetError;

    use super::*;

    #[test]
    fn an_error_of_the_store_says_nothing_of_the_table() {
        let output =
            Output { objects: Arc::new(InMemory::new()), url: "out".into(), refusals: None };
        let log = Log::new(&output, Path::from("pin"));
        let store = || object_store::Error::Generic { store: "s", source: "503".into() };
        let of_the_store = [
            DeltaTableError::from(store()),
            KernelError::ObjectStore(store()).into(),
            KernelError::Parquet(ParquetError::External(store().into())).into(),
            KernelError::Arrow(ArrowError::ExternalError(store().into())).into(),
            KernelError::GenericError { source: store().into() }.into(),
            DeltaTableError::Generic(KernelError::ObjectStore(store()).to_string()),
        ];
        for e in of_the_store {
            let text = e.to_string();
            let error = log.explain_library(e);
            assert!(matches!(error, Error::Read { .. }), "{text}: {error:?}");
        }
        let of_the_table = [
            KernelError::Parquet(ParquetError::EOF("short".into())).into(),
            DeltaTableError::Generic("no such thing".into()),
        ];
        for e in of_the_table {
            let error = log.explain_library(e);
            assert!(matches!(error, Error::BadTable { .. }), "{error:?}");
        }
    }
}
