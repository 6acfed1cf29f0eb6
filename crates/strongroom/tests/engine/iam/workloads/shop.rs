//! A house whose workloads have credentials: real access keys and access tokens, and foreign tokens that are plain words.

use crate::iam::support::House;
use crate::support::bytes;
use async_trait::async_trait;
use core::ops::Deref;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use strongroom::domain::audit::{Action, RequestInfo};
use strongroom::domain::directory::{
    AudienceMatch, BoundTo, FederatedIdentityStatus, IdentityProvider, ProviderStatus, Scopes, SubjectPattern,
};
use strongroom::domain::document::Document;
use strongroom::domain::id::{CredentialId, ProviderId, RequestId, ServiceAccountId, UserId};
use strongroom::domain::metadata::Metadata;
use strongroom::domain::port::{
    AuthenticateError, Authenticated, Authenticator, CommitError, CommitErrorKind, Committer, Credential,
    ForeignClaims, ForeignTokenError, ForeignTokens, IdGenerator, SetupReader, TokenIssuer,
};
use strongroom::domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::{Change, Unit};
use strongroom::domain::value::SecretBytes;
use strongroom::iam::federated_identities::{FederatedIdentityView, NewFederatedIdentity};
use strongroom::iam::identity_providers::NewIdentityProvider;
use strongroom::oidc::{ClientCredentials, IssuedAccessToken, TokenExchange};
use strongroom::{CredentialPorts, Engine, Error, Identified, Needs, OrganisationSession, Ports, Target};
use strongroom_auth::{
    AccessTokenPorts, AccessTokens, AuthenticatorPorts, FetchError, FetchRules, ForeignTokenVerifier, JwksFetcher,
    StoreAuthenticator, StoreCredentialMaker,
};
use strongroom_crypto::{HmacSha256Digest, OsEntropy};
use strongroom_root_key::SoftwareRootKey;
use strongroom_store_memory::MemoryStore;

/// Foreign tokens are words: issuer, subject, audiences separated by commas, and claims as `name=value`.
pub(crate) struct Words;

#[async_trait]
impl ForeignTokens for Words {
    fn issuer(&self, token: &SecretBytes) -> Option<String> {
        let (issuer, _) = core::str::from_utf8(token.expose()).ok()?.split_once(' ')?;
        Some(issuer.to_owned())
    }

    async fn verify(
        &self,
        provider: &IdentityProvider,
        token: &SecretBytes,
        at: Timestamp,
    ) -> Result<ForeignClaims, ForeignTokenError> {
        if provider.issuer.contains("down") {
            return Err(ForeignTokenError::Unavailable("https://down/keys does not answer".to_owned()));
        }
        let text = core::str::from_utf8(token.expose()).expect("text");
        let mut words = text.split(' ');
        assert_eq!(words.next(), Some(provider.issuer.as_str()));
        let subject = words.next().unwrap_or_default().to_owned();
        let audiences: Vec<_> = words.next().unwrap_or_default().split(',').map(str::to_owned).collect();
        let claim = |word: &str| {
            let (name, value) = word.split_once('=')?;
            let value = value.parse().map_or_else(|_| Document::Text(value.to_owned()), Document::Integer);
            Some((name.to_owned(), value))
        };
        let claims: Vec<_> = words.filter_map(claim).collect();
        if claims.iter().any(|(name, _)| name == "forged") {
            return Err(ForeignTokenError::Refused("its signature is wrong".to_owned()));
        }
        Ok(ForeignClaims { subject, audiences, expires_at: at.plus_seconds(60), claims })
    }

    fn check(&self, local_jwks: Option<&str>, jwks_uri: Option<&str>, _: &str) -> Result<(), String> {
        match (local_jwks, jwks_uri) {
            (Some("bad"), _) => Err("`localJwks` is no set".to_owned()),
            (_, Some(uri)) if !uri.starts_with("https://") => Err("`providerJwksUri` is no https URL".to_owned()),
            _ => Ok(()),
        }
    }
}

struct NoNetwork;

#[async_trait]
impl JwksFetcher for NoNetwork {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        Err(FetchError(format!("{url} is out of reach")))
    }
}

/// Access keys and access tokens are checked; users are believed.
struct Both {
    people: Arc<dyn Authenticator>,
    workloads: StoreAuthenticator,
}

