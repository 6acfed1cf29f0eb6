//! An organisation with people in it, and nodes over one store.

use crate::support::{START, World, bytes};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom::domain::audit::{Action, RequestInfo};
use strongroom::domain::directory::{
    Binding, BoundTo, DirectoryObject, Expiry, MemberRole, Named, ObjectKind, OrganisationMember, Role, Scopes,
    ServiceAccount, User,
};
use strongroom::domain::iam::Rule;
use strongroom::domain::id::{
    BindingId, CredentialId, MemberId, OrganisationId, RequestId, RoleId, RuleId, ServiceAccountId, UserId,
};
use strongroom::domain::metadata::Metadata;
use strongroom::domain::port::{
    Committer, Credential, CredentialMaker, DirectoryReader, IdGenerator, ObjectQuery, ObjectSelector, TenancyReader,
};
use strongroom::domain::principal::{Token, TokenHolder};
use strongroom::domain::tenancy::Organisation;
use strongroom::domain::unit::{Change, Unit};
use strongroom::domain::value::SecretBytes;
use strongroom::iam::me::IdentitySession;
use strongroom::{Code, CredentialPorts, Engine, Error, Identified, Limits, Needs, OrganisationSession, Ports, Target};
use strongroom_auth::{
    AccessTokenPorts, AccessTokens, AuthenticatorPorts, FetchError, FetchRules, ForeignTokenVerifier, JwksFetcher,
    StoreAuthenticator, StoreCredentialMaker,
};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_root_key::SoftwareRootKey;
use strongroom_testkit::SequentialIds;

/// Nothing is fetched here.
struct NoNetwork;

#[async_trait]
impl JwksFetcher for NoNetwork {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        Err(FetchError(format!("{url} is out of reach")))
    }
}

/// Somebody with a token.
pub(crate) struct Person {
    pub(crate) id: UserId,
    /// Their membership in the organisation, if they are a member.
    pub(crate) member: Option<MemberId>,
    pub(crate) token: SecretBytes,
}

impl Person {
    pub(crate) fn member(&self) -> String {
        self.member.expect("a member").to_string()
    }
}

pub(crate) struct Room {
    pub(crate) world: World,
    pub(crate) engine: Arc<Engine>,
    pub(crate) organisation: OrganisationId,
    pub(crate) owner: Person,
    ids: Arc<SequentialIds>,
    maker: StoreCredentialMaker,
}

const READING: Target<'static> = Target { action: Action::AuthFailure, resource: None };

fn digest() -> Arc<HmacSha256Digest> {
    Arc::new(HmacSha256Digest::new(&bytes(&[9; 32]), 1))
}

pub(crate) fn named(name: &str) -> Named {
    Named::new(name.to_owned(), name.to_owned(), Metadata::default(), START)
}

impl Room {
    /// The organisation `dev` with one owner.
    pub(crate) async fn new() -> Self {
        let world = World::new();
        let ids = Arc::new(SequentialIds::of_node(11));
        let maker = StoreCredentialMaker::new(Arc::new(OsEntropy), digest());
        let engine = node(&world, &ids, world.store.clone());
        let organisation = OrganisationId::new(ids.next());
        let dev = Organisation::new(organisation, "dev".to_owned(), "dev".to_owned(), START);
        let changes = vec![Change::InsertOrganisation(dev)];
        world.store.commit(Unit { changes, ..Unit::default() }).await.expect("an empty store");
        let owner = Person { id: UserId::new(ids.next()), member: None, token: bytes(b"") };
        let mut room = Self { world, engine, organisation, owner, ids, maker };
        room.owner = room.person(Some(MemberRole::Owner)).await;
        room
    }

    /// Another node over the same store.
    pub(crate) fn another_node(&self) -> Arc<Engine> {
        self.node_over(self.world.store.clone())
    }

    /// Another node, which commits through this.
    pub(crate) fn node_over(&self, committer: Arc<dyn Committer>) -> Arc<Engine> {
        node(&self.world, &self.ids, committer)
    }

    pub(crate) fn id(&self) -> uuid::Uuid {
        self.ids.next()
    }

    /// Another organisation.
    pub(crate) async fn organisation(&self, slug: &str) -> OrganisationId {
        let id = OrganisationId::new(self.id());
        let organisation = Organisation::new(id, slug.to_owned(), slug.to_owned(), START);
        let changes = vec![Change::InsertOrganisation(organisation)];
        self.world.store.commit(Unit { changes, ..Unit::default() }).await.expect("stores");
        id
    }

