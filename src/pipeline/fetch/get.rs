//! One GET of an object or a part of it, tried again if its body breaks off.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, GetResult, ObjectStore, Result};

/// Objects up to this size are read at once, larger ones in parts of it.
pub(super) const PART: u64 = 8 << 20;

/// How often a body is asked for. The store tries again by itself until it has
/// an answer, and goes on with a body that broke off if the answer had an ETag;
/// this covers the rest, such as a body that is shorter than it should be.
const TRIES: usize = 3;

/// What to get.
pub(super) struct Get {
    pub store: Arc<dyn ObjectStore>,
    pub path: Path,
    /// As listed.
    pub etag: Option<String>,
    /// As listed.
    pub size: u64,
}

/// A body, and the ETag of the content that it is of.
pub(super) struct Got {
    pub bytes: Bytes,
    pub etag: Option<String>,
}

impl Get {
    /// Gets the range, or all of the object; `None` if it is gone.
    ///
    /// An object that was replaced since it was listed is taken as it is now if
    /// all of it is asked for: one GET gives one content. A range fails with
    /// [`Error::Precondition`].
    pub(super) async fn run(self, range: Option<Range<u64>>) -> Result<Option<Got>> {
        let mut got = self.attempts(range.as_ref(), self.etag.as_deref()).await;
        if range.is_none() && matches!(got, Err(Error::Precondition { .. })) {
            got = self.attempts(None, None).await;
        }
        match got {
            Err(Error::NotFound { .. }) => Ok(None),
            got => got.map(Some),
        }
    }

    async fn attempts(&self, range: Option<&Range<u64>>, etag: Option<&str>) -> Result<Got> {
        let mut tries = 1;
        loop {
            let options = GetOptions {
                range: range.cloned().map(GetRange::Bounded),
                if_match: etag.map(str::to_owned),
                ..GetOptions::default()
            };
            let result = self.store.get_opts(&self.path, options).await?;
            let fits = match range {
                Some(_) => result.meta.size == self.size,
                None => result.meta.size <= PART,
            };
            if !fits {
                return Err(changed("it has another size than when it was listed"));
            }
            match body(result).await {
                Err(_) if tries < TRIES => tries += 1,
                got => return got,
            }
        }
    }
}

async fn body(result: GetResult) -> Result<Got> {
    let etag = result.meta.e_tag.clone();
    let size = result.range.end - result.range.start;
    let bytes = result.bytes().await?;
    if bytes.len() as u64 == size {
        return Ok(Got { bytes, etag });
    }
    let source = format!("{} of {size} bytes came", bytes.len()).into();
    Err(Error::Generic { store: "fetch", source })
}

/// The error of an object whose content is not the one that was begun.
pub(super) fn changed(why: &'static str) -> Error {
    Error::Precondition { path: String::new(), source: why.into() }
}
