//! What is encoded of a file and not yet sent.

use std::collections::VecDeque;
use std::io::Write;

use bytes::Bytes;
use object_store::PutPayload;

/// Small enough for the allocator to use the same memory again. One buffer that
/// doubles would be copied as it grows, each time into memory that is new.
const BLOCK_BYTES: usize = 256 << 10;

/// Bytes in the order in which they were written, in blocks that never move.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    full: VecDeque<Bytes>,
    last: Vec<u8>,
}

impl Blocks {
    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.full.len() * BLOCK_BYTES + self.last.len()
    }

    /// Takes the first `bytes`, a whole number of blocks; nothing if fewer wait.
    pub(super) fn take(&mut self, bytes: usize) -> Option<PutPayload> {
        let blocks = bytes / BLOCK_BYTES;
        (self.full.len() >= blocks).then(|| self.full.drain(..blocks).collect())
    }

    /// Takes what is left.
    pub(super) fn take_rest(&mut self) -> PutPayload {
        let mut last = std::mem::take(&mut self.last);
        // A small file may wait long.
        last.shrink_to_fit();
        self.full.drain(..).chain((!last.is_empty()).then(|| last.into())).collect()
    }
}

impl Write for Blocks {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.last.capacity() == 0 {
            self.last.reserve_exact(BLOCK_BYTES);
        }
        let written = bytes.len().min(BLOCK_BYTES - self.last.len());
        self.last.extend_from_slice(&bytes[..written]);
        if self.last.len() == BLOCK_BYTES {
            self.full.push_back(std::mem::take(&mut self.last).into());
        }
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(payload: PutPayload) -> Vec<u8> {
        payload.iter().flat_map(|bytes| bytes.iter().copied()).collect()
    }

    #[test]
    fn bytes_come_out_in_the_order_in_which_they_went_in() {
        let all: Vec<u8> = (0..5 * BLOCK_BYTES as u32 / 2).map(|n| (n % 251) as u8).collect();
        for step in [1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, all.len()] {
            let mut blocks = Blocks::default();
            for some in all.chunks(step) {
                blocks.write_all(some).unwrap();
            }
            assert_eq!(blocks.len(), all.len());
            assert!(blocks.take(3 * BLOCK_BYTES).is_none());
            let first = joined(blocks.take(2 * BLOCK_BYTES).unwrap());
            assert_eq!(first.len(), 2 * BLOCK_BYTES);
            assert_eq!(blocks.len(), all.len() - first.len());
            let rest = joined(blocks.take_rest());
            assert_eq!(blocks.len(), 0);
            assert!([first, rest].concat() == all, "{step}");
        }
        assert!(joined(Blocks::default().take_rest()).is_empty());
    }
}
