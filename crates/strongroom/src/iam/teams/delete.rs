use super::attempted;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Binding, ObjectKind, Team, TeamMember};
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::unit::Change;

/// Deletes a team, with its memberships and the bindings that name it.
pub struct DeleteTeam<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may delete this team.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn delete_team<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<DeleteTeam<'a>, Error> {
        self.may::<Team>(session, attempted(Action::IamTeamDelete, Permission::Delete), name).await.map(DeleteTeam)
    }
}

impl DeleteTeam<'_> {
    /// Deletes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        self.0.engine.amend(self.0.session, &Deletion { permit: &self.0 }).await
    }
}

struct Deletion<'a> {
    permit: &'a Permit<'a>,
}

#[async_trait]
impl DirectoryChange for Deletion<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        let (team, rule) = scene.permitted::<Team>(self.permit).await?;
        let (engine, organisation, id) = (scene.engine, scene.organisation.id, team.id.uuid());
        let members = engine.parts_of::<TeamMember>(organisation, id).await?;
        let bindings = engine.objects::<Binding>(Some(organisation), ObjectSelector::About(vec![id])).await?;
        let mut changes = vec![Change::DeleteObject { kind: ObjectKind::Team, id }];
        changes.extend(
            members.iter().map(|member| Change::DeleteObject { kind: ObjectKind::TeamMember, id: member.id.uuid() }),
        );
        changes.extend(
            bindings.iter().map(|binding| Change::DeleteObject { kind: ObjectKind::Binding, id: binding.id.uuid() }),
        );
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(team.id.to_string(), id),
            access: None,
            rule: Some(rule),
            status: 204,
            answer: (),
        })
    }
}
