//! Setting up an empty store.

use crate::audit::with_access;
use crate::iam::granted::by_ownership;
use strongroom_domain::audit::{Action, AuditRecord, Outcome, Resource, ResourceKind};
use strongroom_domain::directory::{MemberRole, OrganisationMember, Scopes, User, built_in_roles};
use strongroom_domain::id::{CredentialId, EventId, MemberId, OrganisationId, RegionId, UserId};
use strongroom_domain::metadata::slug_of;
use strongroom_domain::port::{CommitError, Committer, IdGenerator, NewToken};
use strongroom_domain::principal::{Token, TokenHolder};
use strongroom_domain::root_key::{KeyCheck, SealedInstanceKey};
use strongroom_domain::tenancy::{Organisation, Region};
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

/// The first tokens, shown once: whoever sets a store up makes them.
pub struct FirstTokens {
    /// The owner's, a personal access token.
    pub owner: NewToken,
    /// The operator's.
    pub operator: NewToken,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The first organisation.
    pub organisation: Organisation,
    /// Its owner.
    pub owner: UserId,
    /// The regions, in the order given.
    pub regions: Vec<Region>,
}

/// A new organisation with its built-in roles and its first owner, and the changes that make it.
pub(crate) fn new_organisation(
    ids: &dyn IdGenerator,
    name: String,
    slug: String,
    owner: UserId,
    at: Timestamp,
) -> (Organisation, Vec<Change>) {
    let organisation = Organisation::new(OrganisationId::new(ids.next()), name, slug, at);
    let member = OrganisationMember {
        id: MemberId::new(ids.next()),
        organisation: organisation.id,
        user: owner,
        role: MemberRole::Owner,
        created_at: at,
    };
    let mut changes =
        vec![Change::InsertOrganisation(organisation.clone()), Change::PutObject(Box::new(member.into()))];
    let roles = built_in_roles(ids, organisation.id, at).into_iter();
    changes.extend(roles.map(|role| Change::PutObject(Box::new(role.into()))));
    (organisation, changes)
}

/// A token that never ends and has every scope.
fn token(ids: &dyn IdGenerator, new: &NewToken, holder: TokenHolder, name: &str, at: Timestamp) -> Token {
    Token {
        id: CredentialId::new(ids.next()),
        digest: new.digest,
        digest_key_version: new.digest_key_version,
        holder,
        organisation: None,
        name: name.to_owned(),
        scopes: Scopes::default(),
        created_at: at,
        expires: None,
    }
}

/// Sets up an empty store: root key check, instance keys, organisation with its owner, regions, and the first tokens, in one unit.
///
/// # Errors
/// A conflict on [`UniqueKey::Setup`] when the store was set up before; then nothing was stored.
pub async fn set_up(
    committer: &dyn Committer,
    ids: &dyn IdGenerator,
    at: Timestamp,
    what: SetUp,
    tokens: &FirstTokens,
) -> Result<Made, CommitError> {
    let owner = User {
        id: UserId::new(ids.next()),
        login: None,
        name: "owner".to_owned(),
        email: String::new(),
        created_at: at,
    };
    let slug = slug_of(&what.organisation);
    let (organisation, of_organisation) = new_organisation(ids, what.organisation, slug, owner.id, at);
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
            updated_at: at,
            object_version: 1,
        })
        .collect();
    let owner_token = token(ids, &tokens.owner, TokenHolder::User(owner.id), "owner", at);
    let operator_token = token(ids, &tokens.operator, TokenHolder::Operator, "operator", at);
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
        credential: Some(owner_token.id),
        resource: Some(Resource {
            kind: ResourceKind::Organisation,
            identity: organisation.id.to_string(),
            id: Some(organisation.id.uuid()),
            version: None,
        }),
        decided_by: None,
        request: None,
        details: None,
    };
    let record = with_access(record, Some(by_ownership(owner.id)));
    let made = Made { organisation, owner: owner.id, regions };
    let mut changes = vec![Change::InsertKeyCheck(what.key_check)];
    changes.extend(what.instance_keys.into_iter().map(Change::InsertInstanceKey));
    changes.push(Change::PutObject(Box::new(owner.into())));
    changes.extend(of_organisation);
    changes.extend(made.regions.iter().cloned().map(Change::InsertRegion));
    changes.extend([owner_token, operator_token].map(Change::InsertToken));
    let expect = vec![Expect::Absent(UniqueKey::Setup)];
    committer.commit(Unit { expect, changes, records: vec![record] }).await?;
    Ok(made)
}
