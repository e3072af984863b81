//! Places that are wrong whatever the run finds: told before it starts.

use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
use crate::settings::Run;
use crate::store::Store;

/// Whether the report's file can be there at all. That it cannot is known too
/// late after the run.
///
/// # Errors
/// [`Error::File`]
pub fn check_report(file: &Path) -> Result<()> {
    check_file(file, "--report")
}

/// Whether the file that an option names can be there at all.
///
/// # Errors
/// [`Error::File`]
pub fn check_file(file: &Path, option: &str) -> Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let problem = if file.is_dir() {
        format!("this is a folder: name a file in it with {option}")
    } else if !folder.is_dir() {
        format!("there is no folder {}: make it, or name another with {option}", folder.display())
    } else {
        return Ok(());
    };
    Err(Error::File { path: file.to_owned(), problem })
}

/// Takes the report of an earlier run away: it must not stand for this one if
/// this one fails.
///
/// # Errors
/// [`Error::File`]
pub fn clear_report(file: &Path) -> Result<()> {
    // A pipe or `/dev/stdout` is no report of an earlier run.
    match file.is_file() {
        true => take_away(file),
        false => Ok(()),
    }
}

/// A run that begins at the same time may have been faster.
fn take_away(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::File {
            path: file.to_owned(),
            problem: format!("the report of an earlier run cannot be removed: {e}"),
        }),
        _ => Ok(()),
    }
}

/// Tables among the topics would be taken for topics by the next run.
///
/// # Errors
/// [`Error::Usage`]
pub fn keep_apart(source: &Store, settings: &Run) -> Result<()> {
    let topics = &settings.layout.topics_dir;
    if !source.holds(topics, &settings.out)? {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{}: the output must not lie among the topics, in {}: name another place with --out",
        settings.out,
        source.join(topics)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_needs_a_folder_and_a_name_that_is_free() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("old.json"), "").unwrap();
        for (name, problem) in [
            ("new.json", None),
            ("old.json", None),
            ("", Some("this is a folder")),
            ("none/new.json", Some("there is no folder")),
            ("old.json/new.json", Some("there is no folder")),
        ] {
            let said = check_report(&dir.path().join(name)).map_err(|e| e.to_string());
            match problem {
                None => assert_eq!(said, Ok(()), "{name}"),
                Some(problem) => assert!(said.unwrap_err().contains(problem), "{name}"),
            }
        }
        assert!(check_report(Path::new("in-the-working-directory.json")).is_ok());
    }

    #[test]
    fn an_old_report_goes_and_what_is_no_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("old.json");
        std::fs::write(&old, "").unwrap();
        clear_report(&old).unwrap();
        clear_report(&old).unwrap();
        clear_report(Path::new("/dev/null")).unwrap();
        assert!(!old.exists() && Path::new("/dev/null").exists());
    }

    #[test]
    fn that_another_run_took_the_old_report_away_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let old = dir.path().join("old.json");
        std::fs::write(&old, "").unwrap();
        // Both runs saw it there.
        take_away(&old).unwrap();
        take_away(&old).unwrap();
        let other = take_away(dir.path()).unwrap_err().to_string();
        assert!(other.contains("cannot be removed"), "{other}");
    }
}
