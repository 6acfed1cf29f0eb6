//! The OpenAPI document, and a page that shows it. The page needs nothing but this server: it works where there is no other network.

pub(crate) mod document;
pub(crate) mod page;
pub(crate) mod page_below;
pub(crate) mod script;
pub(crate) mod style;

use crate::answer::Answer;
use crate::call::Call;
use crate::failure::Failure;
use crate::openapi;
use http::header::IF_NONE_MATCH;

/// A file of this release: with its tag, or 304 when the client has it already.
fn file(call: &Call, media: &'static str, text: &'static [u8], tag: &str) -> Answer {
    let answer = if has(call, tag) { Answer::not_modified() } else { Answer::file(media, text) };
    answer.tagged(tag).shown()
}

/// A file that is in the program.
fn asset(call: &Call, media: &'static str, text: &'static str) -> Result<Answer, Failure> {
    Ok(file(call, media, text.as_bytes(), &openapi::etag(text.as_bytes())))
}

/// Whether the client says that it has the file of this tag.
fn has(call: &Call, tag: &str) -> bool {
    let values = call.headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == format!("\"{tag}\""))
}
