//! Every option from what was given, or its default.

use std::time::Duration;

use super::duration::duration;
use super::layers::{Layers, Name};
use super::{
    Check, Command, Emulate, Format, Init, LogFormat, Man, Mode, ProgressMode, Run, Ui, values,
};
use crate::cli::{
    Cli, CompletionsArgs, EmulateArgs, Global, InitArgs, LayoutArgs, ManArgs, RunArgs, S3Args,
    Shell, SourceArgs, Verb,
};
use crate::disk::Durability;
use crate::key::{Layout, Topic};
use crate::store::S3Options;
use crate::{Error, Result};

use crate::emulate::Partitioner;

mod query;
mod tables;
mod ask;

pub use tables::{DEFAULT_TARGET_SIZE, SAFE_RETENTION};

const FORMATS: &[(&str, Format)] = &[("delta", Format::Delta), ("parquet", Format::Parquet)];
const MODES: &[(&str, Mode)] = &[("append", Mode::Append), ("overwrite", Mode::Overwrite)];
const LOG_FORMATS: &[(&str, LogFormat)] = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
const PROGRESS_MODES: &[(&str, ProgressMode)] = &[
    ("auto", ProgressMode::Auto),
    ("always", ProgressMode::Always),
    ("never", ProgressMode::Never),
];
const PARTITIONERS: &[(&str, Partitioner)] = &[
    ("default", Partitioner::Default),
    ("field", Partitioner::Field),
    ("daily", Partitioner::Daily),
    ("hourly", Partitioner::Hourly),
    ("time", Partitioner::Time),
];
const SHELLS: &[(&str, Shell)] = &[
    ("bash", Shell::Bash),
    ("zsh", Shell::Zsh),
    ("fish", Shell::Fish),
    ("elvish", Shell::Elvish),
    ("powershell", Shell::PowerShell),
];

const DEFAULT_OUT: &str = "./clean";
/// The help of `--format` says it too.
const DEFAULT_FORMAT: Format = Format::Delta;
const DEFAULT_TOPICS_DIR: &str = "topics";
const DEFAULT_FILE_DELIM: &str = "+";
const DEFAULT_MEMORY: u64 = 256 << 20;
const DEFAULT_LOOKBACK: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// More than a prefix of a bucket serves, for most buckets: S3 sets the limit.
const DEFAULT_READS_AT_A_TIME: u64 = 512;
const DEFAULT_WRITES_AT_A_TIME: u64 = 64;
const DEFAULT_SAMPLE: u64 = 1000;
const DEFAULT_ROWS: u64 = 10_000;
const DEFAULT_USER: &str = "5f1c0d9a77b3";

impl Ui {
    /// How to speak, by the options that every command has.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the flag, variable or place in the file.
    pub fn resolve(typed: &Cli, layers: &Layers<'_>) -> Result<Ui> {
        let progress = match &typed.verb {
            Verb::Run(args) => args.progress.clone(),
            _ => None,
        };
        let Global { log, quiet, verbose, config: _ } = &typed.global;
        let loudness = Loudness::resolve(layers, *quiet, *verbose)?;
        Ok(Ui {
            progress: layers
                .parsed("progress", progress, values::one_of(PROGRESS_MODES))?
                .unwrap_or(ProgressMode::Auto),
            log: layers
                .parsed("log", log.clone(), values::one_of(LOG_FORMATS))?
                .unwrap_or(LogFormat::Text),
            quiet: loudness == Loudness::Quiet,
            verbose: loudness == Loudness::Verbose,
        })
    }
}

#[derive(PartialEq)]
enum Loudness {
    Quiet,
    Normal,
    Verbose,
}

impl Loudness {
    /// Of `--quiet` and `--verbose`, the one that a higher layer gives counts.
    fn resolve(layers: &Layers<'_>, quiet: bool, verbose: bool) -> Result<Loudness> {
        let quiet = layers.given_switch("quiet", quiet)?.filter(|given| given.value);
        let verbose = layers.given_switch("verbose", verbose)?.filter(|given| given.value);
        match (quiet, verbose) {
            (None, None) => Ok(Loudness::Normal),
            (Some(_), None) => Ok(Loudness::Quiet),
            (None, Some(_)) => Ok(Loudness::Verbose),
            (Some(q), Some(v)) if q.rank < v.rank => Ok(Loudness::Quiet),
            (Some(q), Some(v)) if v.rank < q.rank => Ok(Loudness::Verbose),
            (Some(q), Some(v)) => Err(contradiction(&q.origin, &v.origin)),
        }
    }
}

fn contradiction(a: &str, b: &str) -> Error {
    Error::Usage(format!("{a} and {b} contradict each other: give one of them"))
}