#[async_trait]
impl Authenticator for Both {
    async fn authenticate(&self, credential: &Credential, at: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let id = CredentialId::new(uuid::Uuid::from_u128(5));
        match credential {
            Credential::Token(token) if token.expose() == b"operator" => {
                let (operator, reach) = (Principal::Operator(id), Reach::Given(Vec::new()));
                Ok(Authenticated::Caller(Arc::new(Caller::new(operator, id, CredentialScopes::ALL, reach))))
            }
            Credential::Token(token) if !token.expose().contains(&b'.') => {
                self.people.authenticate(credential, at).await
            }
            _ => self.workloads.authenticate(credential, at).await,
        }
    }

    fn forget(&self, token: &Token) {
        self.workloads.forget(token);
    }
}

/// A store that takes nothing while it is broken.
pub(crate) struct Switch {
    store: Arc<MemoryStore>,
    pub(crate) broken: AtomicBool,
}

#[async_trait]
impl Committer for Switch {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(CommitError::new(CommitErrorKind::Unavailable, "told to fail"));
        }
        self.store.commit(unit).await
    }
}

pub(crate) struct Shop {
    pub(crate) house: House,
    pub(crate) switch: Arc<Switch>,
    pub(crate) issuer: Arc<AccessTokens>,
    /// Another node over the same store.
    pub(crate) other_node: Arc<Engine>,
}

impl Deref for Shop {
    type Target = House;

    fn deref(&self) -> &House {
        &self.house
    }
}

pub(crate) const ISSUER: &str = "https://ci.example/";
pub(crate) const WORKLOAD: &[(&str, &[&str], &[&str])] = &[("secret", &["/app/*"], &["read", "getSecretValue"])];

impl Shop {
    pub(crate) async fn new() -> Self {
        let mut ports = None;
        let mut house = House::with(|made| ports = Some(made.clone())).await;
        let mut ports: Ports = ports.expect("made");
        let digest = || Arc::new(HmacSha256Digest::new(&bytes(&[9; 32]), 1));
        let store = Arc::clone(&house.store);
        let root_key = Arc::new(SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("there is randomness"));
        let (ids, clock) = (house.ids.clone(), house.clock.clone());
        let issuer = || {
            let (root_key, ids, setup, clock) = (root_key.clone(), ids.clone(), store.clone(), clock.clone());
            let with = AccessTokenPorts { root_key, entropy: Arc::new(OsEntropy), ids, setup, clock };
            Arc::new(AccessTokens::new("https://strongroom.example".to_owned(), with, &[]).expect("no keys"))
        };
        let (issuer, other_issuer) = (issuer(), issuer());
        let key = issuer.next_key().expect("makes a key");
        store.commit(Unit { changes: vec![Change::InsertInstanceKey(key)], ..Unit::default() }).await.expect("stores");
        let keys = store.instance_keys().await.expect("reads");
        let switch = Arc::new(Switch { store: Arc::clone(&house.store), broken: AtomicBool::new(false) });
        ports.committer = switch.clone();
        let rules = FetchRules::default();
        let node = |issuer: &Arc<AccessTokens>| {
            issuer.adopt(&keys).expect("its own keys");
            let workloads = StoreAuthenticator::new(AuthenticatorPorts {
                tokens: store.clone(),
                directory: store.clone(),
                digest: digest(),
                access_tokens: issuer.clone(),
                foreign_tokens: Arc::new(ForeignTokenVerifier::new(Arc::new(NoNetwork), house.clock.clone(), rules)),
                logins: Vec::new(),
            });
            let mut ports = ports.clone();
            ports.authenticator = Arc::new(Both { people: ports.authenticator, workloads });
            ports.credentials = Some(CredentialPorts {
                tokens: store.clone(),
                maker: Arc::new(StoreCredentialMaker::new(Arc::new(OsEntropy), digest())),
                issuer: issuer.clone(),
                foreign: Arc::new(Words),
            });
            Arc::new(Engine::new(ports, strongroom::Limits::default()))
        };
        let (engine, other_node) = (node(&issuer), node(&other_issuer));
        house.engine = engine;
        Self { house, switch, issuer, other_node }
    }

    pub(crate) fn request(&self) -> Arc<RequestInfo> {
        Arc::new(RequestInfo::embedded(RequestId::new(self.ids.next())))
    }

    pub(crate) async fn owner(&self) -> OrganisationSession {
        self.by(self.owner).await
    }

    /// A member who may do everything with service accounts, providers and federated identities, and nothing else.
    pub(crate) async fn keeper(&self) -> UserId {
        let kinds = ["service_account", "federated_identity_provider", "federated_identity"];
        let rules: Vec<(&str, &[&str], &[&str])> = kinds.iter().map(|kind| (*kind, &[][..], &["*"][..])).collect();
        self.member_with("keeper", &rules).await
    }

