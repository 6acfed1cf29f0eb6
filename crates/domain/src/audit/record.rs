use super::{Action, Outcome, ResourceKind};
use crate::id::{CredentialId, EventId, OrganisationId, ProjectId, RegionId, RequestId};
use crate::kms::KeyType;
use crate::principal::Principal;
use crate::time::Timestamp;
use core::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// The longest user agent that is kept, in bytes; a longer one is cut.
const MAX_USER_AGENT_LEN: usize = 512;
/// The longest URL path that is kept, in bytes; a longer one is cut.
const MAX_URL_PATH_LEN: usize = 1024;
/// The longest name of a resource that is kept, in bytes: as long as a secret's path. A longer one, which names nothing, is cut.
const MAX_IDENTITY_LEN: usize = 512;
/// The longest decision that is kept, in bytes; a longer one is cut.
const MAX_DECISION_LEN: usize = 512;
/// The longest text on access that is kept, in bytes; a longer one is cut.
const MAX_ACCESS_LEN: usize = 1024;

/// The request that an operation came with. Bounded, and free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// Names the request; also told to the caller in errors.
    pub id: RequestId,
    /// Where it came from; `None` inside an embedding process.
    pub client: Option<IpAddr>,
    /// What the client says it is (`User-Agent`), escaped, and cut to 512 bytes; `None` when it says nothing. Nothing is decided by it.
    pub user_agent: Option<String>,
    /// The HTTP method, escaped, and cut to 16 bytes; `None` inside an embedding process.
    pub method: Option<String>,
    /// The URL's path without its query, as it was sent, escaped, and cut to 1,024 bytes; `None` inside an embedding process.
    pub path: Option<String>,
}

/// Whether a text stays as it is.
fn is_tame(text: &str, len: usize) -> bool {
    text.len() <= len && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Cuts to `len` bytes at a character, and writes control and invisible formatting characters as escapes.
fn tame(text: &str, len: usize) -> String {
    if is_tame(text, len) {
        return text.to_owned();
    }
    let mut tamed = String::with_capacity(text.len().min(len));
    for c in text.chars() {
        let before = tamed.len();
        if is_hidden(c) {
            tamed.extend(c.escape_unicode());
        } else {
            tamed.push(c);
        }
        if tamed.len() > len {
            tamed.truncate(before);
            break;
        }
    }
    tamed
}

/// Whether a character doesn't show, or changes how others show.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The same in place.
fn tame_text(text: &mut String, len: usize) {
    if !is_tame(text, len) {
        *text = tame(text, len);
    }
}

impl RequestInfo {
    /// Of an operation inside an embedding process, without HTTP.
    #[must_use]
    pub const fn embedded(id: RequestId) -> Self {
        Self { id, client: None, user_agent: None, method: None, path: None }
    }

    /// Of an HTTP request. What the client wrote is escaped and cut: the user agent to 512 bytes, the method to 16, the path to 1,024. An
    /// IPv4 address in IPv6 form becomes an IPv4 address.
    #[must_use]
    pub fn http(id: RequestId, client: IpAddr, user_agent: Option<&str>, method: &str, path: &str) -> Self {
        Self {
            id,
            client: Some(client.to_canonical()),
            user_agent: user_agent.map(|text| tame(text, MAX_USER_AGENT_LEN)),
            method: Some(tame(method, 16)),
            path: Some(tame(path, MAX_URL_PATH_LEN)),
        }
    }
}

/// What an operation was done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// As callers name it: a secret's path, a key's identity; what a caller wrote that names nothing, too. Escaped, and cut to 512 bytes,
    /// once the record is [`tamed`](AuditRecord::tamed).
    pub identity: String,
    /// The internal id, where the object was found: two secrets that lived at one path differ here.
    pub id: Option<Uuid>,
    /// The version of the secret or key, from 1, where one was concerned.
    pub version: Option<u64>,
}

/// More about an operation with a KMS key, about access that was given or taken, or about many things at once. Never a value, key or token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The slug of the KMS key; `None` where none was used or found.
    pub key_slug: Option<String>,
    /// The type of the KMS key; `None` where none was used or found.
    pub key_type: Option<KeyType>,
    /// How many bytes came in, decoded: of a plaintext, a ciphertext, of what is signed.
    pub bytes_in: Option<u64>,
    /// How many bytes went out, decoded: of a ciphertext, a plaintext, a signature.
    pub bytes_out: Option<u64>,
    /// How many things were concerned: calls that are told together, records that were removed.
    pub count: Option<u64>,
    /// What access a change gave, took or altered, and whose: `name=value`, separated by spaces. Escaped, and cut to 1,024 bytes, once the
    /// record is [`tamed`](AuditRecord::tamed).
    pub access: Option<String>,
}

