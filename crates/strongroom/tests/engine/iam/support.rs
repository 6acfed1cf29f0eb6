//! An organisation to test in: its directory is real, in a store in memory; callers are who they say they are.

use crate::support::{START, bytes};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom::domain::audit::{Action, AuditRecord, RequestInfo};
use strongroom::domain::directory::{
    Binding, BoundTo, DirectoryObject, MemberRole, Named, OrganisationMember, Project, Role, ServiceAccount, Team,
    TeamMember, TeamRole, User,
};
use strongroom::domain::iam::Rule;
use strongroom::domain::id::{
    BindingId, CredentialId, MemberId, OrganisationId, ProjectId, RequestId, RoleId, RuleId, ServiceAccountId,
    StreamId, TeamId, TeamMemberId, UserId,
};
use strongroom::domain::metadata::{Metadata, slug_of};
use strongroom::domain::port::{
    AuditReader, AuthenticateError, Authenticated, Authenticator, Committer, Credential, IdGenerator, Kms, NewToken,
    TenancyReader,
};
use strongroom::domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom::domain::root_key::{KeyCheck, RootKeyId};
use strongroom::domain::tenancy::Organisation;
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::{Change, Unit};
use strongroom::setup::{FirstTokens, SetUp, set_up};
use strongroom::{Engine, Limits, Needs, OrganisationSession, Ports, Service, Session, Target};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_kms_memory::MemoryKms;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{FixedSigner, ManualClock, SequentialIds};
use uuid::Uuid;

/// Believes a token that is the identity of a user or a service account.
struct Honest;

#[async_trait]
impl Authenticator for Honest {
    async fn authenticate(&self, credential: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let Credential::Token(token) = credential else { return Err(AuthenticateError::Refused) };
        let text = core::str::from_utf8(token.expose()).map_err(|_| AuthenticateError::Refused)?;
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let caller = if let Ok(user) = name.parse::<UserId>() {
            let credential = CredentialId::new(user.uuid());
            Caller::new(Principal::User(user), credential, CredentialScopes::ALL, Reach::Memberships)
        } else {
            let account = name.parse::<ServiceAccountId>().map_err(|_| AuthenticateError::Refused)?;
            let credential = words.next().and_then(|word| word.parse().ok()).ok_or(AuthenticateError::Refused)?;
            let organisation = words.next().and_then(|word| word.parse().ok()).ok_or(AuthenticateError::Refused)?;
            let reach = Reach::Only(organisation);
            Caller::new(Principal::ServiceAccount(account), credential, CredentialScopes::ALL, reach)
        };
        Ok(Authenticated::Caller(Arc::new(caller)))
    }

    fn forget(&self, _: &Token) {}
}

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ids: Arc<SequentialIds>,
    pub(crate) id: OrganisationId,
    pub(crate) owner: UserId,
}

