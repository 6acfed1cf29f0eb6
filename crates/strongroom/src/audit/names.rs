//! Who the principals of records are, as they are known now.

use crate::engine::Engine;
use crate::error::Error;
use std::collections::{BTreeSet, HashMap};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::directory::{AccessCredential, FederatedIdentity, ServiceAccount, User};
use strongroom_domain::id::{CredentialId, OrganisationId, ServiceAccountId, UserId};
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::principal::Principal;
use uuid::Uuid;

/// What a workload authenticated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadCredential {
    /// An access credential.
    AccessCredential,
    /// A federated identity.
    FederatedIdentity,
}

/// Those whom records name. Who is gone is missing.
#[derive(Clone, Debug, Default)]
pub struct AuditNames {
    /// Users.
    pub users: HashMap<UserId, User>,
    /// Service accounts.
    pub service_accounts: HashMap<ServiceAccountId, ServiceAccount>,
    /// What the credentials of service accounts are.
    pub credentials: HashMap<CredentialId, WorkloadCredential>,
}

impl Engine {
    /// The names of those in these records: four reads at the most, each of as many objects as there are records at the most.
    pub(super) async fn names_in(
        &self,
        organisation: OrganisationId,
        records: impl Iterator<Item = &AuditRecord>,
    ) -> Result<AuditNames, Error> {
        let (mut users, mut accounts, mut credentials) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for record in records {
            match record.principal {
                Some(Principal::User(id)) => {
                    users.insert(id.uuid());
                }
                Some(Principal::ServiceAccount(id)) => {
                    accounts.insert(id.uuid());
                    credentials.extend(record.credential.map(CredentialId::uuid));
                }
                Some(Principal::Operator(_)) | None => {}
            }
        }
        let users: Vec<User> = self.objects(None, ids(users)).await?;
        let accounts: Vec<ServiceAccount> = self.objects(Some(organisation), ids(accounts)).await?;
        let keys: Vec<AccessCredential> = self.objects(Some(organisation), ids(credentials.clone())).await?;
        for key in &keys {
            credentials.remove(&key.id.uuid());
        }
        let identities: Vec<FederatedIdentity> = self.objects(Some(organisation), ids(credentials)).await?;
        let keys = keys.into_iter().map(|key| (key.id, WorkloadCredential::AccessCredential));
        let identities = identities
            .into_iter()
            .map(|identity| (CredentialId::new(identity.id.uuid()), WorkloadCredential::FederatedIdentity));
        Ok(AuditNames {
            users: users.into_iter().map(|user| (user.id, user)).collect(),
            service_accounts: accounts.into_iter().map(|account| (account.id, account)).collect(),
            credentials: keys.chain(identities).collect(),
        })
    }
}

fn ids(ids: BTreeSet<Uuid>) -> ObjectSelector {
    ObjectSelector::Ids(ids.into_iter().collect())
}