/// One entry of the audit log: who did what, from where, and how it ended. Never a value, key or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Names the entry; no other has the same.
    pub event: EventId,
    /// When, to the microsecond, by the clock of the node that did it.
    pub at: Timestamp,
    /// What was done or tried.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status that the caller got, or would have got.
    pub status: u16,
    /// Whose log it belongs to; `None` before one is known.
    pub organisation: Option<OrganisationId>,
    /// The region of the secret or key; `None` for what is in none, and where none was found.
    pub region: Option<RegionId>,
    /// The project in which the caller acted; `None` for the organisation itself.
    pub project: Option<ProjectId>,
    /// Who; `None` for the system itself.
    pub principal: Option<Principal>,
    /// The credential that the caller showed; `None` where none was accepted, and for the system itself.
    pub credential: Option<CredentialId>,
    /// What it was done to.
    pub resource: Option<Resource>,
    /// The rule, policy entry or gate that decided; for a failure its stable code. Escaped, and cut to 512 bytes, once the record is
    /// [`tamed`](Self::tamed).
    pub decided_by: Option<String>,
    /// The request that it came with; `None` for what the system does by itself.
    pub request: Option<Arc<RequestInfo>>,
    /// More, where there is more to tell.
    pub details: Option<Box<Details>>,
}

impl AuditRecord {
    /// Cuts to 512 bytes each, and escapes, what a caller may have written: the name of the resource, and what that led to; and to 1,024
    /// bytes the text on access. Whole escapes and characters stay.
    #[must_use]
    pub fn tamed(mut self) -> Self {
        if let Some(resource) = &mut self.resource {
            tame_text(&mut resource.identity, MAX_IDENTITY_LEN);
        }
        if let Some(decided_by) = &mut self.decided_by {
            tame_text(decided_by, MAX_DECISION_LEN);
        }
        if let Some(access) = self.details.as_mut().and_then(|details| details.access.as_mut()) {
            tame_text(access, MAX_ACCESS_LEN);
        }
        self
    }

    /// Whether it tells of what the system did by itself, in nobody's request.
    #[must_use]
    pub const fn is_by_system(&self) -> bool {
        self.principal.is_none() && self.request.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::{AuditRecord, Details, MAX_ACCESS_LEN, MAX_DECISION_LEN, MAX_IDENTITY_LEN, RequestInfo, Resource};
    use crate::audit::{Action, Outcome, ResourceKind};
    use crate::id::{EventId, RequestId};
    use crate::time::Timestamp;
    use core::net::IpAddr;
    use uuid::Uuid;

    fn record(identity: &str, decided_by: &str) -> AuditRecord {
        AuditRecord {
            event: EventId::new(Uuid::nil()),
            at: Timestamp::EPOCH,
            action: Action::KmsRead,
            outcome: Outcome::Failure,
            status: 404,
            organisation: None,
            region: None,
            project: None,
            principal: None,
            credential: None,
            resource: Some(Resource {
                kind: ResourceKind::KmsKey,
                identity: identity.to_owned(),
                id: None,
                version: None,
            }),
            decided_by: Some(decided_by.to_owned()),
            request: None,
            details: None,
        }
    }

    #[test]
    fn what_a_caller_names_is_tamed() {
        let longest = "x".repeat(MAX_IDENTITY_LEN);
        for (written, kept) in [
            ("/a/b", "/a/b"),
            ("Zähler", "Zähler"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("\u{202e}evil\u{2066}", "\\u{202e}evil\\u{2066}"),
            ("\u{61c}\u{2060}\u{e0041}\u{ad}", "\\u{61c}\\u{2060}\\u{e0041}\\u{ad}"),
            (longest.as_str(), longest.as_str()),
        ] {
            assert_eq!(record(written, written).tamed(), record(kept, kept));
        }
        for long in ["ab".repeat(9_000), "ä".repeat(9_000), "\u{202e}".repeat(9_000), "\0".repeat(9_000)] {
            let record = record(&long, &long).tamed();
            let (kept, decided_by) = (record.resource.expect("there").identity, record.decided_by.expect("there"));
            assert!((MAX_IDENTITY_LEN - 8..=MAX_IDENTITY_LEN).contains(&kept.len()), "{}", kept.len());
            assert!((MAX_DECISION_LEN - 8..=MAX_DECISION_LEN).contains(&decided_by.len()), "{}", decided_by.len());
            assert!(!kept.ends_with(['\\', '{']), "an escape is kept whole or not at all: {kept}");
        }
    }

    #[test]
    fn what_is_told_of_access_is_tamed() {
        let told = |text: &str| {
            let details = Details { access: Some(text.to_owned()), ..Details::default() };
            let record = AuditRecord { details: Some(Box::new(details)), ..record("", "") }.tamed();
            record.details.and_then(|details| details.access).expect("there")
        };
        assert_eq!(told("projects=a\n\u{202e}b"), "projects=a\\u{a}\\u{202e}b");
        assert!((MAX_ACCESS_LEN - 8..=MAX_ACCESS_LEN).contains(&told(&"ä\u{202e}".repeat(9_000)).len()));
    }

    #[test]
    fn no_request_makes_a_long_record() {
        let long = "\u{1f980}\n\u{202e}".repeat(9_000);
        let client = IpAddr::from([0x2001; 8]);
        let info = RequestInfo::http(RequestId::new(Uuid::nil()), client, Some(&long), &long, &long);
        let texts = [info.user_agent, info.method, info.path].map(|text| text.expect("there").len());
        assert!(texts.iter().zip([512, 16, 1024]).all(|(len, most)| *len <= most && len + 10 > most), "{texts:?}");
    }
}
