//! Statements: an effect on actions for principals.

use super::evaluate::{Effect, Entry, Operations, Principal, Test};
use super::fields::{Fields, quoted};
use super::parse::{PolicyError, within_policy};
use crate::document::Document;

const EVERYONE: &str = "*";

/// `{"effect": "Allow", "actions": ["getSecretValue"], "principals": ["team:platform"]}`.
pub(super) fn statement(place: &str, document: &Document) -> Result<Entry, PolicyError> {
    let fields = Fields::open(place, document, &["effect", "actions", "principals"])?;
    let remedy = "set it to `Allow` or `Deny`";
    let effect = fields.text("effect", remedy)?;
    let effect = if effect.eq_ignore_ascii_case("allow") {
        Effect::Allow
    } else if effect.eq_ignore_ascii_case("deny") {
        Effect::Deny
    } else {
        let reason = format!("{} is not an effect; {remedy}", quoted(effect));
        return Err(PolicyError::new(&fields.place_of("effect"), reason));
    };
    let gates = operations(&fields.texts("actions")?)?;
    let principals = fields.texts("principals")?;
    let principals = principals.into_iter().map(|(place, text)| principal(&place, text)).collect::<Result<_, _>>()?;
    Ok(Entry { place: within_policy(place), effect, gates, test: Test::Principals(principals) })
}

/// What the actions gate together; no actions gate everything.
fn operations(actions: &[(String, &str)]) -> Result<Operations, PolicyError> {
    if actions.is_empty() {
        return Ok(Operations::BOTH);
    }
    let mut gates = Operations::default();
    for (place, text) in actions {
        let action = action(text).ok_or_else(|| {
            let reason = format!(
                "{} is not an action; use `getSecretValue` for revealing, `putSecretValue` for storing, or `*` for both",
                quoted(text)
            );
            PolicyError::new(place, reason)
        })?;
        gates.reveal |= action.reveal;
        gates.put |= action.put;
    }
    Ok(gates)
}

/// What one action gates. Clients spell actions in many ways: case, punctuation and the prefix `secrets:` don't count.
fn action(text: &str) -> Option<Operations> {
    const REVEAL: Operations = Operations { reveal: true, put: false };
    const PUT: Operations = Operations { reveal: false, put: true };
    const NEITHER: Operations = Operations { reveal: false, put: false };

    let lower = text.to_ascii_lowercase();
    let name = lower.strip_prefix("secrets:").unwrap_or(&lower);
    if name == "*" {
        return Some(Operations::BOTH);
    }
    // A star isn't mere punctuation: `get*` must not pass for `get`.
    if name.contains('*') {
        return None;
    }
    let plain: String = name.chars().filter(|character| !character.is_ascii_punctuation()).collect();
    match plain.as_str() {
        "getsecretvalue" | "getvalue" | "get" | "read" | "reveal" => Some(REVEAL),
        "putsecretvalue" | "putvalue" | "put" | "write" | "update" => Some(PUT),
        "create" | "list" | "delete" | "browse" | "destroysecretversion" | "updatepolicy" => Some(NEITHER),
        _ => None,
    }
}

fn principal(place: &str, text: &str) -> Result<Principal, PolicyError> {
    let parsed = match text.split_once(':') {
        None if text == EVERYONE => Some(Principal::Everyone),
        None => is_identity(text).then(|| Principal::Identity(text.to_owned())),
        Some((_, name)) if !is_name(name) => None,
        Some(("user", identity)) => Some(Principal::User(identity.to_owned())),
        Some(("serviceAccount", identity)) => Some(Principal::ServiceAccount(identity.to_owned())),
        Some(("team", name)) => Some(Principal::Team(name.to_owned())),
        Some(_) => None,
    };
    parsed.ok_or_else(|| {
        let reason = format!(
            "{} is not a principal; use `user:<identity>`, `serviceAccount:<identity>`, `team:<identity or slug>`, \
             an identity alone, or `*`",
            quoted(text)
        );
        PolicyError::new(place, reason)
    })
}

/// The form of every identity, of whatever kind: a prefix, a hyphen and base32hex; 26 characters here, 20 where clients come from.
fn is_identity(text: &str) -> bool {
    text.split_once('-').is_some_and(|(prefix, code)| {
        !prefix.is_empty()
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && matches!(code.len(), 20 | 26)
            && code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v'))
    })
}

/// The characters of identities and slugs. A pattern, which nothing would match, is not among them.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
