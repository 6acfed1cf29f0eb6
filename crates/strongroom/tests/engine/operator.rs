//! The operator: organisations, gates, regions.

use crate::iam::support::{House, REGION};
use crate::support::{bytes, code, path};
use async_trait::async_trait;
use std::sync::{Arc, OnceLock};
use strongroom::domain::audit::{Action, AuditRecord, RequestInfo};
use strongroom::domain::directory::MemberRole;
use strongroom::domain::id::{CredentialId, RequestId, UserId};
use strongroom::domain::port::{AuthenticateError, Authenticated, Authenticator, Credential, IdGenerator};
use strongroom::domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom::domain::time::Timestamp;
use strongroom::domain::value::SecretBytes;
use strongroom::iam::memberships::NewMember;
use strongroom::iam::users::NewUser;
use strongroom::secret::MetadataPatch;
use strongroom::system::{
    FirstOwner, GateChanges, NewOrganisation, NewRegion, OperatorSession, OrganisationPatch, RegionChanges,
};
use strongroom::{Code, CredentialPorts, Engine, Error, Identified, Limits, Needs, Ports, Service, Target};
use strongroom_auth::{
    AccessTokenPorts, AccessTokens, AuthenticatorPorts, FetchError, FetchRules, ForeignTokenVerifier, JwksFetcher,
    StoreAuthenticator, StoreCredentialMaker,
};
use strongroom_crypto::{HmacSha256Digest, OsEntropy};
use strongroom_root_key::SoftwareRootKey;
use uuid::Uuid;

/// Nothing is fetched here.
struct NoNetwork;

#[async_trait]
impl JwksFetcher for NoNetwork {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        Err(FetchError(format!("{url} is out of reach")))
    }
}

/// Knows the operator, whoever gives a user's identity, and the tokens of the store.
struct Door(StoreAuthenticator);

#[async_trait]
impl Authenticator for Door {
    async fn authenticate(&self, shown: &Credential, at: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let text = match shown {
            Credential::Token(token) => core::str::from_utf8(token.expose()).unwrap_or_default(),
            Credential::AccessKey { .. } => return Err(AuthenticateError::Refused),
        };
        let id = CredentialId::new(Uuid::from_u128(5));
        let caller =
            |principal, scopes, reach| Ok(Authenticated::Caller(Arc::new(Caller::new(principal, id, scopes, reach))));
        match (text, text.parse::<UserId>()) {
            ("operator", _) => caller(Principal::Operator(id), CredentialScopes::ALL, Reach::Given(Vec::new())),
            ("reading operator", _) => {
                let scopes = CredentialScopes { read: true, write: false };
                caller(Principal::Operator(id), scopes, Reach::Given(Vec::new()))
            }
            (_, Ok(user)) => caller(Principal::User(user), CredentialScopes::ALL, Reach::Memberships),
            _ => self.0.authenticate(shown, at).await,
        }
    }

    fn forget(&self, token: &Token) {
        self.0.forget(token);
    }
}

fn digest() -> Arc<HmacSha256Digest> {
    Arc::new(HmacSha256Digest::new(&bytes(&[9; 32]), 1))
}

struct Site {
    house: House,
    engine: Arc<Engine>,
}

const TARGET: Target<'static> = Target { action: Action::SystemOrganisationRead, resource: None };

