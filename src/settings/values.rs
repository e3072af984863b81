//! Values of options, parsed once into types that cannot be wrong.
//!
//! A parser says what is wrong with the text; who calls it knows where the
//! text came from.

use std::fmt;
use std::path::PathBuf;

use globset::Glob;

use crate::spec::{TopicGlob, is_table_name};

/// The least memory that a run can work in, in bytes.
pub const MIN_MEMORY: u64 = 64 << 20;

/// The least size of the files that are packed, in bytes: below it files are
/// small themselves, and a number without its unit is the likely cause.
pub const MIN_TARGET_SIZE: u64 = 1 << 20;

/// How many records may be quarantined before the run's quality gate breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxRejects {
    /// So many.
    Count(u64),
    /// This share of the records read, 0 to 1.
    Share(f64),
}

impl MaxRejects {
    /// Whether every record of a run may be a reject: a number of them says nothing of
    /// how many there are.
    pub fn allows_all(self) -> bool {
        matches!(self, MaxRejects::Share(share) if share >= 1.0)
    }

    /// Whether so many rejects are too many.
    pub fn is_broken_by(self, rejects: u64, read: u64) -> bool {
        match self {
            MaxRejects::Count(limit) => rejects > limit,
            // 29 of 100 are not more than 29%, though 0.29 * 100.0 < 29.0.
            MaxRejects::Share(share) => {
                rejects as f64 > share * read as f64 * (1.0 + 4.0 * f64::EPSILON)
            }
        }
    }
}

impl fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MaxRejects::Count(limit) => limit.fmt(f),
            MaxRejects::Share(share) => write!(f, "{}%", (share * 1e11).round() / 1e9),
        }
    }
}

pub(super) fn max_rejects(text: &str) -> Result<MaxRejects, String> {
    let wrong = || format!("{text:?} is neither a number of records nor a percentage (100, 0.5%)");
    match text.strip_suffix('%') {
        Some(_) => share(text).map(MaxRejects::Share).map_err(|_| wrong()),
        None => text.parse().map(MaxRejects::Count).map_err(|_| wrong()),
    }
}

/// A share, 0 to 1, from `0.05` or `5%`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim_end().parse::<f64>().ok();
    let share = match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|p| p / 100.0),
        None => number(text),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("{text:?} is not a share from 0 to 1 or 0% to 100%"))
}

/// A size in bytes. `k`, `kib` and their like are powers of 1024, `kb` and its
/// like of 1000; case does not count.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        "t" | "tib" => Some(1 << 40),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        _ => None,
    };
    let bytes = number.parse::<u64>().ok().zip(factor).and_then(|(n, f)| n.checked_mul(f));
    bytes.ok_or_else(|| format!("{text:?} is not a size (bytes, or such as 256MiB or 1g)"))
}

pub(super) fn memory(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    match bytes >= MIN_MEMORY {
        true => Ok(bytes),
        false => Err(format!("{text:?} is too little: 64MiB is the least")),
    }
}

pub(super) fn target_size(text: &str) -> Result<u64, String> {
    let bytes = size(text)?;
    match bytes >= MIN_TARGET_SIZE {
        true => Ok(bytes),
        false => Err(format!("{text:?} is too little: 1MiB is the least")),
    }
}

pub(super) fn table_name(name: &str) -> Result<String, String> {
    match is_table_name(name) {
        true => Ok(name.to_owned()),
        false => Err(format!(
            "{name:?} is no table's name: it has a-z, 0-9, _ and -, and begins with a-z"
        )),
    }
}

pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true (1, yes) nor false (0, no)")),
    }
}

/// A whole number within bounds, both inclusive.
pub(super) fn whole(least: u64, most: u64) -> impl Fn(&str) -> Result<u64, String> {
    move |text| {
        let number = text.parse().ok().filter(|n| (least..=most).contains(n));
        number.ok_or_else(|| match most {
            u64::MAX => format!("{text:?} is not a whole number from {least}"),
            _ => format!("{text:?} is not a whole number from {least} to {most}"),
        })
    }
}

