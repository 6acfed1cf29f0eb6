//! One request, as handlers see it.

use crate::answer::Answer;
use crate::api::Settings;
use crate::auth;
use crate::bulk::Share;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::openapi;
use crate::query::Query;
use crate::routes::Place;
use core::ops::Deref;
use http::{HeaderMap, Uri};
use std::sync::{Arc, OnceLock};
use strongroom::iam::me::IdentitySession;
use strongroom::system::OperatorSession;
use strongroom::{Code, Engine, Error, Identified, Needs, OrganisationSession, Reached, Service, Session, Target};
use strongroom_domain::audit::{Action, RequestInfo, ResourceKind};
use strongroom_domain::path::SecretPath;

/// One request without its body.
pub(crate) struct Call {
    pub(crate) engine: Arc<Engine>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) document: Arc<openapi::Text>,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Query,
    pub(crate) place: Place,
    pub(crate) request: Arc<RequestInfo>,
    pub(crate) needs: Needs,
    /// Whether it leaves records of itself.
    pub(crate) leaves_records: bool,
}

impl Call {
    /// The secret's path: in the URL's path or the query parameter `path`, or in both when they are equal.
    pub(crate) fn secret_path(&self) -> Result<SecretPath, Failure> {
        let text = match (self.place.path.as_str(), self.query.get("path")) {
            ("", None) => {
                let message =
                    "The URL names no secret; write its path behind `/secret`, or as the query parameter `path`.";
                return Err(Error::new(Code::InvalidPath, message).into());
            }
            ("", Some(named)) => named,
            (embedded, None) => embedded,
            (embedded, Some(named)) if embedded == named => embedded,
            (_, Some(_)) => return Err(differing()),
        };
        Ok(text.parse()?)
    }

    /// Refuses the query parameter `version` where a version would have to stand in the body: whoever names one must not get another.
    pub(crate) fn no_version_in_query(&self) -> Result<(), Failure> {
        match self.query.get("version") {
            None => Ok(()),
            Some(_) => Err(Failure::invalid("`version` goes into the body; leave it out of the URL.")),
        }
    }

    /// What clients know one of our paths by.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.settings.base_path)
    }

    /// The project that the call names.
    pub(crate) fn project(&self) -> Result<Option<&str>, Failure> {
        let named = self.header("x-project-identity")?;
        Ok(named.or_else(|| self.query.filled("project")))
    }

    /// A header that may stand once; an empty one counts as missing.
    pub(crate) fn header(&self, name: &'static str) -> Result<Option<&str>, Failure> {
        Ok(self.single_header(name)?.filter(|text| !text.is_empty()))
    }

    /// A header that may stand once.
    pub(crate) fn single_header(&self, name: &'static str) -> Result<Option<&str>, Failure> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next();
        if values.next().is_some() {
            return Err(Failure::invalid(format!("The header `{name}` stands twice; send it once.")));
        }
        // What isn't text names nothing that exists, and is no legal key or condition.
        Ok(value.map(|value| value.to_str().unwrap_or("\u{fffd}")))
    }
}

/// A call on its way through its handler. It outlives the handler, so that whatever a known caller tries leaves a record, also where
/// the engine had no occasion to make one: the handler refused it, panicked, or took too long.
pub(crate) struct Attempt {
    call: Call,
    identified: OnceLock<(Identified, Tried)>,
    myself: OnceLock<IdentitySession>,
    organisation: OnceLock<OrganisationSession>,
    session: OnceLock<Session>,
    /// The secret's path, where it stands in the body.
    path: OnceLock<SecretPath>,
    handed_over: OnceLock<()>,
}

/// How a handler ended.
pub(crate) enum Ended {
    /// By itself.
    Handled(Result<Answer, Failure>),
    /// It panicked, or took too long.
    CutShort(Failure),
}

/// What is tried, as far as the URL says.
struct Tried {
    action: Action,
    resource: Option<(ResourceKind, String)>,
}

impl Tried {
    fn target(&self) -> Target<'_> {
        let resource = self.resource.as_ref().map(|(kind, identity)| (*kind, identity.as_str()));
        Target { action: self.action, resource }
    }
}

