//! What records say of the access that a change gave, took or altered: `name=value`, separated by spaces. Values of other than plain
//! characters stand in quotes, so that none looks like another name; long ones and long lists say how much they leave out.

use core::fmt::Write;
use std::collections::BTreeMap;
use strongroom_domain::directory::{
    AccessCredential, Binding, FederatedIdentity, IdentityProvider, MemberRole, OrganisationMember,
};
use strongroom_domain::iam::Rule;
use strongroom_domain::id::UserId;
use strongroom_domain::tenancy::Gates;
use strongroom_domain::unit::Change;

/// The most bytes of one value within its quotes, and about the most of one list: with them, everything fits into a record.
const MAX_VALUE_LEN: usize = 120;
const MAX_LIST_LEN: usize = 240;

/// A value as it stands in a text. A plus before a number says how many bytes, or entries, are left out.
fn word(value: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/*@+".contains(&byte);
    if (1..=MAX_VALUE_LEN).contains(&value.len()) && !value.starts_with('+') && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    let mut quoted = "\"".to_owned();
    let mut chars = value.chars();
    loop {
        let rest = chars.as_str().len();
        let Some(next) = chars.next() else { return quoted + "\"" };
        let before = quoted.len();
        quoted.extend(next.escape_debug());
        if quoted.len() > MAX_VALUE_LEN {
            quoted.truncate(before);
            return format!("{quoted}\"+{rest}");
        }
    }
}

/// Adds a list, where it says something.
fn list(to: &mut String, name: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    // Writing to a string can't fail.
    let _ = write!(to, " {name}=");
    let begin = to.len();
    for (at, value) in values.iter().enumerate() {
        let word = word(value);
        let comma = if at > 0 { "," } else { "" };
        if at > 0 && to.len() - begin + word.len() > MAX_LIST_LEN {
            let _ = write!(to, "{comma}+{}", values.len() - at);
            return;
        }
        let _ = write!(to, "{comma}{word}");
    }
}

/// Adds which parts differ.
fn changed(to: &mut String, parts: &[(&str, bool)]) {
    let parts: Vec<&str> = parts.iter().filter(|(_, differs)| *differs).map(|(part, _)| *part).collect();
    if !parts.is_empty() {
        let _ = write!(to, " changed={}", parts.join(","));
    }
}

pub(super) fn by_binding(binding: &Binding) -> String {
    let mut text = format!("role={} to={}", binding.role, binding.to);
    list(&mut text, "projects", &binding.projects);
    text
}

pub(crate) fn by_ownership(user: UserId) -> String {
    format!("user={user} role={}", MemberRole::Owner.as_str())
}

/// `before`: the role that it had, where that is another.
pub(crate) fn by_membership(member: &OrganisationMember, before: Option<MemberRole>) -> String {
    let mut text = format!("user={} role={}", member.user, member.role.as_str());
    if let Some(before) = before.filter(|before| *before != member.role) {
        let _ = write!(text, " before={}", before.as_str());
    }
    text
}

pub(super) fn by_rule(rule: &Rule) -> String {
    let mut text = format!("rule={}", rule.id);
    list(&mut text, "resources", &rule.resources);
    list(&mut text, "resourceIdentities", &rule.resource_identities);
    list(&mut text, "permissions", &rule.permissions);
    text
}

pub(super) fn by_credential(credential: &AccessCredential) -> String {
    let mut text = format!("serviceAccount={}", credential.service_account);
    list(&mut text, "scopes", credential.scopes.as_slice());
    text
}

/// `before`: what it was, where it was another.
pub(super) fn by_federation(identity: &FederatedIdentity, before: Option<&FederatedIdentity>) -> String {
    let FederatedIdentity { service_account, provider, subject, audiences, status, .. } = identity;
    let mut text = format!("serviceAccount={service_account} provider={provider} status={}", status.as_str());
    let _ = write!(text, " subject={}", word(subject.as_str()));
    list(&mut text, "audiences", audiences);
    list(&mut text, "scopes", identity.scopes.as_slice());
    if let Some(before) = before {
        let parts = [
            ("audiences", before.audiences != *audiences),
            ("audienceMatch", before.audience_match != identity.audience_match),
            ("conditions", before.conditions != identity.conditions),
            ("expires", before.expires != identity.expires),
            ("scopes", before.scopes != identity.scopes),
            ("status", before.status != *status),
        ];
        changed(&mut text, &parts);
    }
    text
}

/// `before`: what it was, where it was another.
pub(super) fn by_provider(provider: &IdentityProvider, before: Option<&IdentityProvider>) -> String {
    let mut text = format!("issuer={} status={}", word(&provider.issuer), provider.status.as_str());
    if let Some(before) = before {
        let parts = [
            ("issuer", before.issuer != provider.issuer),
            ("keys", before.jwks_uri != provider.jwks_uri || before.local_jwks != provider.local_jwks),
            ("status", before.status != provider.status),
        ];
        changed(&mut text, &parts);
    }
    text
}

pub(crate) fn by_policy(is_set: bool) -> String {
    let what = if is_set { "set" } else { "cleared" };
    format!("policy={what}")
}

pub(crate) fn by_gates(gates: Gates) -> String {
    format!("secrets={} kms={} projects={}", gates.secrets, gates.kms, gates.projects)
}

/// What goes with the first thing that is removed, as that is all that is left of it.
pub(crate) fn with_removed(access: Option<String>, changes: &[Change]) -> Option<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut tokens = 0;
    let mut objects = 0;
    for change in changes {
        match change {
            Change::DeleteObject { kind, .. } => {
                objects += 1;
                if objects > 1 {
                    *kinds.entry(kind.as_str()).or_default() += 1;
                }
            }
            Change::DeleteToken { .. } => tokens += 1,
            _ => {}
        }
    }
    if objects > 0 && tokens > 0 {
        kinds.insert("token", tokens);
    }
    if kinds.is_empty() {
        return access;
    }
    let removed: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind}:{count}")).collect();
    let before = access.map(|access| access + " ").unwrap_or_default();
    Some(format!("{before}removed={}", removed.join(",")))
}

#[cfg(test)]
mod tests {
    use super::{by_rule, list, with_removed, word};
    use strongroom_domain::directory::ObjectKind;
    use strongroom_domain::iam::Rule;
    use strongroom_domain::id::RuleId;
    use strongroom_domain::unit::Change;
    use uuid::Uuid;

    #[test]
    fn a_value_does_not_look_like_another_name() {
        for (value, expected) in [
            ("/app/**", "/app/**"),
            ("https://issuer.example:8443/a", "https://issuer.example:8443/a"),
            ("", "\"\""),
            ("x status=revoked", "\"x status=revoked\""),
            ("a,b", "\"a,b\""),
            ("say \"so\"\n", "\"say \\\"so\\\"\\n\""),
            ("Zähler", "\"Zähler\""),
        ] {
            assert_eq!(word(value), expected);
        }
        assert_eq!(word("+2"), "\"+2\"");
        assert_eq!(word(&"x".repeat(120)), "x".repeat(120));
        assert_eq!(word(&"x".repeat(121)), format!("\"{}\"+2", "x".repeat(119)));
        assert_eq!(word(&"ä".repeat(61)), format!("\"{}\"+4", "ä".repeat(59)));
        assert_eq!(word(&"\u{7f}".repeat(100)), format!("\"{}\"+81", "\\u{7f}".repeat(19)));
    }

    #[test]
    fn a_long_list_says_how_many_are_left_out() {
        let listed = |values: &[String]| {
            let mut text = "rule=1".to_owned();
            list(&mut text, "permissions", values);
            text
        };
        assert_eq!(listed(&[]), "rule=1");
        assert_eq!(listed(&["read".to_owned(), "list".to_owned()]), "rule=1 permissions=read,list");
        let many: Vec<String> = (0..1_000).map(|n| format!("permission-{n:04}")).collect();
        let text = listed(&many);
        let kept = text.matches("permission-").count();
        assert!(kept > 10 && text.ends_with(&format!(",+{}", 1_000 - kept)), "{text}");
    }

    #[test]
    fn whatever_is_granted_fits_into_a_record() {
        for c in ["x", "\u{1}", "\u{7f}", "\u{202e}", "ä", "\"", "🦀"] {
            let long = || vec![c.repeat(300); 9];
            let rule = Rule {
                id: RuleId::new(Uuid::nil()),
                resources: long(),
                resource_identities: long(),
                permissions: long(),
                note: c.repeat(300),
            };
            let text = by_rule(&rule);
            let names = [" resources=", " resourceIdentities=", " permissions="];
            assert!(text.len() <= 900 && names.iter().all(|name| text.contains(name)), "{} {text}", text.len());
        }
    }

    #[test]
    fn what_goes_with_it_is_counted() {
        let delete = |kind| Change::DeleteObject { kind, id: Uuid::nil() };
        let alone = [delete(ObjectKind::Role)];
        assert_eq!(with_removed(None, &alone), None);
        let more = [delete(ObjectKind::Role), delete(ObjectKind::Binding), delete(ObjectKind::Binding)];
        assert_eq!(with_removed(None, &more).as_deref(), Some("removed=binding:2"));
        assert_eq!(with_removed(Some("user=1".to_owned()), &more).as_deref(), Some("user=1 removed=binding:2"));
    }
}
