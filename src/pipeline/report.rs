//! The run's report: what was read, written, quarantined, and from where.
