use crate::{Call, Client, Error, Filter};
use reqwest::Method;
use strongroom_api::{NewOrganisationMember, OrganisationMember, UpdateOrganisationMember};

/// The members of the organisation. Made by [`Iam::memberships`](super::Iam::memberships).
#[derive(Clone)]
pub struct Memberships {
    pub(super) client: Client,
}

impl Memberships {
    /// The members.
    ///
    /// # Errors
    /// Any.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<OrganisationMember>, Error> {
        self.client.send_json(filter.on(Call::new(Method::GET, &["v1", "memberships"]))).await
    }

    /// Makes a user a member who belongs to no organisation.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such user, or they belong to another organisation; a
    /// [conflict](Error::is_conflict) when they are a member; `escalation` (400) when somebody else than an owner makes an owner, or they
    /// would have more than the caller holds.
    pub async fn create(&self, member: &NewOrganisationMember) -> Result<OrganisationMember, Error> {
        self.client.write(Method::POST, &["v1", "memberships"], member).await
    }

    /// Changes what a member is.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such membership; `escalation` (400) when somebody else than an owner makes or
    /// demotes an owner; `last_owner` (400) when there would be none left.
    pub async fn update(
        &self,
        membership: &str,
        change: &UpdateOrganisationMember,
    ) -> Result<OrganisationMember, Error> {
        self.client.write(Method::PUT, &["v1", "memberships", membership], change).await
    }

    /// Removes a member, by the identity of the membership.
    ///
    /// # Errors
    /// Any; [not found](Error::is_not_found) when there is no such membership; `escalation` (400) when somebody else than an owner removes
    /// an owner; `last_owner` (400) when there would be none left.
    pub async fn delete(&self, membership: &str) -> Result<(), Error> {
        self.client.remove(&["v1", "memberships", membership]).await
    }
}
