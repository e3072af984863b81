//! What whoever operates pinclean goes by: metrics, messages, signals.

mod messages;
mod metrics;
mod signals;
