//! Values on their way in and out.

use crate::failure::Failure;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use strongroom_client::Plain;
use zeroize::Zeroizing;

/// The most that is read for a value, in bytes: no server takes more.
const LONGEST: usize = 2 * 1024 * 1024;

/// What stands on a terminal for a value that isn't to be seen.
pub(crate) const MASK: &str = "********";

/// All of standard input, as it is.
pub(crate) fn of_stdin() -> Result<Plain, Failure> {
    read(std::io::stdin().lock(), "standard input")
}

/// All of a file, as it is.
pub(crate) fn of_file(path: &Path) -> Result<Plain, Failure> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| Failure::usage(format!("{name} cannot be read")).because(error))?;
    read(file, &name)
}

fn read(mut source: impl Read, name: &str) -> Result<Plain, Failure> {
    // A buffer that grows by itself would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let mut part = Zeroizing::new([0; 8192]);
    loop {
        let length = match source.read(&mut *part) {
            Ok(0) => return Ok(Plain::new(bytes)),
            Ok(length) => length,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::usage(format!("{name} cannot be read")).because(error)),
        };
        if bytes.len() + length > LONGEST {
            return Err(Failure::usage(format!("{name} is larger than 2 MiB, which no secret can be"))
                .hint("secrets are small: keep the data elsewhere, encrypted, and its key here"));
        }
        if bytes.len() + length > bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(bytes.capacity() * 2));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        bytes.extend_from_slice(&part[..length]);
    }
}

/// The same without one end of line at its end.
pub(crate) fn without_line_end(plain: Plain) -> Plain {
    let mut bytes = plain.into_bytes();
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Plain::new(bytes)
}

/// A value in JSON: a text, or `{"base64": …}` where it isn't UTF-8; or the mask.
pub(crate) struct Shown<'a> {
    pub(crate) plain: &'a Plain,
    pub(crate) masked: bool,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.masked {
            return serializer.serialize_str(MASK);
        }
        match self.plain.expose_text() {
            Some(text) => serializer.serialize_str(text),
            None => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &*in_base64(self.plain))?;
                map.end()
            }
        }
    }
}

/// Standard base64.
pub(crate) fn in_base64(plain: &Plain) -> Zeroizing<String> {
    use base64::Engine as _;
    let mut text = Zeroizing::new(String::with_capacity(plain.len().div_ceil(3) * 4));
    base64::engine::general_purpose::STANDARD.encode_string(plain.expose(), &mut text);
    text
}

/// Named values in JSON.
pub(crate) struct ShownMap<'a> {
    pub(crate) values: &'a BTreeMap<String, Plain>,
    pub(crate) masked: bool,
}

impl Serialize for ShownMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let masked = self.masked;
        serializer.collect_map(self.values.iter().map(|(name, plain)| (name, Shown { plain, masked })))
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Shown, read, without_line_end};
    use strongroom_client::Plain;

    #[test]
    fn bytes_are_read_as_they_are_up_to_the_limit() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
        let plain = read(&bytes[..], "x").map_err(|failure| failure.to_string());
        assert!(plain.is_ok_and(|plain| plain.expose() == bytes));
        assert!(read(&vec![0; LONGEST][..], "x").is_ok());
        assert!(read(&vec![0; LONGEST + 1][..], "x").is_err());
    }

    #[test]
    fn one_line_end_is_taken_away() {
        for (given, left) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a\r", "a\r"), ("", ""), ("\n", "")] {
            let plain = without_line_end(Plain::from(given.to_owned()));
            assert_eq!(plain.expose_text(), Some(left), "{given:?}");
        }
    }

    #[test]
    fn json_has_text_or_base64_or_a_mask() {
        let json = |bytes: &[u8], masked| {
            serde_json::to_string(&Shown { plain: &Plain::from(bytes.to_vec()), masked }).unwrap()
        };
        assert_eq!(json(b"a\n\0", false), r#""a\n\u0000""#);
        assert_eq!(json(b"\xff\xfe", false), r#"{"base64":"//4="}"#);
        assert_eq!(json(b"a", true), r#""********""#);
    }
}
