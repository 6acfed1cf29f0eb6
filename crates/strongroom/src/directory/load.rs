//! Reads what a principal is and may do from the directory.

use super::access::{Access, Extent, Standing, policy_team, subjects_of};
use super::find::select;
use crate::engine::Engine;
use crate::error::{Code, Error, busy};
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_domain::directory::{
    AccessCredential, Binding, BoundTo, FederatedIdentity, FederatedIdentityStatus, IdentityProvider, MemberRole,
    OrganisationMember, ProviderStatus, Role, ServiceAccount, Team, TeamMember,
};
use strongroom_domain::iam::{BoundRole, Rule};
use strongroom_domain::id::{CredentialId, OrganisationId, ServiceAccountId, UserId};
use strongroom_domain::policy::PolicySubject;
use strongroom_domain::port::{DirectoryReader, Freshness, ObjectSelector, ReadError};
use strongroom_domain::principal::{CredentialScopes, Principal};
use strongroom_domain::tenancy::Organisation;

/// How often the directory is read again when it changes while it is read.
const MAX_READS: u32 = 8;

/// Whose access is wanted, with the credential that was shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Whose {
    pub(crate) organisation: OrganisationId,
    pub(crate) principal: Principal,
    /// Of a service account; its access ends with it. `None` to ask what it may do whatever it shows.
    pub(crate) credential: Option<CredentialId>,
}

impl Engine {
    /// What a principal is and may do, as the store has it now, with the organisation of the same moment. `None` when it is nobody
    /// there, or its credential doesn't stand.
    pub(crate) async fn read_access(&self, whose: Whose) -> Result<Option<(Arc<Organisation>, Option<Access>)>, Error> {
        let reader = self.ports.directory.as_ref();
        for _ in 0..MAX_READS {
            let Some(before) = self.cache.organisation(whose.organisation, Freshness::Latest).await? else {
                return Ok(None);
            };
            let access = match whose.principal {
                Principal::User(user) => of_user(reader, &before, user).await?,
                Principal::ServiceAccount(account) => of_workload(reader, &before, account, whose.credential).await?,
                Principal::Operator(_) => None,
            };
            let after = self.cache.organisation(whose.organisation, Freshness::Latest).await?;
            if after.is_some_and(|after| after.revision == before.revision) {
                return Ok(Some((before, access)));
            }
        }
        Err(busy())
    }
}

async fn of_user(
    reader: &dyn DirectoryReader,
    organisation: &Organisation,
    user: UserId,
) -> Result<Option<Access>, Error> {
    let id = organisation.id;
    let members = select::<OrganisationMember>(reader, Some(id), ObjectSelector::Handle(user.to_string())).await?;
    let Some(member) = members.into_iter().next() else { return Ok(None) };
    let joined = select::<TeamMember>(reader, Some(id), ObjectSelector::About(vec![user.uuid()])).await?;
    let joined = joined.into_iter().map(|member| member.team.uuid()).collect();
    let teams = select::<Team>(reader, Some(id), ObjectSelector::Ids(joined)).await?;
    let subject = PolicySubject {
        user: Some(user.to_string()),
        teams: teams.iter().map(policy_team).collect(),
        ..PolicySubject::default()
    };
    let mut to = vec![BoundTo::User(user)];
    to.extend(teams.iter().map(|team| BoundTo::Team(team.id)));
    // Owners hold everything, whatever is bound to them.
    let bound = if member.role == MemberRole::Owner { Vec::new() } else { bound_to(reader, id, &to).await? };
    Ok(Some(Access::new(organisation.revision, Standing::Member(member), subject, bound)))
}

