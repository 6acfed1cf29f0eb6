//! A way back for an organisation whose owners are locked out.

use crate::audit::with_access;
use crate::iam::granted::by_ownership;
use strongroom_domain::audit::{Action, AuditRecord, Outcome, Resource, ResourceKind};
use strongroom_domain::directory::{DirectoryObject, Expiry, MemberRole, ObjectKind, OrganisationMember, Scopes, User};
use strongroom_domain::id::{CredentialId, EventId, MemberId, UserId};
use strongroom_domain::port::{
    CommitError, Committer, DirectoryReader, IdGenerator, NewToken, ObjectQuery, ObjectSelector, ReadError,
    TenancyReader,
};
use strongroom_domain::principal::{Token, TokenHolder};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

/// How long a token of recovery lives, in seconds.
pub const RECOVERY_SECONDS: i64 = 3_600;

/// What was issued.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The organisation.
    pub organisation: Organisation,
    /// The owner whom the token stands for.
    pub owner: UserId,
    /// Whether there was no owner, and this one was made.
    pub is_new: bool,
    /// When the token ends; `None` for never.
    pub expires_at: Option<Timestamp>,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// There is no such organisation.
    #[error("there is no organisation of this identity or slug")]
    UnknownOrganisation,
    /// The store can't be read.
    #[error("the store cannot be read")]
    Read(#[from] ReadError),
    /// The store can't be written.
    #[error("the token cannot be stored")]
    Commit(#[from] CommitError),
}

/// A token that is to act as an owner of an organisation, and nowhere else.
pub struct OwnerToken<'a> {
    /// The token.
    pub token: &'a NewToken,
    /// What it is called.
    pub name: &'a str,
    /// How long it lives, in seconds; `None` for good.
    pub lifetime: Option<i64>,
    /// What the audit log says of it.
    pub action: Action,
}

impl<'a> OwnerToken<'a> {
    /// Of recovery: it lives for an [hour](RECOVERY_SECONDS).
    #[must_use]
    pub const fn of_recovery(token: &'a NewToken) -> Self {
        Self { token, name: "recovery", lifetime: Some(RECOVERY_SECONDS), action: Action::SystemRecover }
    }
}

/// Stores a token that acts as the organisation's first owner or, when there is none, as a new one. For whoever has the store and the
/// root key in hand. It leaves a record in the audit log.
///
/// # Errors
/// [`RecoverError`]; then nothing was stored, but for a commit of unknown outcome.
pub async fn issue_owner_token(
    readers: (&dyn TenancyReader, &dyn DirectoryReader),
    committer: &dyn Committer,
    ids: &dyn IdGenerator,
    at: Timestamp,
    organisation: &str,
    wanted: OwnerToken<'_>,
) -> Result<Recovered, RecoverError> {
    let (tenancy, directory) = readers;
    let organisation = tenancy.organisation(organisation).await?.ok_or(RecoverError::UnknownOrganisation)?;
    let mut changes = Vec::new();
    let known = first_owner(directory, &organisation).await?;
    let owner = known.unwrap_or_else(|| {
        let (user, made) = new_owner(ids, &organisation, at);
        changes.extend(made);
        user
    });
    let expires =
        wanted.lifetime.map(|seconds| at.plus_seconds(seconds)).map(|at| Expiry { at, text: at.to_rfc3339() });
    let token = Token {
        id: CredentialId::new(ids.next()),
        digest: wanted.token.digest,
        digest_key_version: wanted.token.digest_key_version,
        holder: TokenHolder::User(owner),
        organisation: Some(organisation.id),
        name: wanted.name.to_owned(),
        scopes: Scopes::default(),
        created_at: at,
        expires: expires.clone(),
    };
    let record = AuditRecord {
        event: EventId::new(ids.next()),
        at,
        action: wanted.action,
        outcome: Outcome::Success,
        status: 200,
        organisation: Some(organisation.id),
        region: None,
        project: None,
        principal: None,
        credential: Some(token.id),
        resource: Some(Resource {
            kind: ResourceKind::User,
            identity: owner.to_string(),
            id: Some(owner.uuid()),
            version: None,
        }),
        decided_by: None,
        request: None,
        details: None,
    };
    let record = with_access(record, Some(by_ownership(owner)));
    changes.push(Change::InsertToken(token));
    // As every token that is bound to an organisation, so that none is made past the removal of its user.
    let revision = organisation.revision.next();
    changes.push(Change::ReviseOrganisation { organisation: organisation.id, revision });
    let expect = vec![Expect::Revision(AggregateId::Organisation(organisation.id), organisation.revision)];
    committer.commit(Unit { expect, changes, records: vec![record] }).await?;
    Ok(Recovered { organisation, owner, is_new: known.is_none(), expires_at: expires.map(|expiry| expiry.at) })
}

async fn first_owner(
    directory: &dyn DirectoryReader,
    organisation: &Organisation,
) -> Result<Option<UserId>, ReadError> {
    let query = ObjectQuery {
        kind: ObjectKind::OrganisationMember,
        organisation: Some(organisation.id),
        which: ObjectSelector::All,
    };
    let owner = |object| match object {
        DirectoryObject::OrganisationMember(member) if member.role == MemberRole::Owner => Some(member.user),
        _ => None,
    };
    Ok(directory.objects(&query).await?.into_iter().find_map(owner))
}

fn new_owner(ids: &dyn IdGenerator, organisation: &Organisation, at: Timestamp) -> (UserId, [Change; 2]) {
    let user = User {
        id: UserId::new(ids.next()),
        login: None,
        name: "owner".to_owned(),
        email: String::new(),
        created_at: at,
    };
    let member = OrganisationMember {
        id: MemberId::new(ids.next()),
        organisation: organisation.id,
        user: user.id,
        role: MemberRole::Owner,
        created_at: at,
    };
    (user.id, [Change::PutObject(Box::new(user.into())), Change::PutObject(Box::new(member.into()))])
}
