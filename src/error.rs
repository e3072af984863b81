//! Errors, named by what the operator can do next.

use std::path::PathBuf;

use crate::spec::Problems;

/// The result of everything in this crate that can fail for the operator.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a lower layer said, kept for the chain that the operator reads.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a command failed. Each variant is one thing that the operator can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Change the command line, the environment or the settings file.
    #[error("{0}")]
    Usage(String),

    /// Mend the SQL.
    #[error("{0}")]
    Sql(String),

    /// Mend the transforms files; every problem is listed with its place.
    #[error("{0}")]
    Spec(Problems),

    /// Point the command at other objects, or write a transform for these.
    #[error("nothing to clean in {place}: {found}")]
    NothingMatched {
        /// The source, as a URL.
        place: String,
        /// What is there instead, in words.
        found: String,
    },

    /// Correct the bucket's name.
    #[error("there is no bucket {bucket}: check its name and the account of the credentials")]
    NoSuchBucket {
        /// The bucket's name.
        bucket: String,
        /// What S3 said.
        #[source]
        source: Cause,
    },

    /// Name the right region.
    #[error("bucket {bucket} is in region {actual}, not {used}: run again with --region {actual}")]
    WrongRegion {
        /// The bucket's name.
        bucket: String,
        /// The region that was used.
        used: String,
        /// The region that the bucket is in.
        actual: String,
    },

    /// Grant a permission.
    #[error(
        "{action} is not allowed on {place}: grant {action} to these credentials, or use others with --profile"
    )]
    AccessDenied {
        /// The IAM action that is missing, such as `s3:ListBucket`.
        action: &'static str,
        /// The object, prefix or file.
        place: String,
        /// What the store said.
        #[source]
        source: Cause,
    },

    /// Change the owner or mode of a file, or run as another user.
    #[error("no permission to {action} {path}: check its owner and mode, and who runs pinclean")]
    FileDenied {
        /// `read`, `list` or `write`.
        action: &'static str,
        /// The file or folder.
        path: String,
        /// What the system said.
        #[source]
        source: Cause,
    },

    /// Give credentials.
    #[error(
        "no usable AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, --profile or AWS_PROFILE, run `aws sso login`, or use --no-sign-request for a public bucket"
    )]
    NoCredentials {
        /// What the credential chain said.
        #[source]
        source: Cause,
    },

    /// Make the source readable, then run again: nothing was committed.
    #[error("cannot read {object}")]
    Read {
        /// Key or path.
        object: String,
        /// What the store said.
        #[source]
        source: Cause,
    },

    /// Restore a data file, or rebuild the table: nothing was changed.
    #[error(
        "{path} is gone, though its table lists it: restore the file, or rebuild the table with --mode overwrite"
    )]
    DataFileGone {
        /// The data file's key or path.
        path: String,
        /// What the store said.
        #[source]
        source: Cause,
    },

    /// Run again: an object was replaced while it was read. Nothing was committed.
    #[error("{object} changed while it was read: run again")]
    Changed {
        /// Key or path.
        object: String,
    },

    /// Make room or grant access at the output, then run again.
    #[error("cannot write {place}")]
    Write {
        /// Key or path.
        place: String,
        /// What the store said.
        #[source]
        source: Cause,
    },

    /// Rebuild the table: its columns are not those of the transforms.
    #[error(
        "table {table} has other columns than its transform ({difference}): rebuild it with --full, or write to another --out"
    )]
    SchemaChanged {
        /// The table's name.
        table: String,
        /// The first difference, in words.
        difference: String,
    },

    /// Look at the output: it holds something that pinclean did not write.
    #[error("{place} is not a manifest that this version can read: {problem}")]
    BadManifest {
        /// The manifest's key or path.
        place: String,
        /// What is wrong with it.
        problem: String,
    },

    /// Look at the table: its log is damaged, or it is none of pinclean's.
    #[error("the table in {place} cannot be used: {problem}")]
    BadTable {
        /// The table's folder.
        place: String,
        /// What is wrong with it, and what helps.
        problem: String,
    },

    /// Use another version, or take the features away that the table was given.
    #[error(
        "the table in {place} has features that this version of pinclean cannot write: {problem}"
    )]
    TableFeatures {
        /// The table's folder.
        place: String,
        /// The features, as the library names them.
        problem: String,
    },

    /// Choose another store: this one cannot keep two runs apart.
    #[error(
        "{place} does not honour conditional puts (If-None-Match), and two runs could commit the same version ({problem}): nothing was committed; use a store that does"
    )]
    UnsafeStore {
        /// The output.
        place: String,
        /// What it did.
        problem: String,
    },

    /// Try again: another run committed first.
    #[error("another run is ahead: it committed {place} first; try again")]
    Ahead {
        /// The manifest that was there first.
        place: String,
    },

    /// Report a bug: records were lost or doubled. Nothing was committed.
    #[error(
        "the balance of {table} does not hold: {read} read, {written} written, {quarantined} quarantined, {duplicate} duplicate; nothing was committed; please report this"
    )]
    Balance {
        /// The table's name.
        table: String,
        /// Records read.
        read: u64,
        /// Records written.
        written: u64,
        /// Records quarantined.
        quarantined: u64,
        /// Certain duplicates.
        duplicate: u64,
    },

    /// Mend the transform or the record: a column said `on_error = "fail"`.
    #[error(
        "{object}, line {line}: column {column}: {message}; its on_error is \"fail\", so nothing was committed"
    )]
    RecordFailed {
        /// Key or path.
        object: String,
        /// Line, from 1.
        line: u64,
        /// The output column.
        column: String,
        /// What is wrong with the value.
        message: String,
    },

    /// Look at the quarantine: the run was committed, and broke a quality gate.
    #[error("{broken}; the run was committed, the rejects are in {place}")]
    BrokenGate {
        /// Which gates were broken, in words.
        broken: String,
        /// Where the rejects are.
        place: String,
    },

    /// Mend the questions that failed: the others were answered.
    #[error("{count} of {asked} questions were not answered: {failed}")]
    Unanswered {
        /// The names of those that failed.
        failed: String,
        /// How many these are.
        count: usize,
        /// How many were asked.
        asked: usize,
        /// The code that all of these failures have, or else 1.
        exit_code: u8,
    },

    /// Run again when convenient: a signal ended the run, nothing is half done.
    #[error("stopped by {0}; nothing was committed by the steps that were under way")]
    Stopped(Signal),

    /// Report a bug.
    #[error("internal error in {stage}: {message}; please report this")]
    Internal {
        /// The stage that failed.
        stage: &'static str,
        /// What it said.
        message: String,
    },

    /// Correct a local file that the command was told to use.
    #[error("{path}: {problem}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// A signal that asks the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM, from a scheduler.
    Terminate,
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Signal::Interrupt => "Ctrl-C",
            Signal::Terminate => "SIGTERM",
        })
    }
}

impl Error {
    /// What the system said of a file or folder that was to be read or listed.
    pub(crate) fn of_file(action: &'static str, path: String, source: std::io::Error) -> Error {
        match source.kind() {
            std::io::ErrorKind::PermissionDenied => {
                Error::FileDenied { action, path, source: source.into() }
            }
            _ => Error::Read { object: path, source: source.into() },
        }
    }

    /// The process exit code: 1 failed, 2 usage or spec, 3 gate, 75 try again,
    /// 130 and 143 stopped.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_)
            | Error::Sql(_)
            | Error::Spec(_)
            | Error::File { .. }
            | Error::SchemaChanged { .. } => 2,
            Error::BrokenGate { .. } => 3,
            Error::Ahead { .. } => 75,
            Error::Unanswered { exit_code, .. } => *exit_code,
            Error::Stopped(Signal::Interrupt) => 130,
            Error::Stopped(Signal::Terminate) => 143,
            _ => 1,
        }
    }
}
