//! Listing: which objects are new, per topic, directory and Kafka partition.

use crate::key::{Extension, Layout, Source, ValueName};

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

impl Object {
    /// Its file name, exactly as listed.
    pub fn file_name(&self, source: &Source, layout: &Layout) -> String {
        let mut name = String::new();
        self.push_file_name(&mut name, source, layout);
        name
    }

    /// Appends its file name to `out`, which a loop can use again.
    pub fn push_file_name(&self, out: &mut String, source: &Source, layout: &Layout) {
        let &Object { start, width, extension, .. } = self;
        let name = ValueName { partition: source.partition, start, width, extension };
        name.push_to(out, &source.topic, layout);
    }

    /// Its key below the source's root, exactly as listed.
    pub fn key(&self, source: &Source, layout: &Layout) -> String {
        let mut key = source.prefix(layout);
        self.push_file_name(&mut key, source, layout);
        key
    }
}
