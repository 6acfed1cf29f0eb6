//! A buffer for text that may hold a plaintext.

use std::io;
use zeroize::Zeroizing;

/// Grows like a `Vec`, but wipes the memory that it leaves behind when it moves.
#[derive(Default)]
pub(crate) struct WipingBuffer(Zeroizing<Vec<u8>>);

impl WipingBuffer {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(self.0.capacity() * 2)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl io::Write for WipingBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::WipingBuffer;

    #[test]
    fn keeps_what_is_pushed() {
        let mut buffer = WipingBuffer::with_capacity(2);
        for n in 0..100_u8 {
            buffer.push(&[n, n]);
        }
        let bytes = buffer.into_inner();
        assert_eq!(bytes.len(), 200);
        assert!(bytes.chunks(2).zip(0..).all(|(pair, n)| pair == [n, n]));
    }
}
