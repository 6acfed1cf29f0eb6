//! Whether a changed federated identity opens more than before.

use strongroom_domain::directory::{AudienceMatch, Expiry, FederatedIdentity, FederatedIdentityStatus};

/// Whether some token opens something with the one that it didn't open with the other. Says yes when in doubt.
pub(super) fn is_wider(before: &FederatedIdentity, after: &FederatedIdentity) -> bool {
    let is_active = |identity: &FederatedIdentity| identity.status == FederatedIdentityStatus::Active;
    let (old, new) = (before.scopes.allowed(), after.scopes.allowed());
    (is_active(after) && !is_active(before))
        || (new.read && !old.read)
        || (new.write && !old.write)
        || ends_later(before.expires.as_ref(), after.expires.as_ref())
        || trusts_more(before, after)
        || !before.conditions.iter().all(|condition| after.conditions.contains(condition))
}

fn ends_later(before: Option<&Expiry>, after: Option<&Expiry>) -> bool {
    match (before, after) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => after.at > before.at,
    }
}

fn trusts_more(before: &FederatedIdentity, after: &FederatedIdentity) -> bool {
    let within = |some: &[String], all: &[String]| some.iter().all(|audience| all.contains(audience));
    let (old, new) = (&before.audiences, &after.audiences);
    // Where no audience is trusted, no token is taken.
    if new.is_empty() {
        return false;
    }
    if old.is_empty() || before.audience_match != after.audience_match {
        return true;
    }
    match after.audience_match {
        AudienceMatch::Any => !within(new, old),
        AudienceMatch::All => !within(old, new),
        AudienceMatch::Exact => !within(new, old) || !within(old, new),
    }
}
