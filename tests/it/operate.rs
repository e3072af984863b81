//! What whoever operates pinclean goes by: metrics, messages, signals.

mod endings;
mod messages;
mod metrics;
mod signals;
