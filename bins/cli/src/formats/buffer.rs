use zeroize::Zeroizing;

/// Text that is being written, with values in it. It leaves no copy behind when it grows.
#[derive(Default)]
pub(crate) struct Buffer(Zeroizing<Vec<u8>>);

impl Buffer {
    pub(crate) fn push(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    pub(crate) fn push_char(&mut self, character: char) {
        self.push(character.encode_utf8(&mut [0; 4]));
    }

    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two().max(4096)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Hands over what was written, which is UTF-8 when only text was.
    pub(crate) fn into_text(self) -> Option<Zeroizing<String>> {
        core::str::from_utf8(&self.0).ok().map(|text| Zeroizing::new(text.to_owned()))
    }
}