impl Site {
    async fn new() -> Self {
        let ports: OnceLock<Ports> = OnceLock::new();
        let house = House::with(|it| assert!(ports.set(it.clone()).is_ok())).await;
        let (store, ids) = (&house.store, &house.ids);
        let root_key = Arc::new(SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("there is randomness"));
        let of_tokens = AccessTokenPorts {
            root_key,
            entropy: Arc::new(OsEntropy),
            ids: ids.clone(),
            setup: store.clone(),
            clock: house.clock.clone(),
        };
        let issuer = AccessTokens::new("https://strongroom.example".to_owned(), of_tokens, &[]).expect("no keys");
        let issuer = Arc::new(issuer);
        let rules = FetchRules::default();
        let foreign = Arc::new(ForeignTokenVerifier::new(Arc::new(NoNetwork), house.clock.clone(), rules));
        let authenticator = StoreAuthenticator::new(AuthenticatorPorts {
            tokens: store.clone(),
            directory: store.clone(),
            digest: digest(),
            access_tokens: issuer.clone(),
            foreign_tokens: foreign.clone(),
            logins: Vec::new(),
        });
        let maker = Arc::new(StoreCredentialMaker::new(Arc::new(OsEntropy), digest()));
        let ports = Ports {
            authenticator: Arc::new(Door(authenticator)),
            credentials: Some(CredentialPorts { tokens: store.clone(), maker, issuer, foreign }),
            ..ports.into_inner().expect("set")
        };
        let engine = Arc::new(Engine::new(ports, Limits::default()));
        Self { house, engine }
    }

    async fn identified(&self, token: &SecretBytes) -> Identified {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(self.house.ids.next())));
        let credential = Credential::Token(SecretBytes::copy_of(token.expose()));
        self.engine.authenticate(Some(&credential), request).await.expect("known")
    }

    async fn enter(&self, token: &str, needs: Needs) -> Result<OperatorSession, Error> {
        let call = self.identified(&bytes(token.as_bytes())).await;
        self.engine.enter_operator(call, needs, TARGET).await
    }

    async fn operator(&self) -> OperatorSession {
        self.enter("operator", Needs::Write).await.expect("the operator")
    }

    /// A call of somebody to a service of an organisation.
    async fn call(&self, token: &SecretBytes, organisation: &str, service: Service) -> Result<(), Error> {
        let call = self.identified(token).await;
        let session = self.engine.enter_organisation(call, Some(organisation), Needs::Write, TARGET).await?;
        self.engine.enter(session, service, REGION, None, TARGET).await.map(drop)
    }

    async fn last_record(&self) -> AuditRecord {
        self.house.records().await.pop().expect("a record")
    }
}

fn organisation(name: &str, owner: FirstOwner) -> NewOrganisation {
    NewOrganisation { name: name.to_owned(), slug: None, owner }
}

fn zoe() -> FirstOwner {
    FirstOwner::New(NewUser { name: "Zoe".to_owned(), email: "zoe@example.test".to_owned() })
}

#[tokio::test]
async fn nobody_else_is_the_operator() {
    let site = Site::new().await;
    assert!(site.enter("operator", Needs::Write).await.is_ok());
    assert!(site.enter("reading operator", Needs::Read).await.is_ok());
    assert_eq!(code(site.enter("reading operator", Needs::Write).await), Some(Code::InsufficientScope));
    let owner = site.house.owner.to_string();
    assert_eq!(code(site.enter(&owner, Needs::Read).await), Some(Code::Forbidden));
    let record = site.last_record().await;
    assert_eq!((record.action, record.status, record.organisation), (Action::SystemOrganisationRead, 403, None));
    assert_eq!(record.principal, Some(Principal::User(site.house.owner)));
}

#[tokio::test]
async fn the_operator_is_a_member_of_nothing() {
    let site = Site::new().await;
    let house = site.house.id.to_string();
    let refusal = async |name: Option<&str>| {
        let call = site.identified(&bytes(b"operator")).await;
        let error = site.engine.enter_organisation(call, name, Needs::Read, TARGET).await.err().expect("refused");
        (error.code(), error.to_string())
    };
    let stranger = refusal(Some("no such")).await;
    assert_eq!(stranger.0, Code::OrganisationDenied);
    for name in [Some(house.as_str()), Some("house"), None] {
        assert_eq!(refusal(name).await, stranger, "{name:?}");
    }
    assert_eq!(site.last_record().await.status, 403);
}

