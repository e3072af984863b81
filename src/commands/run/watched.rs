//! `--metrics`: what became of a run, for whoever watches it.

use std::path::Path;
use std::time::Instant;

use chrono::Utc;

use super::{Known, places};
use crate::error::{Error, Result};
use crate::metrics::{Snapshot, last_success, render};
use crate::settings::Run;
use crate::whole_file;

/// A run that is watched, if it is to be.
pub struct Watched<'a> {
    settings: &'a Run,
    run_id: &'a str,
    clock: Instant,
}

impl<'a> Watched<'a> {
    /// From now on the run takes time.
    ///
    /// # Errors
    /// [`Error::File`] if the file of the metrics cannot be there.
    pub fn start(settings: &'a Run, run_id: &'a str) -> Result<Watched<'a>> {
        if let Some(file) = &settings.metrics {
            places::check_file(file, "--metrics")?;
        }
        Ok(Watched { settings, run_id, clock: Instant::now() })
    }

    /// Tells how the run ended, and hands that on.
    ///
    /// # Errors
    /// Those of the run; of one that ended well [`Error::Write`].
    pub fn end(&self, ended: Result<()>, known: &Known) -> Result<()> {
        let Some(file) = &self.settings.metrics else { return ended };
        let exit_code = ended.as_ref().map_or_else(Error::exit_code, |()| 0);
        let written = self.write(file, exit_code, known);
        if let (Err(_), Err(error)) = (&ended, &written) {
            tracing::warn!("{error}");
        }
        ended.and(written)
    }

    fn write(&self, file: &Path, exit_code: u8, known: &Known) -> Result<()> {
        let out = place(&self.settings.out);
        // What is no plain file, such as a pipe, has nothing of an earlier run.
        let before = file.is_file().then(|| std::fs::read_to_string(file).ok()).flatten();
        let snapshot = Snapshot {
            out: &out,
            source: &self.settings.source,
            run_id: self.run_id,
            ended: Utc::now(),
            elapsed: self.clock.elapsed(),
            exit_code,
            requests: known.requests,
            report: known.report.as_ref(),
            lag: &known.lag,
            last_success: before.and_then(|text| last_success(&text, &out)),
        };
        let written = whole_file::write(file, render(&snapshot).as_bytes());
        written.map_err(|e| Error::Write { place: file.display().to_string(), source: e.into() })
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
