use crate::failure::Failure;
use crate::terminal::is_hostile;
use serde::Serialize;
use std::io::Write;
use zeroize::Zeroizing;

/// One document and the end of its line, wiped when it is dropped; laid out for a person, or not.
pub(super) fn document<T: Serialize + ?Sized>(data: &T, for_a_person: bool) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |error| Failure::failed("the answer cannot be written as JSON").because(error);
    let mut length = Length(0);
    // Measured first: growing would leave copies of a value behind.
    write(&mut length, data, for_a_person).map_err(failed)?;
    let mut text = Zeroizing::new(Vec::with_capacity(length.0));
    write(&mut *text, data, for_a_person).map_err(failed)?;
    let mut bytes = escaped(&text);
    bytes.push(b'\n');
    Ok(bytes)
}

/// JSON in which what could steer a terminal is written out; its lines are kept.
pub(super) fn escaped(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let hostile = text.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).filter(|one| is_hostile(*one)).count();
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + hostile * 12 + 1));
    for character in text.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
        if is_hostile(character) && character != '\n' {
            for unit in character.encode_utf16(&mut [0; 2]) {
                bytes.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        } else {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes
}

fn write<T: Serialize + ?Sized>(to: impl Write, data: &T, for_a_person: bool) -> serde_json::Result<()> {
    if for_a_person { serde_json::to_writer_pretty(to, data) } else { serde_json::to_writer(to, data) }
}

struct Length(usize);

impl Write for Length {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.0 += part.len();
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::document;
    use serde_json::{Value, json};

    #[test]
    fn hostile_text_stays_the_same_text() {
        let data = json!({"a": "x\u{1b}\u{9b}\u{202e}\u{e0041}ä\n\u{7f}", "b": [1, null]});
        for for_a_person in [true, false] {
            let bytes = document(&data, for_a_person).unwrap();
            let text = core::str::from_utf8(&bytes).unwrap();
            assert!(text.contains(r"x\u001b\u009b\u202e\udb40\udc41ä\n\u007f"), "{text}");
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), data);
        }
    }
}
