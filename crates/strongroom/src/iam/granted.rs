//! What records say of the access that a change gave, took or altered: `name=value`, separated by spaces.

use core::fmt::Write;
use strongroom_domain::directory::{
    AccessCredential, Binding, FederatedIdentity, FederatedIdentityStatus, MemberRole, OrganisationMember,
};
use strongroom_domain::iam::Rule;

/// Adds a list, where it says something.
fn list(to: &mut String, name: &str, values: &[String]) {
    if !values.is_empty() {
        // Writing to a string can't fail.
        let _ = write!(to, " {name}={}", values.join(","));
    }
}

pub(super) fn by_binding(binding: &Binding) -> String {
    let mut text = format!("role={} to={}", binding.role, binding.to);
    list(&mut text, "projects", &binding.projects);
    text
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
    list(&mut text, "permissions", &rule.permissions);
    list(&mut text, "resources", &rule.resources);
    list(&mut text, "resourceIdentities", &rule.resource_identities);
    text
}

pub(super) fn by_credential(credential: &AccessCredential) -> String {
    format!("serviceAccount={}", credential.service_account)
}

pub(super) fn by_federation(identity: &FederatedIdentity) -> String {
    let FederatedIdentity { service_account, provider, subject, audiences, status, .. } = identity;
    let mut text = format!("serviceAccount={service_account} provider={provider} subject={}", subject.as_str());
    list(&mut text, "audiences", audiences);
    if *status != FederatedIdentityStatus::Active {
        let _ = write!(text, " status={}", status.as_str());
    }
    text
}
