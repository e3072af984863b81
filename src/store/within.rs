//! Whether one place lies in another.

use std::path::{Path, PathBuf};

use super::location::Location;
use super::{Backend, Store};
use crate::{Error, Result};

impl Store {
    /// Whether `url` names this store's folder `folder`, or a place in it. The
    /// place need not exist; `folder` is relative, and empty for the whole store.
    ///
    /// # Errors
    /// [`Error::Usage`] for what is no URL, [`Error::File`] for a relative path
    /// where the working directory is gone.
    pub fn holds(&self, folder: &str, url: &str) -> Result<bool> {
        match (&self.backend, Location::parse(url)?) {
            (Backend::Local(root), Location::Local(place)) => {
                Ok(without_links(&place)?.starts_with(without_links(&root.join(folder))?))
            }
            (Backend::S3(s3), Location::S3 { bucket, prefix }) => {
                let outer = s3.join(folder);
                let outer = outer.trim_end_matches('/');
                Ok(format!("s3://{bucket}/{prefix}").starts_with(&format!("{outer}/")))
            }
            _ => Ok(false),
        }
    }
}

/// The absolute path, with the links resolved of as much as exists.
fn without_links(path: &Path) -> Result<PathBuf> {
    let whole = std::path::absolute(path)
        .map_err(|e| Error::File { path: path.to_owned(), problem: e.to_string() })?;
    for ancestor in whole.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), whole.strip_prefix(ancestor)) {
            return Ok(real.join(rest));
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{S3Options, Session};

    async fn open(url: &str) -> Store {
        let options = S3Options {
            region: Some("eu-west-1".into()),
            no_sign_request: true,
            ..S3Options::default()
        };
        Store::open(url, &Session::new(options)).await.unwrap()
    }

    #[tokio::test]
    async fn a_folder_holds_itself_and_what_lies_in_it_though_it_is_not_there_yet() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().display().to_string();
        std::fs::create_dir_all(dir.path().join("b/topics")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("b"), dir.path().join("link")).unwrap();
        let store = open(&format!("{root}/b")).await;
        for (folder, place, expected) in [
            ("topics", "b/topics", true),
            ("topics", "b/topics/", true),
            ("topics", "b/topics/none/yet", true),
            ("topics", "link/topics/none", true),
            ("topics", "b/topics/../clean", false),
            ("topics", "b/topics2", false),
            ("topics", "b", false),
            ("topics", "clean", false),
            ("", "b/clean", true),
            ("", "b", true),
            ("", "bb", false),
        ] {
            let url = format!("{root}/{place}");
            assert_eq!(store.holds(folder, &url).unwrap(), expected, "{folder:?} {place}");
        }
        assert!(!store.holds("topics", "s3://pins/topics").unwrap());
    }

    #[tokio::test]
    async fn a_prefix_holds_what_begins_with_it_and_a_slash() {
        for (source, folder, place, expected) in [
            ("s3://pins", "topics", "s3://pins/topics", true),
            ("s3://pins/", "topics", "s3://pins/topics/clean/", true),
            ("s3://pins", "topics", "s3://pins/topics2", false),
            ("s3://pins", "topics", "s3://pins", false),
            ("s3://pins", "topics", "s3://lake/topics", false),
            ("s3://pins/a", "topics", "s3://pins/a/topics/x", true),
            ("s3://pins/a", "topics", "s3://pins/topics/x", false),
            ("s3://pins", "", "s3://pins", true),
            ("s3://pins", "", "s3://pins/clean", true),
            ("s3://pins", "topics", "clean", false),
        ] {
            let store = open(source).await;
            assert_eq!(
                store.holds(folder, place).unwrap(),
                expected,
                "{source} {folder:?} {place}"
            );
        }
    }
}
