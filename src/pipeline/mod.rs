//! plan → work (fetch → decode → clean → write) → commit → report.
//!
//! One file a stage, in that order. Each stage owns the type that it produces.
//! Only discover, fetch, write and commit do I/O.

pub mod discover;
pub mod plan;
pub mod fetch;
mod inflate;
pub mod decode;
pub mod clean;
pub mod write;
pub mod work;
pub mod watch;
pub mod engine;
pub mod commit;
pub mod report;
