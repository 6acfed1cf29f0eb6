use crate::engine::Engine;
use crate::error::{Code, Error};
use strongroom_domain::directory::{OrganisationMember, User};
use strongroom_domain::id::{OrganisationId, UserId};

/// A membership as callers see it.
#[derive(Clone, Debug)]
pub struct MemberView {
    /// The membership.
    pub member: OrganisationMember,
    /// Whose.
    pub user: User,
}

impl Engine {
    /// The membership of a user in an organisation.
    pub(crate) async fn member(
        &self,
        organisation: OrganisationId,
        user: UserId,
    ) -> Result<Option<OrganisationMember>, Error> {
        self.object_by_handle(Some(organisation), &user.to_string()).await
    }

    /// A membership as callers see it.
    pub(crate) async fn member_view(&self, member: OrganisationMember) -> Result<MemberView, Error> {
        let user = self.object_by_id(None, member.user.uuid()).await?;
        let user = user.ok_or_else(|| {
            Error::new(Code::Internal, "The store has a membership without its user; tell the operator.")
        })?;
        Ok(MemberView { member, user })
    }

    /// Memberships as callers see them.
    pub(crate) async fn member_views(&self, members: Vec<OrganisationMember>) -> Result<Vec<MemberView>, Error> {
        let users = self.users(members.iter().map(|member| member.user.uuid())).await?;
        let view = |member: OrganisationMember| {
            let at = users.binary_search_by_key(&member.user, |user| user.id).ok()?;
            Some(MemberView { user: users[at].clone(), member })
        };
        Ok(members.into_iter().filter_map(view).collect())
    }
}
