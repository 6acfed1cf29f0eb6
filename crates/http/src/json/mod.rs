//! Reading JSON bodies.
//!
//! Bodies carry plaintexts and are held to rules that general parsers don't keep: no name twice in an object, at any depth and in
//! members that nobody asked for; a bounded depth; unescaped text in memory that is wiped; and messages that name the member and
//! never repeat its value.

mod parse;
mod read;

pub(crate) use parse::{Json, parse};

use crate::failure::Failure;
use serde::de::DeserializeOwned;

/// The parsed body as a wire type.
pub(crate) fn read<T: DeserializeOwned>(json: &Json<'_>) -> Result<T, Failure> {
    T::deserialize(json).map_err(|error| Failure::invalid(format!("{error}.")))
}

/// A caller's text as part of a message: bounded, without control characters, in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

/// A caller's text as part of a message: bounded, without control characters.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN: usize = 64;
    let shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    shown + more
}
