//! Objects: which records a rotation of the sink commits, and under which keys.

use std::collections::HashMap;
use std::io::Write as _;
use std::ops::Range;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::bad;
use super::record::{self, Facts, Place, Table, Value};
use super::text::decimal;
use super::{Emulation, Partitioner};

/// One object as the sink writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    /// Its key below the bucket's root.
    pub key: String,
    /// Its bytes.
    pub body: Vec<u8>,
    /// Its records, malformed ones included.
    pub records: u64,
    /// Its malformed records.
    pub bad: u64,
}

/// All rotations of a run, by number. Any one can be made without the others.
///
/// A rotation is `flush_size` records of one topic and Kafka partition. It
/// commits every open file of that partition
/// (`TopicPartitionWriter.checkRotationOrAppend`): one under the default
/// partitioner, one a directory under the others.
pub(super) struct Rotations<'a> {
    emulation: &'a Emulation,
    slices: Vec<Slice>,
    count: u64,
}

/// One Kafka partition's part of the run.
struct Slice {
    table: Table,
    partition: u32,
    offsets: Range<u64>,
    /// The number of its first rotation.
    first: u64,
}

impl<'a> Rotations<'a> {
    pub fn new(emulation: &'a Emulation) -> Rotations<'a> {
        let partitions = u64::from(emulation.partitions);
        let end = emulation.start_offset + emulation.rows;
        let mut count = 0;
        let mut slices = Vec::new();
        for table in Table::ALL {
            for partition in 0..emulation.partitions {
                // Row i is at offset i / partitions of partition i % partitions.
                let offset =
                    |row: u64| row.saturating_sub(u64::from(partition)).div_ceil(partitions);
                let offsets = offset(emulation.start_offset)..offset(end);
                let rotations = (offsets.end - offsets.start).div_ceil(emulation.flush_size);
                slices.push(Slice { table, partition, offsets, first: count });
                count += rotations;
            }
        }
        Rotations { emulation, slices, count }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Records of one rotation, at most.
    pub fn flush_size(&self) -> u64 {
        self.emulation.flush_size
    }

    /// About how many bytes the largest has.
    pub fn largest(&self) -> u64 {
        self.emulation.flush_size.min(self.emulation.rows).saturating_mul(Table::Pin.mean_record())
    }

    /// The objects of one rotation, by first offset.
    pub fn objects(&self, number: u64) -> Vec<Object> {
        // The last slice that starts at or before it: slices without rotations
        // start where their successor does.
        let after = self.slices.partition_point(|slice| slice.first <= number);
        let Some(slice) = after.checked_sub(1).map(|n| &self.slices[n]) else { return Vec::new() };
        let flush_size = self.emulation.flush_size;
        let start = slice.offsets.start + (number - slice.first) * flush_size;
        let end = start.saturating_add(flush_size).min(slice.offsets.end);
        match namer(self.emulation.partitioner) {
            None => vec![self.whole(slice, start..end)],
            Some(namer) => self.by_directory(slice, start..end, namer),
        }
    }

    fn whole(&self, slice: &Slice, offsets: Range<u64>) -> Object {
        let records = offsets.end - offsets.start;
        let size = records * (slice.table.mean_record() * 17 / 16) + 1024;
        let mut file = OpenFile::new(offsets.start, size as usize);
        let directory = format!("partition={}", slice.partition);
        for offset in offsets {
            self.append(slice, offset, &mut file);
        }
        self.close(slice, &directory, file)
    }

    fn by_directory(&self, slice: &Slice, offsets: Range<u64>, namer: Namer) -> Vec<Object> {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut open: Vec<(Vec<u8>, OpenFile)> = Vec::new();
        let mut record = OpenFile::new(0, 1024);
        let mut name = Vec::new();
        for offset in offsets {
            record.clear();
            let facts = self.append(slice, offset, &mut record);
            name.clear();
            namer(slice.table, &facts, &mut name);
            let place = places.get(&name).copied().unwrap_or(open.len());
            if place == open.len() {
                places.insert(name.clone(), place);
                open.push((name.clone(), OpenFile::new(offset, 0)));
            }
            open[place].1.take(&record);
        }
        let close = |(name, file): (Vec<u8>, OpenFile)| {
            self.close(slice, &String::from_utf8_lossy(&name), file)
        };
        open.into_iter().map(close).collect()
    }

    /// Appends the record at an offset of a partition.
    fn append(&self, slice: &Slice, offset: u64, file: &mut OpenFile) -> Facts {
        let Emulation { seed, bad_rate, partitions, .. } = *self.emulation;
        let row = offset * u64::from(partitions) + u64::from(slice.partition);
        let place = Place { table: slice.table, seed, row };
        let start = file.bytes.len();
        let facts = record::write(place, &mut file.bytes);
        file.records += 1;
        if bad_rate > 0.0 && bad::spoil(place, bad_rate, &mut file.bytes, start) {
            file.bad += 1;
        }
        facts
    }

    fn close(&self, slice: &Slice, directory: &str, file: OpenFile) -> Object {
        let body = if self.emulation.gzip { gzip(&file.bytes) } else { file.bytes };
        let key = self.key(slice, directory, file.start);
        Object { key, body, records: file.records, bad: file.bad }
    }

    /// `[topics.dir/]topic/directory/topic+partition+offset.json[.gz]`
    fn key(&self, slice: &Slice, directory: &str, start: u64) -> String {
        let Emulation { user, topics_dir, file_delim, gzip, .. } = self.emulation;
        let topic = format!("{user}.{}", slice.table.name());
        let slash = if topics_dir.is_empty() { "" } else { "/" };
        let gz = if *gzip { ".gz" } else { "" };
        format!(
            "{topics_dir}{slash}{topic}/{directory}/{topic}{file_delim}{}{file_delim}{start:010}.json{gz}",
            slice.partition
        )
    }
}

/// The file of one directory between two rotations.
struct OpenFile {
    start: u64,
    bytes: Vec<u8>,
    records: u64,
    bad: u64,
}

impl OpenFile {
    fn new(start: u64, capacity: usize) -> OpenFile {
        OpenFile { start, bytes: Vec::with_capacity(capacity), records: 0, bad: 0 }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.records = 0;
        self.bad = 0;
    }

    fn take(&mut self, other: &OpenFile) {
        self.bytes.extend_from_slice(&other.bytes);
        self.records += other.records;
        self.bad += other.bad;
    }
}

/// Appends the directory of a record.
type Namer = fn(Table, &Facts, &mut Vec<u8>);

/// How directories are named after records; the default partitioner names them
/// after the Kafka partition alone.
fn namer(partitioner: Partitioner) -> Option<Namer> {
    match partitioner {
        Partitioner::Default => None,
        Partitioner::Field => Some(field_directory),
        Partitioner::Daily => Some(|_, facts, out| facts.moment.daily_directory(out)),
        Partitioner::Hourly => Some(|_, facts, out| facts.moment.hourly_directory(out)),
        Partitioner::Time => Some(|_, facts, out| facts.moment.dt_directory(out)),
    }
}

/// `field=value`; the sink does not escape values (`FieldPartitioner`).
fn field_directory(table: Table, facts: &Facts, out: &mut Vec<u8>) {
    out.extend_from_slice(table.partition_field().as_bytes());
    out.push(b'=');
    match facts.value {
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Number(number) => decimal(u64::from(number), 1, out),
    }
}

/// One gzip member without a name or time, so that equal bytes stay equal.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::default());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read as _;

    use sha2::{Digest, Sha256};

    use super::super::tests::emulation;
    use super::*;

    fn objects(emulation: &Emulation) -> Vec<Object> {
        let rotations = Rotations::new(emulation);
        (0..rotations.count()).flat_map(|n| rotations.objects(n)).collect()
    }

    fn keys(emulation: &Emulation) -> Vec<String> {
        objects(emulation).into_iter().map(|o| o.key).collect()
    }

    fn hash(emulation: &Emulation) -> String {
        let mut hasher = Sha256::new();
        for object in objects(emulation) {
            hasher.update(object.key.as_bytes());
            hasher.update(&object.body);
        }
        hasher.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_in_every_release() {
        let base = Emulation { rows: 500, ..emulation() };
        assert_eq!(hash(&base), "d57cbc4fb06f88a6");
        let spoilt = Emulation { bad_rate: 0.5, ..base.clone() };
        assert_eq!(hash(&spoilt), "45bd3652ff03e96b");
        assert_ne!(hash(&Emulation { seed: 43, ..base.clone() }), hash(&base));
    }

    #[test]
    fn slices_join_without_a_seam() {
        let base = Emulation { rows: 20, partitions: 3, bad_rate: 0.2, ..emulation() };
        let first = Emulation { rows: 10, ..base.clone() };
        let second = Emulation { start_offset: 10, ..first.clone() };
        let mut joined = [objects(&first), objects(&second)].concat();
        let mut all = objects(&base);
        joined.sort_by(|a, b| a.key.cmp(&b.key));
        all.sort_by(|a, b| a.key.cmp(&b.key));
        assert_eq!(joined, all);
        assert_eq!(all.len(), 60);
    }

    #[test]
    fn keys_are_those_of_the_sink() {
        let base = Emulation { rows: 5, partitions: 2, flush_size: 2, ..emulation() };
        assert_eq!(
            &keys(&base)[..4],
            [
                "topics/5f1c0d9a77b3.pin/partition=0/5f1c0d9a77b3.pin+0+0000000000.json",
                "topics/5f1c0d9a77b3.pin/partition=0/5f1c0d9a77b3.pin+0+0000000002.json",
                "topics/5f1c0d9a77b3.pin/partition=1/5f1c0d9a77b3.pin+1+0000000000.json",
                "topics/5f1c0d9a77b3.geo/partition=0/5f1c0d9a77b3.geo+0+0000000000.json",
            ]
        );
        let other = Emulation {
            topics_dir: String::new(),
            file_delim: "-".into(),
            gzip: true,
            start_offset: 20,
            ..base
        };
        assert_eq!(
            keys(&other)[0],
            "5f1c0d9a77b3.pin/partition=0/5f1c0d9a77b3.pin-0-0000000010.json.gz"
        );
    }

    #[test]
    fn every_partitioner_names_its_directories_and_loses_no_record() {
        let cases = [
            (Partitioner::Default, r"^topics/[^/]+/partition=[01]/[^/]+$"),
            (Partitioner::Field, r"^topics/[^/]+/(category|country|age)=[^/]+/[^/]+$"),
            (Partitioner::Daily, r"^topics/[^/]+/year=\d{4}/month=\d\d/day=\d\d/[^/]+$"),
            (Partitioner::Hourly, r"^topics/[^/]+/year=\d{4}/month=\d\d/day=\d\d/hour=\d\d/[^/]+$"),
            (Partitioner::Time, r"^topics/[^/]+/dt=\d{4}-\d\d-\d\d/[^/]+$"),
        ];
        let lines = |objects: &[Object]| {
            let text: Vec<u8> = objects.iter().flat_map(|o| o.body.clone()).collect();
            let mut lines: Vec<Vec<u8>> = text.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            lines.sort();
            lines
        };
        let base = Emulation { rows: 300, partitions: 2, flush_size: 40, ..emulation() };
        let expected = lines(&objects(&base));
        for (partitioner, pattern) in cases {
            let pattern = regex::Regex::new(pattern).unwrap();
            let found = objects(&Emulation { partitioner, ..base.clone() });
            assert!(
                found.iter().all(|o| pattern.is_match(&o.key)),
                "{partitioner:?}: {}",
                found[0].key
            );
            assert_eq!(lines(&found), expected, "{partitioner:?}");
            assert_eq!(found.iter().map(|o| o.records).sum::<u64>(), 900);
        }
    }

    #[test]
    fn a_rotation_commits_every_open_file_under_its_first_offset() {
        let run =
            Emulation { rows: 100, flush_size: 50, partitioner: Partitioner::Field, ..emulation() };
        let rotations = Rotations::new(&run);
        assert_eq!(rotations.count(), 6);
        for number in 0..2 {
            let objects = rotations.objects(number);
            assert!(objects.len() > 8, "categories seen in 50 pins: {}", objects.len());
            assert_eq!(objects.iter().map(|o| o.records).sum::<u64>(), 50);
            let mut starts = BTreeSet::new();
            for object in &objects {
                let digits = object.key.rsplit('+').next().unwrap();
                let start: u64 = digits.strip_suffix(".json").unwrap().parse().unwrap();
                assert!((number * 50..number * 50 + 50).contains(&start));
                let mut row = Vec::new();
                let place = Place { table: Table::Pin, seed: run.seed, row: start };
                record::write(place, &mut row);
                assert!(object.body.starts_with(&row));
                assert!(starts.insert(start));
            }
            assert_eq!(starts.first(), Some(&(number * 50)));
        }
    }

    #[test]
    fn a_gzip_object_holds_the_plain_one() {
        let plain = Emulation { rows: 100, flush_size: 30, ..emulation() };
        let packed = Emulation { gzip: true, ..plain.clone() };
        for (plain, packed) in objects(&plain).iter().zip(objects(&packed)) {
            let mut body = Vec::new();
            flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut body).unwrap();
            assert_eq!(body, plain.body);
            assert_eq!(packed.key, format!("{}.gz", plain.key));
        }
    }

    #[test]
    fn no_rows_and_more_partitions_than_rows_give_no_empty_objects() {
        assert_eq!(objects(&Emulation { rows: 0, ..emulation() }), []);
        let few = Emulation { rows: 3, partitions: 10, start_offset: 8, ..emulation() };
        let found = objects(&few);
        assert_eq!(found.len(), 9);
        assert!(found.iter().all(|o| o.records == 1));
        assert!(found[0].key.ends_with("+0+0000000001.json"), "{}", found[0].key);
        assert!(found[2].key.ends_with("+9+0000000000.json"), "{}", found[2].key);
    }

    #[test]
    fn malformed_records_are_counted() {
        let run = Emulation { rows: 1000, flush_size: 100, bad_rate: 0.1, ..emulation() };
        for partitioner in [Partitioner::Default, Partitioner::Field] {
            let found = objects(&Emulation { partitioner, ..run.clone() });
            let bad: u64 = found.iter().map(|o| o.bad).sum();
            assert!((240..360).contains(&bad), "{bad}");
        }
    }
}
