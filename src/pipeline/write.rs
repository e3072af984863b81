//! Writing: clean batches → Parquet files, rejects → quarantine files.

use serde::{Deserialize, Serialize};

/// One file that was written, complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Path below the table's folder.
    pub path: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}
