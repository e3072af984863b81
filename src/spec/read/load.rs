//! Transforms from a folder, or the ones that are compiled in.

use std::path::{Path, PathBuf};

use super::parse::parse_files;
use crate::spec::Spec;
use crate::{Error, Result, text_file};

/// The transforms that are compiled in: file name and text.
pub const DEFAULTS: [(&str, &str); 3] = [
    ("geo.toml", include_str!("../../../transforms/geo.toml")),
    ("pin.toml", include_str!("../../../transforms/pin.toml")),
    ("user.toml", include_str!("../../../transforms/user.toml")),
];

/// Reads every `*.toml` of a folder, by name; the compiled-in transforms if no
/// folder is given.
///
/// # Errors
/// [`Error::Spec`] with every problem of every file; [`Error::File`] if the
/// folder or a file cannot be read, or none is there.
pub fn load(dir: Option<&Path>) -> Result<Vec<Spec>> {
    let files = match dir {
        Some(dir) => read_dir(dir, &KIND)?,
        None => DEFAULTS.map(|(name, text)| (format!("transforms/{name}"), text.into())).to_vec(),
    };
    parse_files(&files).map_err(Error::Spec)
}

const KIND: FileKind = FileKind { plural: "transforms", single: "transforms file", ending: "toml" };

/// A kind of files, in words, and their ending without the dot.
pub(crate) struct FileKind {
    pub(crate) plural: &'static str,
    pub(crate) single: &'static str,
    pub(crate) ending: &'static str,
}

/// Name and text of the files of a folder that are of a kind, by name. At least
/// one.
///
/// # Errors
/// [`Error::File`] if the folder or a file cannot be read, or none is there.
pub(crate) fn read_dir(dir: &Path, kind: &FileKind) -> Result<Vec<(String, String)>> {
    let FileKind { plural, single, ending } = kind;
    let wrong = |path: &Path, problem: &str| Error::File {
        path: path.to_owned(),
        problem: problem.to_owned(),
    };
    let failed = |path: &Path, source: std::io::Error| wrong(path, &source.to_string());
    let entries = std::fs::read_dir(dir).map_err(|source| {
        let problem = match source.kind() {
            std::io::ErrorKind::NotFound => format!("there is no such folder of {plural}"),
            std::io::ErrorKind::NotADirectory => "this is a file: name its folder".to_owned(),
            _ => return failed(dir, source),
        };
        wrong(dir, &problem)
    })?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()
        .map_err(|source| failed(dir, source))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == *ending));
    paths.sort();
    if paths.is_empty() {
        let problem = format!("there is no {single} (*.{ending}) in it");
        return Err(wrong(dir, &problem));
    }
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).map_err(|source| failed(&path, source))?;
        let text = text_file::decode(bytes).map_err(|problem| wrong(&path, problem))?;
        Ok((path.display().to_string(), text))
    };
    paths.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "version = 1\ntable = \"t\"\ntopics = [\"*.t\"]\n\
        [[column]]\nname = \"a\"\ntype = \"int32\"\nfield = \"a\"\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn a_folder_gives_its_toml_files_by_name() {
        let other = SOUND.replace("\"t\"", "\"b\"");
        // As some editors save it.
        let marked = format!("\u{feff}{SOUND}");
        let dir = folder(&[("b.toml", &marked), ("a.toml", &other), ("README.md", "no TOML")]);
        let specs = load(Some(dir.path())).unwrap();
        let tables: Vec<_> = specs.iter().map(|spec| spec.table.as_str()).collect();
        assert_eq!(tables, ["b", "t"]);
        assert!(specs[0].file.ends_with("a.toml"), "{}", specs[0].file);
    }

    #[test]
    fn what_is_no_folder_is_told_in_words() {
        let dir = folder(&[("a.toml", SOUND)]);
        for (name, words) in [("none", "no such folder"), ("a.toml", "this is a file")] {
            let error = load(Some(&dir.path().join(name))).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn the_problems_of_all_files_are_reported_together() {
        let bad = SOUND.replace("int32", "int");
        let dir = folder(&[("a.toml", &bad), ("b.toml", SOUND), ("c.toml", &bad)]);
        let Err(Error::Spec(problems)) = load(Some(dir.path())) else { panic!("no problems") };
        let places: Vec<_> = problems
            .list
            .iter()
            .map(|p| {
                let file = Path::new(&p.file).file_name().unwrap().to_str().unwrap();
                (file.to_owned(), p.line, p.message.split(' ').next().unwrap().to_owned())
            })
            .collect();
        let place = |file: &str, line, word: &str| (file.to_owned(), line, word.to_owned());
        assert_eq!(
            places,
            [
                place("a.toml", 6, "unknown"),
                place("b.toml", 2, "table"),
                place("c.toml", 2, "table"),
                place("c.toml", 6, "unknown"),
            ]
        );
    }

    #[test]
    fn a_folder_without_transforms_and_an_unreadable_file_name_themselves() {
        let dir = folder(&[("notes.txt", "")]);
        let message = load(Some(dir.path())).unwrap_err().to_string();
        assert!(message.ends_with("there is no transforms file (*.toml) in it"), "{message}");

        let gone = dir.path().join("gone");
        let message = load(Some(&gone)).unwrap_err().to_string();
        assert!(message.contains("gone"), "{message}");

        std::fs::write(dir.path().join("a.toml"), b"\xff\xfe").unwrap();
        let message = load(Some(dir.path())).unwrap_err().to_string();
        assert!(message.contains("a.toml"), "{message}");
    }
}
