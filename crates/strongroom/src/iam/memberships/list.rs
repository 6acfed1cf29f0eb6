use super::{MemberView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;

impl Engine {
    /// The memberships of the organisation that the caller may read, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_members(&self, session: &OrganisationSession) -> Result<Vec<MemberView>, Error> {
        let permit = self.may_list_objects(session, attempted(Action::IamMemberList, Permission::List)).await?;
        permit.told(readable(&permit).await).await
    }
}

/// The memberships that the caller may read.
pub(crate) async fn readable(permit: &Permit<'_>) -> Result<Vec<MemberView>, Error> {
    let members = permit.engine.objects(Some(permit.session.organisation.id), ObjectSelector::All).await?;
    permit.engine.member_views(permit.readable(members)).await
}
