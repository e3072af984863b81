//! What the program uses: every option resolved, parsed and checked.
//!
//! [`crate::cli`] holds what the user typed. Here it is laid over the
//! environment and `pinclean.toml`, and what is given nowhere gets its default.

use std::path::PathBuf;
use std::time::Duration;

use crate::ask::Set;
use crate::cli::Shell;
use crate::disk::Durability;
use crate::emulate::Partitioner;
use crate::key::{Layout, Topic};
use crate::query::AsOf;
use crate::show::{Form, Saved};
use crate::spec::TopicGlob;
use crate::store::S3Options;

mod duration;
mod file;
mod layers;
mod resolve;
mod values;
mod variables;

pub use layers::{Env, Given, Layers, Rank};
pub use resolve::{DEFAULT_TARGET_SIZE, SAFE_RETENTION};
pub use values::{MIN_MEMORY, MIN_TARGET_SIZE, MaxRejects};
pub use variables::unknown_variables;

/// A command, ready to start.
#[derive(Debug, Clone)]
pub enum Command {
    /// `pinclean run`
    Run(Run),
    /// `pinclean check`
    Check(Check),
    /// `pinclean init`
    Init(Init),
    /// `pinclean emulate`
    Emulate(Emulate),
    /// `pinclean optimize`
    Optimize(Optimize),
    /// `pinclean vacuum`
    Vacuum(Vacuum),
    /// `pinclean replay`
    Replay(Replay),
    /// `pinclean history`
    History(History),
    /// `pinclean ask`
    Ask(Ask),
    /// `pinclean query`
    Query(Query),
    /// `pinclean completions`
    Completions(Shell),
    /// `pinclean man`
    Man(Man),
}

/// What `pinclean run` does.
#[derive(Debug, Clone)]
pub struct Run {
    /// Folder, `file://` or `s3://` URL of the objects.
    pub source: String,
    /// Folder, `file://` or `s3://` URL of the tables.
    pub out: String,
    /// How the sink was set up.
    pub layout: Layout,
    /// Only topics that match one of these; empty for all.
    pub topics: Vec<TopicGlob>,
    /// Format of the tables.
    pub format: Format,
    /// What becomes of the rows that are in the tables already.
    pub mode: Mode,
    /// Optimize a Delta table that has more small files than this, at least 1;
    /// `None` for never.
    pub optimize_after: Option<usize>,
    /// Where the report goes too.
    pub report: Option<PathBuf>,
    /// Where the metrics go.
    pub metrics: Option<PathBuf>,
    /// Folder of transforms; `None` for those built in.
    pub transforms: Option<PathBuf>,
    /// The quality gate, if there is one.
    pub max_rejects: Option<MaxRejects>,
    /// Bytes of records on their way; at least [`MIN_MEMORY`].
    pub memory: u64,
    /// The most requests at a time, 1 to 4096.
    pub concurrency: usize,
    /// Folders of a time-based partitioner that ended longer than this before the
    /// newest one read are listed only if it rebuilds.
    pub lookback: Duration,
    /// Whether what is written to a local disk has to survive a power cut.
    pub durability: Durability,
    /// What to know of S3.
    pub s3: S3Options,
}

impl Run {
    /// Whether all objects are read and the tables built anew.
    pub fn rebuilds(&self) -> bool {
        self.mode == Mode::Overwrite
    }
}

/// What `pinclean check` does.
#[derive(Debug, Clone)]
pub struct Check {
    /// Folder of transforms; `None` for those built in.
    pub transforms: Option<PathBuf>,
}

/// What `pinclean init` does.
#[derive(Debug, Clone)]
pub struct Init {
    /// The topic to sample.
    pub topic: Topic,
    /// Folder, `file://` or `s3://` URL of the objects.
    pub source: String,
    /// How the sink was set up.
    pub layout: Layout,
    /// The file to write; `None` for standard output.
    pub out: Option<PathBuf>,
    /// Whether the file may be overwritten.
    pub force: bool,
    /// Objects to sample, at least 1.
    pub sample: usize,
    /// What to know of S3.
    pub s3: S3Options,
}

/// What `pinclean emulate` does.
#[derive(Debug, Clone)]
pub struct Emulate {
    /// Folder, `file://` or `s3://` URL to write.
    pub out: String,
    /// Records of each topic.
    pub rows: u64,
    /// Offset of the first record in the endless stream.
    pub start_offset: u64,
    /// Same seed, same bytes.
    pub seed: u64,
    /// Share of records that are malformed, 0 to 1.
    pub bad_rate: f64,
    /// What the topics' names start with.
    pub user: String,
    /// Records in an object, at least 1.
    pub flush_size: u64,
    /// Kafka partitions of each topic, 1 to 1000.
    pub partitions: u32,
    /// How records are dealt to directories.
    pub partitioner: Partitioner,
    /// Whether objects are compressed.
    pub gzip: bool,
    /// How the sink was set up.
    pub layout: Layout,
    /// Writes at a time, 1 to 4096.
    pub concurrency: usize,
    /// What to know of S3.
    pub s3: S3Options,
}

