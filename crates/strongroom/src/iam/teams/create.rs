use super::{TeamView, attempted};
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::Permit;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Named, Team};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::TeamId;
use strongroom_domain::metadata::{Metadata, check_name};
use strongroom_domain::unit::Change;

/// Creates a team, without members.
pub struct CreateTeam<'a>(Permit<'a>);

/// A team to be made.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// Its name: 1 to 255 characters, none of them a control character; others may have the same. The slug is made of it.
    pub name: String,
    /// Description, labels and annotations.
    pub metadata: Metadata,
}

impl Engine {
    /// Checks that the caller may create teams.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn create_team<'a>(&'a self, session: &'a OrganisationSession) -> Result<CreateTeam<'a>, Error> {
        self.may::<Team>(session, attempted(Action::IamTeamCreate, Permission::Create), "").await.map(CreateTeam)
    }
}

impl CreateTeam<'_> {
    /// Creates it.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest) for a bad name, and those of the store.
    pub async fn run(self, new: NewTeam) -> Result<TeamView, Error> {
        self.0.engine.amend(self.0.session, &Creation { permit: &self.0, new }).await
    }
}

struct Creation<'a> {
    permit: &'a Permit<'a>,
    new: NewTeam,
}

#[async_trait]
impl DirectoryChange for Creation<'_> {
    type Answer = TeamView;

    fn action(&self) -> Action {
        self.permit.attempted.action
    }

    fn target(&self) -> Resource {
        self.permit.attempted.named(&self.new.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<TeamView>, Error> {
        let attempted = self.permit.attempted;
        let rule = scene.permit::<Team>(attempted, None)?;
        check_name(&self.new.name)?;
        let slug = scene.free_slug::<Team>(&self.new.name).await?;
        let team = Team {
            id: TeamId::new(scene.new_id()),
            organisation: scene.organisation.id,
            named: Named::new(self.new.name.clone(), slug, self.new.metadata.clone(), scene.at),
        };
        Ok(Amended {
            changes: vec![Change::PutObject(Box::new(team.clone().into()))],
            resource: attempted.object(team.id.to_string(), team.id.uuid()),
            access: None,
            rule: Some(rule),
            status: 201,
            answer: TeamView { team, members: Vec::new() },
        })
    }
}
