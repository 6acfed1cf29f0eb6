use super::tree::{Counted, Tree};
use super::wrong::{Place, Wrong};
use super::{Buffer, Entry, Source, walk};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core::cell::Cell;
use serde::de::DeserializeSeed;
use serde_json::error::Category;
use strongroom_client::{Plain, Value};
use zeroize::Zeroizing;

/// The only member of an object that stands for bytes which are no text.
pub(super) const BASE64: &str = "$base64";

pub(super) fn parse(text: &str) -> Result<Tree, Wrong> {
    let nodes = Cell::new(0);
    let mut reader = serde_json::Deserializer::from_str(text);
    let tree = Counted(&nodes).deserialize(&mut reader);
    tree.and_then(|tree| reader.end().map(|()| tree)).map_err(|error| {
        let place = Some(Place { line: error.line(), column: error.column() }).filter(|place| place.line > 0);
        match error.classify() {
            Category::Eof => Wrong::new(place, "it ends in the middle: it is truncated"),
            _ => {
                let text = error.to_string();
                let message = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
                Wrong::new(place, message)
            }
        }
    })
}

pub(super) fn read(tree: Tree) -> Result<Source, Wrong> {
    Ok(Source { entries: walk::entries(tree)?, notes: Vec::new() })
}

/// An object of all secrets by path: a string, an object of strings, or `{"$base64": "…"}` in the place of a string.
pub(crate) fn write(entries: &[Entry]) -> Buffer {
    let mut buffer = Buffer::default();
    buffer.push("{");
    for (index, entry) in entries.iter().enumerate() {
        buffer.push(if index > 0 { ",\n  " } else { "\n  " });
        quote(&mut buffer, &entry.path);
        buffer.push(": ");
        match &entry.value {
            Value::Single(plain) => write_plain(&mut buffer, plain),
            Value::KeyValues(values) => {
                buffer.push("{");
                for (index, (key, plain)) in values.iter().enumerate() {
                    buffer.push(if index > 0 { ",\n    " } else { "\n    " });
                    quote(&mut buffer, key);
                    buffer.push(": ");
                    write_plain(&mut buffer, plain);
                }
                buffer.push("\n  }");
            }
        }
    }
    buffer.push("\n}\n");
    buffer
}

fn write_plain(buffer: &mut Buffer, plain: &Plain) {
    match plain.expose_text() {
        Some(text) => quote(buffer, text),
        None => {
            buffer.push("{\"$base64\": \"");
            buffer.push(&base64(plain.expose()));
            buffer.push("\"}");
        }
    }
}

pub(super) fn base64(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    STANDARD.encode_string(bytes, &mut text);
    text
}

/// The bytes behind base64, in which lines may be broken; none where it is something else.
pub(super) fn unbase64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
    packed.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; packed.len().div_ceil(4) * 3]);
    let written = STANDARD.decode_slice(&*packed, &mut bytes).ok()?;
    bytes.truncate(written);
    Some(bytes)
}

/// A string of JSON, which is also one of YAML. What could lead a terminal astray is escaped.
pub(super) fn quote(buffer: &mut Buffer, text: &str) {
    buffer.push("\"");
    for character in text.chars() {
        match character {
            '"' => buffer.push("\\\""),
            '\\' => buffer.push("\\\\"),
            '\n' => buffer.push("\\n"),
            '\r' => buffer.push("\\r"),
            '\t' => buffer.push("\\t"),
            _ if character.is_control() || is_special(character) => {
                buffer.push(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => buffer.push_char(character),
        }
    }
    buffer.push("\"");
}

/// Invisible characters of the basic plane, which turn or break lines, and those that YAML doesn't take.
fn is_special(character: char) -> bool {
    u32::from(character) < 0x1_0000
        && (crate::terminal::is_hostile(character) || matches!(character, '\u{fffe}' | '\u{ffff}'))
}
