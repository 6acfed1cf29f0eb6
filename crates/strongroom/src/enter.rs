//! Where a caller acts: organisation, gates, region and project, settled in the order that the API promises.

use crate::audit::Place;
use crate::directory::{Access, Whose};
use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::gates::Gates;
use crate::session::{Identified, Needs, OrganisationSession, Service, Session, Target};
use std::sync::Arc;
use strongroom_domain::directory::{OrganisationMember, Project};
use strongroom_domain::id::{OrganisationId, UserId, is_named};
use strongroom_domain::port::{Freshness, ObjectSelector};
use strongroom_domain::principal::{Caller, Membership, Principal, Reach};
use strongroom_domain::tenancy::{Organisation, Region};

impl Engine {
    /// Settles the organisation: the one named by identity or slug, else the caller's only one. A refusal is recorded, in the
    /// organisation that it concerns if the caller is a member.
    ///
    /// # Errors
    /// [`Code::InsufficientScope`], [`Code::OrganisationRequired`], [`Code::OrganisationDenied`].
    pub async fn enter_organisation(
        &self,
        call: Identified,
        organisation: Option<&str>,
        needs: Needs,
        target: Target<'_>,
    ) -> Result<OrganisationSession, Error> {
        let name = organisation.filter(|name| !name.is_empty());
        let settled = match self.check_scope(&call, needs) {
            Ok(()) => self.settle_organisation(&call, name).await,
            Err(error) => {
                let concerned = self.settle_organisation(&call, name).await.ok().map(|(_, it)| it.id);
                return Err(self.refused(&call.recorder(self, concerned, Place::default()), target, error).await);
            }
        };
        match settled {
            Ok((access, organisation)) => Ok(OrganisationSession { call, access, organisation }),
            Err(error) => Err(self.refused(&call.recorder(self, None, Place::default()), target, error).await),
        }
    }

    async fn settle_organisation(
        &self,
        call: &Identified,
        name: Option<&str>,
    ) -> Result<(Arc<Access>, Arc<Organisation>), Error> {
        let id = self.organisation_of(&call.caller, name).await?;
        if let Some(membership) = given(&call.caller, id) {
            let organisation = self.organisation(id).await?.ok_or_else(denied)?;
            let access = Access::given(call.caller.subject.clone(), &membership.grants);
            return Ok((Arc::new(access), organisation));
        }
        self.access(Whose::by(&call.caller, id)).await?.ok_or_else(denied)
    }

    /// The organisation that the caller names, or the only one where they may act. Whether they are a member is not checked for one
    /// that is named, unless the credential says where it acts.
    async fn organisation_of(&self, caller: &Caller, name: Option<&str>) -> Result<OrganisationId, Error> {
        let Some(name) = name else {
            return match &caller.reach {
                Reach::Only(only) => Ok(*only),
                Reach::Given(memberships) => only(memberships.iter().map(|membership| membership.organisation)),
                Reach::Memberships => match caller.principal {
                    Principal::User(user) => {
                        only(self.memberships(user).await?.into_iter().map(|member| member.organisation))
                    }
                    Principal::ServiceAccount(_) | Principal::Operator(_) => Err(denied()),
                },
            };
        };
        // The organisation that is named by identity is most often one of the caller's: no look-up by slug then.
        if let Ok(id) = name.parse()
            && self.organisation(id).await?.is_some()
        {
            return may_name(caller, id);
        }
        let id = self.cache.organisation_by_slug(name).await?.ok_or_else(denied)?;
        may_name(caller, id)
    }

    /// The memberships of a user, by their identities.
    pub(crate) async fn memberships(&self, user: UserId) -> Result<Vec<OrganisationMember>, Error> {
        self.objects(None, ObjectSelector::About(vec![user.uuid()])).await
    }

    pub(crate) async fn organisation(&self, id: OrganisationId) -> Result<Option<Arc<Organisation>>, Error> {
        match self.cache.organisation(id, Freshness::Hint).await? {
            None => Ok(self.cache.organisation(id, Freshness::Latest).await?),
            found => Ok(found),
        }
    }

    /// Settles gate, region and project, in this order. A refusal is recorded.
    ///
    /// # Errors
    /// [`Code::FeatureDisabled`], [`Code::RegionNotFound`], [`Code::ProjectNotFound`], [`Code::ProjectDenied`].
    pub async fn enter(
        &self,
        session: OrganisationSession,
        service: Service,
        region: &str,
        project: Option<&str>,
        target: Target<'_>,
    ) -> Result<Session, Error> {
        let names_project = project.is_some() || session.caller().project.is_some();
        let gates = Gates { service: Some(service), project: names_project };
        let (session, passed) = self.pass_gates(session, gates).await;
        let mut place = Place::default();
        let settled = match passed {
            Ok(()) => self.settle_place(&session, region, project, &mut place).await,
            Err(error) => Err(error),
        };
        match settled {
            Ok((region, project)) => Ok(Session::new(session, region, project)),
            Err(error) => Err(self.refused(&session.recorder(self, place), target, error).await),
        }
    }

