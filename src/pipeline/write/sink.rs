//! Where and how the Parquet files of a table are made.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use tokio::runtime::Handle;

use super::encoding::without_dictionary;
use super::internal;
use crate::Result;
use crate::delta::{Log, stats};
use crate::store::Output;

/// Rows of a row group: enough for readers to work in large steps.
const ROW_GROUP_ROWS: usize = 128 << 10;
/// Bytes of a row group, encoded: what a writer holds in memory, at most twice.
const ROW_GROUP_BYTES: usize = 32 << 20;
/// Bytes of a page before it is compressed. Zstandard at level 1 finds more in so
/// few than in 1 MiB, as it then looks for shorter repetitions: files are 4 % smaller,
/// coordinates 16 %, for about the same time. And each column fills one at a time.
const PAGE_BYTES: usize = 128 << 10;

/// What the files of one table have in common, whoever writes them.
#[derive(Debug, Clone)]
pub struct FileSink {
    /// The output.
    pub output: Output,
    /// Runs the requests; the writers themselves live on plain threads.
    pub runtime: Handle,
    /// The table's name.
    pub table: String,
    /// The hash of the spec that made the rows; `None` for rows of several.
    pub spec_hash: Option<String>,
    /// Bytes of finished files that wait in memory. It only grows: past 8 MiB
    /// every file waits at the store, so that any number of them can wait.
    pub held: Arc<AtomicUsize>,
}

impl FileSink {
    /// For files of a table that are written anew: their rows may come from
    /// several transforms.
    pub fn anew(log: &Log, runtime: Handle) -> FileSink {
        FileSink {
            output: log.output().clone(),
            runtime,
            table: log.folder().to_string(),
            spec_hash: None,
            held: Arc::default(),
        }
    }

    /// How a file is encoded that begins with the rows of `first`. No run and no
    /// time is in it: a repeated attempt gives the same bytes.
    pub(super) fn properties(&self, first: &RecordBatch) -> Result<WriterProperties> {
        let properties = WriterProperties::builder()
            // Level 1 costs about what Snappy costs, and files are a third smaller;
            // higher levels take the time that cleaning takes for a few percent.
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(internal)?))
            .set_data_page_size_limit(PAGE_BYTES)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
            .set_statistics_truncate_length(Some(stats::FOOTER_BYTES))
            .set_key_value_metadata(Some(self.about()));
        let properties = without_dictionary(first)
            .into_iter()
            .fold(properties, |all, column| all.set_column_dictionary_enabled(column, false));
        // Nobody looks for raw records by their least and greatest.
        let fields = first.schema_ref().fields().iter();
        let raw = fields.filter(|field| *field.data_type() == DataType::LargeBinary);
        let properties = raw.fold(properties, |all, field| {
            let column = ColumnPath::from(field.name().as_str());
            all.set_column_statistics_enabled(column, EnabledStatistics::None)
        });
        Ok(properties.build())
    }

    fn about(&self) -> Vec<KeyValue> {
        let pair = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
        let version = pair("pinclean.version", env!("CARGO_PKG_VERSION"));
        let table = pair("pinclean.table", &self.table);
        let spec_hash = self.spec_hash.as_ref().map(|hash| pair("pinclean.spec_hash", hash));
        [version, table].into_iter().chain(spec_hash).collect()
    }
}
