//! Runs of the real binary over the S3 server of the tests, with faults.

mod commits;
mod counts;
mod emulated;
mod faults;
mod lookback;
mod pace;
mod profiles;
mod races;
mod real;
mod refusals;
mod same;
mod signals;
pub mod world;
