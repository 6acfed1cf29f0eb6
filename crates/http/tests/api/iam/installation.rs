//! A store that was set up, as a server would: with an organisation, its owner, and real tokens.

use crate::documented;
use crate::support::Reply;
use crate::wrapping::FixedWrappingKey;
use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use std::sync::Arc;
use strongroom::setup::{FirstTokens, SetUp, set_up};
use strongroom::{AuditKeyPorts, CredentialPorts, Engine, Limits, Ports};
use strongroom_auth::{
    AccessTokenPorts, AccessTokens, AuthenticatorPorts, FetchError, FetchRules, ForeignTokenVerifier, JwksFetcher,
    LoginIssuer, StoreAuthenticator, StoreCredentialMaker,
};
use strongroom_crypto::{Aes256GcmCipher, Ed25519Verifier, HmacSha256Digest, OsEntropy};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::id::StreamId;
use strongroom_domain::port::{AuditReader, CredentialMaker, Kms, RootKeys};
use strongroom_domain::root_key::InstanceKeyPurpose;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_http::{Api, Settings};
use strongroom_kms_memory::MemoryKms;
use strongroom_root_key::{InstanceKeys, RootKeyRing, SoftwareRootKey};
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{ManualClock, SequentialIds};
use uuid::Uuid;

pub(crate) const START: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

/// Nothing is fetched here.
struct NoNetwork;

#[async_trait]
impl JwksFetcher for NoNetwork {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        Err(FetchError(format!("{url} is out of reach")))
    }
}

pub(crate) struct Installation {
    pub(crate) api: Api,
    pub(crate) owner: String,
    pub(crate) operator: String,
    pub(crate) engine: Arc<Engine>,
    store: Arc<MemoryStore>,
}

pub(crate) fn text(token: &SecretBytes) -> String {
    String::from_utf8(token.expose().to_vec()).expect("tokens are text")
}

impl Installation {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::by(ManualClock::jumping(START), settings, Arc::new(NoNetwork), Vec::new()).await
    }

    /// Takes logins of these issuers; their keys are had from `fetcher`.
    pub(crate) async fn trusting(fetcher: Arc<dyn JwksFetcher>, logins: Vec<LoginIssuer>) -> Self {
        // A fetch has a deadline, which must not have come at once.
        Self::by(ManualClock::new(START), Settings::default(), fetcher, logins).await
    }

    async fn by(
        clock: ManualClock,
        settings: Settings,
        fetcher: Arc<dyn JwksFetcher>,
        logins: Vec<LoginIssuer>,
    ) -> Self {
        let (clock, ids) = (Arc::new(clock), Arc::new(SequentialIds::of_node(8)));
        let digest = Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[9; 32]), 1));
        let maker = Arc::new(StoreCredentialMaker::new(Arc::new(OsEntropy), digest.clone()));
        let root_key = SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("there is randomness");
        let root_keys = Arc::new(RootKeyRing::of(root_key));
        let (keys, mut instance_keys) =
            InstanceKeys::generate(root_keys.as_ref(), &OsEntropy).expect("there is randomness");
        instance_keys.retain(|key| key.purpose == InstanceKeyPurpose::AuditSigning);
        let audit_keys = Arc::new(keys.audit_keys(root_keys.clone(), Arc::new(OsEntropy), None).expect("just made"));
        let store = Arc::new(MemoryStore::new(audit_keys.clone(), StreamId::new(Uuid::nil())));
        let what = SetUp {
            key_check: root_keys.check_of(root_keys.current()).expect("it is in the ring"),
            instance_keys,
            organisation: "Dev".to_owned(),
            regions: vec!["nl-01".to_owned()],
        };
        let token = || maker.token().expect("there is randomness");
        let tokens = FirstTokens { owner: token(), operator: token() };
        let made = set_up(store.as_ref(), ids.as_ref(), START, what, &tokens).await.expect("an empty store");
        let kms: Arc<dyn Kms> = Arc::new(MemoryKms::new(Arc::new(OsEntropy)));
        let kms = made.regions.iter().map(|region| (region.id, Arc::clone(&kms))).collect();

        let ports = AccessTokenPorts {
            root_key: root_keys.clone(),
            entropy: Arc::new(OsEntropy),
            ids: ids.clone(),
            setup: store.clone(),
            clock: clock.clone(),
        };
        let issuer = Arc::new(AccessTokens::new("https://room.example".to_owned(), ports, &[]).expect("no keys"));
        let foreign = Arc::new(ForeignTokenVerifier::new(fetcher, clock.clone(), FetchRules::default()));
        let authenticator = StoreAuthenticator::new(AuthenticatorPorts {
            tokens: store.clone(),
            directory: store.clone(),
            digest: digest.clone(),
            access_tokens: issuer.clone(),
            foreign_tokens: foreign.clone(),
            logins,
        });
        let credentials = CredentialPorts { tokens: store.clone(), maker: maker.clone(), issuer, foreign };
        let ports = Ports {
            authenticator: Arc::new(authenticator),
            secrets: store.clone(),
            keys: store.clone(),
            tenancy: store.clone(),
            directory: store.clone(),
            setup: store.clone(),
            credentials: Some(credentials),
            answers: store.clone(),
            committer: store.clone(),
            access_log: store.clone(),
            audit_log: store.clone(),
            audit: store.clone(),
            leases: store.clone(),
            kms,
            import_keys: Some(Arc::new(FixedWrappingKey)),
            root_keys: Some(root_keys),
            audit_keys: Some(AuditKeyPorts { keys: audit_keys, verifier: Arc::new(Ed25519Verifier) }),
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: digest,
            clock: clock.clone(),
            ids: ids.clone(),
            entropy: Arc::new(OsEntropy),
        };
        let engine = Arc::new(Engine::new(ports, Limits::default()));
        let api = Api::new(Arc::clone(&engine), ids, clock, settings);
        documented::learn(&api).await;
        let (owner, operator) = (text(&tokens.owner.token), text(&tokens.operator.token));
        Self { api, owner, operator, engine, store }
    }

    /// Sends with headers besides the token's, and a JSON body unless it is null.
    pub(crate) async fn send(&self, token: &str, request: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        let (method, url) = request.split_once(' ').expect("method and URL");
        let mut builder = Request::builder().method(method).uri(url).header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = builder.body(Full::new(Bytes::from(body))).expect("a request");
        documented::send(&self.api, request).await
    }

    pub(crate) async fn call(&self, token: &str, request: &str, body: Value) -> Reply {
        self.send(token, request, &[], body).await
    }

    pub(crate) async fn owner(&self, request: &str, body: Value) -> Reply {
        self.call(&self.owner, request, body).await
    }

    /// Makes a user with a token; their identity and the token.
    pub(crate) async fn user(&self, name: &str) -> (String, String) {
        let user = self.owner("POST /v1/users", serde_json::json!({ "name": name })).await.json();
        let id = user["identity"].as_str().expect("an identity").to_owned();
        let request = format!("POST /v1/users/{id}/personal-access-tokens");
        let token = self.owner(&request, serde_json::json!({ "name": "first" })).await.json();
        (id, token["token"].as_str().expect("a token").to_owned())
    }

    pub(crate) async fn records(&self) -> Vec<AuditRecord> {
        let records = self.store.records(StreamId::new(Uuid::nil()), 0, 1_000).await.expect("a store in memory");
        records.into_iter().map(|chained| chained.record).collect()
    }
}

/// The names of an object's members, in order of the alphabet.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
