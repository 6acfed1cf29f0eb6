//! The engine inside another program, which is the only caller.

use crate::directory::Access;
use crate::engine::{Engine, Limits, Ports};
use crate::error::Error;
use crate::session::{Identified, OrganisationSession, Session};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_domain::audit::RequestInfo;
use strongroom_domain::iam::{Grants, Rule};
use strongroom_domain::id::{CredentialId, OrganisationId, RegionId, RequestId, RuleId, UserId};
use strongroom_domain::port::{
    AccessLog, AnswerReader, AuditLog, AuditReader, AuthenticateError, Authenticated, Authenticator, Clock,
    CommitErrorKind, Committer, Credential, DirectoryReader, Entropy, IdGenerator, KeyReader, KeyedDigest, Kms, Leases,
    PayloadCipher, SecretReader, SetupReader, TenancyReader,
};
use strongroom_domain::principal::{Caller, CredentialScopes, Membership, Principal, Reach, Token};
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};

/// The slug of the organisation and of the region that an embedded engine keeps its secrets in.
pub const EMBEDDED_SLUG: &str = "embedded";

/// What an embedded engine needs besides store and KMS.
#[derive(Clone)]
pub struct Environment {
    /// Encrypts values.
    pub cipher: Arc<dyn PayloadCipher>,
    /// Digests requests that carry an idempotency key; keep its key with the store.
    pub answer_digest: Arc<dyn KeyedDigest>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Everything that an embedded engine reads. Implemented for whatever implements the ports.
pub trait Reads:
    SecretReader + KeyReader + TenancyReader + DirectoryReader + SetupReader + AnswerReader + AuditReader + 'static
{
}

impl<T> Reads for T where
    T: SecretReader + KeyReader + TenancyReader + DirectoryReader + SetupReader + AnswerReader + AuditReader + 'static
{
}

/// Everything that it writes. Implemented for whatever implements the ports.
pub trait Writes: Committer + AccessLog + AuditLog + 'static {}

impl<T> Writes for T where T: Committer + AccessLog + AuditLog + 'static {}

/// A store that does everything. Implemented for whatever implements the ports.
pub trait Store: Reads + Writes + Leases {}

impl<T> Store for T where T: Reads + Writes + Leases {}

/// A store in the parts that an adapter may have: one that reads and one that writes, as on SQLite. A [`Store`] becomes one by itself.
#[derive(Clone)]
pub struct StorePorts {
    /// Reads.
    pub reader: Arc<dyn Reads>,
    /// Writes, so that the reader sees it.
    pub writer: Arc<dyn Writes>,
    /// Gives out what one process at a time may do.
    pub leases: Arc<dyn Leases>,
}

impl<T: Store> From<Arc<T>> for StorePorts {
    fn from(store: Arc<T>) -> Self {
        Self { reader: Arc::clone(&store) as _, writer: Arc::clone(&store) as _, leases: store }
    }
}

/// Nobody comes from outside: every credential is refused. What [`Embedded::start`] takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoCallers;

#[async_trait]
impl Authenticator for NoCallers {
    async fn authenticate(&self, _: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        Err(AuthenticateError::Refused)
    }

    fn forget(&self, _: &Token) {}
}

/// An engine with one organisation, one region and one caller: the program around it.
///
/// It spawns nothing. A program that runs for long calls [`Engine::housekeeping`] every ten seconds or so, which writes what was only
/// counted and forgets what has expired.
pub struct Embedded {
    engine: Arc<Engine>,
    organisation: Arc<Organisation>,
    region: Arc<Region>,
    caller: Arc<Caller>,
}

impl Embedded {
    /// Puts an engine together over this store; on an empty one makes the organisation and the region first.
    ///
    /// The program is the same user at each start over one store.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn start(
        store: impl Into<StorePorts>,
        kms: Arc<dyn Kms>,
        environment: Environment,
        limits: Limits,
    ) -> Result<Self, Error> {
        Self::start_behind(|_| Arc::new(NoCallers), store, kms, environment, limits).await
    }

