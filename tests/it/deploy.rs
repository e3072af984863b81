//! What `deploy/` and the Dockerfile say is so: manifests against their schemas, command
//! lines by the program, the DAG in a real Airflow, the pages' commands one by one.

mod airflow;
mod image;
mod manifests;
mod pages;
mod permissions;

use std::path::PathBuf;

/// A program that tests need and that a variable names; says so if it does not.
fn named(variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).filter(|path| !path.is_empty());
    if found.is_none() {
        println!("skipped: {variable} names no {what}");
    }
    found.map(PathBuf::from)
}
