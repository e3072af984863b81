//! How many requests are under way at once: found out from how they are answered.
//!
//! The limit moves at the end of a round, which is about as many answers as it
//! is high, so once in the time of a request if they are all under way:
//! - It grows while all of it is used and answers come as soon as before: to
//!   the double, and by an eighth once S3 has asked to slow down. If they come
//!   later, more requests would only wait in another queue.
//! - It falls where S3 refuses more than a quarter of a round, by half of what
//!   was refused: a prefix serves what it can and refuses the rest. Then it
//!   rests. A few refusals are no sign of overload, and trying those again
//!   costs less than fewer requests would.

use std::time::Duration;

/// The limit to begin with, and the least that it falls to.
const FIRST: usize = 64;
const LEAST: usize = 4;

/// A round is at least so many answers: of fewer, no share can be told.
const ROUND: usize = 64;
/// Of a round's answers, one in so many may be refusals before the limit falls,
/// and while it grows.
const OVERLOAD: usize = 4;
const TOLERATED: usize = 6;
/// Rounds after a fall that the limit stays. S3 takes minutes to make room.
const REST: u32 = 32;
/// Answers that take longer than in the best rounds by no more than this, and
/// half as much again, come as soon as before.
const JITTER: Duration = Duration::from_millis(5);
/// The best time is forgotten slowly, by one part in so many each round.
const MEMORY: u32 = 64;

/// The limit, and what it goes by.
#[derive(Debug)]
pub(super) struct Limit {
    most: usize,
    now: usize,
    /// Rises with each fall.
    era: u64,
    round: Round,
    best: Option<Duration>,
    cautious: bool,
    rest: u32,
}

#[derive(Debug, Default)]
struct Round {
    served: u32,
    refused: u32,
    waited: Duration,
    /// Answers that came while all requests that may be were under way.
    full: u32,
}

impl Limit {
    pub(super) fn new(most: usize) -> Limit {
        let most = most.max(1);
        Limit {
            most,
            now: most.min(FIRST),
            era: 0,
            round: Round::default(),
            best: None,
            cautious: false,
            rest: 0,
        }
    }

    /// Requests that may be under way at once.
    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// To be given with the answers of the requests that begin now: what was
    /// sent before the last fall says nothing of the limit after it.
    pub(super) fn era(&self) -> u64 {
        self.era
    }

    /// An answer came; `full` if all that may be under way were.
    pub(super) fn served(&mut self, era: u64, waited: Duration, full: bool) {
        if era == self.era {
            self.round.served += 1;
            self.round.waited += waited;
            self.round.full += u32::from(full);
            self.end_round();
        }
    }

    /// S3 asked to slow down, or did not answer in time.
    pub(super) fn refused(&mut self, era: u64) {
        if era == self.era {
            self.round.refused += 1;
            self.end_round();
        }
    }

    fn end_round(&mut self) {
        let Round { served, refused, waited, full } = self.round;
        let (answers, refusals) = ((served + refused) as usize, refused as usize);
        if answers < self.now.max(ROUND) {
            return;
        }
        self.round = Round::default();
        let soon = waited.checked_div(served).is_some_and(|mean| self.comes_soon(mean));
        if refusals * OVERLOAD > answers {
            self.fall(answers, refusals);
        } else if self.rest > 0 {
            self.rest -= 1;
        } else if soon && full > served / 2 && refusals * TOLERATED <= answers {
            self.grow();
        }
    }

    fn comes_soon(&mut self, mean: Duration) -> bool {
        let best = self.best.map_or(mean, |best| mean.min(best + best / MEMORY));
        self.best = Some(best);
        mean <= best + best / 2 + JITTER
    }

    fn fall(&mut self, answers: usize, refusals: usize) {
        self.now -= self.now * refusals / answers / 2;
        self.now = self.now.max(LEAST.min(self.most));
        self.era += 1;
        self.cautious = true;
        self.rest = REST;
    }