    async fn settle_place(
        &self,
        session: &OrganisationSession,
        region: &str,
        project: Option<&str>,
        place: &mut Place,
    ) -> Result<(Arc<Region>, Option<Arc<Project>>), Error> {
        let region = self.find_region(region).await?;
        place.region = Some(region.id);
        Ok((region, self.settle_project(session, project).await?))
    }

    /// The project where the caller acts: the one that the credential is bound to, else the one that is named.
    pub(crate) async fn settle_project(
        &self,
        session: &OrganisationSession,
        named: Option<&str>,
    ) -> Result<Option<Arc<Project>>, Error> {
        let Some(name) = session.caller().project.as_deref().or(named) else { return Ok(None) };
        let project = self.find_project(&session.organisation, name).await?.ok_or_else(no_such_project)?;
        if named.is_some_and(|named| !is_named(named, &project.id, &project.named.slug)) {
            return Err(Error::new(
                Code::ProjectDenied,
                "The credential is bound to another project; leave out `X-Project-Identity` and `project`, or use another credential.",
            ));
        }
        Ok(Some(project))
    }

    /// Whether all gates are open, and the session with the organisation as it was read for that.
    pub(crate) async fn pass_gates(
        &self,
        mut session: OrganisationSession,
        gates: Gates,
    ) -> (OrganisationSession, Result<(), Error>) {
        let verdict = gates.check(&session.organisation);
        if verdict.is_ok() {
            return (session, verdict);
        }
        // A gate that was opened a moment ago must not refuse out of a cache.
        let verdict = match self.cache.organisation(session.organisation.id, Freshness::Latest).await {
            Ok(Some(latest)) => {
                session.organisation = latest;
                gates.check(&session.organisation)
            }
            Ok(None) => Err(denied()),
            Err(error) => Err(error.into()),
        };
        (session, verdict)
    }

    pub(crate) async fn find_region(&self, name: &str) -> Result<Arc<Region>, Error> {
        for freshness in [Freshness::Hint, Freshness::Latest] {
            let regions = self.cache.regions(freshness).await?;
            let by_identity = name.parse().ok().and_then(|id| regions.iter().find(|region| region.id == id));
            if let Some(region) = by_identity.or_else(|| regions.iter().find(|region| region.slug == name)) {
                return Ok(Arc::clone(region));
            }
        }
        Err(no_such_region())
    }
}

/// The membership that an embedding program gave the caller there.
fn given(caller: &Caller, organisation: OrganisationId) -> Option<&Membership> {
    match &caller.reach {
        Reach::Given(memberships) => memberships.iter().find(|membership| membership.organisation == organisation),
        Reach::Memberships | Reach::Only(_) => None,
    }
}

/// Whether the credential may act in this organisation, as far as it says so itself.
fn may_name(caller: &Caller, organisation: OrganisationId) -> Result<OrganisationId, Error> {
    let may = match &caller.reach {
        Reach::Only(only) => *only == organisation,
        Reach::Given(_) => given(caller, organisation).is_some(),
        Reach::Memberships => true,
    };
    if may { Ok(organisation) } else { Err(denied()) }
}

/// The only one of several.
fn only(mut organisations: impl Iterator<Item = OrganisationId>) -> Result<OrganisationId, Error> {
    match (organisations.next(), organisations.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(denied()),
        (Some(_), Some(_)) => Err(Error::new(
            Code::OrganisationRequired,
            "The credential can act in more than one organisation; name one in the header `X-Organisation-Identity`.",
        )),
    }
}

pub(crate) fn denied() -> Error {
    // One text, whether the organisation is unknown or another's.
    Error::new(
        Code::OrganisationDenied,
        "The organisation does not exist, or you are not a member; check the header `X-Organisation-Identity`.",
    )
}

pub(crate) fn no_such_region() -> Error {
    Error::new(Code::RegionNotFound, "There is no such region; `GET /v1/regions` lists them.")
}

pub(crate) fn no_such_project() -> Error {
    Error::new(
        Code::ProjectNotFound,
        "There is no such project in this organisation; check the header `X-Project-Identity`, or the query parameter `project`.",
    )
}
