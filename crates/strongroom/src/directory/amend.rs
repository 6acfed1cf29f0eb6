//! What every change of an organisation's directory shares: it is decided by what the caller may do at one revision, and applied only
//! at that revision, so that two changes at once can't together do what neither may.

use super::access::Access;
use super::find::Kind;
use super::load::Whose;
use crate::audit::{self, Place, Recorder};
use crate::engine::{Engine, MAX_TRIES};
use crate::enter::denied;
use crate::error::{Error, busy};
use crate::iam::granted::with_removed;
use crate::session::OrganisationSession;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::audit::{Action, Resource};
use strongroom_domain::directory::ObjectKind;
use strongroom_domain::id::{ProjectId, RuleId};
use strongroom_domain::metadata::{nth_slug, slug_of};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

/// The directory as one attempt sees it.
pub(crate) struct Scene<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a OrganisationSession,
    /// The organisation, at the revision at which the change is to be applied.
    pub(crate) organisation: Arc<Organisation>,
    /// What the caller may do, at the same revision.
    pub(crate) access: &'a Access,
    pub(crate) at: Timestamp,
}

/// How many slugs of one name are tried one by one.
const MAX_LOOKUPS: u32 = 32;
/// The highest number that is tried.
const MAX_SLUGS: u32 = 10_000;

impl Scene<'_> {
    /// A new identifier.
    pub(crate) fn new_id(&self) -> uuid::Uuid {
        self.engine.ports.ids.next()
    }

    /// The slug of a name, or the first of `-2`, `-3`, … that is free among the objects of a kind; where very many have the name, one
    /// that is free.
    pub(crate) async fn free_slug<T: Kind>(&self, name: &str) -> Result<String, Error> {
        let slug = slug_of(name);
        let taken = async |n: u32| -> Result<bool, Error> {
            let handle = nth_slug(&slug, n);
            Ok(self.engine.object_by_handle::<T>(Some(self.organisation.id), &handle).await?.is_some())
        };
        for n in 1..=MAX_LOOKUPS {
            if !taken(n).await? {
                return Ok(nth_slug(&slug, n));
            }
        }
        // Doubling and then halving, so that many of one name cost few look-ups.
        let (mut below, mut n) = (MAX_LOOKUPS, 2 * MAX_LOOKUPS);
        while taken(n).await? {
            (below, n) = (n, n.saturating_mul(2));
            if n > MAX_SLUGS {
                return Err(busy());
            }
        }
        while n - below > 1 {
            let middle = below + (n - below) / 2;
            if taken(middle).await? {
                below = middle;
            } else {
                n = middle;
            }
        }
        Ok(nth_slug(&slug, n))
    }
}

/// What a use case wants done, having seen the directory.
pub(crate) struct Amended<T> {
    /// The changes of objects; empty when everything is that way already.
    pub(crate) changes: Vec<Change>,
    /// What it was done to, for the record.
    pub(crate) resource: Resource,
    /// What access it gives, takes or alters, and whose, for the record; `None` where it is about none.
    pub(crate) access: Option<String>,
    /// The rule that allows it.
    pub(crate) rule: Option<RuleId>,
    /// The status of the answer, for the record.
    pub(crate) status: u16,
    /// The answer.
    pub(crate) answer: T,
}

/// A change that a use case makes: asked again with what the directory is then, when another came first.
#[async_trait]
pub(crate) trait DirectoryChange: Sync {
    /// What the caller gets.
    type Answer: Send;

    /// What is tried, for the record.
    fn action(&self) -> Action;

    /// What it is tried on, for the record of a failure.
    fn target(&self) -> Resource;

    /// Decides whether the caller may, and what changes.
    async fn decide(&self, scene: &Scene<'_>) -> Result<Amended<Self::Answer>, Error>;
}

impl Engine {
    /// Lets a change decide on the directory as it is now, and commits with the audit record; again when another change came first.
    pub(crate) async fn amend<C: DirectoryChange>(
        &self,
        session: &OrganisationSession,
        change: &C,
    ) -> Result<C::Answer, Error> {
        let outcome = self.amend_attempts(session, change).await;
        self.cache.forget_organisation(session.organisation.id);
        match outcome {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let recorder = session.recorder(self, Place::default());
                let record = recorder.failure(self.ports.clock.now(), change.action(), change.target(), &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    async fn amend_attempts<C: DirectoryChange>(
        &self,
        session: &OrganisationSession,
        change: &C,
    ) -> Result<C::Answer, Error> {
        let _turn = self.queue(session.organisation.id).await;
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.back_off(attempt).await?;
            }
            let (organisation, access) = self.latest_access(session).await?;
            let revision = organisation.revision;
            let at = self.ports.clock.now();
            let scene = Scene { engine: self, session, organisation, access: &access, at };
            let amended = change.decide(&scene).await?;
            let recorder: Recorder<'_> = session.recorder(self, Place::default());
            let record = recorder.success(at, change.action(), amended.resource, amended.rule, amended.status);
            let record = audit::with_access(record, with_removed(amended.access, &amended.changes));
            let mut changes = amended.changes;
            let mut expect = vec![Expect::Revision(AggregateId::Organisation(session.organisation.id), revision)];
            // See `commit_within`.
            expect.extend(changes.iter().filter_map(|change| match change {
                Change::DeleteObject { kind: ObjectKind::Project, id } => {
                    Some(Expect::Empty(session.organisation.id, ProjectId::new(*id)))
                }
                _ => None,
            }));
            if !changes.is_empty() {
                let organisation = session.organisation.id;
                changes.push(Change::ReviseOrganisation { organisation, revision: revision.next() });
            }
            let unit = Unit { expect, changes, records: vec![record] };
            match self.ports.committer.commit(unit).await {
                Ok(()) => return Ok(amended.answer),
                Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// What the caller may do, as the store has it now, with the organisation of the same moment.
    pub(crate) async fn latest_access(
        &self,
        session: &OrganisationSession,
    ) -> Result<(Arc<Organisation>, Arc<Access>), Error> {
        if session.access.is_given() {
            let latest = strongroom_domain::port::Freshness::Latest;
            let organisation = self.cache.organisation(session.organisation.id, latest).await?.ok_or_else(denied)?;
            return Ok((organisation, Arc::clone(&session.access)));
        }
        match self.read_access(Whose::of(session)).await? {
            Some((organisation, Some(access))) if access.stands(self.ports.clock.now()) => {
                Ok((organisation, Arc::new(access)))
            }
            _ => Err(denied()),
        }
    }
}
