//! An object of the store, as the Parquet reader asks for it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::store_error;
use crate::Error;
use crate::store::Output;

/// Bytes of the file's end that the first request fetches: the footer, and all
/// of a small file.
pub(super) const TAIL_BYTES: u64 = 512 << 10;

/// A data file whose end is at hand.
#[derive(Debug, Clone)]
pub(super) struct ObjectReader {
    output: Output,
    path: Path,
    size: u64,
    tail: Bytes,
}

impl ObjectReader {
    pub(super) async fn open(output: &Output, path: &Path) -> object_store::Result<ObjectReader> {
        let options = GetOptions::new().with_range(Some(GetRange::Suffix(TAIL_BYTES)));
        let got = output.objects.get_opts(path, options).await?;
        let size = got.meta.size;
        let tail = got.bytes().await?;
        Ok(ObjectReader { output: output.clone(), path: path.clone(), size, tail })
    }

    /// What the operator can do about a file that could not be read.
    pub(super) fn error(&self, e: ParquetError) -> Error {
        let read = |source| Error::Read { object: self.output.place(&self.path), source };
        match e {
            ParquetError::External(cause) => match cause.downcast::<object_store::Error>() {
                Ok(e) => store_error(&self.output, &self.path, *e),
                Err(cause) => read(cause),
            },
            e => read(Box::new(e)),
        }
    }

    /// A range that lies within the end.
    fn at_hand(&self, range: &Range<u64>) -> Option<Bytes> {
        let before = self.size.checked_sub(self.tail.len() as u64)?;
        let start = usize::try_from(range.start.checked_sub(before)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(before)?).ok()?;
        (start <= end && end <= self.tail.len()).then(|| self.tail.slice(start..end))
    }
}

impl AsyncFileReader for ObjectReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        let ranges = self.get_byte_ranges(vec![range]);
        ranges.map(|got| Ok(got?.into_iter().next().unwrap_or_default())).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            let at_hand: Option<Vec<Bytes>> = ranges.iter().map(|r| self.at_hand(r)).collect();
            if let Some(bytes) = at_hand {
                return Ok(bytes);
            }
            if let Some(beyond) = ranges.iter().find(|r| r.start > r.end || r.end > self.size) {
                let (size, beyond) = (self.size, beyond.clone());
                let message = format!("bytes {beyond:?} of a file of {size} bytes");
                return Err(ParquetError::EOF(message));
            }
            let got = self.output.objects.get_ranges(&self.path, &ranges).await;
            got.map_err(|e| ParquetError::External(Box::new(e)))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let reader = ParquetMetaDataReader::new()
                .with_metadata_options(options.map(|o| o.metadata_options().clone()));
            let size = self.size;
            Ok(Arc::new(reader.load_and_finish(self, size).await?))
        }
        .boxed()
    }
}