#[tokio::test]
async fn a_new_organisation_and_its_owner_can_work_at_once() {
    let site = Site::new().await;
    let operator = site.operator().await;
    let made = site.engine.create_organisation(&operator, organisation("Big Shop", zoe())).await.expect("makes");
    assert_eq!((made.organisation.slug.as_str(), made.owner.name.as_str()), ("big-shop", "Zoe"));
    let record = site.last_record().await;
    assert_eq!((record.action, record.status), (Action::SystemOrganisationCreate, 201));
    assert_eq!(record.organisation, Some(made.organisation.id));

    let token = made.token.expect("the owner is new");
    let call = site.identified(&token).await;
    let session = site.engine.enter_organisation(call, None, Needs::Write, TARGET).await.expect("their only one");
    assert_eq!(session.organisation().id, made.organisation.id);
    let roles = site.engine.list_roles(&session).await.expect("an owner");
    assert!(roles.iter().any(|role| role.named.name == "org-admin" && role.read_only));
    assert!(site.call(&token, "big-shop", Service::Secrets).await.is_ok());
    assert_eq!(code(site.call(&token, "house", Service::Secrets).await), Some(Code::OrganisationDenied));

    // Somebody who is known gets no token.
    let known = FirstOwner::Known(made.owner.id);
    let second = site.engine.create_organisation(&operator, organisation("Second", known)).await.expect("makes");
    assert!(second.token.is_none());
    let owner = bytes(made.owner.id.to_string().as_bytes());
    assert!(site.call(&owner, "second", Service::Kms).await.is_ok());
    // The operator has seen the token, so it opens nothing else.
    assert_eq!(code(site.call(&token, "second", Service::Kms).await), Some(Code::OrganisationDenied));
}

#[tokio::test]
async fn organisations_that_are_not_made() {
    let site = Site::new().await;
    let operator = site.operator().await;
    let refused = async |new: NewOrganisation| {
        let outcome = site.engine.create_organisation(&operator, new).await;
        let code = code(outcome.map(drop));
        let record = site.last_record().await;
        assert_eq!(record.action, Action::SystemOrganisationCreate);
        assert_eq!(Some(record.status), code.map(Code::status));
        code
    };
    assert_eq!(refused(organisation("house", zoe())).await, Some(Code::ObjectExists));
    assert_eq!(refused(organisation("", zoe())).await, Some(Code::InvalidRequest));
    let with_slug = |slug: &str| NewOrganisation { slug: Some(slug.to_owned()), ..organisation("New", zoe()) };
    for slug in ["", "New", "a_b", "a--b", "-a", "a/b"] {
        assert_eq!(refused(with_slug(slug)).await, Some(Code::InvalidRequest), "{slug}");
    }
    let nobody = FirstOwner::Known(UserId::new(Uuid::from_u128(77)));
    assert_eq!(refused(organisation("New", nobody)).await, Some(Code::ObjectNotFound));
    let nameless = FirstOwner::New(NewUser { name: String::new(), email: String::new() });
    assert_eq!(refused(organisation("New", nameless)).await, Some(Code::InvalidRequest));
    assert_eq!(site.engine.list_organisations(&operator).await.expect("lists").len(), 1);
    // Where no tokens can be made, a known owner still can be named.
    let made = site.house.engine.create_organisation(&operator, organisation("New", zoe())).await;
    assert_eq!(code(made.map(drop)), Some(Code::NoCredentials));
    let owner = FirstOwner::Known(site.house.owner);
    assert!(site.house.engine.create_organisation(&operator, organisation("New", owner)).await.is_ok());
}

