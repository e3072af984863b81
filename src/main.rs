//! The `pinclean` binary.

fn main() {}
