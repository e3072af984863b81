//! Transforms files → [`Spec`](super::Spec)s: text → a mirror of the file with
//! places ([`raw`]) → what it means ([`check`]). Every problem is reported.

mod load;
mod parse;
mod found;
mod reader;
mod literal;
mod raw;
mod check;
mod keys;
mod scope;
mod column;
mod source;
mod slots;
mod rules;
mod sql;
mod example;

pub use load::{DEFAULTS, load};
pub use parse::{hash_all, parse, parse_files};

// A file of questions is read in the same way.
pub(crate) use found::{Found, Span};
pub(crate) use literal::Literal;
pub(crate) use load::{FileKind, read_dir};
pub(crate) use parse::mirror;
pub(crate) use reader::Reader;

#[cfg(test)]
mod tests;
