//! Parquet files as a Delta log needs them.

pub mod stats;
pub mod read;
