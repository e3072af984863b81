//! pinclean turns the JSON that a Kafka S3 sink wrote into clean tables, and
//! proves that nothing was lost.
//!
//! ```text
//! discover ──▶ fetch ──▶ decode ──▶ clean ──▶ write ──▶ commit ──▶ report
//! └─ plan ─┘   └──────────── work (one shard) ──────┘   └ once ┘
//! ```
//!
//! The modules are declared in the order in which a record meets them. Data
//! flows one way: a stage knows the type of the stage before it and no other.

// The ground: what every stage may know.
pub mod error;
pub mod code;
pub mod near;
pub mod failpoint;
pub mod disk;
pub mod whole_file;
pub mod text_file;
pub mod key;
pub mod value;
pub mod spec;
pub mod store;
pub mod arrow_bridge;
pub mod delta;

// What the operator typed, and how the program answers.
pub mod settings;
pub mod cli;
pub mod signals;
pub mod progress;
pub mod logging;
pub mod grid;
pub mod show;

// The work.
pub mod pipeline;
pub mod metrics;
pub mod rewrite;
pub mod optimize;

// The answers.
pub mod query;

// The commands, and what each needs besides the pipeline.
pub mod replay;
pub mod trial;
pub mod check;
pub mod init;
pub mod emulate;
pub mod ask;
pub mod commands;

pub use error::{Error, Result};
