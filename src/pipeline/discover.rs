//! Listing: which objects are new, per topic, directory and Kafka partition.

use crate::key::Extension;

/// One object of records, small: a plan holds many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The start offset in its name.
    pub start: u64,
    /// Bytes, as listed.
    pub size: u64,
    /// Digits of the offset in its name, zeros included.
    pub width: u8,
    /// How its name ends.
    pub extension: Extension,
    /// The ETag, on S3.
    pub etag: Option<Box<str>>,
}
