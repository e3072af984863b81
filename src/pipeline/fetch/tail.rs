//! When an answer is so late that a second request is worth its while.
//!
//! A request that stalls says nothing of the others: it met a bad disk, a bad
//! connection, a lost packet. Asked again it is answered as soon as they are.

use std::time::Duration;

/// Answers that are looked back on, and how many new ones are waited for before
/// that is done again.
const RECENT: usize = 128;
const STEP: usize = 32;

/// Later than so many times what 95 of 100 take is late, and less than `SOON`
/// never is: what was read ahead hides it, and a machine under load would ask
/// twice for what is on its way.
const TIMES: u32 = 3;
const SOON: Duration = Duration::from_secs(1);
/// What 95 of 100 take as long as nothing is known.
const UNKNOWN: Duration = Duration::from_millis(500);

/// One request in so many may be sent twice, the first as well; saved up for
/// `SAVED` of them.
const SHARE: u32 = 20;
const SAVED: u32 = 16;

/// How long requests took, and how many more may be sent twice.
#[derive(Debug)]
pub(super) struct Tail {
    recent: [Duration; RECENT],
    seen: usize,
    most_take: Duration,
    credit: u32,
}

impl Tail {
    pub(super) fn new() -> Tail {
        Tail { recent: [Duration::ZERO; RECENT], seen: 0, most_take: UNKNOWN, credit: SHARE }
    }

    /// A request was answered in full.
    pub(super) fn answered(&mut self, took: Duration) {
        self.recent[self.seen % RECENT] = took;
        self.seen += 1;
        self.credit = (self.credit + 1).min(SHARE * SAVED);
        if self.seen.is_multiple_of(STEP) {
            let mut recent = self.recent;
            let known = &mut recent[..self.seen.min(RECENT)];
            let at = known.len() * 95 / 100;
            self.most_take = *known.select_nth_unstable(at).1;
        }
    }

    /// After this time without an answer a request is late.
    pub(super) fn late(&self) -> Duration {
        (self.most_take * TIMES).max(SOON)
    }

    /// Whether another request may be sent twice; counts it if so.
    pub(super) fn spend(&mut self) -> bool {
        let may = self.credit >= SHARE;
        if may {
            self.credit -= SHARE;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_three_times_what_most_take() {
        let ms = Duration::from_millis;
        // Answers of so many ms, of 100 → late after.
        let cases: &[(&[(usize, u64)], u64)] = &[
            (&[], 1500),
            (&[(31, 100)], 1500),
            (&[(128, 10)], 1000),
            (&[(128, 500)], 1500),
            (&[(122, 500), (6, 9000)], 1500),
            (&[(120, 500), (8, 9000)], 27_000),
            (&[(1024, 9000), (128, 600)], 1800),
        ];
        for (answers, late) in cases {
            let mut tail = Tail::new();
            for &(count, took) in *answers {
                (0..count).for_each(|_| tail.answered(ms(took)));
            }
            assert_eq!(tail.late(), ms(*late), "{answers:?}");
        }
    }

    #[test]
    fn one_request_in_twenty_is_sent_twice_at_most() {
        let mut tail = Tail::new();
        let mut spent = 0;
        for _ in 0..10_000 {
            spent += u32::from(tail.spend());
            tail.answered(Duration::ZERO);
        }
        assert!((500..=501).contains(&spent), "{spent}");
        // After a long time without, no more than a few at once.
        (0..10_000).for_each(|_| tail.answered(Duration::ZERO));
        assert_eq!((0..1000).filter(|_| tail.spend()).count(), SAVED as usize);
    }
}