/// Finished tables and where they are.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Folder, `file://` or `s3://` URL of the tables: the `out` of `run`.
    pub url: String,
    /// The tables' names, each `[a-z][a-z0-9_-]*`, as typed but each only once;
    /// empty for all that are there.
    pub names: Vec<String>,
    /// What to know of S3.
    pub s3: S3Options,
}

/// Finished tables, at one version each.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Folder, `file://` or `s3://` URL of the tables: the `out` of `run`.
    pub url: String,
    /// The version of the tables; `None` for the latest.
    pub as_of: Option<AsOf>,
    /// What to know of S3.
    pub s3: S3Options,
}

/// What `pinclean optimize` does.
#[derive(Debug, Clone)]
pub struct Optimize {
    /// Which tables.
    pub tables: Tables,
    /// Bytes of the files to make; at least [`MIN_TARGET_SIZE`].
    pub target_size: u64,
    /// The column to sort by; `None` keeps the rows in their order.
    pub sort: Option<String>,
    /// Whether what is written to a local disk has to survive a power cut.
    pub durability: Durability,
    /// Bytes of rows on their way; at least [`MIN_MEMORY`].
    pub memory: u64,
}

/// What `pinclean vacuum` does.
#[derive(Debug, Clone)]
pub struct Vacuum {
    /// Which tables.
    pub tables: Tables,
    /// Files that were in use so long ago stay; at least [`SAFE_RETENTION`],
    /// unless `force`.
    pub retain: Duration,
    /// Whether what is written to a local disk has to survive a power cut.
    pub durability: Durability,
    /// Only say what would be deleted.
    pub dry_run: bool,
    /// The operator vouches that no job is running.
    pub force: bool,
}

/// What `pinclean replay` does.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Which tables.
    pub tables: Tables,
    /// Folder of transforms; `None` for those built in.
    pub transforms: Option<PathBuf>,
    /// Where the report goes too.
    pub report: Option<PathBuf>,
    /// Whether what is written to a local disk has to survive a power cut.
    pub durability: Durability,
    /// Bytes of records on their way; at least [`MIN_MEMORY`].
    pub memory: u64,
}

/// What `pinclean history` does.
#[derive(Debug, Clone)]
pub struct History {
    /// Which tables.
    pub tables: Tables,
    /// Runs to show of each table, the latest first; at least 1.
    pub limit: usize,
    /// Whether JSON is printed.
    pub json: bool,
}

/// What `pinclean ask` does.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Which questions.
    pub wanted: Questions,
    /// Values of parameters, if any were set.
    pub set: Option<Set>,
    /// Folder of questions; `None` for those built in.
    pub questions: Option<PathBuf>,
    /// Whether what is written to a local disk has to survive a power cut.
    pub durability: Durability,
    /// Which tables.
    pub snapshot: Snapshot,
    /// The form of the answers, if one was asked for.
    pub format: Option<Given<Saved>>,
    /// Folder, `file://` or `s3://` URL for a file of each answer; `None` to
    /// print them.
    pub save: Option<Given<String>>,
}

/// Which questions are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Questions {
    /// None: they are listed.
    Listed,
    /// All.
    All,
    /// Those of these names, as typed; at least one.
    Named(Vec<String>),
}

/// What `pinclean query` does.
#[derive(Debug, Clone)]
pub struct Query {
    /// Which tables.
    pub snapshot: Snapshot,
    /// Whether what is written to a local disk has to survive a power cut.
    pub durability: Durability,
    /// What is asked.
    pub sql: Sql,
    /// What becomes of the answer.
    pub reply: Reply,
}

/// Where SQL comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sql {
    /// As typed.
    Text(String),
    /// A file.
    File(PathBuf),
    /// What is piped in.
    StandardInput,
}

/// What becomes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is printed.
    Print(Form),
    /// It is saved.
    Save {
        /// Where.
        file: PathBuf,
        /// How.
        form: Saved,
    },
}

/// What `pinclean man` does.
#[derive(Debug, Clone)]
pub struct Man {
    /// Folder of the pages; `None` prints the first one.
    pub save: Option<PathBuf>,
}

/// Format of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delta tables: Parquet files and a transaction log.
    Delta,
    /// Parquet files and a manifest.
    Parquet,
}

/// What becomes of the rows that are in a table already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They stay, and what is new is added.
    Append,
    /// All objects are read again, and their rows take the table's place.
    Overwrite,
}

/// How the program speaks to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ui {
    /// When progress is shown.
    pub progress: ProgressMode,
    /// Form of the messages.
    pub log: LogFormat,
    /// Say nothing but errors.
    pub quiet: bool,
    /// Say more, for finding faults; never with `quiet`.
    pub verbose: bool,
}

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// On a terminal, unless `quiet` or JSON is asked for.
    Auto,
    /// Also where there is no terminal.
    Always,
    /// Not at all.
    Never,
}

/// Form of the messages on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests;
