use super::{Action, Outcome, ResourceKind};
use crate::id::{CredentialId, EventId, OrganisationId, ProjectId, RegionId, RequestId};
use crate::principal::Principal;
use crate::time::Timestamp;
use core::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// The longest user agent that is kept, in bytes; a longer one is cut.
const MAX_USER_AGENT_LEN: usize = 512;
/// The longest URL path that is kept, in bytes; a longer one is cut.
const MAX_URL_PATH_LEN: usize = 1024;

/// The request that an operation came with. Bounded, and free of control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    /// Names the request; also told to the caller in errors.
    pub id: RequestId,
    /// Where it came from; `None` inside an embedding process.
    pub client: Option<IpAddr>,
    /// What the client says it is.
    pub user_agent: Option<String>,
    /// The HTTP method.
    pub method: Option<String>,
    /// The URL's path, without query.
    pub path: Option<String>,
}

/// Cuts to `len` bytes at a character, and writes control and invisible formatting characters as escapes.
fn tame(text: &str, len: usize) -> String {
    if text.len() <= len && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
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
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl RequestInfo {
    /// Of an operation inside an embedding process, without HTTP.
    #[must_use]
    pub const fn embedded(id: RequestId) -> Self {
        Self { id, client: None, user_agent: None, method: None, path: None }
    }

    /// Of an HTTP request; what the client wrote is cut and escaped.
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
    /// As callers name it: a secret's path, a key's identity.
    pub identity: String,
    /// The internal id, where the object was found: two secrets that lived at one path differ here.
    pub id: Option<Uuid>,
    /// The version of the secret or key, where one was concerned.
    pub version: Option<u64>,
}

/// One entry of the audit log: who did what, from where, and how it ended. Never a value, key or token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Names the entry.
    pub event: EventId,
    /// When.
    pub at: Timestamp,
    /// What was done or tried.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status that the caller got, or would have got.
    pub status: u16,
    /// Whose log it belongs to; `None` before one is known.
    pub organisation: Option<OrganisationId>,
    /// In which region.
    pub region: Option<RegionId>,
    /// In which project.
    pub project: Option<ProjectId>,
    /// Who; `None` for the system itself.
    pub principal: Option<Principal>,
    /// With which credential.
    pub credential: Option<CredentialId>,
    /// What it was done to.
    pub resource: Option<Resource>,
    /// The rule, policy entry or gate that decided; for a failure its stable code.
    pub decided_by: Option<String>,
    /// The request that it came with; `None` for what the system does by itself.
    pub request: Option<Arc<RequestInfo>>,
}