impl Command {
    /// What to do, with every option in its place.
    ///
    /// # Errors
    /// [`Error::Usage`], naming the flag, variable or place in the file.
    pub fn resolve(verb: Verb, layers: &Layers<'_>) -> Result<Command> {
        match verb {
            Verb::Run(args) => run(*args, layers).map(Command::Run),
            Verb::Check(args) => {
                let transforms = layers.parsed("transforms", args.dir, values::path)?;
                Ok(Command::Check(Check { transforms }))
            }
            Verb::Init(args) => init(args, layers).map(Command::Init),
            Verb::Emulate(args) => emulate(args, layers).map(Command::Emulate),
            Verb::Optimize(args) => tables::optimize(args, layers).map(Command::Optimize),
            Verb::Vacuum(args) => tables::vacuum(args, layers).map(Command::Vacuum),
            Verb::Replay(args) => tables::replay(args, layers).map(Command::Replay),
            Verb::History(args) => tables::history(args, layers).map(Command::History),
            Verb::Ask(args) => ask::ask(args, layers).map(Command::Ask),
            Verb::Query(args) => query::query(args, layers).map(Command::Query),
            Verb::Completions(args) => completions(&args).map(Command::Completions),
            Verb::Man(args) => man(args, layers).map(Command::Man),
        }
    }
}

fn run(args: RunArgs, layers: &Layers<'_>) -> Result<Run> {
    let (source, layout) = source(args.source, layers)?;
    Ok(Run {
        source,
        layout,
        topics: layers.list("topic", args.topic, values::topic_glob)?,
        mode: mode(args.mode, args.full, layers)?,
        lookback: layers.parsed("lookback", args.lookback, duration)?.unwrap_or(DEFAULT_LOOKBACK),
        transforms: layers.parsed("transforms", args.transforms, values::path)?,
        max_rejects: layers.parsed("max-rejects", args.max_rejects, values::max_rejects)?,
        out: layers.parsed("out", args.out, values::text)?.unwrap_or(DEFAULT_OUT.into()),
        format: layers
            .parsed("format", args.format, values::one_of(FORMATS))?
            .unwrap_or(DEFAULT_FORMAT),
        optimize_after: layers
            .parsed("optimize-after", args.optimize_after, values::whole(1, u64::MAX))?
            .map(|n| n as usize),
        report: layers.parsed("report", args.report, values::path)?,
        metrics: layers.parsed("metrics", args.metrics, values::path)?,
        durability: durability(args.no_fsync, layers)?,
        memory: memory(args.memory, layers)?,
        concurrency: concurrency(args.concurrency, layers, DEFAULT_READS_AT_A_TIME)?,
        s3: s3(args.s3, layers)?,
    })
}

/// `--full` means `--mode overwrite`. Where a lower layer says otherwise the
/// higher one counts; within a layer the two have to agree.
fn mode(word: Option<String>, full: bool, layers: &Layers<'_>) -> Result<Mode> {
    let full = layers.given_switch("full", full)?.filter(|given| given.value);
    let Some(word) = layers.value("mode".into(), word)? else {
        return Ok(full.map_or(Mode::Append, |_| Mode::Overwrite));
    };
    let mode = word.parse(|text| values::one_of(MODES)(text))?;
    match full {
        Some(full) if full.rank < word.rank => Ok(Mode::Overwrite),
        Some(full) if full.rank == word.rank && mode == Mode::Append => {
            Err(contradiction(&format!("{} append", word.origin), &full.origin))
        }
        _ => Ok(mode),
    }
}

fn init(args: InitArgs, layers: &Layers<'_>) -> Result<Init> {
    let topic = Topic::parse(&args.topic)
        .ok_or_else(|| Error::Usage(format!("{:?} cannot be a topic's name", args.topic)))?;
    let (source, layout) = source(args.source, layers)?;
    Ok(Init {
        topic,
        source,
        layout,
        // `out` of `run` is the folder of the tables: never to be written over.
        out: layers.parsed(Name::of("init", "out"), args.out, values::path)?,
        force: layers.switch("force", args.force)?,
        sample: count("sample", args.sample, layers, DEFAULT_SAMPLE)? as usize,
        s3: s3(args.s3, layers)?,
    })
}

