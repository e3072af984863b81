//! Folders of a time-based partitioner: which are too old to be listed again.
//!
//! They are known by what was committed: a folder is one of time only if it is
//! of a form, and as deep in the topic, as one whose records were committed and
//! that names a day. So `year=1999` of a field partitioner is listed always.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// How a sink spells a time as folders (its `path.format`). Numbers have two
/// digits, years four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// `year=2024/month=01/day=31/hour=23`, the last of them optional: the
    /// connector's DailyPartitioner and HourlyPartitioner.
    Named,
    /// `2024/01/31/23`, the last of them optional.
    Plain,
    /// `dt=2024-01-31` or `dt=2024-01-31-23`, with this before the year.
    Single(&'static str),
}

const FORMS: [Form; 5] =
    [Form::Named, Form::Plain, Form::Single("dt="), Form::Single("date="), Form::Single("")];
const LEVELS: [&str; 4] = ["year=", "month=", "day=", "hour="];

impl Form {
    /// Year, month, day and hour, as far as these folders spell them.
    fn numbers(self, folders: &[&str]) -> Vec<u32> {
        let level = |(i, folder): (usize, &&str)| match self {
            Form::Named => number(folder.strip_prefix(LEVELS[i])?, i),
            _ => number(folder, i),
        };
        match self {
            Form::Single(prefix) => {
                let time = folders.first().and_then(|folder| folder.strip_prefix(prefix));
                let parts = time.into_iter().flat_map(|time| time.split('-')).enumerate();
                let numbers: Option<Vec<u32>> = parts.map(|(i, part)| number(part, i)).collect();
                numbers.filter(|numbers| matches!(numbers.len(), 3 | 4)).unwrap_or_default()
            }
            _ => folders.iter().take(LEVELS.len()).enumerate().map_while(level).collect(),
        }
    }
}

/// The year at 0, else another part of a time.
fn number(text: &str, level: usize) -> Option<u32> {
    let digits = if level == 0 { 4 } else { 2 };
    let sound = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    sound.then(|| text.parse().ok()).flatten()
}

/// When it begins, and when it has ended: a year, month, day or hour, in
/// whatever zone the sink uses.
fn period(numbers: &[u32]) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let &[year, ref rest @ ..] = numbers else { return None };
    let month = rest.first().copied().unwrap_or(1);
    let day = rest.get(1).copied().unwrap_or(1);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let hour = rest.get(2).copied().unwrap_or(0);
    let start = date.and_hms_opt(hour, 0, 0)?;
    let end = match rest.len() {
        0 => start.checked_add_months(Months::new(12)),
        1 => start.checked_add_months(Months::new(1)),
        2 => start.checked_add_days(Days::new(1)),
        _ => start.checked_add_signed(TimeDelta::hours(1)),
    };
    Some((start, end?))
}

/// How far back from the newest committed folder others are listed.
#[derive(Debug, Clone, Copy)]
pub struct Lookback {
    /// The distance.
    pub span: Duration,
    /// The time of the run. A folder that begins a day or more after it holds a
    /// wrong time, and is not the newest: all others would be too old.
    pub now: DateTime<Utc>,
}

/// The time up to which folders of one topic are too old.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Horizon {
    /// `None` if nothing is too old.
    time: Option<NaiveDateTime>,
    /// Forms that were committed, and how many folders stand before the time.
    places: BTreeSet<(Form, usize)>,
}

impl Horizon {
    /// From the directories of a topic that were committed. With none nothing is
    /// too old.
    pub fn new<'a>(
        committed: impl Iterator<Item = &'a str>,
        Lookback { span, now }: Lookback,
    ) -> Horizon {
        let latest = now.naive_utc().checked_add_days(Days::new(1));
        let (mut newest, mut places) = (None, BTreeSet::new());
        for (place, start) in committed.filter_map(whole_time) {
            places.insert(place);
            newest = newest.max(Some(start).filter(|start| latest.is_some_and(|l| *start < l)));
        }
        let span = TimeDelta::from_std(span).ok();
        let time = newest.zip(span).and_then(|(newest, span)| newest.checked_sub_signed(span));
        Horizon { time, places }
    }

    /// Whether all that a directory may hold is too old.
    pub fn is_past(&self, directory: &str) -> bool {
        let Some(horizon) = self.time else { return false };
        let folders: Vec<&str> = directory.split('/').collect();
        self.places.iter().any(|&(form, depth)| {
            let numbers = folders.get(depth..).map(|time| form.numbers(time)).unwrap_or_default();
            period(&numbers).is_some_and(|(_, end)| end <= horizon)
        })
    }
}

