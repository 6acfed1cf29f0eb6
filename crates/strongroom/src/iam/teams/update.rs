use super::{TeamView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::{NamedPatch, Permit};
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::Team;
use strongroom_domain::iam::Permission;
use strongroom_domain::unit::Change;

/// Changes what a team is called.
pub struct UpdateTeam<'a>(Permit<'a>);

impl Engine {
    /// Checks that the caller may change this team.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn update_team<'a>(
        &'a self,
        session: &'a OrganisationSession,
        name: &str,
    ) -> Result<UpdateTeam<'a>, Error> {
        self.may::<Team>(session, attempted(Action::IamTeamUpdate, Permission::Update), name).await.map(UpdateTeam)
    }
}

impl UpdateTeam<'_> {
    /// Changes it.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), [`Code::InvalidRequest`](crate::Code::InvalidRequest) for what breaks a
    /// rule, and those of the store.
    pub async fn run(self, patch: NamedPatch) -> Result<TeamView, Error> {
        self.0.engine.amend(self.0.session, &Revision { permit: &self.0, patch }).await
    }
}

struct Revision<'a> {
    permit: &'a Permit<'a>,
    patch: NamedPatch,
}

#[async_trait]
impl DirectoryChange for Revision<'_> {
    type Answer = TeamView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.permit.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<TeamView>, Error> {
        self.patch.check()?;
        let (mut team, rule) = scene.permitted::<Team>(self.permit).await?;
        let known = team.named.clone();
        self.patch.apply(&mut team.named)?;
        let mut changes = Vec::new();
        if team.named != known {
            team.named.touch(scene.at);
            changes.push(Change::PutObject(Box::new(team.clone().into())));
        }
        Ok(Amended {
            changes,
            resource: self.permit.attempted.object(team.id.to_string(), team.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 200,
            answer: scene.engine.team_view(team).await?,
        })
    }
}
