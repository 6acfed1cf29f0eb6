use super::{ProjectView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::Project;
use strongroom_domain::iam::Permission;

impl Engine {
    /// The project of this identity or slug.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn get_project(&self, session: &OrganisationSession, name: &str) -> Result<ProjectView, Error> {
        let permit = self.may::<Project>(session, attempted(Action::IamProjectRead, Permission::Read), name).await?;
        let read = async { self.project_view(permit.find().await?).await };
        permit.told(read.await).await
    }
}