pub(crate) const REGION: &str = "nl-01";

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With ports that a test changes.
    pub(crate) async fn with(change: impl FnOnce(&mut Ports)) -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil())));
        let (clock, ids) = (Arc::new(ManualClock::jumping(START)), Arc::new(SequentialIds::new()));
        let token = |digest| NewToken { token: bytes(b"unused"), digest: [digest; 32], digest_key_version: 1 };
        let what = SetUp {
            key_check: KeyCheck { root_key: RootKeyId([1; 16]), sealed: vec![1] },
            instance_keys: Vec::new(),
            organisation: "House".to_owned(),
            regions: vec![REGION.to_owned()],
        };
        let tokens = FirstTokens { owner: token(1), operator: token(2) };
        let made = set_up(store.as_ref(), ids.as_ref(), START, what, &tokens).await.expect("an empty store");
        let kms: Arc<dyn Kms> = Arc::new(MemoryKms::new(Arc::new(OsEntropy)));
        let region = made.regions.first().expect("one region").id;
        let mut ports = Ports {
            authenticator: Arc::new(Honest),
            secrets: store.clone(),
            keys: store.clone(),
            tenancy: store.clone(),
            directory: store.clone(),
            setup: store.clone(),
            credentials: None,
            answers: store.clone(),
            committer: store.clone(),
            access_log: store.clone(),
            audit_log: store.clone(),
            audit: store.clone(),
            leases: store.clone(),
            kms: HashMap::from([(region, kms)]),
            import_keys: None,
            root_keys: None,
            audit_keys: None,
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&bytes(&[7; 32]), 1)),
            clock: clock.clone(),
            ids: ids.clone(),
            entropy: Arc::new(OsEntropy),
        };
        change(&mut ports);
        let engine = Arc::new(Engine::new(ports, Limits::default()));
        Self { engine, store, clock, ids, id: made.organisation.id, owner: made.owner }
    }

    /// Another node over the same store: it has caches of its own.
    pub(crate) async fn organisation(&self) -> Organisation {
        self.store.organisation_by_id(self.id).await.expect("readable").expect("there")
    }

    fn named(&self, name: &str) -> Named {
        Named::new(name.to_owned(), slug_of(name), Metadata::default(), START)
    }

    /// Puts objects into the directory, past all rules, as if another node had done it.
    pub(crate) async fn put(&self, objects: impl IntoIterator<Item = DirectoryObject>) {
        let revision = self.organisation().await.revision.next();
        let mut changes: Vec<Change> = objects.into_iter().map(|object| Change::PutObject(Box::new(object))).collect();
        changes.push(Change::ReviseOrganisation { organisation: self.id, revision });
        self.store.commit(Unit { changes, ..Unit::default() }).await.expect("puts");
    }

    /// A new member.
    pub(crate) async fn member(&self, name: &str, role: MemberRole) -> UserId {
        let user = self.user(name).await;
        let id = MemberId::new(self.ids.next());
        self.put([OrganisationMember { id, organisation: self.id, user, role, created_at: START }.into()]).await;
        user
    }

    /// A new user who is a member of nothing.
    pub(crate) async fn user(&self, name: &str) -> UserId {
        let id = UserId::new(self.ids.next());
        let user = User { id, login: None, name: name.to_owned(), email: String::new(), created_at: START };
        self.put([user.into()]).await;
        id
    }

    /// A new role with these rules: resource, identities, permissions.
    pub(crate) async fn role(&self, name: &str, rules: &[(&str, &[&str], &[&str])]) -> Role {
        let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let rule = |(resource, identities, permissions): &(&str, &[&str], &[&str])| Rule {
            id: RuleId::new(self.ids.next()),
            resources: vec![(*resource).to_owned()],
            resource_identities: owned(identities),
            permissions: owned(permissions),
            note: String::new(),
        };
        let role = Role {
            id: RoleId::new(self.ids.next()),
            organisation: self.id,
            named: self.named(name),
            read_only: false,
            rules: rules.iter().map(rule).collect(),
        };
        self.put([role.clone().into()]).await;
        role
    }

    /// Binds a role.
    pub(crate) async fn bind(&self, role: &Role, to: BoundTo, projects: &[&str]) -> BindingId {
        let id = BindingId::new(self.ids.next());
        let binding = Binding {
            id,
            organisation: self.id,
            role: role.id,
            named: self.named(&id.to_string()),
            to,
            projects: projects.iter().map(|it| (*it).to_owned()).collect(),
        };
        self.put([binding.into()]).await;
        id
    }

    /// A new member with a role of these rules.
    pub(crate) async fn member_with(&self, name: &str, rules: &[(&str, &[&str], &[&str])]) -> UserId {
        let user = self.member(name, MemberRole::Member).await;
        let role = self.role(&format!("role of {name}"), rules).await;
        self.bind(&role, BoundTo::User(user), &[]).await;
        user
    }

    pub(crate) async fn team(&self, name: &str, members: &[UserId]) -> TeamId {
        let id = TeamId::new(self.ids.next());
        let mut objects: Vec<DirectoryObject> =
            vec![Team { id, organisation: self.id, named: self.named(name) }.into()];
        objects.extend(members.iter().map(|user| {
            let id_of_member = TeamMemberId::new(self.ids.next());
            let (created_at, updated_at) = (START, START);
            let (organisation, role) = (self.id, TeamRole::Member);
            TeamMember { id: id_of_member, organisation, team: id, user: *user, role, created_at, updated_at }.into()
        }));
        self.put(objects).await;
        id
    }

    pub(crate) async fn service_account(&self, name: &str) -> ServiceAccountId {
        let id = ServiceAccountId::new(self.ids.next());
        self.put([ServiceAccount { id, organisation: self.id, named: self.named(name), created_by: None }.into()])
            .await;
        id
    }

    pub(crate) async fn project(&self, name: &str) -> Project {
        let id = ProjectId::new(self.ids.next());
        let project = Project { id, organisation: self.id, named: self.named(name), parent: None };
        self.put([project.clone().into()]).await;
        project
    }

    /// A call of a user, in the organisation.
    pub(crate) async fn by(&self, user: UserId) -> OrganisationSession {
        self.call(&user.to_string()).await.expect("a member")
    }

    /// A call with a token, in the organisation.
    pub(crate) async fn call(&self, token: &str) -> Result<OrganisationSession, strongroom::Error> {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(self.ids.next())));
        let credential = Credential::Token(bytes(token.as_bytes()));
        let call = self.engine.authenticate(Some(&credential), request).await?;
        let target = Target { action: Action::IamRoleRead, resource: None };
        self.engine.enter_organisation(call, Some(&self.id.to_string()), Needs::Write, target).await
    }

    /// A call of a user to the secrets manager.
    pub(crate) async fn secrets(&self, user: UserId, project: Option<&str>) -> Result<Session, strongroom::Error> {
        let target = Target { action: Action::SecretRead, resource: None };
        self.engine.enter(self.by(user).await, Service::Secrets, REGION, project, target).await
    }

    /// Every record of the audit log, in order.
    pub(crate) async fn records(&self) -> Vec<AuditRecord> {
        let mut records = Vec::new();
        for stream in self.store.streams().await.expect("streams") {
            let page = self.store.records(stream, 0, 100_000).await.expect("records");
            records.extend(page.into_iter().map(|chained| chained.record));
        }
        records
    }

    /// The last record: action, outcome, status.
    pub(crate) async fn last_record(&self) -> (&'static str, &'static str, u16) {
        let records = self.records().await;
        let last = records.last().expect("a record");
        (last.action.as_str(), last.outcome.as_str(), last.status)
    }
}
