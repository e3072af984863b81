//! The posting emulator: invented pin, geo and user records, in objects as the
//! Kafka S3 sink writes them.
//!
//! The record at row `i` of a topic depends on seed, topic and `i` alone. So the
//! same seed gives the same bytes, slices of the endless stream join without a
//! seam, and objects can be made in any order.

use object_store::path::Path;
use tokio::runtime::Handle;

use crate::key::Topic;
use crate::store::{Backend, Store};
use crate::{Error, Result};

mod bad;
mod draw;
#[cfg(test)]
mod fixture;
mod moment;
mod put;
mod record;
mod rotation;
mod text;
mod words;

use record::Table;
use rotation::Rotations;

/// Rows of a topic: `ind` is a 32-bit integer.
const MOST_ROWS: u64 = 1 << 31;

/// What to emulate, and where.
#[derive(Debug, Clone)]
pub struct Emulation {
    /// Where the bucket's objects go.
    pub out: Store,
    /// The topics are `<user>.pin`, `<user>.geo` and `<user>.user`.
    pub user: String,
    /// Records of each topic.
    pub rows: u64,
    /// Records of a Kafka partition between two rotations; at least 1.
    pub flush_size: u64,
    /// Kafka partitions of each topic, 1 to 1,000; they get rows in turn.
    pub partitions: u32,
    /// How the sink names directories.
    pub partitioner: Partitioner,
    /// Whether objects are `.json.gz`.
    pub gzip: bool,
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// The share of records that are malformed, 0 to 1.
    pub bad_rate: f64,
    /// Rows of each topic before the first one that is written.
    pub start_offset: u64,
    /// `topics.dir`: may hold `/`, may be empty; no `/` at its ends.
    pub topics_dir: String,
    /// `file.delim`
    pub file_delim: String,
    /// Objects written at a time, at least 1; fewer if they are large.
    pub concurrency: usize,
}

/// The sink's `partitioner.class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Partitioner {
    /// `partition=<n>`
    #[default]
    Default,
    /// `category=…` of pins, `country=…` of geo, `age=…` of users.
    Field,
    /// `year=YYYY/month=MM/day=dd` of the record's time: when it was posted, or
    /// when the user joined.
    Daily,
    /// As daily, and `/hour=HH`.
    Hourly,
    /// `dt=YYYY-MM-dd`: TimeBasedPartitioner with `path.format='dt'=YYYY-MM-dd`.
    Time,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Emulated {
    /// Objects.
    pub objects: u64,
    /// Records, malformed ones included.
    pub records: u64,
    /// Bytes, compressed if the objects are.
    pub bytes: u64,
    /// Malformed records.
    pub bad: u64,
}

/// Writes the objects; ones of the same name are replaced.
///
/// Blocks; `runtime` must have threads of its own, and the caller must not be
/// one of them.
///
/// # Errors
/// [`Error::Usage`] if a setting is out of bounds; what the store says if an
/// object cannot be written. Objects written until then stay.
pub fn emulate(emulation: &Emulation, runtime: &Handle) -> Result<Emulated> {
    emulation.check()?;
    let rotations = Rotations::new(emulation);
    match emulation.out.backend() {
        Backend::Local(root) => {
            let done = put::local(root, &rotations, emulation.concurrency)?;
            emulation.out.requests().put(done.objects, done.bytes);
            Ok(done)
        }
        Backend::S3(_) => {
            runtime.block_on(put::remote(&emulation.out, &rotations, emulation.concurrency))
        }
    }
}

impl Emulation {
    fn check(&self) -> Result<()> {
        let usage = |message: &str| Err(Error::Usage(message.into()));
        if self.flush_size == 0 {
            return usage("--flush-size must be at least 1");
        }
        if !(1..=1000).contains(&self.partitions) {
            return usage("--partitions must be 1 to 1000");
        }
        if !(0.0..=1.0).contains(&self.bad_rate) {
            return usage("--bad-rate must be 0 to 1");
        }
        if self.concurrency == 0 {
            return usage("--concurrency must be at least 1");
        }
        if self.start_offset.saturating_add(self.rows) > MOST_ROWS {
            return usage("--start-offset and --rows must not exceed 2147483648 together");
        }
        self.check_names()
    }

