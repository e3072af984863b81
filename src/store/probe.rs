//! Whether a store keeps two writers apart.

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use super::Output;
use crate::{Error, Result};

/// Puts one object twice, each time only if it is absent: the second must be
/// refused. All of the commit rests on it (`If-None-Match: *` on S3). The object
/// is removed again. `id` is unique.
///
/// # Errors
/// [`Error::UnsafeStore`] if the store does not honour the condition;
/// [`Error::Write`] or [`Error::AccessDenied`].
pub async fn probe(output: &Output, id: &str) -> Result<()> {
    let path = Path::from_iter(["_pinclean", &format!("probe-{id}")]);
    let put = async || {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        output.objects.put_opts(&path, "probe".into(), options).await
    };
    // A lost answer, tried again, looks like an object that is there already.
    let first = match put().await {
        Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
        Err(e) => Err(e),
    };
    let second = match &first {
        Ok(()) => put().await.map(drop),
        Err(_) => Ok(()),
    };
    let removed = output.objects.delete(&path).await;
    if let (Ok(()), Err(error)) = (&first, removed) {
        // Maintenance will not be able to delete either.
        tracing::warn!("the probe stays: {}", output.delete_error(&path, error));
    }
    let unsafe_store = |problem: String| Error::UnsafeStore { place: output.url.clone(), problem };
    match (first, second) {
        (Err(e @ object_store::Error::NotImplemented { .. }), _) => {
            Err(unsafe_store(e.to_string()))
        }
        (Err(e), _) => Err(output.write_error(&path, e)),
        (Ok(()), Ok(())) => {
            Err(unsafe_store("it put an object twice that was to be put only once".to_owned()))
        }
        (Ok(()), Err(object_store::Error::AlreadyExists { .. })) => Ok(()),
        (Ok(()), Err(e)) => Err(output.write_error(&path, e)),
    }
}
