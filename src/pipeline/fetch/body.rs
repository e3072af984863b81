//! One object's bytes, inflated if they are gzip, and no more than allowed.

use super::BodyFault;
use super::batches::Objects;
use super::inflate::{GZIP_MAGIC, Inflate};
use crate::Result;

/// How much of a compressed body is read at once.
const PACKED_CHUNK: usize = 64 << 10;

/// The body of the object that is open.
#[derive(Debug)]
pub(super) struct Body {
    form: Form,
    /// Inflated bytes so far, and how many there may be.
    total: u64,
    limit: u64,
}

/// How the body is stored. The name does not say: connectors behind a proxy
/// write gzip as `.json`, and an unpacked `.json.gz` keeps its name.
#[derive(Debug)]
enum Form {
    Unknown,
    Plain,
    Gzip(Box<Packed>),
}

/// A gzip body, and what was read of it.
#[derive(Debug)]
struct Packed {
    stream: Inflate,
    bytes: Vec<u8>,
    used: usize,
}

/// Whether a body goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flow {
    More,
    End(Option<BodyFault>),
}

impl Body {
    pub(super) fn new(limit: u64) -> Body {
        Body { form: Form::Unknown, total: 0, limit }
    }

    /// Appends about `most` bytes of the body to `out`.
    pub(super) fn pour(
        &mut self,
        objects: &mut impl Objects,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<Flow> {
        let before = out.len();
        let flow = match &mut self.form {
            Form::Unknown => self.begin(objects, out, most)?,
            Form::Plain => plain(objects.append(out, most)?),
            Form::Gzip(packed) => packed.pour(objects, out, most)?,
        };
        Ok(self.hold_limit(out, before, flow))
    }

    /// Reads the first chunk to where a plain body belongs, for most are; a gzip
    /// body is taken out again.
    fn begin(
        &mut self,
        objects: &mut impl Objects,
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<Flow> {
        let start = out.len();
        while out.len() - start < GZIP_MAGIC.len() {
            if objects.append(out, most.max(GZIP_MAGIC.len()))? == 0 {
                return Ok(Flow::End(None));
            }
        }
        self.form = Form::Plain;
        if out[start..].starts_with(&GZIP_MAGIC) {
            let bytes = out.split_off(start);
            self.form = Form::Gzip(Box::new(Packed { stream: Inflate::new(), bytes, used: 0 }));
        }
        Ok(Flow::More)
    }

    fn hold_limit(&mut self, out: &mut Vec<u8>, before: usize, flow: Flow) -> Flow {
        let left = self.limit - self.total;
        let new = (out.len() - before) as u64;
        if new <= left {
            self.total += new;
            return flow;
        }
        // `left` is less than what is in memory.
        out.truncate(before + left as usize);
        Flow::End(Some(BodyFault::ObjectTooLarge))
    }
}

fn plain(appended: usize) -> Flow {
    if appended == 0 { Flow::End(None) } else { Flow::More }
}

impl Packed {
    fn pour(&mut self, objects: &mut impl Objects, out: &mut Vec<u8>, most: usize) -> Result<Flow> {
        let enough = out.len() + most;
        while out.len() < enough {
            let more = self.used < self.bytes.len() || self.refill(objects)?;
            let before = out.len();
            let step = self.stream.step(&self.bytes[self.used..], out);
            self.used += step.consumed;
            if step.fault.is_some() {
                return Ok(Flow::End(step.fault));
            }
            if !more && out.len() == before {
                return Ok(Flow::End(self.stream.end()));
            }
        }
        Ok(Flow::More)
    }

    fn refill(&mut self, objects: &mut impl Objects) -> Result<bool> {
        self.bytes.clear();
        self.used = 0;
        Ok(objects.append(&mut self.bytes, PACKED_CHUNK)? > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::batches::Batches;
    use super::super::cut::CutLimits;
    use super::super::testing::{Seen, gz, lines_of, model, shard};
    use super::*;
    use crate::pipeline::fetch::RawBatch;

    /// Objects in memory; `None` is gone.
    struct Memory {
        bodies: Vec<Option<Vec<u8>>>,
        rest: Vec<u8>,
    }

    impl Objects for Memory {
        fn open(&mut self, object: usize) -> Result<bool> {
            self.rest = self.bodies[object].clone().unwrap_or_default();
            Ok(self.bodies[object].is_some())
        }

        fn append(&mut self, out: &mut Vec<u8>, most: usize) -> Result<usize> {
            let n = most.min(self.rest.len());
            out.extend(self.rest.drain(..n));
            Ok(n)
        }
    }

    const LIMITS: CutLimits = CutLimits {
        batch_bytes: 64,
        batch_pieces: 100,
        batch_lines: 100,
        line: 1 << 20,
        chunk: 16,
    };

    fn read(bodies: Vec<Option<Vec<u8>>>, limits: CutLimits, object_limit: u64) -> Vec<RawBatch> {
        let shard = shard(bodies.len());
        let objects = Memory { bodies, rest: Vec::new() };
        Batches::new(objects, shard, limits, object_limit).collect::<Result<_>>().unwrap()
    }

    /// All bytes of the pieces, and the faults of the objects.
    fn bytes_and_faults(batches: &[RawBatch]) -> (Vec<u8>, Vec<Option<BodyFault>>) {
        let pieces = || batches.iter().flat_map(|b| b.pieces.iter().map(move |p| (b, p)));
        let bytes = pieces().flat_map(|(b, p)| b.bytes[p.range.clone()].to_vec()).collect();
        let faults = pieces().filter(|(_, p)| p.last).map(|(_, p)| p.fault).collect();
        (bytes, faults)
    }

    #[test]
    fn every_object_ends_once_and_in_order() {
        let bodies = vec![
            Some(b"one\n".to_vec()),
            None,
            Some(Vec::new()),
            Some(gz(b"two\nthree")),
            Some(gz(b"four\nfive\nsix")[..22].to_vec()),
            Some(b"\x1f".to_vec()),
            Some(gz(b"\xef\xbb\xbfseven")),
        ];
        let seen = lines_of(&read(bodies, LIMITS, 1 << 20));
        let ends: Vec<_> = seen
            .iter()
            .filter_map(|seen| match seen {
                Seen::End { object, fault } => Some((*object, *fault)),
                Seen::Line { .. } => None,
            })
            .collect();
        let (gone, cut) = (Some(BodyFault::Gone), Some(BodyFault::GzipTruncated));
        assert_eq!(
            ends,
            [(0, None), (1, gone), (2, None), (3, None), (4, cut), (5, None), (6, None)]
        );
        assert!(seen.iter().any(|s| matches!(s, Seen::Line { text, .. } if text == b"seven")));
    }

    #[test]
    fn an_object_over_the_limit_keeps_what_is_within() {
        for body in [b"0123456789\n0123456789".to_vec(), gz(b"0123456789\n0123456789")] {
            for (limit, fault) in [(20, Some(BodyFault::ObjectTooLarge)), (21, None)] {
                let batches = read(vec![Some(body.clone()), Some(b"x".to_vec())], LIMITS, limit);
                let (bytes, faults) = bytes_and_faults(&batches);
                assert_eq!(faults, [fault, None]);
                assert_eq!(bytes.len() as u64, limit + 1);
            }
        }
    }

    #[test]
    fn a_bomb_ends_its_object_and_no_other() {
        let bomb = gz(&vec![b' '; 32 << 20]);
        let limits = CutLimits { batch_bytes: 1 << 20, chunk: 1 << 16, ..LIMITS };
        let batches = read(vec![Some(bomb), Some(b"x".to_vec())], limits, 1 << 30);
        let (bytes, faults) = bytes_and_faults(&batches);
        assert_eq!(faults, [Some(BodyFault::GzipRatio), None]);
        assert!(bytes.len() < 4 << 20, "{}", bytes.len());
    }

    proptest! {
        #[test]
        fn pieces_joined_are_the_bodies(
            texts in prop::collection::vec(("[ax{} \n]{0,300}", any::<bool>()), 1..8),
            batch in 1_usize..400,
            chunk in 1_usize..400,
        ) {
            let stored = texts.iter().map(|(text, packed)| {
                Some(if *packed { gz(text.as_bytes()) } else { text.clone().into_bytes() })
            });
            let limits = CutLimits { batch_bytes: batch, chunk, ..LIMITS };
            let batches = read(stored.collect(), limits, 1 << 20);
            let joined: String = texts.iter().map(|(text, _)| text.as_str()).collect();
            let (bytes, faults) = bytes_and_faults(&batches);
            prop_assert_eq!(bytes, joined.into_bytes());
            prop_assert_eq!(faults, vec![None; texts.len()]);
            let bodies: Vec<&[u8]> = texts.iter().map(|(text, _)| text.as_bytes()).collect();
            prop_assert_eq!(lines_of(&batches), model(&bodies, LIMITS.line));
        }

        #[test]
        fn a_gzip_body_cut_anywhere_gives_a_prefix(
            text in "[ax{} \n]{1,300}",
            cut: prop::sample::Index,
            chunk in 1_usize..100,
        ) {
            let packed = gz(text.as_bytes());
            let cut = 2 + cut.index(packed.len() - 2);
            let limits = CutLimits { chunk, ..LIMITS };
            let (bytes, faults) =
                bytes_and_faults(&read(vec![Some(packed[..cut].to_vec())], limits, 1 << 20));
            prop_assert_eq!(faults, vec![Some(BodyFault::GzipTruncated)]);
            prop_assert!(text.as_bytes().starts_with(&bytes));
        }
    }
}