    fn check_names(&self) -> Result<()> {
        let names = Table::ALL.map(|table| format!("{}.{}", self.user, table.name()));
        if names.iter().any(|name| Topic::parse(name).is_none()) {
            return Err(Error::Usage(format!(
                "--user {:?}: a topic's name is at most 249 of a-z, A-Z, 0-9, '.', '_' and '-'",
                self.user
            )));
        }
        if self.file_delim.is_empty() || self.file_delim.contains('/') {
            return Err(Error::Usage(
                "--file-delim must be one or more characters, none a /".into(),
            ));
        }
        let slash = if self.topics_dir.is_empty() { "" } else { "/" };
        let key = format!("{}{slash}topic{}0", self.topics_dir, self.file_delim);
        let is_plain = Path::parse(&key).is_ok_and(|path| path.as_ref() == key);
        if !is_plain {
            return Err(Error::Usage(format!(
                "--topics-dir {:?} with --file-delim {:?} makes no sound object name",
                self.topics_dir, self.file_delim
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::{S3Options, Session};

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
    }

    fn emulation_in(folder: &std::path::Path) -> Emulation {
        let url = folder.to_str().unwrap();
        let session = Session::new(S3Options::default());
        let out = runtime()
            .block_on(Store::for_writing(url, &session, crate::disk::Durability::Unsynced))
            .unwrap();
        Emulation {
            out,
            user: "5f1c0d9a77b3".into(),
            rows: 10,
            flush_size: 1,
            partitions: 1,
            partitioner: Partitioner::Default,
            gzip: false,
            seed: 42,
            bad_rate: 0.0,
            start_offset: 0,
            topics_dir: "topics".into(),
            file_delim: "+".into(),
            concurrency: 2,
        }
    }

    /// Ten one-record objects a topic, for tests that write nothing.
    pub(super) fn emulation() -> Emulation {
        emulation_in(&std::env::temp_dir())
    }

    #[test]
    fn a_folder_gets_every_object() {
        let folder = tempfile::tempdir().unwrap();
        let run = Emulation {
            rows: 600,
            flush_size: 7,
            partitions: 3,
            partitioner: Partitioner::Hourly,
            bad_rate: 0.1,
            ..emulation_in(folder.path())
        };
        let done = emulate(&run, runtime().handle()).unwrap();
        let rotations = Rotations::new(&run);
        let mut expected = Emulated::default();
        for object in (0..rotations.count()).flat_map(|n| rotations.objects(n)) {
            assert_eq!(std::fs::read(folder.path().join(&object.key)).unwrap(), object.body);
            expected.objects += 1;
            expected.records += object.records;
            expected.bytes += object.body.len() as u64;
            expected.bad += object.bad;
        }
        assert_eq!(done, expected);
        assert_eq!(done.records, 1800);
    }

    #[test]
    fn a_store_gets_every_object() {
        let folder = tempfile::tempdir().unwrap();
        let run =
            Emulation { rows: 40, partitioner: Partitioner::Field, ..emulation_in(folder.path()) };
        let rotations = Rotations::new(&run);
        let done = runtime().block_on(put::remote(&run.out, &rotations, 8)).unwrap();
        assert_eq!((done.objects, done.records), (120, 120));
        for object in (0..rotations.count()).flat_map(|n| rotations.objects(n)) {
            assert_eq!(std::fs::read(folder.path().join(&object.key)).unwrap(), object.body);
        }
    }

    #[test]
    fn an_output_that_cannot_be_written_names_the_object() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("topics"), "a file where a folder should be").unwrap();
        let error = emulate(&emulation_in(folder.path()), runtime().handle()).unwrap_err();
        let Error::Write { place, .. } = error else { panic!("{error}") };
        assert!(place.ends_with(".json") && place.contains("topics/5f1c0d9a77b3."), "{place}");
    }

    #[test]
    fn settings_out_of_bounds_are_usage_errors_that_name_the_option() {
        type Change = fn(&mut Emulation);
        let cases: [(&str, Change); 16] = [
            ("--flush-size", |e| e.flush_size = 0),
            ("--partitions", |e| e.partitions = 0),
            ("--partitions", |e| e.partitions = 1001),
            ("--bad-rate", |e| e.bad_rate = -0.1),
            ("--bad-rate", |e| e.bad_rate = 1.1),
            ("--bad-rate", |e| e.bad_rate = f64::NAN),
            ("--concurrency", |e| e.concurrency = 0),
            ("--rows", |e| e.rows = MOST_ROWS + 1),
            ("--start-offset", |e| e.start_offset = u64::MAX),
            ("--user", |e| e.user = "a/b".into()),
            ("--user", |e| e.user = "x".repeat(250)),
            ("--file-delim", |e| e.file_delim = String::new()),
            ("--file-delim", |e| e.file_delim = "/".into()),
            ("--topics-dir", |e| e.topics_dir = "/etc".into()),
            ("--topics-dir", |e| e.topics_dir = "a/../..".into()),
            ("--topics-dir", |e| e.topics_dir = "a//b".into()),
        ];
        for (option, change) in cases {
            let mut run = emulation();
            change(&mut run);
            let error = emulate(&run, runtime().handle()).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(option), "{option}: {error}");
        }
    }

    #[test]
    fn the_bounds_themselves_are_sound() {
        type Change = fn(&mut Emulation);
        let cases: [Change; 6] = [
            |e| e.rows = MOST_ROWS,
            |e| e.partitions = 1000,
            |e| e.bad_rate = 1.0,
            |e| e.topics_dir = String::new(),
            |e| e.topics_dir = "raw/kafka".into(),
            |e| e.file_delim = "--".into(),
        ];
        for change in cases {
            let mut run = emulation();
            change(&mut run);
            run.check().unwrap();
        }
    }
}