fn emulate(args: EmulateArgs, layers: &Layers<'_>) -> Result<Emulate> {
    let number = |name, flag, default: u64| -> Result<u64> {
        Ok(layers.parsed(name, flag, values::whole(0, u64::MAX))?.unwrap_or(default))
    };
    let user = |text: &str| match Topic::parse(&format!("{text}.user")) {
        Some(_) => values::text(text),
        None => Err(format!("{text:?} cannot start a topic's name")),
    };
    Ok(Emulate {
        out: values::text(&args.out).map_err(|problem| Error::Usage(format!("OUT: {problem}")))?,
        rows: number("rows", args.rows, DEFAULT_ROWS)?,
        start_offset: number("start-offset", args.start_offset, 0)?,
        seed: number("seed", args.seed, 0)?,
        bad_rate: layers.parsed("bad-rate", args.bad_rate, values::share)?.unwrap_or(0.0),
        user: layers.parsed("user", args.user, user)?.unwrap_or(DEFAULT_USER.into()),
        flush_size: count("flush-size", args.flush_size, layers, 1)?,
        partitions: layers
            .parsed("partitions", args.partitions, values::whole(1, 1000))?
            .map_or(1, |n| n as u32),
        partitioner: layers
            .parsed("partitioner", args.partitioner, values::one_of(PARTITIONERS))?
            .unwrap_or(Partitioner::Default),
        gzip: layers.switch("gzip", args.gzip)?,
        layout: layout(args.layout, layers)?,
        concurrency: concurrency(args.concurrency, layers, DEFAULT_WRITES_AT_A_TIME)?,
        s3: s3(args.s3, layers)?,
    })
}

fn completions(args: &CompletionsArgs) -> Result<Shell> {
    values::one_of(SHELLS)(&args.shell).map_err(|problem| Error::Usage(format!("SHELL: {problem}")))
}

fn man(args: ManArgs, layers: &Layers<'_>) -> Result<Man> {
    Ok(Man { save: layers.parsed(Name::of("man", "save"), args.save, values::path)? })
}

fn source(args: SourceArgs, layers: &Layers<'_>) -> Result<(String, Layout)> {
    let source = layers.value("source".into(), args.source)?;
    let bucket = layers.value("bucket".into(), args.bucket)?;
    let as_url = |text: &String| values::text(text);
    let as_bucket = |text: &String| values::bucket(text);
    let url = match (source, bucket) {
        (Some(s), Some(b)) if s.rank == b.rank => return Err(contradiction(&s.origin, &b.origin)),
        (Some(s), Some(b)) if b.rank < s.rank => b.parse(as_bucket)?,
        (Some(s), _) => s.parse(as_url)?,
        (None, Some(b)) => b.parse(as_bucket)?,
        (None, None) => {
            let advice = "nothing says what to read: give --bucket NAME or --source URL, or --config FILE with one of them";
            return Err(Error::Usage(advice.to_owned()));
        }
    };
    Ok((url, layout(args.layout, layers)?))
}

fn layout(args: LayoutArgs, layers: &Layers<'_>) -> Result<Layout> {
    Ok(Layout {
        topics_dir: layers
            .parsed("topics-dir", args.topics_dir, values::topics_dir)?
            .unwrap_or(DEFAULT_TOPICS_DIR.into()),
        file_delim: layers
            .parsed("file-delim", args.file_delim, values::file_delim)?
            .unwrap_or(DEFAULT_FILE_DELIM.into()),
    })
}

fn s3(args: S3Args, layers: &Layers<'_>) -> Result<S3Options> {
    Ok(S3Options {
        profile: layers.parsed("profile", args.profile, values::text)?,
        region: layers.parsed("region", args.region, values::text)?,
        endpoint_url: layers.parsed("endpoint-url", args.endpoint_url, values::endpoint)?,
        path_style: layers.switch("path-style", args.path_style)?,
        no_sign_request: layers.switch("no-sign-request", args.no_sign_request)?,
        request_payer: layers.switch("request-payer", args.request_payer)?,
    })
}

fn durability(no_fsync: bool, layers: &Layers<'_>) -> Result<Durability> {
    Ok(match layers.switch("no-fsync", no_fsync)? {
        true => Durability::Unsynced,
        false => Durability::Synced,
    })
}

fn memory(flag: Option<String>, layers: &Layers<'_>) -> Result<u64> {
    Ok(layers.parsed("memory", flag, values::memory)?.unwrap_or(DEFAULT_MEMORY))
}

fn concurrency(flag: Option<String>, layers: &Layers<'_>, default: u64) -> Result<usize> {
    let given = layers.parsed("concurrency", flag, values::whole(1, 4096))?;
    Ok(given.unwrap_or(default) as usize)
}

/// A number that cannot be zero.
fn count(
    name: &'static str,
    flag: Option<String>,
    layers: &Layers<'_>,
    default: u64,
) -> Result<u64> {
    Ok(layers.parsed(name, flag, values::whole(1, u64::MAX))?.unwrap_or(default))
}
