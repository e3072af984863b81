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
