//! How soon and how often a request is sent again.

use std::time::{Duration, Instant};

/// How often a request is sent again, and for how long: its signature is good
/// for 15 minutes, and who asks for nothing else should know soon.
const TIMES: u32 = 10;
const PATIENCE: Duration = Duration::from_secs(180);

/// How often a body is asked for that is not as long as was announced.
const SHORT_TRIES: u32 = 3;

/// What one request may still fail.
#[derive(Debug)]
pub(super) struct Patience {
    since: Instant,
    /// Requests that failed since then, but for short bodies.
    failed: u32,
    short: u32,
}

impl Patience {
    pub(super) fn new(now: Instant) -> Patience {
        Patience { since: now, failed: 0, short: 0 }
    }

    /// More bytes came: a slow link gets there in the end. Short bodies are no
    /// matter of the link.
    pub(super) fn renew(&mut self, now: Instant) {
        *self = Patience { short: self.short, ..Patience::new(now) };
    }

    /// It failed, or gave a short body. How often it has, or none if that is
    /// enough.
    pub(super) fn failed(&mut self, now: Instant, short: bool) -> Option<u32> {
        *(if short { &mut self.short } else { &mut self.failed }) += 1;
        let goes_on = self.failed <= TIMES
            && self.short < SHORT_TRIES
            && now.saturating_duration_since(self.since) <= PATIENCE;
        goes_on.then_some(self.failed + self.short)
    }
}

/// The first pause, which doubles each time: the short one while most requests
/// are answered, the long one where a server answers next to none.
const SHORT: Duration = Duration::from_millis(25);
const LONG: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(15);

/// An answer earns so much of what sending again costs: one in four may be.
const COST: u32 = 4;
const SAVED: u32 = 256 * COST;

/// What may be sent again soon: earned by answers, so that a server that fails
/// is not kept busy with what failed.
#[derive(Debug)]
pub(super) struct Budget(u32);

impl Budget {
    pub(super) fn new() -> Budget {
        Budget(SAVED)
    }

    /// A request was answered.
    pub(super) fn earn(&mut self) {
        self.0 = (self.0 + 1).min(SAVED);
    }

    /// How long to wait before a request that failed `times` times, at least
    /// once, is sent again; between half of it and all of it by `chance`, which
    /// is up to 1.
    pub(super) fn pause(&mut self, times: u32, chance: f64) -> Duration {
        let first = match self.0.checked_sub(COST) {
            Some(rest) => {
                self.0 = rest;
                SHORT
            }
            None => LONG,
        };
        let whole = first.saturating_mul(1 << times.saturating_sub(1).min(16)).min(LONGEST);
        whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many of these failures, a second apart, it is given up.
    fn given_up(failures: &[(bool, bool)]) -> Option<usize> {
        let begun = Instant::now();
        let mut patience = Patience::new(begun);
        (0..).zip(failures).position(|(second, &(short, more))| {
            let now = begun + Duration::from_secs(second);
            if more {
                patience.renew(now);
            }
            patience.failed(now, short).is_none()
        })
    }

    #[test]
    fn failures_and_short_bodies_are_counted_apart_and_new_bytes_renew_patience() {
        const FAILED: (bool, bool) = (false, false);
        const MORE: (bool, bool) = (false, true);
        const SHORT: (bool, bool) = (true, false);
        assert_eq!(given_up(&[FAILED; 20]), Some(10));
        assert_eq!(given_up(&[SHORT; 20]), Some(2));
        assert_eq!(given_up(&[FAILED, FAILED, SHORT, FAILED, SHORT, SHORT]), Some(5));
        assert_eq!(given_up(&[MORE; 1000]), None);
        assert_eq!(given_up(&[[FAILED; 9].as_slice(), &[MORE], &[FAILED; 20]].concat()), Some(19));
        assert_eq!(given_up(&[SHORT, MORE, SHORT, MORE, SHORT]), Some(4));
    }

    #[test]
    fn patience_ends_after_its_time() {
        let begun = Instant::now();
        let mut patience = Patience::new(begun);
        assert_eq!(patience.failed(begun + PATIENCE, false), Some(1));
        patience.renew(begun + PATIENCE);
        assert_eq!(patience.failed(begun + PATIENCE * 2, false), Some(1));
        let later = begun + PATIENCE * 2 + Duration::from_millis(1);
        assert_eq!(patience.failed(later, false), None);
    }

    #[test]
    fn pauses_double_and_end_somewhere() {
        let ms = Duration::from_millis;
        let cases = [(1, 25), (2, 50), (3, 100), (6, 800), (10, 12_800), (11, 15_000)];
        for (times, whole) in cases {
            let mut budget = Budget::new();
            assert_eq!(budget.pause(times, 1.0), ms(whole), "{times}");
            assert_eq!(budget.pause(times, 0.0), ms(whole) / 2, "{times}");
        }
        assert_eq!(Budget::new().pause(u32::MAX, 1.0), LONGEST);
    }

    #[test]
    fn a_tenth_is_sent_again_soon_for_ever_and_a_half_is_not() {
        for (refused, soon) in [(1, true), (2, true), (5, false), (10, false)] {
            let mut budget = Budget::new();
            let mut pauses = Vec::new();
            for n in 0..100_000 {
                match n % 10 < refused {
                    true => pauses.push(budget.pause(1, 1.0)),
                    false => budget.earn(),
                }
            }
            let long = pauses.iter().filter(|pause| **pause == LONG).count();
            assert_eq!(long == 0, soon, "{refused}: {long} of {}", pauses.len());
        }
    }
}