/// One of the names of a table.
pub(super) fn one_of<T: Copy>(
    table: &'static [(&'static str, T)],
) -> impl Fn(&str) -> Result<T, String> {
    move |text| match table.iter().find(|(name, _)| *name == text) {
        Some((_, value)) => Ok(*value),
        None => {
            let names: Vec<_> = table.iter().map(|(name, _)| *name).collect();
            Err(format!("{text:?} is not one of: {}", names.join(", ")))
        }
    }
}

/// Text that says something.
pub(super) fn text(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("is empty: leave it out, or give a value".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// A path of this machine.
pub(super) fn path(value: &str) -> Result<PathBuf, String> {
    match value.contains("://") {
        true => Err(format!("{value:?} is a URL: give a path of this machine")),
        false => text(value).map(PathBuf::from),
    }
}

pub(super) fn bucket(name: &str) -> Result<String, String> {
    let name = text(name)?;
    if name.contains("://") {
        return Err(format!("{name:?} is a URL, not a bucket's name: give it to --source"));
    }
    if name.contains('/') {
        return Err(format!("a bucket's name has no /: use --source s3://{name}"));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    match name.chars().all(legal) && (3..=255).contains(&name.len()) {
        true => Ok(format!("s3://{name}")),
        false => Err(format!("{name:?} cannot be a bucket's name")),
    }
}

pub(super) fn endpoint(url: &str) -> Result<String, String> {
    match url::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {
            Ok(url.to_owned())
        }
        _ => Err(format!("{url:?} is not a URL such as https://host or http://localhost:9000")),
    }
}

/// The sink's `topics.dir`: slashes at the ends do not count, empty is allowed.
pub(super) fn topics_dir(dir: &str) -> Result<String, String> {
    Ok(dir.trim_matches('/').to_owned())
}

pub(super) fn file_delim(delim: &str) -> Result<String, String> {
    match delim {
        "" => Err("is empty: the sink's file.delim separates topic, partition and offset".into()),
        d if d.contains('/') => Err(format!("{d:?} holds /, which separates folders")),
        d => Ok(d.to_owned()),
    }
}

pub(super) fn topic_glob(pattern: &str) -> Result<TopicGlob, String> {
    let pattern = text(pattern)?;
    let glob =
        Glob::new(&pattern).map_err(|e| format!("{pattern:?} is not a glob: {}", e.kind()))?;
    Ok(TopicGlob { pattern, matcher: glob.compile_matcher() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn sizes_are_bytes_or_carry_a_unit() {
        let cases = [
            ("0", Some(0)),
            ("1048576", Some(MIB)),
            ("12b", Some(12)),
            ("256MiB", Some(256 * MIB)),
            ("256 mib", Some(256 * MIB)),
            ("1g", Some(1024 * MIB)),
            ("2T", Some(2 * 1024 * 1024 * MIB)),
            ("3kB", Some(3000)),
            ("3k", Some(3072)),
            ("1GB", Some(1_000_000_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("17179869184g", None),
            ("", None),
            ("g", None),
            ("-1", None),
            ("1.5g", None),
            ("1 g b", None),
            ("1x", None),
        ];
        for (text, expected) in cases {
            assert_eq!(size(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn memory_below_64_mib_is_refused() {
        assert_eq!(memory("64m"), Ok(MIN_MEMORY));
        assert!(memory("67108863").unwrap_err().contains("64MiB is the least"));
    }

    #[test]
    fn files_below_1_mib_are_no_target() {
        assert_eq!(target_size("1MiB"), Ok(MIN_TARGET_SIZE));
        for text in ["128", "0", "1023k"] {
            assert!(target_size(text).unwrap_err().contains("1MiB is the least"), "{text:?}");
        }
    }

    #[test]
    fn table_names_are_those_of_transforms() {
        for good in ["a", "pin", "shop-orders_2"] {
            assert_eq!(table_name(good).as_deref(), Ok(good));
        }
        for bad in ["", "Pin", "2pin", "_runs", "-a", "a/b", "a.b", "pín", "pin "] {
            assert!(table_name(bad).unwrap_err().contains("begins with a-z"), "{bad:?}");
        }
    }

    #[test]
    fn max_rejects_is_a_count_or_a_share() {
        let cases = [
            ("0", Some(MaxRejects::Count(0))),
            ("100", Some(MaxRejects::Count(100))),
            ("0%", Some(MaxRejects::Share(0.0))),
            ("5%", Some(MaxRejects::Share(0.05))),
            ("0.5 %", Some(MaxRejects::Share(0.005))),
            ("100%", Some(MaxRejects::Share(1.0))),
            ("101%", None),
            ("-1%", None),
            ("-1", None),
            ("nan%", None),
            ("1.5", None),
            ("%", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(max_rejects(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn max_rejects_shows_what_was_typed() {
        for text in ["0", "100", "0%", "7%", "29%", "0.5%", "0.01%", "100%"] {
            assert_eq!(max_rejects(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_gate_breaks_only_above_the_limit() {
        for percent in 0..=100u64 {
            let gate = max_rejects(&format!("{percent}%")).unwrap();
            for hundreds in [1, 3, 7_777_777] {
                let (limit, read) = (percent * hundreds, 100 * hundreds);
                assert!(!gate.is_broken_by(limit, read), "{percent}% of {read}");
                assert!(gate.is_broken_by(limit + 1, read), "{percent}% of {read}");
            }
        }
        let all = [
            ("100%", true),
            ("100.0 %", true),
            ("99.99%", false),
            ("0%", false),
            ("100", false),
            ("18446744073709551615", false),
        ];
        for (text, expected) in all {
            assert_eq!(max_rejects(text).unwrap().allows_all(), expected, "{text}");
        }
        assert!(!MaxRejects::Count(3).is_broken_by(3, 10));
        assert!(MaxRejects::Count(3).is_broken_by(4, 10));
        assert!(!MaxRejects::Share(0.0).is_broken_by(0, 0));
    }

    #[test]
    fn switches_are_words_or_digits() {
        for (text, expected) in [
            ("1", Some(true)),
            ("true", Some(true)),
            ("Yes", Some(true)),
            ("0", Some(false)),
            ("FALSE", Some(false)),
            ("no", Some(false)),
            ("", None),
            ("on", None),
            ("2", None),
        ] {
            assert_eq!(switch(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn shares_are_fractions_or_percentages() {
        for (text, expected) in
            [("0", Some(0.0)), ("0.25", Some(0.25)), ("1%", Some(0.01)), ("1.1", None), ("x", None)]
        {
            assert_eq!(share(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn whole_numbers_keep_their_bounds() {
        for (text, expected) in
            [("1", Some(1)), ("4096", Some(4096)), ("0", None), ("4097", None), ("-1", None)]
        {
            assert_eq!(whole(1, 4096)(text).ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_bucket_that_is_none_comes_with_advice() {
        assert_eq!(bucket("my-bucket.eu"), Ok("s3://my-bucket.eu".to_owned()));
        for (name, advice) in [
            ("s3://b", "give it to --source"),
            ("b/data", "use --source s3://b/data"),
            ("my bucket", "cannot be"),
            ("ab", "cannot be"),
            ("", "is empty"),
        ] {
            assert!(bucket(name).unwrap_err().contains(advice), "{name:?}");
        }
    }

    #[test]
    fn a_path_is_not_a_url() {
        assert_eq!(path("a:b/c d"), Ok(PathBuf::from("a:b/c d")));
        for (text, problem) in [("s3://lake/r.json", "is a URL"), (" ", "is empty")] {
            assert!(path(text).unwrap_err().contains(problem), "{text:?}");
        }
    }

    #[test]
    fn slashes_around_topics_dir_do_not_count() {
        for (dir, expected) in [("topics", "topics"), ("/a/b/", "a/b"), ("/", ""), ("", "")] {
            assert_eq!(topics_dir(dir).unwrap(), expected);
        }
    }

    #[test]
    fn a_delimiter_is_some_text_without_slashes() {
        assert_eq!(file_delim("--"), Ok("--".to_owned()));
        assert!(file_delim("").is_err());
        assert!(file_delim("+/").is_err());
    }

    #[test]
    fn endpoints_are_http_urls() {
        for good in ["http://localhost:9000", "https://s3.example.org/"] {
            assert_eq!(endpoint(good).as_deref(), Ok(good));
        }
        for bad in ["localhost:9000", "s3://b", "", "https://"] {
            assert!(endpoint(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn topic_globs_are_compiled() {
        assert!(topic_glob("*.pin").unwrap().matcher.is_match("a.pin"));
        assert!(topic_glob("a[").unwrap_err().contains("not a glob"));
    }
}
