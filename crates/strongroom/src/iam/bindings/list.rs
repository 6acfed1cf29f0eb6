use super::BindingView;
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::roles::attempted;
use crate::session::OrganisationSession;
use strongroom_domain::audit::Action;
use strongroom_domain::directory::{Binding, Role};
use strongroom_domain::iam::Permission;

impl Engine {
    /// The bindings of the role of this identity or slug, oldest first.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden), [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn list_bindings(&self, session: &OrganisationSession, role: &str) -> Result<Vec<BindingView>, Error> {
        let permit = self.may::<Role>(session, attempted(Action::IamBindingList, Permission::Read), role).await?;
        let read = async {
            let role: Role = permit.find().await?;
            let organisation = session.organisation.id;
            let mut views = Vec::new();
            for binding in self.parts_of::<Binding>(organisation, role.id.uuid()).await? {
                let to = self.bound_view(organisation, binding.to).await?;
                views.push(BindingView { binding, role: role.clone(), to });
            }
            Ok(views)
        };
        permit.told(read.await).await
    }
}
