//! Committing: all files and watermarks of a table's run in one atomic step.