    /// A service account that may read secrets.
    pub(crate) async fn workload(&self, name: &str) -> ServiceAccountId {
        let account = self.service_account(name).await;
        let role = self.role(&format!("role of {name}"), WORKLOAD).await;
        self.bind(&role, BoundTo::ServiceAccount(account), &[]).await;
        account
    }

    /// A provider that the owner makes.
    pub(crate) async fn provider(&self, issuer: &str) -> ProviderId {
        let new = provider(issuer);
        let owner = self.owner().await;
        let operation = self.engine.create_identity_provider(&owner).await.expect("may");
        operation.run(new).await.expect("makes").provider.id
    }

    /// A federated identity that the owner makes.
    pub(crate) async fn federate(&self, new: NewFederatedIdentity) -> FederatedIdentityView {
        let owner = self.owner().await;
        self.engine.create_federated_identity(&owner).await.expect("may").run(new).await.expect("makes")
    }

    pub(crate) async fn token(&self, key: &str, secret: &SecretBytes) -> Result<IssuedAccessToken, Error> {
        self.scoped_token(key, secret, &[]).await
    }

    pub(crate) async fn scoped_token(
        &self,
        key: &str,
        secret: &SecretBytes,
        scopes: &[&str],
    ) -> Result<IssuedAccessToken, Error> {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let client = ClientCredentials { key: key.to_owned(), secret: bytes(secret.expose()), scopes };
        self.engine.issue_access_token(Some(client), &self.request()).await?.run().await
    }

    pub(crate) async fn exchange(&self, token: &str, account: &str) -> Result<IssuedAccessToken, Error> {
        self.exchange_with(token, account, |_| {}).await
    }

    pub(crate) async fn exchange_with(
        &self,
        token: &str,
        account: &str,
        change: impl FnOnce(&mut TokenExchange),
    ) -> Result<IssuedAccessToken, Error> {
        let mut exchange = TokenExchange {
            subject_token: bytes(token.as_bytes()),
            organisation: "house".to_owned(),
            service_account: account.to_owned(),
            lifetime: None,
            scopes: Vec::new(),
        };
        change(&mut exchange);
        self.engine.exchange_token(exchange, &self.request()).await?.run().await
    }

    /// Who calls with a token.
    pub(crate) async fn caller(&self, token: &SecretBytes) -> Result<Identified, Error> {
        let credential = Credential::Token(bytes(token.expose()));
        self.engine.authenticate(Some(&credential), self.request()).await
    }

    /// A call with a token, in the organisation.
    pub(crate) async fn works(&self, token: &SecretBytes) -> Result<OrganisationSession, Error> {
        let target = Target { action: Action::SecretRead, resource: None };
        let call = self.caller(token).await?;
        self.engine.enter_organisation(call, None, Needs::Read, target).await
    }

    /// What the last record says: action, outcome, status, and the kind and identity of what it is about.
    pub(crate) async fn last(&self) -> String {
        let records = self.records().await;
        let last = records.last().expect("a record");
        assert!(last.organisation.is_none() || last.organisation == Some(self.id));
        let resource =
            last.resource.as_ref().map_or(String::new(), |it| format!("{} {}", it.kind.as_str(), it.identity));
        format!("{} {} {} {resource}", last.action.as_str(), last.outcome.as_str(), last.status)
    }
}

pub(crate) fn provider(issuer: &str) -> NewIdentityProvider {
    NewIdentityProvider {
        name: "CI".to_owned(),
        metadata: Metadata::default(),
        issuer: issuer.to_owned(),
        jwks_uri: None,
        local_jwks: None,
        status: ProviderStatus::Active,
    }
}

pub(crate) fn federated(account: ServiceAccountId, provider: ProviderId) -> NewFederatedIdentity {
    NewFederatedIdentity {
        name: "Deploys".to_owned(),
        metadata: Metadata::default(),
        service_account: account,
        provider,
        subject: SubjectPattern::new("repo:shop/*".to_owned()).expect("legal"),
        audiences: vec!["strongroom".to_owned()],
        audience_match: AudienceMatch::Any,
        scopes: Scopes::default(),
        status: FederatedIdentityStatus::Active,
        expires: None,
        conditions: Vec::new(),
    }
}

pub(crate) fn scopes(list: &[&str]) -> Scopes {
    Scopes::new(list.iter().map(|scope| (*scope).to_owned()).collect()).expect("known")
}

/// As its own credential, which a token of a federated identity names.
pub(crate) fn credential_of(view: &FederatedIdentityView) -> CredentialId {
    CredentialId::new(view.identity.id.uuid())
}
