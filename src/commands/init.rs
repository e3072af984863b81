//! `pinclean init`: a first transforms file for a topic.

use crate::Result;
use crate::init::{Sampling, draft, sample, save};
use crate::settings::{Init, Ui};
use crate::store::{Session, Store};

/// Samples a topic and writes a transforms file for it, or prints it.
///
/// # Errors
/// [`Error::NothingMatched`](crate::Error::NothingMatched) if there is nothing
/// to sample, [`Error::File`](crate::Error::File) if the file is there, and those
/// of the store.
pub fn init(settings: &Init, ui: &Ui) -> Result<()> {
    let runtime = super::runtime()?;
    let session = Session::new(settings.s3.clone());
    let store = runtime.block_on(Store::open(&settings.source, &session))?;
    let sample = sample(&Sampling {
        topic: &settings.topic,
        store: &store,
        layout: &settings.layout,
        objects: settings.sample,
        runtime: runtime.handle(),
    })?;
    let draft = draft(&settings.topic, &sample)?;
    let Some(path) = &settings.out else { return super::print(&draft.text) };
    save(&draft.text, path, settings.force)?;
    if ui.quiet {
        return Ok(());
    }
    super::print(&format!("{draft}: {}\n", path.display()))
}
