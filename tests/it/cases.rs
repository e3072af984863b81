//! `pinclean run` over bad inputs, outputs and moments, by its binary, on
//! every backend: what went in is in the table, in the quarantine or counted as
//! a duplicate, once.

mod envelopes;
mod fixtures;
mod full;
mod gates;
mod generated;
mod increments;
mod interruptions;
mod layouts;
mod logs;
mod lookback;
mod nulls;
mod outputs;
mod overlaps;
pub mod records;
pub mod site;
mod tables;
mod values;
