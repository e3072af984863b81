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

pub mod emulate;
pub mod error;
pub mod code;
pub mod key;
pub mod spec;
pub mod value;
pub mod store;
pub mod arrow_bridge;

pub mod pipeline;

pub mod trial;
pub mod check;
pub mod init;

pub mod cli;
pub mod commands;
pub mod logging;
pub mod progress;
pub mod settings;
pub mod signals;

pub use error::{Error, Result};