#[tokio::test]
async fn gates_take_effect_on_this_node_at_once() {
    let site = Site::new().await;
    let operator = site.operator().await;
    let owner = bytes(site.house.owner.to_string().as_bytes());
    let outcome = async |service| code(site.call(&owner, "house", service).await);
    let set = async |changes| site.engine.set_gates(&operator, "house", changes).await.expect("sets");
    assert_eq!(outcome(Service::Secrets).await, None, "now it is kept");
    let after = set(GateChanges { secrets: Some(false), ..GateChanges::default() }).await;
    assert_eq!(
        (after.gates.secrets, after.gates.kms, after.gates.projects, after.object_version),
        (false, true, true, 2)
    );
    assert_eq!(outcome(Service::Secrets).await, Some(Code::FeatureDisabled));
    assert_eq!(outcome(Service::Kms).await, None);
    let record = site.house.records().await.into_iter().rfind(|it| it.action == Action::SystemOrganisationUpdate);
    assert_eq!(record.and_then(|it| it.organisation), Some(site.house.id));
    set(GateChanges { kms: Some(false), ..GateChanges::default() }).await;
    assert_eq!(outcome(Service::Kms).await, Some(Code::FeatureDisabled));
    let open = GateChanges { secrets: Some(true), kms: Some(true), projects: Some(true) };
    let opened = set(open).await;
    assert_eq!(outcome(Service::Secrets).await, None);
    // What is that way already changes nothing, and is recorded.
    let records = site.house.records().await.len();
    assert_eq!(set(open).await, opened);
    assert_eq!(site.house.records().await.len(), records + 1);
    let unknown = site.engine.set_gates(&operator, "nowhere", open).await;
    assert_eq!(code(unknown), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn an_organisation_is_read_and_changed() {
    let site = Site::new().await;
    let operator = site.operator().await;
    let id = site.house.id.to_string();
    let before = site.engine.get_organisation(&operator, &id).await.expect("is there");
    assert_eq!(site.last_record().await.organisation, Some(site.house.id));
    assert_eq!(site.engine.get_organisation(&operator, "house").await.ok(), Some(before.clone()));
    assert_eq!(code(site.engine.get_organisation(&operator, "nowhere").await), Some(Code::ObjectNotFound));
    let description = Some(Some("Where we live".to_owned()));
    let metadata = MetadataPatch { description, ..MetadataPatch::default() };
    let patch = OrganisationPatch { name: Some("Home".to_owned()), metadata };
    let after = site.engine.update_organisation(&operator, &id, patch).await.expect("changes");
    assert_eq!(
        (after.name.as_str(), after.slug.as_str(), after.metadata.description()),
        ("Home", "house", "Where we live")
    );
    assert!(after.updated_at.is_some() && after.revision > before.revision && after.gates == before.gates);
    assert_eq!(site.engine.get_organisation(&operator, &id).await.ok(), Some(after));
    let nameless = OrganisationPatch { name: Some(" ".to_owned()), ..OrganisationPatch::default() };
    assert_eq!(code(site.engine.update_organisation(&operator, &id, nameless).await), Some(Code::InvalidRequest));
    assert_eq!(site.last_record().await.status, 400);
}

#[tokio::test]
async fn a_new_region_has_no_kms_until_it_is_configured() {
    let site = Site::new().await;
    let operator = site.operator().await;
    let new =
        |name: &str| NewRegion { name: name.to_owned(), slug: None, description: String::new(), kms_enabled: true };
    let made = site.engine.create_region(&operator, new("DE 01")).await.expect("makes");
    assert_eq!((made.region.slug.as_str(), made.region.kms_enabled, made.kms_available), ("de-01", true, false));
    assert_eq!(code(site.engine.create_region(&operator, new("de-01")).await), Some(Code::ObjectExists));
    assert_eq!(code(site.engine.create_region(&operator, new("")).await), Some(Code::InvalidRequest));
    let regions = site.engine.list_regions(&operator).await.expect("lists");
    let shown: Vec<_> = regions.iter().map(|view| (view.region.slug.as_str(), view.kms_available)).collect();
    assert_eq!(shown, [("de-01", false), (REGION, true)]);

    let owner = bytes(site.house.owner.to_string().as_bytes());
    let enter = async |region: &str| {
        let session = site.engine.enter_organisation(site.identified(&owner).await, None, Needs::Write, TARGET).await?;
        site.engine.enter(session, Service::Secrets, region, None, TARGET).await
    };
    // Metadata works, keys don't.
    let session = enter("de-01").await.expect("a region");
    let described = site.engine.describe(&session, path("/a")).await.expect("allowed").run(None).await;
    assert_eq!(code(described), Some(Code::SecretNotFound));
    assert_eq!(
        code(site.engine.keys(&session).await.expect("allowed").run_unmatched().await),
        Some(Code::KmsNotConfigured)
    );

    // Switching one off takes effect on this node at once.
    let keys = async || {
        let session = enter(REGION).await.expect("a region");
        code(site.engine.keys(&session).await.expect("allowed").run_unmatched().await)
    };
    assert_eq!(keys().await, None);
    let off = RegionChanges { kms_enabled: Some(false), ..RegionChanges::default() };
    let after = site.engine.update_region(&operator, REGION, off).await.expect("changes");
    assert_eq!((after.region.kms_enabled, after.kms_available), (false, false));
    assert_eq!(keys().await, Some(Code::KmsNotConfigured));
    let on = RegionChanges { name: Some("Here".to_owned()), kms_enabled: Some(true), description: None };
    let after = site.engine.update_region(&operator, &after.region.id.to_string(), on).await.expect("changes");
    assert_eq!((after.region.name.as_str(), after.region.slug.as_str(), after.kms_available), ("Here", REGION, true));
    assert_eq!(keys().await, None);
    assert_eq!(after.region.object_version, 3);
    let same = site.engine.update_region(&operator, REGION, RegionChanges::default()).await.expect("nothing to do");
    assert_eq!((same.region.object_version, same.region.updated_at), (3, after.region.updated_at));
    let unknown = site.engine.update_region(&operator, "nowhere", RegionChanges::default()).await;
    assert_eq!(code(unknown), Some(Code::RegionNotFound));
    let actions: Vec<_> = site.house.records().await.iter().map(|it| (it.action.as_str(), it.status)).collect();
    for expected in [
        ("system.region.create", 201),
        ("system.region.create", 409),
        ("system.region.update", 200),
        ("system.region.update", 404),
    ] {
        assert!(actions.contains(&expected), "{expected:?}");
    }
}

#[tokio::test]
async fn the_operator_adds_anybody() {
    let site = Site::new().await;
    let operator = site.operator().await;
    let new = organisation("Shop", FirstOwner::Known(site.house.owner));
    let shop = site.engine.create_organisation(&operator, new).await.expect("makes").organisation;
    let zoe = site.house.member("zoe", MemberRole::Member).await;
    let token = bytes(zoe.to_string().as_bytes());
    assert_eq!(code(site.call(&token, "shop", Service::Secrets).await), Some(Code::OrganisationDenied));
    let new = NewMember { user: zoe, role: MemberRole::Member };
    let owner = NewMember { role: MemberRole::Owner, ..new };
    assert_eq!(code(site.engine.admit_member(&operator, "shop", owner).await), Some(Code::Escalation), "a way in");
    let view = site.engine.admit_member(&operator, "shop", new).await.expect("adds");
    assert_eq!((view.user.id, view.member.organisation, view.member.role), (zoe, shop.id, MemberRole::Member));
    let record = site.last_record().await;
    assert_eq!((record.action, record.status, record.organisation), (Action::IamMemberCreate, 201, Some(shop.id)));
    assert_eq!(record.principal, Some(operator.caller().principal));
    site.call(&token, "shop", Service::Secrets).await.expect("at once");
    assert_eq!(code(site.engine.admit_member(&operator, "shop", new).await), Some(Code::ObjectExists));
    let unknown = NewMember { user: UserId::new(Uuid::from_u128(9)), ..new };
    assert_eq!(code(site.engine.admit_member(&operator, "shop", unknown).await), Some(Code::ObjectNotFound));
    let record = site.last_record().await;
    assert_eq!((record.action, record.status, record.organisation), (Action::IamMemberCreate, 404, Some(shop.id)));
    assert_eq!(code(site.engine.admit_member(&operator, "nowhere", new).await), Some(Code::ObjectNotFound));
}