    /// Puts an object into the directory without asking anybody.
    pub(crate) async fn put(&self, object: impl Into<DirectoryObject>) {
        let object = object.into();
        let organisation = object.organisation();
        let mut changes = vec![Change::PutObject(Box::new(object))];
        if let Some(organisation) = organisation {
            let known = self.world.store.organisation_by_id(organisation).await.expect("reads").expect("exists");
            changes.push(Change::ReviseOrganisation { organisation, revision: known.revision.next() });
        }
        self.world.store.commit(Unit { changes, ..Unit::default() }).await.expect("stores");
    }

    /// The objects of a kind in an organisation.
    pub(crate) async fn objects(&self, kind: ObjectKind) -> Vec<DirectoryObject> {
        let query = ObjectQuery { kind, organisation: Some(self.organisation), which: ObjectSelector::All };
        self.world.store.objects(&query).await.expect("reads")
    }

    /// A new user with a token, who is perhaps a member.
    pub(crate) async fn person(&self, role: Option<MemberRole>) -> Person {
        let id = UserId::new(self.id());
        let user = User {
            id,
            login: None,
            name: format!("User {id}"),
            email: "zoe@example.test".to_owned(),
            created_at: START,
        };
        self.put(user).await;
        let member = match role {
            Some(role) => Some(self.join(id, self.organisation, role).await),
            None => None,
        };
        let (_, token) = self.token(id, None, &[], None).await;
        Person { id, member, token }
    }

    /// Makes a member of a user.
    pub(crate) async fn join(&self, user: UserId, organisation: OrganisationId, role: MemberRole) -> MemberId {
        let id = MemberId::new(self.id());
        self.put(OrganisationMember { id, organisation, user, role, created_at: START }).await;
        id
    }

    /// A token of a user.
    pub(crate) async fn token(
        &self,
        user: UserId,
        organisation: Option<OrganisationId>,
        scopes: &[&str],
        expires: Option<Expiry>,
    ) -> (CredentialId, SecretBytes) {
        let new = self.maker.token().expect("there is randomness");
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let token = Token {
            id: CredentialId::new(self.id()),
            digest: new.digest,
            digest_key_version: new.digest_key_version,
            holder: TokenHolder::User(user),
            organisation,
            name: "made for a test".to_owned(),
            scopes: Scopes::new(scopes).expect("known scopes"),
            created_at: START,
            expires,
        };
        let id = token.id;
        let changes = vec![Change::InsertToken(token)];
        self.world.store.commit(Unit { changes, ..Unit::default() }).await.expect("stores");
        (id, new.token)
    }

    /// A member with a role of one rule: resource type, identities, permissions.
    pub(crate) async fn member_with(&self, resource: &str, identities: &[&str], permissions: &[&str]) -> Person {
        let person = self.person(Some(MemberRole::Member)).await;
        self.bind(BoundTo::User(person.id), resource, identities, permissions).await;
        person
    }

    /// Binds a new role of one rule.
    pub(crate) async fn bind(&self, to: BoundTo, resource: &str, identities: &[&str], permissions: &[&str]) {
        let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
        let rule = Rule {
            id: RuleId::new(self.id()),
            resources: vec![resource.to_owned()],
            resource_identities: owned(identities),
            permissions: owned(permissions),
            note: String::new(),
        };
        let id = RoleId::new(self.id());
        let organisation = self.organisation;
        let role = Role { id, organisation, named: named(&id.to_string()), read_only: false, rules: vec![rule] };
        self.put(role).await;
        let binding = BindingId::new(self.id());
        let named = named(&binding.to_string());
        self.put(Binding { id: binding, organisation, role: id, named, to, projects: Vec::new() }).await;
    }

    /// A service account with an access key.
    pub(crate) async fn service_account(&self, name: &str) -> (ServiceAccountId, Credential) {
        let id = ServiceAccountId::new(self.id());
        let organisation = self.organisation;
        self.put(ServiceAccount { id, organisation, named: named(name), created_by: None }).await;
        let key = self.maker.access_key().expect("there is randomness");
        let credential = strongroom::domain::directory::AccessCredential {
            id: CredentialId::new(self.id()),
            organisation,
            service_account: id,
            name: String::new(),
            description: String::new(),
            access_key: key.access_key.clone(),
            digest: key.digest,
            digest_key_version: key.digest_key_version,
            scopes: Scopes::default(),
            expires: None,
            created_at: START,
        };
        self.put(credential).await;
        (id, Credential::AccessKey { key: key.access_key, secret: key.secret })
    }

