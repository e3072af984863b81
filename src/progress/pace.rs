//! How fast a run is, and how long it will take.

use std::collections::VecDeque;
use std::time::Duration;

/// Rates are over this time: long enough to be calm, short enough to be true.
const WINDOW: Duration = Duration::from_secs(10);

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    pub found_objects: u64,
    pub found_bytes: u64,
    pub done_objects: u64,
    pub done_bytes: u64,
    /// Whether what was found is the total.
    pub planned: bool,
}

/// The counters of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Never empty after the first `add`.
    recent: VecDeque<(Duration, State)>,
}

impl Pace {
    /// Adds the counters, at a time since the start; times only grow.
    pub fn add(&mut self, at: Duration, state: State) {
        self.recent.push_back((at, state));
        while self.recent.len() > 2 && self.recent.get(1).is_some_and(|(t, _)| at - *t >= WINDOW) {
            self.recent.pop_front();
        }
    }

    fn last(&self) -> State {
        self.recent.back().map(|(_, state)| *state).unwrap_or_default()
    }

    /// Objects and bytes a second.
    fn rates(&self) -> (f64, f64) {
        let (Some((t0, first)), Some((t1, last))) = (self.recent.front(), self.recent.back())
        else {
            return (0.0, 0.0);
        };
        let seconds = (*t1 - *t0).as_secs_f64();
        let rate =
            |from: u64, to: u64| if seconds > 0.0 { (to - from) as f64 / seconds } else { 0.0 };
        (rate(first.done_objects, last.done_objects), rate(first.done_bytes, last.done_bytes))
    }

    /// The time left, if the total is known and work goes on. Small objects
    /// cost by number, large ones by size: the longer of the two counts.
    pub fn left(&self) -> Option<Duration> {
        let last = self.last();
        let (objects, bytes) = self.rates();
        let seconds = |found: u64, done: u64, rate: f64| match found.saturating_sub(done) {
            0 => Some(0.0),
            rest => (rate > 0.0).then(|| rest as f64 / rate),
        };
        let by_objects = seconds(last.found_objects, last.done_objects, objects)?;
        let by_bytes = seconds(last.found_bytes, last.done_bytes, bytes)?;
        let left = Duration::try_from_secs_f64(by_objects.max(by_bytes)).ok();
        left.filter(|_| last.planned)
    }

    /// The counters, rates and time left, for people.
    pub fn line(&self) -> String {
        let last = self.last();
        let (objects, bytes) = self.rates();
        let mut line = format!(
            "{} of {} objects{}, {}/s, {:.1} MB/s",
            grouped(last.done_objects),
            grouped(last.found_objects),
            if last.planned { "" } else { " found so far" },
            grouped(objects.round() as u64),
            bytes / 1e6,
        );
        if let Some(left) = self.left() {
            line.push_str(&format!(", {} left", spoken(left)));
        }
        line
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `75 s` as `1m 15s`.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(done_objects: u64, done_bytes: u64, planned: bool) -> State {
        State { found_objects: 10_000, found_bytes: 50_000_000, done_objects, done_bytes, planned }
    }

    fn pace(states: &[(u64, State)]) -> Pace {
        let mut pace = Pace::default();
        for (second, state) in states {
            pace.add(Duration::from_secs(*second), *state);
        }
        pace
    }

    #[test]
    fn the_line_tells_rates_and_the_time_left() {
        let pace = pace(&[(0, state(0, 0, false)), (2, state(4_000, 10_000_000, true))]);
        // 6,000 objects at 2,000/s are 3 s, 40 MB at 5 MB/s are 8 s.
        assert_eq!(pace.line(), "4,000 of 10,000 objects, 2,000/s, 5.0 MB/s, 8s left");
    }

    #[test]
    fn no_time_is_left_unsaid_while_the_listing_goes_on() {
        let pace = pace(&[(0, state(0, 0, false)), (2, state(4_000, 10_000_000, false))]);
        assert_eq!(pace.line(), "4,000 of 10,000 objects found so far, 2,000/s, 5.0 MB/s");
    }

    #[test]
    fn a_run_that_stands_still_says_nothing_of_the_time_left() {
        let still = state(5, 5, true);
        assert_eq!(pace(&[(0, still), (1, still)]).left(), None);
        assert_eq!(pace(&[(0, still)]).left(), None);
        assert_eq!(Pace::default().left(), None);
    }

    #[test]
    fn rates_forget_what_is_long_past() {
        let mut pace = Pace::default();
        for second in 0..100u64 {
            let done = if second < 50 { 0 } else { (second - 49) * 100 };
            pace.add(Duration::from_secs(second), state(done, done, true));
        }
        assert_eq!(pace.rates().0, 100.0);
        assert!(pace.recent.len() <= 12, "{}", pace.recent.len());
    }

    #[test]
    fn numbers_and_times_are_easy_to_read() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1234567, "1,234,567")]
        {
            assert_eq!(grouped(number), expected);
        }
        for (seconds, expected) in [(0, "0s"), (75, "1m 15s"), (3700, "1h 01m")] {
            assert_eq!(spoken(Duration::from_secs(seconds)), expected);
        }
    }
}
