//! Processes that die and processes that meet, on a folder and on S3: whatever
//! happens, each record is in its table, or in the quarantine, once.

mod content;
#[cfg(debug_assertions)]
mod failpoints;
mod increments;
mod lake;
mod pairs;
