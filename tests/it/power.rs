//! The power goes: what a local disk then holds is what was synced, and of the rest
//! any part.
//!
//! A build with debug assertions records what it does to the disk. The record is
//! replayed up to each operation, what was not synced by then is dropped or torn, and
//! the next command works on what is left.

mod cuts;
mod disk;
mod faults;
mod record;
mod steps;
mod syncs;
