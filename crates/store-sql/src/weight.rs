//! About what waits in a lane's queue takes, in bytes.

use crate::row;
use strongroom_domain::audit::{AuditRecord, SignedCheckpoint};
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::port::Access;
use strongroom_domain::secret::SealedVersion;
use strongroom_domain::unit::{Change, Unit};

/// What a record takes without its texts, in both of its forms.
const FRAME: usize = 1024;

/// A record and its canonical bytes.
pub(crate) fn of_record(record: &AuditRecord) -> u32 {
    bytes(size(record))
}

/// An access with its records.
pub(crate) fn of_access(access: &Access) -> u32 {
    bytes(access.records.iter().map(size).sum())
}

/// A unit with its records.
pub(crate) fn of_unit(unit: &Unit) -> u32 {
    let change = |change: &Change| match change {
        Change::InsertSecret { secret, version } => {
            let texts = secret.path.as_str().len() + secret.metadata.weight();
            FRAME + texts + of_policy(secret.policy.as_ref()) + sealed(version)
        }
        Change::AppendVersion { version, .. } => FRAME + sealed(version),
        Change::ReplaceMetadata { metadata, .. } => FRAME + metadata.weight(),
        Change::ReplacePolicy { policy, .. } => FRAME + of_policy(policy.as_ref()),
        Change::InsertKey(key) => {
            let handles = key.versions.iter().map(|version| version.handle.as_bytes().len()).sum::<usize>();
            FRAME + key.name.len() + key.metadata.weight() + handles
        }
        Change::AppendKeyVersion { version, .. } | Change::ReplaceKeyHandle { version, .. } => {
            FRAME + version.handle.as_bytes().len()
        }
        Change::ReplaceWrappedKey { before, after, .. } => FRAME + before.bytes.len() + after.bytes.len(),
        Change::ReplaceInstanceKey { before, key } => FRAME + before.len() + key.sealed.len(),
        Change::InsertOrganisation(organisation) | Change::ReplaceOrganisation(organisation) => {
            FRAME + organisation.name.len() + organisation.metadata.weight()
        }
        Change::InsertRegion(region) | Change::ReplaceRegion(region) => FRAME + region.description.len(),
        Change::PutObject(object) => FRAME + row::directory::encode(object).len(),
        Change::IndexRecords { entries, .. } | Change::RemoveRecords { entries, .. } => {
            FRAME + size_of_val(entries.as_slice())
        }
        Change::AddCheckpoint(SignedCheckpoint { checkpoint, .. }) => {
            FRAME + size_of_val(checkpoint.begins.as_slice()) + size_of_val(checkpoint.ends.as_slice())
        }
        Change::RememberAnswer(answer) => answer.answer.len() + 256,
        _ => FRAME,
    };
    bytes(unit.changes.iter().map(change).chain(unit.records.iter().map(size)).sum())
}

fn sealed(version: &SealedVersion) -> usize {
    version.payload.len() + version.wrapped.bytes.len()
}

fn of_policy(policy: Option<&AccessPolicy>) -> usize {
    policy.map_or(0, AccessPolicy::weight)
}

fn size(record: &AuditRecord) -> usize {
    let length = |text: Option<&String>| text.map_or(0, String::len);
    let request = record.request.as_ref().map_or(0, |request| {
        length(request.user_agent.as_ref()) + length(request.method.as_ref()) + length(request.path.as_ref())
    });
    let resource = record.resource.as_ref().map_or(0, |resource| resource.identity.len());
    FRAME + 2 * (request + resource + length(record.decided_by.as_ref()))
}

fn bytes(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::{FRAME, of_unit};
    use std::collections::BTreeMap;
    use strongroom_domain::document::Document;
    use strongroom_domain::metadata::Metadata;
    use strongroom_domain::policy::AccessPolicy;
    use strongroom_domain::secret::Secret;
    use strongroom_domain::tenancy::Organisation;
    use strongroom_domain::unit::{Change, Unit};
    use strongroom_testkit::{build, units};

    fn large_metadata() -> Metadata {
        let labels = (0..64).map(|number| (format!("label-{number}"), "x".repeat(60))).collect();
        Metadata::new("d".repeat(200), labels, BTreeMap::new()).expect("legal")
    }

    fn large_policy() -> AccessPolicy {
        let text = |text: String| Document::Text(text);
        let principals = (0..64).map(|number| text(format!("team:{}{number}", "x".repeat(200)))).collect();
        let statement = Document::Map(vec![
            ("effect".to_owned(), text("Deny".to_owned())),
            ("principals".to_owned(), Document::List(principals)),
        ]);
        let document = Document::Map(vec![("statements".to_owned(), Document::List(vec![statement; 16]))]);
        AccessPolicy::parse(document).expect("valid").expect("not empty")
    }

    fn weight(change: Change) -> usize {
        of_unit(&Unit { changes: vec![change], ..Unit::default() }) as usize
    }

    #[test]
    fn a_unit_weighs_its_metadata_and_policies() {
        let secret = build::secret(build::scope(), "/a");
        let (metadata, policy) = (large_metadata(), large_policy());
        assert!(metadata.weight() > 64 * 60 && policy.weight() > 16 * 64 * 400);
        let state = secret.state;
        let max_active_versions = None;
        let replaced =
            Change::ReplaceMetadata { secret: secret.id, metadata: metadata.clone(), max_active_versions, state };
        assert_eq!(weight(replaced), FRAME + metadata.weight());
        let replace = |policy| Change::ReplacePolicy { secret: secret.id, policy, state };
        assert_eq!(weight(replace(None)), FRAME);
        assert_eq!(weight(replace(Some(policy.clone()))), FRAME + policy.weight());

        let bare = Secret { metadata: Metadata::default(), policy: None, ..secret };
        let insert = |secret| weight(Change::InsertSecret { secret, version: build::sealed(1) });
        let full = Secret { metadata: metadata.clone(), policy: Some(policy.clone()), ..bare.clone() };
        assert_eq!(insert(full), insert(bare) + metadata.weight() + policy.weight());
    }

    #[test]
    fn a_unit_weighs_its_objects() {
        let organisation = build::organisation("o");
        let described = Organisation { metadata: large_metadata(), ..organisation.clone() };
        let (bare, full) = (weight(Change::InsertOrganisation(organisation)), large_metadata().weight());
        assert_eq!(weight(Change::InsertOrganisation(described.clone())), bare + full);
        assert_eq!(weight(Change::ReplaceOrganisation(described.clone())), bare + full);
        let mut role = build::role(described.id, "role");
        let before = weight(units::put(role.clone()));
        role.rules.iter_mut().for_each(|rule| rule.resource_identities = vec!["x".repeat(200); 100]);
        let rules = role.rules.len();
        assert!(rules > 0 && weight(units::put(role)) >= before + rules * 20_000);
    }
}
