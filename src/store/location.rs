//! What a URL names: a local folder, or a prefix of a bucket.

use std::path::PathBuf;

use url::Url;

use crate::{Error, Result};

/// A place, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// A folder, as written; it need not exist.
    Local(PathBuf),
    /// A bucket and a prefix in it.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// Empty, or ends with `/`; never starts with `/`.
        prefix: String,
    },
}

impl Location {
    /// Parses a folder path, a `file://` URL or `s3://bucket[/prefix]`.
    ///
    /// A prefix is taken as it is: S3 URLs are not percent-encoded.
    pub(super) fn parse(url: &str) -> Result<Location> {
        if url.is_empty() {
            return Err(Error::Usage(format!("an empty URL names no place: {FORMS}")));
        }
        match url.split_once("://") {
            Some(("s3", rest)) => s3(url, rest),
            Some(("file", _)) => file(url),
            Some(("s3a" | "s3n", rest)) => {
                Err(Error::Usage(format!("{url}: write it as s3://{rest}")))
            }
            Some(("http" | "https", _)) => Err(Error::Usage(format!(
                "{url}: name the bucket as s3://bucket/prefix, and the server with --endpoint-url"
            ))),
            Some((scheme, _)) if is_scheme(scheme) => {
                Err(Error::Usage(format!("{url}: {scheme}:// is not supported: {FORMS}")))
            }
            _ if url.starts_with("s3:") => {
                Err(Error::Usage(format!("{url}: write it as s3://bucket/prefix")))
            }
            _ => Ok(Location::Local(PathBuf::from(url))),
        }
    }
}

const FORMS: &str = "give a folder, file:///folder, or s3://bucket/prefix";

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn file(url: &str) -> Result<Location> {
    Url::parse(url)
        .ok()
        .and_then(|parsed| parsed.to_file_path().ok())
        .map(Location::Local)
        .ok_or_else(|| Error::Usage(format!("{url}: write it as file:///folder")))
}

fn s3(url: &str, rest: &str) -> Result<Location> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if !is_bucket(bucket) {
        return Err(Error::Usage(format!(
            "{url}: {bucket:?} is no bucket's name: write it as s3://bucket/prefix"
        )));
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if prefix.is_empty() {
        return Ok(Location::S3 { bucket: bucket.into(), prefix: String::new() });
    }
    // The same check that each request makes, so that it cannot fail later.
    match object_store::path::Path::parse(prefix) {
        Ok(path) if path.as_ref() == prefix => {
            Ok(Location::S3 { bucket: bucket.into(), prefix: format!("{prefix}/") })
        }
        Ok(_) => Err(Error::Usage(format!("{url}: the prefix has a slash too many"))),
        Err(e) => Err(Error::Usage(format!("{url}: the prefix is not usable: {e}"))),
    }
}

/// Buckets of today have 3 to 63 of `[a-z0-9.-]`; old ones in us-east-1 may
/// have up to 255, with capitals and `_`.
fn is_bucket(name: &str) -> bool {
    (3..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(bucket: &str, prefix: &str) -> Location {
        Location::S3 { bucket: bucket.into(), prefix: prefix.into() }
    }

    #[test]
    fn a_url_names_a_folder_or_a_prefix() {
        let cases = [
            ("clean", Location::Local("clean".into())),
            ("./a/../b", Location::Local("./a/../b".into())),
            ("/tmp/a b", Location::Local("/tmp/a b".into())),
            ("partition=0/x", Location::Local("partition=0/x".into())),
            ("file:///tmp/a%20b", Location::Local("/tmp/a b".into())),
            ("s3://lake", bucket("lake", "")),
            ("s3://lake/", bucket("lake", "")),
            ("s3://lake/p", bucket("lake", "p/")),
            ("s3://lake/a/b/", bucket("lake", "a/b/")),
            ("s3://my.old_Lake/a=1/b c%20", bucket("my.old_Lake", "a=1/b c%20/")),
        ];
        for (url, expected) in cases {
            assert_eq!(Location::parse(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn a_url_that_names_no_place_is_a_usage_error_with_advice() {
        let cases = [
            ("", "s3://bucket/prefix"),
            ("s3://", "s3://bucket/prefix"),
            ("s3:///topics", "s3://bucket/prefix"),
            ("s3://b", "no bucket's name"),
            ("s3://my bucket/x", "no bucket's name"),
            ("s3:lake", "s3://bucket/prefix"),
            ("s3:/lake/x", "s3://bucket/prefix"),
            ("s3://lake//x", "slash too many"),
            ("s3://lake/a//x", "not usable"),
            ("s3://lake/a/../x", "not usable"),
            ("s3a://lake/x", "s3://lake/x"),
            ("http://localhost:9000/lake", "--endpoint-url"),
            ("https://lake.s3.amazonaws.com", "--endpoint-url"),
            ("gs://lake/x", "gs:// is not supported"),
            ("file://relative/x", "file:///folder"),
        ];
        for (url, advice) in cases {
            match Location::parse(url) {
                Err(Error::Usage(text)) => assert!(text.contains(advice), "{url}: {text}"),
                other => panic!("{url}: {other:?}"),
            }
        }
    }
}