impl Deref for Attempt {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl Attempt {
    pub(crate) const fn new(call: Call) -> Self {
        Self {
            call,
            identified: OnceLock::new(),
            myself: OnceLock::new(),
            organisation: OnceLock::new(),
            session: OnceLock::new(),
            path: OnceLock::new(),
            handed_over: OnceLock::new(),
        }
    }

    /// Settles credentials and the caller's rate. `target`: what is tried, for the record of a refusal.
    async fn identify(&self, target: Target<'_>) -> Result<Identified, Failure> {
        let credential = auth::credential(&self.headers);
        let call = self.engine.authenticate(credential.as_ref(), Arc::clone(&self.request)).await?;
        let resource = target.resource.map(|(kind, identity)| (kind, identity.to_owned()));
        self.identified.get_or_init(|| (call.clone(), Tried { action: target.action, resource }));
        self.within_rate(self.limits.count(call.caller().principal), &call, target).await?;
        Ok(call)
    }

    async fn within_rate(
        &self,
        counted: Result<(), Failure>,
        call: &Identified,
        target: Target<'_>,
    ) -> Result<(), Failure> {
        if let Err(failure) = &counted {
            self.engine.record_rate_limited(call, target, failure.code(), failure.status().as_u16()).await;
        }
        counted
    }

    /// Settles that so many values may be asked for at once: that they are within the caller's rate, and that there is memory for them.
    /// `len`: the most bytes that they may have.
    pub(crate) async fn enter_values(&self, values: u32, len: usize) -> Result<Option<Share>, Failure> {
        if let Some((call, tried)) = self.identified.get() {
            let counted = self.limits.count_values(call.caller().principal, values);
            self.within_rate(counted, call, tried.target()).await?;
        }
        let share = self.limits.share(len).await;
        if let Err(failure) = &share {
            // What was listed for it has a record already, so that none would be made at the end.
            self.record(failure).await?;
        }
        share
    }

    /// Settles credentials, the caller's rate, and the credential's scope, for what callers ask about themselves. Headers that name an
    /// organisation or project mean nothing here.
    pub(crate) async fn enter_identity(&self, target: Target<'_>) -> Result<&IdentitySession, Failure> {
        let call = self.identify(target).await?;
        let session = self.engine.enter_identity(call, self.needs, target).await?;
        Ok(self.myself.get_or_init(|| session))
    }

    /// Settles credentials, the caller's rate, the credential's scope, and the organisation. `target`: what is tried, for the record
    /// of a refusal.
    pub(crate) async fn enter_organisation(&self, target: Target<'_>) -> Result<OrganisationSession, Failure> {
        let call = self.identify(target).await?;
        let organisation = self.header("x-organisation-identity")?;
        let session = self.engine.enter_organisation(call, organisation, self.needs, target).await?;
        self.organisation.get_or_init(|| session.clone());
        Ok(session)
    }

    /// Settles everything up to the project. `resource`: what is tried, as far as the URL names it.
    pub(crate) async fn enter(
        &self,
        service: Service,
        action: Action,
        resource: (ResourceKind, &str),
    ) -> Result<&Session, Failure> {
        let target = Target { action, resource: Some(resource) };
        let session = self.enter_organisation(target).await?;
        let project = self.project()?;
        let session = self.engine.enter(session, service, &self.place.region, project, target).await?;
        Ok(self.session.get_or_init(|| session))
    }

    /// Settles everything up to the organisation, for an object of its directory that the URL names.
    pub(crate) async fn enter_iam(&self, action: Action, kind: ResourceKind) -> Result<&OrganisationSession, Failure> {
        let session = self.enter_organisation(Target { action, resource: Some((kind, &self.place.id)) }).await?;
        Ok(self.organisation.get_or_init(|| session))
    }

