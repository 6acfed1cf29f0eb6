//! Setting up an empty store.

use strongroom_domain::audit::{Action, AuditRecord, Outcome, Resource, ResourceKind};
use strongroom_domain::id::{EventId, OrganisationId, RegionId, UserId};
use strongroom_domain::metadata::slug_of;
use strongroom_domain::port::{CommitError, Committer, IdGenerator};
use strongroom_domain::principal::Token;
use strongroom_domain::root_key::{KeyCheck, SealedInstanceKey};
use strongroom_domain::tenancy::{Gates, Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};

/// What a store begins with.
pub struct SetUp {
    /// The check of its root key.
    pub key_check: KeyCheck,
    /// Its instance keys.
    pub instance_keys: Vec<SealedInstanceKey>,
    /// The name of its first organisation.
    pub organisation: String,
    /// The slugs of its regions.
    pub regions: Vec<String>,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The first organisation.
    pub organisation: Organisation,
    /// The regions, in the order given.
    pub regions: Vec<Region>,
}

/// Sets up an empty store: root key check, instance keys, organisation and regions, in one unit. `token` gives the administrator's
/// token for the organisation and user that it is told.
///
/// # Errors
/// A conflict on [`UniqueKey::Setup`] when the store was set up before; then nothing was stored.
pub async fn set_up(
    committer: &dyn Committer,
    ids: &dyn IdGenerator,
    at: Timestamp,
    what: SetUp,
    token: impl FnOnce(OrganisationId, UserId) -> Token,
) -> Result<Made, CommitError> {
    let organisation = Organisation {
        id: OrganisationId::new(ids.next()),
        slug: slug_of(&what.organisation),
        name: what.organisation,
        gates: Gates::default(),
        created_at: at,
    };
    let regions: Vec<Region> = what
        .regions
        .into_iter()
        .map(|slug| Region {
            id: RegionId::new(ids.next()),
            name: slug.clone(),
            slug,
            description: String::new(),
            kms_enabled: true,
            created_at: at,
        })
        .collect();
    let token = token(organisation.id, UserId::new(ids.next()));
    let record = AuditRecord {
        event: EventId::new(ids.next()),
        at,
        action: Action::SystemInit,
        outcome: Outcome::Success,
        status: 200,
        organisation: Some(organisation.id),
        region: None,
        project: None,
        principal: None,
        credential: Some(token.id),
        resource: Some(Resource {
            kind: ResourceKind::Organisation,
            identity: organisation.id.to_string(),
            id: Some(organisation.id.uuid()),
            version: None,
        }),
        decided_by: None,
        request: None,
    };
    let mut changes = vec![Change::InsertKeyCheck(what.key_check)];
    changes.extend(what.instance_keys.into_iter().map(Change::InsertInstanceKey));
    changes.push(Change::InsertOrganisation(organisation.clone()));
    changes.extend(regions.iter().cloned().map(Change::InsertRegion));
    changes.push(Change::InsertToken(token));
    let expect = vec![Expect::Absent(UniqueKey::Setup)];
    committer.commit(Unit { expect, changes, records: vec![record] }).await?;
    Ok(Made { organisation, regions })
}
