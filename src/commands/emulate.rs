//! `pinclean emulate`: a bucket of invented records.

use crate::disk::Durability;
use crate::emulate::{Emulation, emulate as write_bucket};
use crate::error::Result;
use crate::settings::{Emulate, Ui};
use crate::store::{Session, Store};

/// Writes a bucket of invented records.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write) and those of the store.
pub fn emulate(settings: &Emulate, ui: &Ui) -> Result<()> {
    let runtime = super::runtime()?;
    let session = Session::new(settings.s3.clone());
    let emulation = Emulation {
        out: runtime.block_on(Store::for_writing(&settings.out, &session, Durability::Unsynced))?,
        user: settings.user.clone(),
        rows: settings.rows,
        flush_size: settings.flush_size,
        partitions: settings.partitions,
        partitioner: settings.partitioner,
        gzip: settings.gzip,
        seed: settings.seed,
        bad_rate: settings.bad_rate,
        start_offset: settings.start_offset,
        topics_dir: settings.layout.topics_dir.clone(),
        file_delim: settings.layout.file_delim.clone(),
        concurrency: settings.concurrency,
    };
    let done = write_bucket(&emulation, runtime.handle())?;
    if ui.quiet {
        return Ok(());
    }
    super::print(&format!(
        "{} records in {} objects, {} bytes, {} of the records malformed: {}\n",
        done.records,
        done.objects,
        done.bytes,
        done.bad,
        emulation.out.url(),
    ))
}
