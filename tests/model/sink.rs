//! A bucket as the sink writes it: objects in order, with gaps, delivered again
//! from the middle, written anew, and with what else lies beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::draw::Draw;

/// The transforms of the tables.
pub const TRANSFORMS: [(&str, &str); 2] = [("geo.toml", GEO), ("pin.toml", PIN)];

const GEO: &str = r#"
version = 1
table = "geo"
topics = ["*.geo"]
[[column]]
name = "id"
type = "int32"
field = "id"
required = true
[[column]]
name = "note"
type = "string"
field = "note"
"#;

const PIN: &str = r#"
version = 1
table = "pin"
topics = ["*.pin"]
[[column]]
name = "note"
type = "string"
field = "note"
[[column]]
name = "id"
type = "int64"
field = "id"
required = true
"#;

/// The tables, in the order of their transforms.
pub const TABLES: [&str; 2] = ["geo", "pin"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    pub name: &'static str,
    pub table: &'static str,
    /// Whether a directory holds one Kafka partition, or those of one day.
    pub by_partition: bool,
}

const TOPICS: [Topic; 3] = [
    Topic { name: "a.pin", table: "pin", by_partition: true },
    Topic { name: "b.pin", table: "pin", by_partition: true },
    Topic { name: "a.geo", table: "geo", by_partition: false },
];
const PARTITIONS: u64 = 2;
/// In the future, so that no rule on old folders is met.
const DAYS: [&str; 3] =
    ["year=2099/month=01/day=01", "year=2099/month=01/day=02", "year=2099/month=01/day=03"];

/// One record, and what it must become.
#[derive(Debug)]
pub struct Record {
    pub line: String,
    pub becomes: Becomes,
    /// The row that the mended transforms make of a reject.
    pub mended: Option<String>,
}

#[derive(Debug)]
pub enum Becomes {
    /// The values of its row.
    Row {
        id: u64,
        note: Option<String>,
    },
    Reject {
        column: Option<&'static str>,
        code: &'static str,
    },
}

/// One object. Its records, and the bytes that they were written as.
#[derive(Debug, Clone)]
pub struct Object {
    pub records: Vec<Arc<Record>>,
    /// Kafka offsets of the records.
    offsets: Vec<u64>,
    gzip: bool,
    pub size: usize,
}

/// What a watermark belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub topic: Topic,
    pub directory: String,
    pub partition: u64,
}

impl Source {
    pub fn key(&self, start: u64, object: &Object) -> String {
        let Source { topic: Topic { name, .. }, directory, partition } = self;
        let extension = if object.gzip { "json.gz" } else { "json" };
        format!("topics/{name}/{directory}/{name}+{partition}+{start:010}.{extension}")
    }
}

/// The objects of records, by start offset.
pub type Objects = BTreeMap<u64, Object>;

/// All objects of records that are in the bucket.
#[derive(Debug, Clone, Default)]
pub struct Bucket(pub BTreeMap<Source, Objects>);

/// One Kafka partition of a topic.
#[derive(Debug, Default)]
struct Log {
    records: BTreeMap<u64, Arc<Record>>,
    /// Offsets that hold no record: compacted, or a transaction's.
    gaps: BTreeSet<u64>,
    /// Where the sink goes on.
    next: u64,
}

/// The sink, and what it wrote.
#[derive(Debug, Default)]
pub struct Sink {
    pub bucket: Bucket,
    logs: BTreeMap<(Topic, u64), Log>,
    records: u64,
}

/// Something to be put: a key and a body.
pub type Put = (String, Vec<u8>);

impl Sink {
    /// One object in each topic, so that every table has something to read.
    pub fn begin(&mut self, draw: &mut Draw) -> Vec<Put> {
        TOPICS.iter().flat_map(|topic| self.append(*topic, 0, draw)).collect()
    }

    /// One delivery: what it puts, in words and as objects.
    pub fn deliver(&mut self, draw: &mut Draw) -> (String, Vec<Put>) {
        let (topic, partition) = (draw.pick(&TOPICS), draw.below(PARTITIONS));
        let (what, mut puts) = match draw.below(12) {
            10 | 11 => ("stale", self.stale(topic, partition, draw)),
            0 | 1 => ("again", self.again(topic, partition, draw)),
            2..=4 => ("anew", self.rewrite(topic, partition, draw)),
            _ => ("", self.append(topic, partition, draw)),
        };
        let told = puts.iter().map(|(key, body)| format!("{key} ({} bytes)", body.len()));
        let told = format!("{what} {}", told.collect::<Vec<_>>().join(", "));
        if draw.once_in(8) {
            puts.extend(beside(topic, partition, draw));
        }
        (told.trim().to_owned(), puts)
    }

    /// The next object.
    fn append(&mut self, topic: Topic, partition: u64, draw: &mut Draw) -> Vec<Put> {
        let log = self.logs.entry((topic, partition)).or_default();
        while log.gaps.contains(&log.next) {
            log.next += 1;
        }
        if draw.once_in(8) && log.records.keys().next_back().is_none_or(|&last| last < log.next) {
            log.gaps.insert(log.next);
            log.next += 1;
        }
        let start = log.next;
        let offsets = self.take(topic, partition, start, draw);
        let directory = match topic.by_partition {
            true => format!("partition={partition}"),
            false => draw.pick(&DAYS).to_owned(),
        };
        let gzip = draw.once_in(6);
        self.put(Source { topic, directory, partition }, offsets, gzip)
    }