    /// As [`start`](Self::start), with callers from outside, as when the engine is served over HTTP. `authenticator` makes what tells who
    /// they are; it is given the organisation that a [`Membership`] is to name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn start_behind(
        authenticator: impl FnOnce(OrganisationId) -> Arc<dyn Authenticator>,
        store: impl Into<StorePorts>,
        kms: Arc<dyn Kms>,
        environment: Environment,
        limits: Limits,
    ) -> Result<Self, Error> {
        let StorePorts { reader, writer, leases } = store.into();
        let (organisation, region) = find_or_make(&*reader, &*writer, &environment).await?;
        let caller = caller(organisation.id, &environment);
        let Environment { cipher, answer_digest, clock, ids, entropy } = environment;
        let ports = Ports {
            authenticator: authenticator(organisation.id),
            secrets: Arc::clone(&reader) as Arc<dyn SecretReader>,
            keys: Arc::clone(&reader) as Arc<dyn KeyReader>,
            tenancy: Arc::clone(&reader) as Arc<dyn TenancyReader>,
            directory: Arc::clone(&reader) as Arc<dyn DirectoryReader>,
            setup: Arc::clone(&reader) as Arc<dyn SetupReader>,
            credentials: None,
            answers: Arc::clone(&reader) as Arc<dyn AnswerReader>,
            committer: Arc::clone(&writer) as Arc<dyn Committer>,
            access_log: Arc::clone(&writer) as Arc<dyn AccessLog>,
            audit_log: writer,
            audit: reader,
            leases,
            kms: HashMap::from([(region.id, kms)]),
            import_keys: None,
            root_keys: None,
            audit_keys: None,
            cipher,
            answer_digest,
            clock,
            ids,
            entropy,
        };
        Ok(Self {
            engine: Arc::new(Engine::new(ports, limits)),
            organisation: Arc::new(organisation),
            region: Arc::new(region),
            caller,
        })
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same engine, to be kept by parts of the program, or served over HTTP.
    #[must_use]
    pub fn shared_engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    /// A session of the program itself, which may do everything. Each has a request id of its own in the audit log.
    #[must_use]
    pub fn session(&self) -> Session {
        self.session_of(Arc::clone(&self.caller))
    }

    /// A session of somebody else: with the rules that the program gives them.
    #[must_use]
    pub fn session_with(&self, user: UserId, rules: impl IntoIterator<Item = Rule>) -> Session {
        let caller = member(user, self.organisation.id, self.caller.credential, Grants::compile(rules));
        self.session_of(Arc::new(caller))
    }

    fn session_of(&self, caller: Arc<Caller>) -> Session {
        let request = RequestInfo::embedded(RequestId::new(self.engine.ports.ids.next()));
        let grants = match &caller.reach {
            Reach::Given(memberships) => memberships.first().map(|membership| Arc::clone(&membership.grants)),
            Reach::Memberships | Reach::Only(_) => None,
        };
        let organisation = Arc::clone(&self.organisation);
        let call = Identified::new(caller, Arc::new(request));
        let subject = call.caller.subject.clone();
        let access = Arc::new(Access::given(subject, &grants.unwrap_or_default()));
        let inner = OrganisationSession { call, access, organisation };
        Session::new(inner, Arc::clone(&self.region), None)
    }
}

fn member(user: UserId, organisation: OrganisationId, credential: CredentialId, grants: Grants) -> Caller {
    let reach = Reach::Given(vec![Membership { organisation, grants: Arc::new(grants) }]);
    Caller::new(Principal::User(user), credential, CredentialScopes::ALL, reach)
}

fn caller(organisation: OrganisationId, environment: &Environment) -> Arc<Caller> {
    let ids = &environment.ids;
    let everything = Grants::compile([Rule::everything(RuleId::new(ids.next()))]);
    // The same at every start: idempotency keys are remembered by user, and the audit log shows one.
    let (user, credential) = (UserId::new(organisation.uuid()), CredentialId::new(organisation.uuid()));
    Arc::new(member(user, organisation, credential, everything))
}

async fn find_or_make(
    reader: &dyn Reads,
    writer: &dyn Writes,
    environment: &Environment,
) -> Result<(Organisation, Region), Error> {
    if let Some(found) = find(reader).await? {
        return Ok(found);
    }
    let (at, slug) = (environment.clock.now(), EMBEDDED_SLUG.to_owned());
    let id = OrganisationId::new(environment.ids.next());
    let organisation = Organisation::new(id, slug.clone(), slug.clone(), at);
    let region = Region {
        id: RegionId::new(environment.ids.next()),
        name: slug.clone(),
        slug: slug.clone(),
        description: String::new(),
        kms_enabled: true,
        created_at: at,
        updated_at: at,
        object_version: 1,
    };
    let unit = Unit {
        expect: vec![
            Expect::Absent(UniqueKey::OrganisationSlug(slug.clone())),
            Expect::Absent(UniqueKey::RegionSlug(slug)),
        ],
        changes: vec![Change::InsertOrganisation(organisation.clone()), Change::InsertRegion(region.clone())],
        records: Vec::new(),
    };
    match writer.commit(unit).await {
        Ok(()) => Ok((organisation, region)),
        // Another process that shares the store was faster.
        Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {
            find(reader).await?.ok_or_else(|| error.into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn find(store: &dyn Reads) -> Result<Option<(Organisation, Region)>, Error> {
    let organisation = TenancyReader::organisation(store, EMBEDDED_SLUG).await?;
    let region = store.regions().await?.into_iter().find(|region| region.slug == EMBEDDED_SLUG);
    Ok(organisation.zip(region))
}
