//! Who may send a request now, and what the answers say of that.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::again::Budget;
use super::limit::Limit;
use super::tail::Tail;

/// The gate that all requests of a run for objects go through.
#[derive(Debug)]
pub struct Gate {
    slots: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    /// Slots there are, free or taken, less those that end when they are freed.
    open: usize,
    /// Slots that end when they are freed.
    ending: usize,
    tail: Tail,
    budget: Budget,
}

/// Leave for one request to be under way; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    gate: Arc<Gate>,
    permit: Option<OwnedSemaphorePermit>,
    era: u64,
}

impl Gate {
    /// A gate for `most` requests at once at most. It begins with fewer.
    pub fn new(most: usize) -> Arc<Gate> {
        let limit = Limit::new(most);
        let open = limit.now();
        let (tail, budget) = (Tail::new(), Budget::new());
        let state = Mutex::new(State { limit, open, ending: 0, tail, budget });
        Arc::new(Gate { slots: Arc::new(Semaphore::new(open)), state })
    }

    /// Waits until a request may be sent.
    pub(super) async fn enter(self: &Arc<Gate>) -> Slot {
        // It is never closed, so that there is always a permit one day.
        let permit = Arc::clone(&self.slots).acquire_owned().await.ok();
        let era = self.lock().limit.era();
        Slot { gate: Arc::clone(self), permit, era }
    }

    /// A request was answered in full after this time, all tries of it.
    pub(super) fn answered(&self, took: Duration) {
        self.lock().tail.answered(took);
    }

    /// After this time without an answer a request is late.
    pub(super) fn late(&self) -> Duration {
        self.lock().tail.late()
    }

    /// Whether a request that is late may be sent a second time. It has no slot:
    /// where all are taken by requests that stall, it would get none.
    pub(super) fn may_hedge(&self) -> bool {
        self.lock().tail.spend()
    }

    /// How long to wait before a request that failed `times` times is sent again.
    pub(super) fn pause(&self, times: u32) -> Duration {
        // Any two requests that failed together should come back apart.
        let random = RandomState::new().hash_one(times);
        self.lock().budget.pause(times, random as f64 / u64::MAX as f64)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the slots as many as the limit says.
    fn adjust(&self, state: &mut State) {
        let wanted = state.limit.now();
        if wanted > state.open {
            let more = wanted - state.open;
            let kept = more.min(state.ending);
            state.ending -= kept;
            self.slots.add_permits(more - kept);
        } else if wanted < state.open {
            let fewer = state.open - wanted;
            state.ending += fewer - self.slots.forget_permits(fewer);
        }
        state.open = wanted;
    }
}

impl Slot {
    /// The request's answer began after this time.
    pub(super) fn served(&self, waited: Duration) {
        let full = self.gate.slots.available_permits() == 0;
        let mut state = self.gate.lock();
        state.budget.earn();
        state.limit.served(self.era, waited, full);
        self.gate.adjust(&mut state);
    }

    /// S3 asked to slow down, or did not answer in time.
    pub(super) fn refused(&self) {
        let mut state = self.gate.lock();
        state.limit.refused(self.era);
        self.gate.adjust(&mut state);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        if state.ending > 0 {
            state.ending -= 1;
            if let Some(permit) = self.permit.take() {
                permit.forget();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// As many slots as there are now.
    fn take_all(gate: &Arc<Gate>) -> Vec<Slot> {
        std::iter::from_fn(|| gate.enter().now_or_never()).collect()
    }

    fn refuse(slots: &[Slot]) {
        slots.iter().for_each(Slot::refused);
    }

    #[test]
    fn slots_are_as_many_as_the_limit_says_and_those_taken_end_when_they_are_freed() {
        let gate = Gate::new(512);
        let slots = take_all(&gate);
        assert_eq!(slots.len(), 64);
        refuse(&slots);
        // Half of them are left once these are freed.
        assert_eq!(take_all(&gate).len(), 0);
        drop(slots);
        let mut slots = take_all(&gate);
        assert_eq!(slots.len(), 32);
        // Free ones end at once.
        slots.truncate(16);
        (0..4).for_each(|_| refuse(&slots));
        assert_eq!(take_all(&gate).len(), 0);
        drop(slots);
        assert_eq!(take_all(&gate).len(), 16);
    }

    #[test]
    fn answers_that_come_soon_give_more_slots() {
        let gate = Gate::new(200);
        for expected in [64, 128, 200, 200] {
            let slots = take_all(&gate);
            assert_eq!(slots.len(), expected);
            slots.iter().for_each(|slot| slot.served(Duration::from_millis(30)));
        }
    }

    #[test]
    fn a_limit_that_rises_again_keeps_slots_that_were_to_end() {
        let gate = Gate::new(512);
        let slots = take_all(&gate);
        refuse(&slots);
        let mut state = gate.lock();
        assert_eq!((state.open, state.ending), (32, 32));
        // As if the limit had risen.
        state.limit = Limit::new(40);
        gate.adjust(&mut state);
        assert_eq!((state.open, state.ending), (40, 24));
        drop(state);
        drop(slots);
        assert_eq!(take_all(&gate).len(), 40);
    }
}
