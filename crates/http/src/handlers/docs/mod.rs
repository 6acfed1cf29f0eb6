//! The OpenAPI document, and a page that shows it. The page needs nothing but this server: it works where there is no other network.

pub(crate) mod document;
pub(crate) mod page;
pub(crate) mod page_below;
pub(crate) mod script;
pub(crate) mod style;

use crate::answer::Answer;
use crate::call::Call;
use crate::conditions::known_tags;
use crate::failure::Failure;
use crate::openapi;
use bytes::Bytes;
use http::header::IF_NONE_MATCH;

/// A file of this release: with its tag, or 304 when the client has it already.
fn file(call: &Call, media: &'static str, text: Bytes, tag: &str) -> Answer {
    let answer = if has(call, tag) { Answer::not_modified() } else { Answer::file(media, text) };
    answer.tagged(tag).shown()
}

/// A file that is in the program.
fn asset(call: &Call, media: &'static str, text: &'static str) -> Result<Answer, Failure> {
    let text = Bytes::from_static(text.as_bytes());
    let tag = openapi::etag(&text);
    Ok(file(call, media, text, &tag))
}

/// Whether the client says that it has the file of this tag.
fn has(call: &Call, tag: &str) -> bool {
    if call.headers.get(IF_NONE_MATCH).is_some_and(|line| line.as_bytes().trim_ascii() == b"*") {
        return true;
    }
    known_tags(&call.headers).is_some_and(|tags| tags.iter().any(|known| known == tag))
}
