use super::{ProjectView, attempted};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use std::collections::HashMap;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::Project;
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;

impl Engine {
    /// The projects of the organisation that the caller may read, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), and those of the store.
    pub async fn list_projects(&self, session: &OrganisationSession) -> Result<Vec<ProjectView>, Error> {
        let permit = self.may_list_objects(session, attempted(Action::IamProjectList, Permission::List)).await?;
        let all = self.objects::<Project>(Some(session.organisation.id), ObjectSelector::All).await;
        let views = all.map(|all| {
            let by_id: HashMap<_, _> = all.iter().map(|project| (project.id, project)).collect();
            let parent = |project: &Project| by_id.get(&project.parent?).map(|parent| Project::clone(parent));
            let readable = permit.readable(all.clone()).into_iter();
            readable.map(|project| ProjectView { parent: parent(&project), project }).collect()
        });
        permit.told(views).await
    }
}
