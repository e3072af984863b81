//! `--metrics`: what became of a run, for whoever watches it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use chrono::Utc;

use super::{Known, ending, places};
use crate::disk::Durability;
use crate::error::{Error, Result};
use crate::metrics::{Snapshot, last_success, render};
use crate::settings::Run;
use crate::{signals, whole_file};

/// A run that is watched, if it is to be.
pub struct Watched(Option<Watch>);

/// What is told of every run, and where.
#[derive(Clone)]
struct Watch {
    file: PathBuf,
    out: String,
    source: String,
    run_id: String,
    clock: Instant,
    durability: Durability,
}

impl Watched {
    /// From now on the run takes time. Where the process is cut off, that much is told.
    ///
    /// # Errors
    /// [`Error::File`] if the file of the metrics cannot be there.
    pub fn start(settings: &Run, run_id: &str) -> Result<Watched> {
        let Some(file) = &settings.metrics else { return Ok(Watched(None)) };
        places::check_file(file, "--metrics")?;
        let watch = Watch {
            file: file.clone(),
            out: place(&settings.out),
            source: settings.source.clone(),
            run_id: run_id.to_owned(),
            clock: Instant::now(),
            durability: settings.durability,
        };
        let cut_off = watch.clone();
        signals::before_cut_off(move |error| {
            if let Err(error) = cut_off.write(error.exit_code(), None) {
                tracing::warn!("{error}");
            }
        });
        Ok(Watched(Some(watch)))
    }

    /// Writes how the run ended, and returns that.
    ///
    /// # Errors
    /// That of the run; [`Error::Write`] if the run ended well.
    pub fn end(&self, ended: Result<()>, known: &Known) -> Result<()> {
        let Some(watch) = &self.0 else { return ended };
        signals::nothing_before_cut_off();
        let exit_code = ended.as_ref().map_or_else(Error::exit_code, |()| 0);
        let written = watch.write(exit_code, Some(known));
        ending::gravest([ended, written])
    }
}

impl Watch {
    /// Writes the file; of a run that was cut off nothing more is known.
    fn write(&self, exit_code: u8, known: Option<&Known>) -> Result<()> {
        // What is no plain file, such as a pipe, has nothing of an earlier run.
        let plain = self.file.is_file();
        let before = plain.then(|| std::fs::read_to_string(&self.file).ok()).flatten();
        let unknown = BTreeMap::new();
        let snapshot = Snapshot {
            out: &self.out,
            source: &self.source,
            run_id: &self.run_id,
            ended: Utc::now(),
            elapsed: self.clock.elapsed(),
            exit_code,
            requests: known.map(|known| known.requests),
            report: known.and_then(|known| known.report.as_ref()),
            lag: known.map_or(&unknown, |known| &known.lag),
            last_success: before.and_then(|text| last_success(&text, &self.out)),
        };
        let written = whole_file::write(&self.file, render(&snapshot).as_bytes(), self.durability);
        let place = || self.file.display().to_string();
        written.map_err(|e| Error::Write { place: place(), source: e.into() })
    }
}

/// The output, by a name that does not depend on where a run was started or on how
/// far it came.
fn place(out: &str) -> String {
    let out = out.trim_end_matches('/');
    match out.contains("://") {
        true => out.to_owned(),
        false => std::path::absolute(out).map_or_else(
            |_| out.to_owned(),
            |path| path.components().collect::<std::path::PathBuf>().display().to_string(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn an_output_has_one_name_wherever_it_is_named_from() {
        let here = std::env::current_dir().unwrap().display().to_string();
        for (out, expected) in [
            ("s3://lake/clean/", "s3://lake/clean".to_owned()),
            ("file:///data/clean", "file:///data/clean".to_owned()),
            ("/data/clean/", "/data/clean".to_owned()),
            ("/data/./clean", "/data/clean".to_owned()),
            ("./clean", format!("{here}/clean")),
        ] {
            assert_eq!(place(out), expected, "{out}");
        }
    }
}
