//! What the tests of this stage share: a reader of batches and its model.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{BodyFault, RawBatch};
use crate::key::{Extension, Source, Topic};
use crate::pipeline::discover::Object;
use crate::pipeline::plan::{Following, Shard};

/// What a decoder would see, independent of how the batches were cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Line { object: usize, line: u64, record: Option<u64>, text: Vec<u8>, cut: Option<u64> },
    End { object: usize, fault: Option<BodyFault> },
}

/// Reads batches as the decoder does.
pub(super) fn lines_of(batches: &[RawBatch]) -> Vec<Seen> {
    let mut seen = Vec::new();
    for (batch, piece) in batches.iter().flat_map(|b| b.pieces.iter().map(move |p| (b, p))) {
        let text = &batch.bytes[piece.range.clone()];
        let mut record = piece.records_before;
        for (line, text) in (piece.lines_before + 1..).zip(split(text)) {
            seen.push(one(piece.object, line, &mut record, text, piece.cut));
        }
        if piece.last {
            seen.push(Seen::End { object: piece.object, fault: piece.fault });
        }
    }
    seen
}

/// What must be seen of whole, sound bodies.
pub(super) fn model(bodies: &[&[u8]], limit: usize) -> Vec<Seen> {
    let mut seen = Vec::new();
    for (object, body) in bodies.iter().enumerate() {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut record = 0;
        for (line, text) in (1..).zip(split(body)) {
            let cut = (text.len() > limit).then_some(text.len() as u64);
            seen.push(one(object, line, &mut record, &text[..text.len().min(limit)], cut));
        }
        seen.push(Seen::End { object, fault: None });
    }
    seen
}

fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line))
}

fn one(object: usize, line: u64, record: &mut u64, text: &[u8], cut: Option<u64>) -> Seen {
    let blank = cut.is_none() && text.iter().all(u8::is_ascii_whitespace);
    let this = (!blank).then_some(*record);
    *record += u64::from(!blank);
    Seen::Line { object, line, record: this, text: text.to_vec(), cut }
}

/// A shard of objects of unknown size.
pub(super) fn shard(objects: usize) -> Arc<Shard> {
    shard_of((0..objects).map(|n| object(n as u64, 0)).collect())
}

pub(super) fn object(start: u64, size: u64) -> Object {
    Object { start, size, width: 10, extension: Extension::Json, etag: None }
}

pub(super) fn shard_of(objects: Vec<Object>) -> Arc<Shard> {
    Arc::new(Shard {
        source: Arc::new(Source {
            topic: Topic::parse("a.pin").unwrap(),
            directory: "partition=0".into(),
            partition: 0,
        }),
        table: 0,
        objects,
        following: Following::default(),
        floor: 0,
    })
}

pub(super) fn gz(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}
