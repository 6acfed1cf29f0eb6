//! What many operations answer alike: refusals, and headers.

use serde_json::{Map, Value, json};

/// The refusals of all operations: status, name in the document, and when.
const REFUSALS: [(u16, &str, &str); 14] = [
    (400, "BadRequest", "Something about the request is wrong; the message names it and says what to do."),
    (401, "Unauthenticated", "No credentials, or none that are known; or they have ended."),
    (403, "Forbidden", "The caller, or the credential, may not do this; the code says what stands against it."),
    (404, "NotFound", "Something that the request names isn't there, or not for this caller."),
    (408, "RequestTimeout", "The body didn't arrive in time."),
    (409, "Conflict", "Something stands against it that is there already."),
    (412, "VersionMismatch", "The current version is another than the one that was expected."),
    (413, "TooLarge", "The body, or the value in it, is too large."),
    (415, "UnsupportedMediaType", "The body has another Content-Type than those that are taken."),
    (422, "IdempotencyMismatch", "The idempotency key was used with another request before."),
    (429, "RateLimited", "The caller asks too often."),
    (431, "HeadersTooLarge", "The head of the request is too large."),
    (500, "Internal", "Something is broken in the server."),
    (503, "Unavailable", "The server can't do this now. After `outcome_unknown` it may or may not have been done."),
];

/// A header of answers.
#[derive(Clone, Copy)]
pub(super) enum Header {
    RequestId,
    Location,
    Link,
    NoStore,
    Cached,
    /// The answer may be kept, but is asked for again each time.
    Asked,
    Etag,
    ContentSecurityPolicy,
    ContentTypeOptions,
    ReferrerPolicy,
}

impl Header {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RequestId => "X-Request-Id",
            Self::Location => "Location",
            Self::Link => "Link",
            Self::NoStore | Self::Cached | Self::Asked => "Cache-Control",
            Self::Etag => "ETag",
            Self::ContentSecurityPolicy => "Content-Security-Policy",
            Self::ContentTypeOptions => "X-Content-Type-Options",
            Self::ReferrerPolicy => "Referrer-Policy",
        }
    }
}

pub(super) fn header(header: Header) -> Value {
    let (description, required, schema) = match header {
        Header::RequestId => {
            ("Names the request in the audit log and in the server's log.", true, json!({"type": "string"}))
        }
        Header::Location => ("Where the secret can be found.", true, json!({"type": "string"})),
        Header::Link => ("Where the next page can be found, when there is one.", false, json!({"type": "string"})),
        Header::NoStore => ("Nobody may keep the answer.", true, json!({"type": "string", "const": "no-store"})),
        Header::Asked => (
            "The answer may be kept, but whether it still holds is to be asked each time.",
            true,
            json!({"type": "string", "const": "no-cache"}),
        ),
        Header::ContentSecurityPolicy => (
            "What a browser may do with it: load what stands beside it, and nothing else.",
            true,
            json!({"type": "string"}),
        ),
        Header::ContentTypeOptions => {
            ("It is of the type that it says, and no other.", true, json!({"type": "string", "const": "nosniff"}))
        }
        Header::ReferrerPolicy => {
            ("Nobody else is told of it.", true, json!({"type": "string", "const": "no-referrer"}))
        }
        Header::Cached => ("For how long the answer may be kept.", true, json!({"type": "string"})),
        Header::Etag => {
            ("Tells this answer from others to the same request; for `If-None-Match`.", true, json!({"type": "string"}))
        }
    };
    json!({"description": description, "required": required, "schema": schema})
}

/// The refusals that operations share, by their names.
pub(super) fn refusals() -> Map<String, Value> {
    let refusal = |(status, name, description): &(u16, &str, &str)| {
        let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
        let content = json!({"application/json": {"schema": schema}});
        ((*name).to_owned(), json!({"description": description, "headers": headers(*status), "content": content}))
    };
    REFUSALS.iter().map(refusal).collect()
}

/// Points to the refusal of a status.
pub(super) fn reference(status: u16) -> Value {
    let name = REFUSALS.iter().find(|(other, ..)| *other == status).map_or("", |(_, name, _)| *name);
    json!({"$ref": format!("#/components/responses/{name}")})
}

/// The refusal of a status by the token endpoint.
pub(super) fn oauth(status: u16) -> Value {
    let description = REFUSALS.iter().find(|(other, ..)| *other == status).map_or("", |(.., description)| *description);
    let mut headers = headers(status);
    headers.insert("Cache-Control".to_owned(), header(Header::NoStore));
    let content = json!({"application/json": {"schema": {"$ref": "#/components/schemas/TokenErrorBody"}}});
    json!({"description": description, "headers": headers, "content": content})
}

fn headers(status: u16) -> Map<String, Value> {
    let mut headers = Map::new();
    headers.insert("X-Request-Id".to_owned(), header(Header::RequestId));
    let text = json!({"type": "string"});
    match status {
        401 => {
            let challenge = json!({"description": "How to authenticate.", "required": true, "schema": text});
            headers.insert("WWW-Authenticate".to_owned(), challenge);
        }
        429 | 503 => {
            let description =
                "After how many seconds to try again; absent when it isn't known what became of the request.";
            let after = json!({"description": description, "schema": {"type": "integer", "minimum": 0}});
            headers.insert("Retry-After".to_owned(), after);
        }
        _ => {}
    }
    headers
}