    fn grow(&mut self) {
        let step = if self.cautious { (self.now / 8).max(1) } else { self.now };
        self.now = (self.now + step).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(30);

    /// One round in which so many of a hundred were refused.
    fn round(limit: &mut Limit, percent: usize, waited: Duration, full: bool) {
        let era = limit.era();
        let answers = limit.now().max(ROUND);
        for n in 0..answers {
            match (n + 1) * percent / 100 > n * percent / 100 {
                true => limit.refused(era),
                false => limit.served(era, waited, full),
            }
        }
    }

    #[test]
    fn the_limit_moves_with_what_a_round_says() {
        // Highest, refused of a hundred, time, whether full → after each of four rounds.
        let cases: &[(usize, usize, Duration, bool, [usize; 4])] = &[
            (512, 0, RTT, true, [128, 256, 512, 512]),
            (100, 0, RTT, true, [100, 100, 100, 100]),
            (1, 0, RTT, true, [1, 1, 1, 1]),
            (512, 0, RTT, false, [64, 64, 64, 64]),
            (512, 10, RTT, true, [128, 256, 512, 512]),
            (512, 20, RTT, true, [64, 64, 64, 64]),
            (512, 50, RTT, true, [48, 36, 27, 21]),
            (512, 100, RTT, true, [32, 16, 8, 4]),
            (2, 100, RTT, true, [2, 2, 2, 2]),
        ];
        for &(most, percent, waited, full, expected) in cases {
            let mut limit = Limit::new(most);
            let after = expected.map(|_| {
                round(&mut limit, percent, waited, full);
                limit.now()
            });
            assert_eq!(after, expected, "{most} {percent} {full}");
        }
    }

    #[test]
    fn it_does_not_grow_where_more_requests_only_wait_longer() {
        let mut limit = Limit::new(512);
        round(&mut limit, 0, RTT, true);
        assert_eq!(limit.now(), 128);
        // 128 take twice as long as 64 did: something else is the limit.
        for _ in 0..10 {
            round(&mut limit, 0, RTT * 2, true);
        }
        assert_eq!(limit.now(), 128);
        round(&mut limit, 0, RTT, true);
        assert_eq!(limit.now(), 256);
    }

    #[test]
    fn what_was_sent_before_a_fall_does_not_count_after_it() {
        let mut limit = Limit::new(512);
        round(&mut limit, 0, RTT, true);
        let old = limit.era();
        round(&mut limit, 100, RTT, true);
        assert_eq!(limit.now(), 64);
        (0..1000).for_each(|_| limit.refused(old));
        (0..1000).for_each(|_| limit.served(old, RTT, true));
        assert_eq!(limit.now(), 64);
    }

    #[test]
    fn after_a_fall_it_rests_and_then_grows_by_steps() {
        let mut limit = Limit::new(512);
        round(&mut limit, 100, RTT, true);
        for _ in 0..REST {
            round(&mut limit, 0, RTT, true);
            assert_eq!(limit.now(), 32);
        }
        round(&mut limit, 0, RTT, true);
        assert_eq!(limit.now(), 36);
    }

    /// A prefix that serves so many requests in the time of one, and refuses
    /// the rest.
    #[test]
    fn a_store_of_any_capacity_is_used_and_not_overrun() {
        for capacity in [10, 50, 100, 200, 400] {
            let mut limit = Limit::new(512);
            let (mut served, mut sent) = (0, 0);
            for n in 0..2000 {
                let refused = limit.now().saturating_sub(capacity) * 100 / limit.now();
                if n >= 200 {
                    served += limit.now().min(capacity);
                    sent += limit.now();
                }
                round(&mut limit, refused, RTT, true);
            }
            assert!(served * 10 >= 1800 * capacity * 9, "{capacity}: {served} served");
            assert!(served * 4 >= sent * 3, "{capacity}: {served} of {sent} served");
        }
    }
}
