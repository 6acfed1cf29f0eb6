use super::OperatorSession;
use super::enter::Operation;
use super::get_organisation::named;
use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Code, Error, busy};
use crate::iam::granted::by_membership;
use crate::iam::memberships::{MemberView, NewMember, is_member, unknown_user};
use strongroom_domain::audit::{Action, Resource, ResourceKind};
use strongroom_domain::directory::{MemberRole, User};
use strongroom_domain::id::{MemberId, OrganisationId};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

impl Engine {
    /// Makes a known user a member of the organisation of this identity or slug, wherever else they belong. It is recorded there.
    ///
    /// Not an owner: what the operator may do leads to no secret.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`], [`Code::ObjectExists`] for a member, [`Code::Escalation`] for an owner to be, and those of the store.
    pub async fn admit_member(
        &self,
        session: &OperatorSession,
        organisation: &str,
        new: NewMember,
    ) -> Result<MemberView, Error> {
        let operation = Operation { engine: self, session, action: Action::IamMemberCreate };
        let id = match self.find_organisation(organisation).await {
            Ok(found) => found.id,
            Err(error) => return operation.failed(None, named(organisation), Err(error)).await,
        };
        let outcome = admit(&operation, id, new).await;
        self.cache.forget_organisation(id);
        let resource = audit::listing(ResourceKind::OrganisationMember, &new.user.to_string());
        operation.failed(Some(id), resource, outcome).await
    }
}

async fn admit(operation: &Operation<'_>, organisation: OrganisationId, new: NewMember) -> Result<MemberView, Error> {
    let engine = operation.engine;
    if new.role == MemberRole::Owner {
        return Err(Error::new(
            Code::Escalation,
            "Only owners make owners; add a `MEMBER`, of whom an owner makes one.",
        ));
    }
    let user = engine.object_by_id::<User>(None, new.user.uuid()).await?.ok_or_else(unknown_user)?;
    let _turn = engine.queue(organisation).await;
    for attempt in 0..MAX_TRIES {
        if attempt > 0 {
            engine.back_off(attempt).await?;
        }
        let revision = engine.find_organisation(&organisation.to_string()).await?.revision;
        if engine.member(organisation, new.user).await?.is_some() {
            return Err(is_member());
        }
        let id = MemberId::new(engine.ports.ids.next());
        let member = new.into_member(id, organisation, engine.ports.clock.now());
        let expect = vec![Expect::Revision(AggregateId::Organisation(organisation), revision)];
        let changes = vec![
            Change::PutObject(Box::new(member.clone().into())),
            Change::ReviseOrganisation { organisation, revision: revision.next() },
        ];
        let (kind, identity) = (ResourceKind::OrganisationMember, id.to_string());
        let resource = Resource { kind, identity, id: Some(id.uuid()), version: None };
        let access = Some(by_membership(&member, None));
        let unit = Unit { expect, changes, records: Vec::new() };
        match operation.commit_access(unit, Some(organisation), resource, access, 201).await {
            Ok(()) => return Ok(MemberView { member, user }),
            Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(busy())
}
