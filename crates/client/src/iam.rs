mod access_credentials;
mod bindings;
mod federated_identities;
mod identity_providers;
mod memberships;
mod roles;
mod rules;
mod service_accounts;
mod team_members;
mod teams;
mod user_tokens;
mod users;

pub use access_credentials::AccessCredentials;
pub use bindings::Bindings;
pub use federated_identities::FederatedIdentities;
pub use identity_providers::IdentityProviders;
pub use memberships::Memberships;
pub use roles::Roles;
pub use rules::Rules;
pub use service_accounts::ServiceAccounts;
pub use team_members::TeamMembers;
pub use teams::Teams;
pub use user_tokens::UserTokens;
pub use users::Users;

use crate::{Call, Client, Error};
use reqwest::Method;
use strongroom_api::{Explain, Explanation};

/// Who may do what: roles, people, workloads. Made by [`Client::iam`].
#[derive(Clone)]
pub struct Iam {
    client: Client,
}

impl Iam {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Roles.
    #[must_use]
    pub fn roles(&self) -> Roles {
        Roles { client: self.client.clone() }
    }

    /// The rules of a role, by its identity or slug.
    #[must_use]
    pub fn rules(&self, role: impl Into<String>) -> Rules {
        Rules { client: self.client.clone(), role: role.into() }
    }

    /// The bindings of a role, by its identity or slug.
    #[must_use]
    pub fn bindings(&self, role: impl Into<String>) -> Bindings {
        Bindings { client: self.client.clone(), role: role.into() }
    }

    /// Teams.
    #[must_use]
    pub fn teams(&self) -> Teams {
        Teams { client: self.client.clone() }
    }

    /// The members of a team, by its identity or slug.
    #[must_use]
    pub fn team_members(&self, team: impl Into<String>) -> TeamMembers {
        TeamMembers { client: self.client.clone(), team: team.into() }
    }

    /// The members of the organisation.
    #[must_use]
    pub fn memberships(&self) -> Memberships {
        Memberships { client: self.client.clone() }
    }

    /// Users who are members of the organisation.
    #[must_use]
    pub fn users(&self) -> Users {
        Users { client: self.client.clone() }
    }

    /// The tokens of a user that are bound to the organisation. For owners only.
    #[must_use]
    pub fn user_tokens(&self, user: impl Into<String>) -> UserTokens {
        UserTokens { client: self.client.clone(), user: user.into() }
    }

    /// Service accounts.
    #[must_use]
    pub fn service_accounts(&self) -> ServiceAccounts {
        ServiceAccounts { client: self.client.clone() }
    }

    /// The access credentials of a service account, by its identity or slug.
    #[must_use]
    pub fn access_credentials(&self, service_account: impl Into<String>) -> AccessCredentials {
        AccessCredentials { client: self.client.clone(), service_account: service_account.into() }
    }

    /// Issuers whose tokens can be exchanged.
    #[must_use]
    pub fn identity_providers(&self) -> IdentityProviders {
        IdentityProviders { client: self.client.clone() }
    }

    /// What the subjects of these issuers become.
    #[must_use]
    pub fn federated_identities(&self) -> FederatedIdentities {
        FederatedIdentities { client: self.client.clone() }
    }

    /// Why something is allowed or denied, and what would have to change.
    ///
    /// # Errors
    /// Any; [denied](Error::is_denied) when the caller may ask about themselves only; [not found](Error::is_not_found) when there is no
    /// such request of theirs, or nothing of the names that are asked about; `invalid_request` (400) for an operation that can't be
    /// explained.
    pub async fn explain(&self, question: &Explain) -> Result<Explanation, Error> {
        let call = Call::new(Method::POST, &["v1", "iam", "explain"]).repeatable();
        self.client.send_json(call.json(question)).await
    }
}