    /// Settles everything up to the gate, for the project that the URL names. The header and parameter that name one mean nothing here.
    pub(crate) async fn enter_projects(&self, action: Action) -> Result<OrganisationSession, Failure> {
        let target = Target { action, resource: Some((ResourceKind::Project, &self.place.id)) };
        let session = self.enter_organisation(target).await?;
        Ok(self.engine.enter_projects(session, target).await?)
    }

    /// Settles that the operator calls. Headers that name an organisation or project mean nothing here.
    pub(crate) async fn enter_operator(&self, action: Action, kind: ResourceKind) -> Result<OperatorSession, Failure> {
        let target = Target { action, resource: Some((kind, &self.place.id)) };
        let call = self.identify(target).await?;
        Ok(self.engine.enter_operator(call, self.needs, target).await?)
    }

    /// As [`enter`](Self::enter), for the secret at a path.
    pub(crate) async fn enter_secret(&self, action: Action, path: &SecretPath) -> Result<&Session, Failure> {
        self.enter(Service::Secrets, action, (ResourceKind::Secret, path.as_str())).await
    }

    /// As [`enter`](Self::enter), for the key that the URL names.
    pub(crate) async fn enter_key(&self, action: Action) -> Result<&Session, Failure> {
        self.enter(Service::Kms, action, (ResourceKind::KmsKey, &self.place.id)).await
    }

    /// Says which secret is tried, when the body has told.
    pub(crate) fn concerns(&self, path: &SecretPath) {
        self.path.get_or_init(|| path.clone());
    }

    /// Says that the engine sees to the records from here on, although it is not known who calls.
    pub(crate) fn hand_over(&self) {
        self.handed_over.get_or_init(|| ());
    }

    /// Nobody waits for the handler any more; what the caller hears instead is [`recorded`](Self::recorded).
    pub(crate) fn give_up(&self) {
        if let Some((identified, _)) = self.identified.get() {
            identified.give_up();
        }
    }

    /// Gives the handler's outcome on, after the record of a failure that has none yet.
    pub(crate) async fn recorded(&self, ended: Ended) -> Result<Answer, Failure> {
        let (outcome, cut_short) = match ended {
            Ended::Handled(outcome) => (outcome, false),
            Ended::CutShort(failure) => (Err(failure), true),
        };
        let Err(failure) = &outcome else { return outcome };
        let Some((identified, _)) = self.identified.get() else {
            let status = failure.status().as_u16();
            // The engine counts refused credentials itself.
            let is_seen_to = status == 401 || (self.handed_over.get().is_some() && !cut_short);
            if !is_seen_to && self.leaves_records {
                self.engine.count_unidentified(failure.code(), status, &self.request);
            }
            return outcome;
        };
        // A handler that was cut short may have made a record that was never stored, or tells of a success that nobody heard of.
        if (identified.has_record() && !cut_short) || !self.leaves_records {
            return outcome;
        }
        match self.record(failure).await {
            Ok(()) => outcome,
            Err(failure) => Err(failure),
        }
    }

    /// Records that what an identified caller tries failed so.
    async fn record(&self, failure: &Failure) -> Result<(), Failure> {
        let Some((identified, tried)) = self.identified.get() else { return Ok(()) };
        let reached = match (self.session.get(), self.organisation.get(), self.myself.get()) {
            (Some(session), ..) => Reached::Session(session),
            (None, Some(session), _) => Reached::Organisation(session),
            (None, None, Some(session)) => Reached::Myself(session),
            (None, None, None) => Reached::Identity(identified),
        };
        let resource = tried
            .resource
            .as_ref()
            .map(|(kind, identity)| (*kind, self.path.get().map_or(identity.as_str(), SecretPath::as_str)));
        let target = Target { action: tried.action, resource };
        Ok(self.engine.record_failure(reached, target, failure.code(), failure.status().as_u16()).await?)
    }
}

/// Refuses a body that names another path than the URL.
pub(crate) fn same_path(path: &SecretPath, in_body: Option<&str>) -> Result<(), Failure> {
    if in_body.is_none_or(|text| text == path.as_str()) { Ok(()) } else { Err(differing()) }
}

fn differing() -> Failure {
    Failure::invalid("`path` is given twice, and differently; give it once.")
}