    /// Part 5 of the connector's rules: after a refused put the sink rewinds into
    /// its last object, and writes what follows again under another name.
    fn again(&mut self, topic: Topic, partition: u64, draw: &mut Draw) -> Vec<Put> {
        let Some((source, _, last)) = self.last(topic, partition) else { return Vec::new() };
        let Some(rest) = last.offsets.get(1..).filter(|rest| !rest.is_empty()) else {
            return Vec::new();
        };
        let start = draw.pick(rest);
        let offsets = match topic.by_partition {
            true => self.take(topic, partition, start, draw),
            false => rest.iter().copied().filter(|&offset| offset >= start).collect(),
        };
        self.put(source, offsets, draw.once_in(6))
    }

    /// A stale object: it was put by a task that had lost the partition, and lies
    /// inside of the last one. The sink goes on after the last one.
    fn stale(&mut self, topic: Topic, partition: u64, draw: &mut Draw) -> Vec<Put> {
        let Some((source, _, last)) = self.last(topic, partition) else { return Vec::new() };
        let inner = last.offsets.get(1..).unwrap_or_default();
        if !topic.by_partition || inner.is_empty() {
            return Vec::new();
        }
        let from = draw.below(inner.len() as u64) as usize;
        let to = from + 1 + draw.below((inner.len() - from) as u64) as usize;
        self.put(source, inner[from..to].to_vec(), draw.once_in(6))
    }

    /// The last object again, with more records or fewer.
    fn rewrite(&mut self, topic: Topic, partition: u64, draw: &mut Draw) -> Vec<Put> {
        let Some((source, start, last)) = self.last(topic, partition) else { return Vec::new() };
        // Elsewhere what is written anew is read by a full run alone.
        if !topic.by_partition || last.gzip {
            return Vec::new();
        }
        let offsets = self.take(topic, partition, start, draw);
        self.put(source, offsets, false)
    }

    /// The object that the sink wrote last.
    fn last(&self, topic: Topic, partition: u64) -> Option<(Source, u64, Object)> {
        let of_log = |source: &&Source| source.topic == topic && source.partition == partition;
        let sources = self.bucket.0.keys().filter(of_log);
        let last = sources.filter_map(|source| {
            let (start, object) = self.bucket.0[source].last_key_value()?;
            Some((source.clone(), *start, object.clone()))
        });
        last.max_by_key(|(_, start, _)| *start)
    }

    /// Offsets for one object, from `start` on; those that never were get records.
    fn take(&mut self, topic: Topic, partition: u64, start: u64, draw: &mut Draw) -> Vec<u64> {
        let log = self.logs.entry((topic, partition)).or_default();
        let mut offsets = Vec::new();
        let mut offset = start;
        for _ in 0..draw.between(1, 5) {
            if log.gaps.contains(&offset) {
                break;
            }
            log.records.entry(offset).or_insert_with(|| {
                self.records += 1;
                Arc::new(record(self.records, draw))
            });
            offsets.push(offset);
            // In a directory of one day the records of other days are missing.
            offset += if topic.by_partition { 1 } else { draw.between(1, 3) };
        }
        log.next = offset;
        offsets
    }

    fn put(&mut self, source: Source, offsets: Vec<u64>, gzip: bool) -> Vec<Put> {
        let log = &self.logs[&(source.topic, source.partition)];
        let records: Vec<_> = offsets.iter().map(|o| Arc::clone(&log.records[o])).collect();
        let text: String = records.iter().flat_map(|r| [r.line.as_str(), "\n"]).collect();
        let body = if gzip { compress(&text) } else { text.into_bytes() };
        let start = offsets[0];
        let object = Object { records, offsets, gzip, size: body.len() };
        let objects = self.bucket.0.entry(source.clone()).or_default();
        // A start offset has one object, whatever its extension.
        if objects.get(&start).is_some_and(|there| there.gzip != gzip) {
            return Vec::new();
        }
        let key = source.key(start, &object);
        objects.insert(start, object);
        vec![(key, body)]
    }
}

/// Sidecars and tombstones, which hold no values.
fn beside(topic: Topic, partition: u64, draw: &mut Draw) -> Vec<Put> {
    let (name, start) = (topic.name, draw.below(30));
    let directory = match topic.by_partition {
        true => format!("partition={partition}"),
        false => DAYS[0].to_owned(),
    };
    let file = format!("{name}+{partition}+{start:010}");
    let key = match draw.below(3) {
        0 => format!("topics/{name}/tombstone/{file}.keys.json"),
        1 => format!("topics/{name}/{directory}/{file}.keys.json"),
        _ => format!("topics/{name}/{directory}/{file}.headers.json"),
    };
    vec![(key, b"{\"id\":1}\n".to_vec())]
}

/// The `n`th record that there is.
fn record(n: u64, draw: &mut Draw) -> Record {
    let reject = |column, code| Becomes::Reject { column, code };
    let (line, becomes) = match draw.below(12) {
        0 => (format!("{{\"id\":{n},\"note\":"), reject(None, "invalid_json")),
        1 => (format!("{{\"id\":\"n{n}\",\"note\":\"a\"}}"), reject(Some("id"), "type")),
        2 => (format!("{{\"id\":null,\"note\":\"{n}\"}}"), reject(Some("id"), "required")),
        3 => (format!("{{\"id\":{n}}}"), Becomes::Row { id: n, note: None }),
        _ => {
            let note = format!("note {n} {}", "é".repeat(draw.below(4) as usize));
            let line = format!("{{\"note\":\"{note}\",\"id\":{n}}}");
            (line, Becomes::Row { id: n, note: Some(note) })
        }
    };
    // What is mended: an id is not required any more.
    let is_mended = matches!(becomes, Becomes::Reject { code: "required", .. });
    let mended = is_mended.then(|| format!("id=NULL note={n}"));
    Record { line, becomes, mended }
}

fn compress(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}
