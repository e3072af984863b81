//! Delta tables: their log, their states, and the one way to change them.
//!
//! The log itself (its format, replay, checkpoints) is the work of
//! `deltalake-core` and the kernel that it is built on. Here is what they do
//! not do: to commit once, whatever fails, and to know what was committed.

mod as_of;
mod change;
mod commit;
mod live;
mod log;
mod maintain;
mod metadata;
pub mod read;
mod remember;
mod schema;
pub mod stats;
mod vacuum;

pub use as_of::AtTime;
pub use change::{Change, NOTE, Requires, Standing, note_of, standing};
pub use deltalake_core::kernel::{Action, Add, CommitInfo, Remove, Transaction};
pub use live::LiveFile;
pub use log::{Log, State, Version};
pub use metadata::{Description, Property, begin, evolve};
pub use schema::{Evolution, arrow_schema, struct_type};
pub use vacuum::{Retention, Unused};
