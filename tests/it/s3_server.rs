//! The S3 server of the tests behaves as S3 does.

mod clients;
mod faults;
mod list;
mod protocol;
mod speed;