async fn of_workload(
    reader: &dyn DirectoryReader,
    organisation: &Organisation,
    account: ServiceAccountId,
    credential: Option<CredentialId>,
) -> Result<Option<Access>, Error> {
    let id = organisation.id;
    let accounts = select::<ServiceAccount>(reader, Some(id), ObjectSelector::Ids(vec![account.uuid()])).await?;
    if accounts.is_empty() {
        return Ok(None);
    }
    let extent = match credential {
        None => Extent { end: None, scopes: CredentialScopes::ALL },
        Some(credential) => match extent_of(reader, id, account, credential).await? {
            Some(extent) => extent,
            None => return Ok(None),
        },
    };
    let subject = PolicySubject { service_account: Some(account.to_string()), ..PolicySubject::default() };
    let bound = bound_to(reader, id, &[BoundTo::ServiceAccount(account)]).await?;
    Ok(Some(Access::new(organisation.revision, Standing::Workload(extent), subject, bound)))
}

/// How far a service account's credential goes; `None` when it doesn't stand.
async fn extent_of(
    reader: &dyn DirectoryReader,
    organisation: OrganisationId,
    account: ServiceAccountId,
    credential: CredentialId,
) -> Result<Option<Extent>, ReadError> {
    let this = || ObjectSelector::Ids(vec![credential.uuid()]);
    let keys = select::<AccessCredential>(reader, Some(organisation), this()).await?;
    if let Some(key) = keys.into_iter().find(|key| key.service_account == account) {
        return Ok(Some(Extent { end: key.expires.map(|expiry| expiry.at), scopes: key.scopes.allowed() }));
    }
    let identities = select::<FederatedIdentity>(reader, Some(organisation), this()).await?;
    let stands = |identity: &FederatedIdentity| {
        identity.service_account == account && identity.status == FederatedIdentityStatus::Active
    };
    let Some(identity) = identities.into_iter().find(stands) else { return Ok(None) };
    let provider = ObjectSelector::Ids(vec![identity.provider.uuid()]);
    let providers = select::<IdentityProvider>(reader, Some(organisation), provider).await?;
    let trusted = providers.iter().any(|provider| provider.status == ProviderStatus::Active);
    let extent = Extent { end: identity.expires.map(|expiry| expiry.at), scopes: identity.scopes.allowed() };
    Ok(trusted.then_some(extent))
}

/// The most that all rules of a principal may weigh together, in bytes.
pub(crate) const MAX_RULES_WEIGHT: usize = 16 << 20;
/// How many roles are read at once: what a principal can make the engine hold before it notices is bounded by them too.
const ROLES_AT_ONCE: usize = 16;

fn too_many_rules() -> Error {
    Error::new(
        Code::Forbidden,
        "The rules of all roles that are bound here take more than 16 MiB together; ask an administrator to bind fewer or smaller roles.",
    )
}

/// The roles that are bound to one of these, in the order of the bindings.
pub(crate) async fn bound_to(
    reader: &dyn DirectoryReader,
    organisation: OrganisationId,
    to: &[BoundTo],
) -> Result<Vec<BoundRole>, Error> {
    let bindings = select::<Binding>(reader, Some(organisation), ObjectSelector::About(subjects_of(to))).await?;
    let mut roles: Vec<_> = bindings.iter().map(|binding| binding.role.uuid()).collect();
    roles.sort_unstable();
    roles.dedup();
    let mut rules: HashMap<_, Arc<[Rule]>> = HashMap::new();
    let mut room = MAX_RULES_WEIGHT;
    for some in roles.chunks(ROLES_AT_ONCE) {
        for role in select::<Role>(reader, Some(organisation), ObjectSelector::Ids(some.to_vec())).await? {
            room = room.checked_sub(role.rules.iter().map(Rule::weight).sum()).ok_or_else(too_many_rules)?;
            rules.insert(role.id, role.rules.into());
        }
    }
    let bound = |binding: Binding| {
        let rules = Arc::clone(rules.get(&binding.role)?);
        Some(BoundRole { role: binding.role, binding: binding.id, projects: binding.projects.into(), rules })
    };
    Ok(bindings.into_iter().filter_map(bound).collect())
}
