//! What goes wrong on purpose. Rules can be added and cleared while the server
//! runs; all matching delays add up, and the first other fault that fires wins.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::log::{Op, Request};
use super::store::Store;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is served later.
    Delay(Duration),
    /// 503 SlowDown; nothing is done.
    SlowDown,
    /// 500 InternalError; nothing is done.
    InternalError,
    /// 403 AccessDenied; nothing is done.
    AccessDenied,
    /// The connection is closed without an answer; nothing is done.
    Close,
    /// At most so many bytes of the body are sent, and never all of them;
    /// then the connection is closed.
    CutBody(usize),
    /// It is done, and the answer is 500 InternalError.
    LandThenError,
    /// It is done, and the connection is closed without an answer.
    LandThenClose,
}

#[derive(Debug, Clone, Copy)]
enum When {
    Always,
    /// The nth, 2nth, … request.
    Every(u64),
    First(u64),
    /// The nth alone, from 0.
    Only(u64),
    /// The nth and all after it, from 0.
    From(u64),
    Chance {
        probability: f64,
        seed: u64,
    },
}

/// A fault, and the requests that meet it.
#[derive(Debug)]
pub struct Rule {
    fault: Fault,
    ops: Vec<Op>,
    bucket: Option<String>,
    prefix: String,
    when: When,
    seen: AtomicU64,
}

impl Rule {
    /// Every request meets it, until narrowed down.
    pub fn new(fault: Fault) -> Rule {
        let (ops, bucket, prefix) = (Vec::new(), None, String::new());
        Rule { fault, ops, bucket, prefix, when: When::Always, seen: AtomicU64::new(0) }
    }

    /// Only this operation; may be repeated.
    pub fn on(mut self, op: Op) -> Rule {
        self.ops.push(op);
        self
    }

    /// Only this bucket.
    pub fn in_bucket(mut self, bucket: &str) -> Rule {
        self.bucket = Some(bucket.to_owned());
        self
    }

    /// Only keys that start so; for a List, its prefix.
    pub fn under(mut self, prefix: &str) -> Rule {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Only every `n`th of the requests that match, the first being the `n`th.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn every(mut self, n: u64) -> Rule {
        assert!(n > 0, "every 0th request is none");
        self.when = When::Every(n);
        self
    }

    /// Only the first `n` of the requests that match.
    pub fn first(mut self, n: u64) -> Rule {
        self.when = When::First(n);
        self
    }

    /// Only the `n`th of the requests that match, from 0.
    pub fn only(mut self, n: u64) -> Rule {
        self.when = When::Only(n);
        self
    }

    /// All but the first `n` of the requests that match.
    pub fn from(mut self, n: u64) -> Rule {
        self.when = When::From(n);
        self
    }

    /// Each request that matches, with this probability; the same seed gives
    /// the same sequence, in the order of arrival.
    pub fn chance(mut self, probability: f64, seed: u64) -> Rule {
        self.when = When::Chance { probability, seed };
        self
    }

    fn matches(&self, request: &Request) -> bool {
        let key = request.key.as_deref().or(request.prefix.as_deref()).unwrap_or("");
        (self.ops.is_empty() || self.ops.contains(&request.op))
            && self.bucket.as_ref().is_none_or(|bucket| *bucket == request.bucket)
            && key.starts_with(&self.prefix)
    }

    fn fires(&self) -> bool {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed);
        match self.when {
            When::Always => true,
            When::Every(n) => seen % n == n - 1,
            When::First(n) => seen < n,
            When::Only(n) => seen == n,
            When::From(n) => seen >= n,
            When::Chance { probability, seed } => uniform(seed, seen) < probability,
        }
    }
}

/// The `index`th number in [0, 1) of a seeded sequence (splitmix64).
fn uniform(seed: u64, index: u64) -> f64 {
    let mut x = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

/// What a request meets.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    pub delay: Duration,
    pub fault: Option<Fault>,
}

type Hook = Box<dyn FnOnce(&Store) + Send>;

struct GetHook {
    bucket: String,
    key: String,
    hook: Hook,
}

/// The rules of a server.
#[derive(Default)]
pub struct Faults {
    rules: RwLock<Vec<Arc<Rule>>>,
    hooks: Mutex<Vec<GetHook>>,
}

impl Faults {
    /// From the next request on.
    pub fn add(&self, rule: Rule) {
        self.rules.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(rule));
    }

    /// Every request of this kind takes so much longer.
    pub fn delay(&self, op: Op, time: Duration) {
        self.add(Rule::new(Fault::Delay(time)).on(op));
    }

    /// Calls `hook` once, just before the next Get of this object is served:
    /// to delete or replace it between a list and a get.
    pub fn on_get(&self, bucket: &str, key: &str, hook: impl FnOnce(&Store) + Send + 'static) {
        let hook = GetHook { bucket: bucket.to_owned(), key: key.to_owned(), hook: Box::new(hook) };
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Forgets all rules and hooks.
    pub fn clear(&self) {
        self.rules.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn meet(&self, request: &Request) -> Met {
        let rules = self.rules.read().unwrap_or_else(PoisonError::into_inner);
        let mut met = Met::default();
        for rule in rules.iter().filter(|rule| rule.matches(request)) {
            match rule.fault {
                _ if !rule.fires() => {}
                Fault::Delay(time) => met.delay += time,
                fault => met.fault = met.fault.or(Some(fault)),
            }
        }
        met
    }

    pub(super) fn run_hook(&self, request: &Request, store: &Store) {
        if let Some(hook) = self.take_hook(request) {
            hook(store);
        }
    }

    fn take_hook(&self, request: &Request) -> Option<Hook> {
        let mut hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner);
        let key = request.key.as_deref()?;
        let found = |hook: &GetHook| hook.bucket == request.bucket && hook.key == key;
        let at = hooks.iter().position(found)?;
        Some(hooks.remove(at).hook)
    }
}
