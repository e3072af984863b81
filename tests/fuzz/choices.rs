//! Random bytes as a row of choices, so that a fuzzer that shrinks or mutates
//! the bytes shrinks or mutates what is built of them.

/// Choices yet to be made. When the bytes are used up, the first of all
/// possibilities is chosen each time, which must be one that ends.
pub struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Choices<'a> {
        Choices { bytes: bytes.iter() }
    }

    pub fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = usize::from(self.byte());
        if end <= 256 { wide % end } else { (wide << 8 | usize::from(self.byte())) % end }
    }

    /// True once in `n` times; false when the bytes are used up.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == n - 1
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> Vec<u8> {
        self.bytes.by_ref().copied().collect()
    }

    /// Spoils a text: cuts, flips, drops, doubles or inserts bytes.
    pub fn mutate(&mut self, text: &mut Vec<u8>) {
        for _ in 0..self.below(4) {
            if text.is_empty() {
                return;
            }
            let at = self.below(text.len());
            let end = (at + 1 + self.below(12)).min(text.len());
            match self.below(6) {
                0 => text[at] ^= 1 << self.below(8),
                1 => text[at] = self.byte(),
                2 => text.truncate(at),
                3 => drop(text.drain(at..end)),
                4 => text.insert(at, self.pick(b"\"\\{}[],:u0-.eE \t\r\n\x0c\x00\x7f\xff\xc3")),
                _ => {
                    let part = text[at..end].to_vec();
                    text.splice(at..at, part);
                }
            }
        }
    }
}
