//! Which version of the tables is asked.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::spec::time::{ISO_TIMESTAMPS, iso_day};
use crate::value::TimePattern;

/// A version of tables that is not the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The commit of this number: the version of a Delta table, the number of a
    /// manifest. Each table counts its own.
    Version(u64),
    /// What was committed at this time or before.
    Time(DateTime<Utc>),
}

/// Times without seconds, as people type them; UTC.
const MINUTES: [&str; 2] = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];

impl AsOf {
    /// Reads a number or a time: RFC 3339, `2026-11-20 10:00`, `2026-11-20
    /// 10:00:00` or `2026-11-20`, which is the start of that day. UTC if it names
    /// no zone.
    ///
    /// # Errors
    /// What it may be, in words.
    pub fn parse(text: &str) -> Result<AsOf, String> {
        let text = text.trim();
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let version = text.parse().map(AsOf::Version);
            return version.map_err(|_| format!("{text:?} is too large for a version"));
        }
        time_of(text).map(AsOf::Time).ok_or_else(|| {
            format!(
                "{text:?} is neither a version (a number) nor a time such as \
                 2026-11-20T10:00:00Z, \"2026-11-20 10:00\" or 2026-11-20"
            )
        })
    }
}

/// Reads a time in the default formats of a timestamp, to the minute, or as the start of a
/// day; each as strictly as in a record.
pub(super) fn time_of(text: &str) -> Option<DateTime<Utc>> {
    let mut patterns = ISO_TIMESTAMPS.iter().chain(&MINUTES);
    let time = patterns.find_map(|pattern| TimePattern::new(pattern).ok()?.instant(text));
    time.or_else(|| Some(iso_day(text)?.and_hms_opt(0, 0, 0)?.and_utc()))
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AsOf::Version(version) => version.fmt(f),
            AsOf::Time(time) => f.write_str(&spelt(*time)),
        }
    }
}

/// A time as messages spell it: to the millisecond if it is not a whole second,
/// so that what is shown can be given.
pub(super) fn spelt(time: DateTime<Utc>) -> String {
    let form = match time.timestamp_subsec_millis() {
        0 => SecondsFormat::Secs,
        _ => SecondsFormat::Millis,
    };
    time.to_rfc3339_opts(form, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_and_a_time_is_utc_unless_it_says_otherwise() {
        for (text, expected) in [
            ("0", Some("0")),
            (" 12 ", Some("12")),
            ("2026-11-20", Some("2026-11-20T00:00:00Z")),
            ("2026-11-20 10:00", Some("2026-11-20T10:00:00Z")),
            ("2026-11-20T10:00", Some("2026-11-20T10:00:00Z")),
            ("2026-11-20 10:00:07", Some("2026-11-20T10:00:07Z")),
            ("2026-11-20 10:00:07.25", Some("2026-11-20T10:00:07.250Z")),
            ("2026-11-20T10:00:07Z", Some("2026-11-20T10:00:07Z")),
            ("2026-11-20T10:00:07+02:00", Some("2026-11-20T08:00:07Z")),
            ("", None),
            ("-1", None),
            ("v3", None),
            ("yesterday", None),
            ("2026-13-01", None),
            ("2026-11-20 25:00", None),
            // Neither a short year nor a leap second is guessed at.
            ("26-11-20", None),
            ("26-11-20 10:00", None),
            ("2026-11-20T10:00:60Z", None),
            ("2026-11-20  10:00", None),
            ("+2026-11-20", None),
            ("99999999999999999999", None),
        ] {
            let got = AsOf::parse(text).map(|as_of| as_of.to_string());
            assert_eq!(got.as_deref().ok(), expected, "{text:?}: {got:?}");
        }
    }
}
