//! Tests of the whole, in one binary so that it links once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/s3/mod.rs"]
mod s3;

mod command;
mod table;
mod workplace;

mod cases;
mod deploy;
mod kill;
mod operate;
mod optimize;
mod peer;
#[cfg(debug_assertions)]
mod power;
mod query;
mod questions;
mod readme;
mod real;
mod replay;
mod s3_runs;
mod s3_server;
mod shell;
mod tables;
mod unique;