/// Where in a directory a time stands that names at least a day, and when that
/// begins.
fn whole_time(directory: &str) -> Option<((Form, usize), NaiveDateTime)> {
    let folders: Vec<&str> = directory.split('/').collect();
    (0..folders.len()).find_map(|depth| {
        FORMS.into_iter().find_map(|form| {
            let numbers = form.numbers(&folders[depth..]);
            let (start, _) = period(&numbers).filter(|_| numbers.len() > 2)?;
            Some(((form, depth), start))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 60 * 60;
    const DAY: u64 = 24 * HOUR;

    fn horizon(committed: &[&str], span: u64) -> Horizon {
        let now = "2024-06-01T12:00:00Z".parse().unwrap();
        let back = Lookback { span: Duration::from_secs(span), now };
        Horizon::new(committed.iter().copied(), back)
    }

    #[test]
    fn a_folder_is_past_if_all_of_it_ended_before_the_lookback() {
        let newest = "year=2024/month=03/day=08/hour=05";
        let cases: &[(&str, u64, &[&str], &[&str])] = &[
            (
                newest,
                7 * DAY,
                &["year=2023", "year=2024/month=02", "year=2024/month=02/day=29"],
                &["year=2024", "year=2025", "year=2024/month=03", "year=2024/month=03/day=01"],
            ),
            (
                newest,
                7 * DAY,
                &["year=2024/month=03/day=01/hour=04", "year=2024/month=02/day=29/hour=23/x=1"],
                &["year=2024/month=03/day=01/hour=05", "year=2024/month=03/day=01/hour=4", ""],
            ),
            (
                newest,
                0,
                &["year=2024/month=03/day=08/hour=04"],
                &[newest, "year=2024/month=03/day=09"],
            ),
            ("2024/03/08", 0, &["2023", "2024/02", "2024/03/07"], &["2024", "2024/03/08", "x"]),
            ("dt=2024-03-08", 0, &["dt=2024-03-07", "dt=2024-03-07-23"], &["2024-03-07"]),
            ("date=2024-03-08-01", HOUR, &["date=2024-03-07-23"], &["date=2024-03-08-00"]),
            ("2024-03-08", DAY, &["2024-03-06", "2024-03-06/hour=23"], &["2024-03-07"]),
        ];
        for (newest, span, past, listed) in cases {
            let horizon = horizon(&[newest], *span);
            for folder in *past {
                assert!(horizon.is_past(folder), "{folder} after {newest}, {span} s");
            }
            for folder in *listed {
                assert!(!horizon.is_past(folder), "{folder} after {newest}, {span} s");
            }
        }
    }

    #[test]
    fn what_is_not_clearly_a_time_is_listed() {
        let cases = [
            // What was committed, and a folder that resembles an old time.
            ("partition=0", "dt=2020-01-01"),
            ("year=2024/partition=0", "year=2020"),
            ("year=2024/month=3/day=8", "year=2020"),
            ("year=2024/month=13/day=01", "year=2020"),
            ("year=2024/month=02/day=30", "year=2020"),
            ("year=2024/month=03/day=08", "dt=2020-01-01"),
            ("year=2024/month=03/day=08", "2020"),
            ("year=2024/month=03/day=08", "year=20"),
            ("year=2024/month=03/day=08", "year=+202"),
            ("year=2024/month=03/day=08", "country=A/year=2020"),
            ("year=1999/year=2024/month=03/day=08", "year=1999"),
            ("dt=2024-03-08", "dt=2020-01"),
            ("dt=2024-03-08", "dt=2020-01-01-00-00"),
            ("dt=2024-03-08", "birthday=2020-01-01"),
            ("born=2024-03-08", "born=2020-01-01"),
        ];
        for (committed, folder) in cases {
            let horizon = horizon(&[committed], 0);
            assert!(!horizon.is_past(folder), "{folder} beside {committed}");
        }
    }

    #[test]
    fn the_newest_folder_of_the_topic_counts_wherever_it_is() {
        let horizon = horizon(&["country=A/dt=2024-03-08", "country=B/dt=2024-01-01"], DAY);
        assert!(horizon.is_past("country=B/dt=2024-01-01"));
        assert!(horizon.is_past("country=C/dt=2024-03-06"));
        assert!(!horizon.is_past("country=B/dt=2024-03-07"));
    }

    #[test]
    fn a_folder_that_lies_in_the_future_makes_no_other_too_old() {
        // It is noon of 2024-06-01, and zones differ by less than a day.
        for (wrong, past) in [("9999-12-31", false), ("2024-06-03", false), ("2024-06-02", true)] {
            let horizon = horizon(&["2024-05-01", wrong], 0);
            assert!(horizon.is_past("2024-04-30"));
            assert_eq!(horizon.is_past("2024-05-01"), past, "{wrong}");
        }
    }

    #[test]
    fn a_lookback_beyond_all_times_makes_nothing_too_old() {
        assert!(!horizon(&["2024-03-08"], u64::MAX).is_past("0001-01-01"));
        assert!(!horizon(&["2024-03-08"], 300_000 * 365 * DAY).is_past("0001-01-01"));
        assert!(!horizon(&[], 0).is_past("0001-01-01"));
    }
}
