//! Looks for byte strings that must not be anywhere, in every form that a program might write them in.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::HashSet;
use std::fmt::Write;

/// The length of the pieces of [`Pieces`].
const PIECE: usize = 16;

/// Byte strings that may be found in part only, since a page's edge cuts them anywhere: their pieces of 16 bytes, one after the
/// other. Whatever holds 31 bytes in a row of one holds a piece.
pub(crate) struct Pieces {
    pieces: HashSet<[u8; PIECE]>,
    /// Whether any piece begins with these two bytes.
    starts: Vec<bool>,
}

impl Pieces {
    pub(crate) fn of(strings: &[Vec<u8>]) -> Self {
        let pieces: HashSet<[u8; PIECE]> = strings.iter().flat_map(|string| string.as_chunks().0).copied().collect();
        let mut starts = vec![false; 1 << 16];
        for piece in &pieces {
            starts[usize::from(u16::from_be_bytes([piece[0], piece[1]]))] = true;
        }
        Self { pieces, starts }
    }

    pub(crate) fn are_in(&self, haystack: &[u8]) -> bool {
        (0..(haystack.len() + 1).saturating_sub(PIECE)).any(|at| {
            self.starts[usize::from(u16::from_be_bytes([haystack[at], haystack[at + 1]]))]
                && self.pieces.contains(&haystack[at..at + PIECE])
        })
    }
}

/// Byte strings to look for.
#[derive(Default)]
pub(crate) struct Needles {
    names: Vec<String>,
    forms: Vec<Vec<u8>>,
}

impl Needles {
    /// Adds a value: as it is, in base64 at every alignment and in both alphabets, in hexadecimal, and as Rust, JSON and URLs
    /// escape it. At least 8 bytes, or it would be found by chance.
    pub(crate) fn add(&mut self, name: &str, value: &[u8]) {
        assert!(value.len() >= 8, "{name} is too short to look for");
        let mut form = |kind: &str, bytes: Vec<u8>| {
            if !self.forms.contains(&bytes) {
                self.names.push(format!("{name} ({kind})"));
                self.forms.push(bytes);
            }
        };
        form("as it is", value.to_vec());
        for skip in 0..3 {
            // The characters of the groups that hold nothing but the value.
            let whole = &value[skip..skip + (value.len() - skip) / 3 * 3];
            form("base64", STANDARD_NO_PAD.encode(whole).into_bytes());
            form("base64url", URL_SAFE_NO_PAD.encode(whole).into_bytes());
        }
        let mut hex = String::new();
        let mut percent = String::new();
        for byte in value {
            let _ = write!(hex, "{byte:02x}");
            let _ = write!(percent, "%{byte:02X}");
        }
        form("percent-encoded", percent.into_bytes());
        form("hexadecimal, upper case", hex.to_uppercase().into_bytes());
        form("hexadecimal", hex.into_bytes());
        let list = format!("{value:?}");
        form("a list of numbers", list.trim_matches(['[', ']']).as_bytes().to_vec());
        form("a list of numbers, compact", list.trim_matches(['[', ']']).replace(' ', "").into_bytes());
        form("escaped", value.escape_ascii().to_string().into_bytes());
        if let Ok(text) = std::str::from_utf8(value) {
            form("Rust text", format!("{text:?}").trim_matches('"').as_bytes().to_vec());
            form("JSON text", serde_json::json!(text).to_string().trim_matches('"').as_bytes().to_vec());
        }
    }

    /// A search for all of them.
    pub(crate) fn search(&self) -> Search<'_> {
        Search { names: &self.names, automaton: AhoCorasick::new(&self.forms).expect("few and short needles") }
    }
}

/// A search that is ready.
pub(crate) struct Search<'a> {
    names: &'a [String],
    automaton: AhoCorasick,
}

impl Search<'_> {
    /// The names of what is found, each once.
    pub(crate) fn found(&self, haystack: &[u8]) -> Vec<&str> {
        let mut found: Vec<&str> = self
            .automaton
            .find_overlapping_iter(haystack)
            .map(|place| self.names[place.pattern().as_usize()].as_str())
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[test]
fn a_part_is_found() {
    let string: Vec<u8> = (0..100).collect();
    let pieces = Pieces::of(std::slice::from_ref(&string));
    assert!(pieces.are_in(&[&[7; 50], &string[41..72], &[7; 50]].concat()));
    assert!(pieces.are_in(&string[..16]));
    assert!(!pieces.are_in(&string[1..16]) && !pieces.are_in(&[7; 500]) && !pieces.are_in(&[]));
}

#[test]
fn every_form_is_found() {
    let value = "Zähler \"canary\" \\ 0123456789/+".as_bytes();
    let mut needles = Needles::default();
    needles.add("canary", value);
    let search = needles.search();
    let text = std::str::from_utf8(value).unwrap();
    let with = |before: &str| strongroom_tests::base64([before.as_bytes(), value, b"after"].concat());
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    for haystack in [
        text.to_owned(),
        with(""),
        with("1"),
        with("12"),
        with("123").replace('+', "-").replace('/', "_"),
        hex.clone(),
        hex.to_uppercase(),
        format!("{value:?}"),
        format!("{value:02x?}").replace(", ", ""),
        format!("{text:?}"),
        serde_json::json!({ "value": text }).to_string(),
        serde_json::json!(value).to_string(),
    ] {
        let found = search.found(format!("x{haystack}y").as_bytes());
        assert!(!found.is_empty(), "not found in {haystack}");
    }
    assert_eq!(search.found(b"Zaehler canary 0123456789"), Vec::<&str>::new());
}
