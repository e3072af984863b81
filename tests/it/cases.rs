//! `pinclean run` over bad inputs, outputs and moments, by its binary, on
//! every backend: what went in is in the table, in the quarantine or counted as
//! a duplicate, once.

mod fixtures;
mod full;
mod generated;
mod increments;
mod interruptions;
mod layouts;
mod logs;
mod lookback;
mod outputs;
mod records;
mod site;
mod tables;
mod values;
