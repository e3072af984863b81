//! How soon and how often a request is sent again.

use std::time::Duration;

/// How often a request is sent again, and for how long: its signature is good
/// for 15 minutes, and who asks for nothing else should know soon.
pub(super) const TIMES: u32 = 10;
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

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
