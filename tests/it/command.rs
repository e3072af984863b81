//! The program, started as a user starts it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Output};

/// The program that these tests were built with. Cargo tells it at run time too,
/// so that another build may be tested.
pub fn program() -> OsString {
    let built = std::env::var_os("CARGO_BIN_EXE_pinclean");
    built.unwrap_or_else(|| env!("CARGO_BIN_EXE_pinclean").into())
}

/// Whether the tests that take minutes are to try all that they know, as in CI,
/// and not a sample of it: `PINCLEAN_THOROUGH`.
pub fn thorough() -> bool {
    std::env::var_os("PINCLEAN_THOROUGH").is_some()
}

/// A command that knows nothing of this machine's settings: no variable but
/// PATH, an empty home, and no instance to ask for credentials.
pub fn isolated(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().current_dir(folder).env("HOME", folder);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// pinclean in a folder, to be given more and started.
pub fn pinclean(folder: &Path, args: &[&str]) -> Command {
    let mut command = isolated(program(), folder);
    command.args(args);
    command
}

/// Runs pinclean in a folder. It must succeed.
pub fn succeed(folder: &Path, args: &[&str]) {
    let output = pinclean(folder, args).output().unwrap();
    assert!(output.status.success(), "pinclean {}: {}", args.join(" "), said(&output));
}

/// What a command said, for the message of a test that failed.
pub fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    let (out, err) = (String::from_utf8_lossy(out), String::from_utf8_lossy(err));
    format!("{}\n--- stdout\n{out}\n--- stderr\n{err}", output.status)
}
