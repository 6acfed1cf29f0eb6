use super::attempted;
use crate::directory::{Amended, DirectoryChange, Scene};
use crate::engine::Engine;
use crate::error::Error;
use crate::iam::granted::by_membership;
use crate::iam::permit::Attempted;
use crate::iam::personal_tokens::TakenAway;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::{Binding, ObjectKind, OrganisationMember, TeamMember};
use strongroom_domain::iam::Permission;
use strongroom_domain::port::ObjectSelector;
use strongroom_domain::principal::Principal;
use strongroom_domain::unit::Change;

const ATTEMPTED: Attempted = attempted(Action::IamMemberDelete, Permission::Delete);

/// Takes a member out of the organisation, with their places in teams, the roles that are bound to them, and their tokens that are bound
/// to the organisation.
pub struct RemoveMember<'a> {
    engine: &'a Engine,
    session: &'a OrganisationSession,
    name: String,
}

impl Engine {
    /// Checks that the caller may remove this member; themselves, everybody may.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden).
    pub async fn remove_member<'a>(
        &'a self,
        session: &'a OrganisationSession,
        member: &str,
    ) -> Result<RemoveMember<'a>, Error> {
        if self.own_membership(session, member).await?.is_none() {
            self.may::<OrganisationMember>(session, ATTEMPTED, member).await?;
        }
        Ok(RemoveMember { engine: self, session, name: member.to_owned() })
    }

    /// The membership of this identity, if it is the caller's.
    pub(crate) async fn own_membership(
        &self,
        session: &OrganisationSession,
        name: &str,
    ) -> Result<Option<OrganisationMember>, Error> {
        let Principal::User(user) = session.caller().principal else { return Ok(None) };
        let own = self.member(session.organisation.id, user).await?;
        Ok(own.filter(|member| name.parse() == Ok(member.id)))
    }
}

impl RemoveMember<'_> {
    /// Removes them.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), [`Code::LastOwner`](crate::Code::LastOwner), and those of the store.
    pub async fn run(self) -> Result<(), Error> {
        let removal = Removal { name: &self.name, tokens: TakenAway::default() };
        let outcome = self.engine.amend(self.session, &removal).await;
        removal.tokens.forget(self.engine);
        outcome
    }
}

struct Removal<'a> {
    name: &'a str,
    tokens: TakenAway,
}

#[async_trait]
impl DirectoryChange for Removal<'_> {
    type Answer = ();

    fn action(&self) -> Action {
        ATTEMPTED.action
    }

    fn target(&self) -> Resource {
        ATTEMPTED.named(self.name)
    }

    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<()>, Error> {
        let (member, rule) = match scene.engine.own_membership(scene.session, self.name).await? {
            Some(own) => (own, None),
            None => {
                let (member, rule) = scene.permitted_named::<OrganisationMember>(ATTEMPTED, self.name).await?;
                (member, Some(rule))
            }
        };
        scene.check_may_lose(&member).await?;
        let organisation = Some(scene.organisation.id);
        let theirs = || ObjectSelector::About(vec![member.user.uuid()]);
        let teams = scene.engine.objects::<TeamMember>(organisation, theirs()).await?;
        let bindings = scene.engine.objects::<Binding>(organisation, theirs()).await?;
        let mut changes = vec![Change::DeleteObject { kind: ObjectKind::OrganisationMember, id: member.id.uuid() }];
        changes
            .extend(teams.iter().map(|team| Change::DeleteObject { kind: ObjectKind::TeamMember, id: team.id.uuid() }));
        changes.extend(
            bindings.iter().map(|binding| Change::DeleteObject { kind: ObjectKind::Binding, id: binding.id.uuid() }),
        );
        changes.extend(self.tokens.delete(scene.engine.bound_tokens(scene.organisation.id, member.user).await?));
        Ok(Amended {
            changes,
            resource: ATTEMPTED.object(member.id.to_string(), member.id.uuid()),
            access: Some(by_membership(&member, None)),
            rule,
            status: 204,
            answer: (),
        })
    }
}