    pub(crate) async fn identified(&self, engine: &Engine, credential: &Credential) -> Result<Identified, Error> {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(self.id())));
        engine.authenticate(Some(credential), request).await
    }

    /// A session in the organisation, on a node.
    pub(crate) async fn session_on(&self, engine: &Engine, token: &SecretBytes) -> Result<OrganisationSession, Error> {
        let call = self.identified(engine, &show(token)).await?;
        engine.enter_organisation(call, Some("dev"), Needs::Write, READING).await
    }

    /// A session in the organisation.
    pub(crate) async fn session(&self, person: &Person) -> OrganisationSession {
        self.session_on(&self.engine, &person.token).await.expect("a member")
    }

    /// A session in no organisation.
    pub(crate) async fn identity(&self, credential: &Credential) -> Result<IdentitySession, Error> {
        self.identity_on(&self.engine, credential).await
    }

    /// A session in no organisation, on a node.
    pub(crate) async fn identity_on(&self, engine: &Engine, credential: &Credential) -> Result<IdentitySession, Error> {
        let call = self.identified(engine, credential).await?;
        engine.enter_identity(call, Needs::Write, READING).await
    }

    /// What the last record says: action, outcome, status, decider, resource.
    pub(crate) async fn last_record(&self) -> String {
        let records = self.world.records().await;
        let last = records.last().expect("a record");
        format!(
            "{} {} {} {} {}",
            last.action.as_str(),
            last.outcome.as_str(),
            last.status,
            last.decided_by.as_deref().unwrap_or("-"),
            last.resource.as_ref().map_or("-", |resource| resource.identity.as_str()),
        )
    }
}

pub(crate) fn show(token: &SecretBytes) -> Credential {
    Credential::Token(SecretBytes::copy_of(token.expose()))
}

pub(crate) fn code<T>(outcome: Result<T, Error>) -> Option<Code> {
    crate::support::code(outcome)
}

fn node(world: &World, ids: &Arc<SequentialIds>, committer: Arc<dyn Committer>) -> Arc<Engine> {
    let store = &world.store;
    let root_key = Arc::new(SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("there is randomness"));
    let ports = AccessTokenPorts {
        root_key,
        entropy: Arc::new(OsEntropy),
        ids: ids.clone(),
        setup: store.clone(),
        clock: world.clock.clone(),
    };
    let access_tokens = AccessTokens::new("https://strongroom.example".to_owned(), ports, &[]).expect("no keys");
    let access_tokens = Arc::new(access_tokens);
    let foreign = Arc::new(ForeignTokenVerifier::new(Arc::new(NoNetwork), world.clock.clone(), FetchRules::default()));
    let authenticator = StoreAuthenticator::new(AuthenticatorPorts {
        tokens: store.clone(),
        directory: store.clone(),
        digest: digest(),
        access_tokens: access_tokens.clone(),
        foreign_tokens: foreign.clone(),
        logins: Vec::new(),
    });
    let credentials = CredentialPorts {
        tokens: store.clone(),
        maker: Arc::new(StoreCredentialMaker::new(Arc::new(OsEntropy), digest())),
        issuer: access_tokens,
        foreign,
    };
    let ports = Ports {
        authenticator: Arc::new(authenticator),
        secrets: store.clone(),
        keys: store.clone(),
        tenancy: store.clone(),
        directory: store.clone(),
        setup: store.clone(),
        credentials: Some(credentials),
        answers: store.clone(),
        committer,
        access_log: store.clone(),
        audit_log: store.clone(),
        audit: store.clone(),
        leases: store.clone(),
        kms: HashMap::new(),
        import_keys: None,
        root_keys: None,
        audit_keys: None,
        cipher: Arc::new(Aes256GcmCipher),
        answer_digest: digest(),
        clock: world.clock.clone(),
        ids: ids.clone(),
        entropy: Arc::new(OsEntropy),
    };
    Arc::new(Engine::new(ports, Limits::default()))
}
