//! A room to test in: three organisations, three regions, some callers.

use crate::documented;
use crate::wrapping::FixedWrappingKey;
use async_trait::async_trait;
use bytes::Bytes;
use core::net::{IpAddr, Ipv4Addr};
use core::sync::atomic::{AtomicBool, Ordering};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use strongroom::{Engine, Limits, Ports};
use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::iam::{Grants, Rule};
use strongroom_domain::id::{CredentialId, OrganisationId, RegionId, RuleId, StreamId, UserId};
use strongroom_domain::port::{
    AuditLog, AuditReader, AuthenticateError, Authenticated, Authenticator, CommitError, Committer, Credential,
    IdGenerator, Kms,
};
use strongroom_domain::principal::{Caller, CredentialScopes, Membership, Principal, Reach, Token};
use strongroom_domain::tenancy::{Gates, Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Change, Unit};
use strongroom_domain::value::SecretBytes;
use strongroom_http::{Api, Settings};
use strongroom_kms_memory::MemoryKms;
use strongroom_store_memory::MemoryStore;
use strongroom_testkit::{FixedSigner, ManualClock, SequentialIds};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// 1 KiB, so that bodies over it stay small.
pub(crate) const MAX_VALUE_LEN: usize = 1024;

/// Does everything in organisation `dev`.
pub(crate) const ADMIN: &str = "admin";
/// Reads, lists and reveals below `/app/prod/`, and has no right on any key.
pub(crate) const READER: &str = "reader";
/// May do everything, with a credential of scope `api:read`.
pub(crate) const READ_SCOPE: &str = "read-scope";
/// May do nothing.
pub(crate) const NOBODY: &str = "nobody";
/// May do everything, with a credential that is bound to the project `payments`.
pub(crate) const IN_PROJECT: &str = "in-project";
/// Is a member of `dev`, `no-secrets`, `no-kms` and `no-projects`.
pub(crate) const EVERYWHERE: &str = "everywhere";

struct Tokens(HashMap<&'static str, Arc<Caller>>);

#[async_trait]
impl Authenticator for Tokens {
    async fn authenticate(&self, credential: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let token = match credential {
            Credential::Token(token) => token,
            Credential::AccessKey { key, secret } if key == "key" => secret,
            Credential::AccessKey { .. } => return Err(AuthenticateError::Refused),
        };
        let token = core::str::from_utf8(token.expose()).map_err(|_| AuthenticateError::Refused)?;
        self.0.get(token).map(|caller| Authenticated::Caller(Arc::clone(caller))).ok_or(AuthenticateError::Refused)
    }

    fn forget(&self, _: &Token) {}
}

/// When every test begins.
const START: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

/// Lets commits through to the store, or holds them until a test lets them go.
pub(crate) struct Gate {
    store: Arc<MemoryStore>,
    places: Semaphore,
    /// Of the audit log: while there is none, whoever has a record waits.
    pub(crate) log_places: Semaphore,
    /// Whether a commit panics.
    pub(crate) broken: AtomicBool,
    /// Told when a commit has come.
    pub(crate) reached: Notify,
}

impl Gate {
    pub(crate) const OPEN: usize = 1 << 20;

    /// Holds commits from now on.
    pub(crate) fn close(&self) {
        self.places.forget_permits(Self::OPEN);
    }

    /// Lets all go.
    pub(crate) fn open(&self) {
        self.places.add_permits(Self::OPEN);
    }
}

#[async_trait]
impl Committer for Gate {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        self.reached.notify_one();
        assert!(!self.broken.load(Ordering::Relaxed), "told to panic");
        let _place = self.places.acquire().await.expect("never closed for good");
        self.store.commit(unit).await
    }
}

#[async_trait]
impl AuditLog for Gate {
    async fn enqueue(&self, record: AuditRecord) -> Result<(), CommitError> {
        let _place = self.log_places.acquire().await.expect("never closed for good");
        self.store.enqueue(record).await
    }
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and code, to compare at once.
    pub(crate) fn verdict(&self) -> (u16, String) {
        (self.status, self.code())
    }
}

pub(crate) struct Room {
    pub(crate) engine: Arc<Engine>,
    pub(crate) api: Api,
    pub(crate) gate: Arc<Gate>,
    /// Moved by whoever sleeps, and by tests.
    pub(crate) clock: Arc<ManualClock>,
    /// A key of `dev` in `nl-01`.
    pub(crate) key: String,
}

fn caller(
    ids: &SequentialIds,
    scopes: CredentialScopes,
    organisations: &[OrganisationId],
    rules: &[Rule],
) -> Arc<Caller> {
    let user = UserId::new(ids.next());
    let grants = Arc::new(Grants::compile(rules.to_vec()));
    let membership =
        |organisation: &OrganisationId| Membership { organisation: *organisation, grants: Arc::clone(&grants) };
    let reach = Reach::Given(organisations.iter().map(membership).collect());
    Arc::new(Caller::new(Principal::User(user), CredentialId::new(ids.next()), scopes, reach))
}

fn organisation(number: u128, slug: &str, gates: Gates) -> Organisation {
    let id = OrganisationId::new(Uuid::from_u128(number));
    Organisation { gates, ..Organisation::new(id, slug.to_owned(), slug.to_owned(), Timestamp::EPOCH) }
}

fn region(number: u128, slug: &str, kms_enabled: bool) -> Region {
    let id = RegionId::new(Uuid::from_u128(number));
    let (name, slug) = (slug.to_uppercase(), slug.to_owned());
    let at = Timestamp::EPOCH;
    Region {
        id,
        name,
        slug,
        description: String::new(),
        kms_enabled,
        created_at: at,
        updated_at: at,
        object_version: 1,
    }
}

impl Room {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::by(ManualClock::jumping(START), settings, |log| log).await
    }

    /// Whose log is read as `alter` shows it.
    pub(crate) async fn with_log(alter: impl FnOnce(Arc<dyn AuditReader>) -> Arc<dyn AuditReader>) -> Self {
        Self::by(ManualClock::jumping(START), Settings::default(), alter).await
    }

    /// By a clock that only the test moves: whoever sleeps by it waits.
    pub(crate) async fn with_still_clock(settings: Settings) -> Self {
        Self::by(ManualClock::new(START), settings, |log| log).await
    }

    async fn by(
        clock: ManualClock,
        settings: Settings,
        alter: impl FnOnce(Arc<dyn AuditReader>) -> Arc<dyn AuditReader>,
    ) -> Self {
        let ids = Arc::new(SequentialIds::of_node(7));
        let clock = Arc::new(clock);
        let store = Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil())));
        let dev = organisation(1, "dev", Gates::default());
        let no_secrets = organisation(2, "no-secrets", Gates { secrets: false, ..Gates::default() });
        let no_kms = organisation(3, "no-kms", Gates { kms: false, ..Gates::default() });
        let no_projects = organisation(5, "no-projects", Gates { projects: false, ..Gates::default() });
        let foreign = organisation(4, "foreign", Gates::default());
        let (nl, de, fr) = (region(1, "nl-01", true), region(2, "de-01", true), region(3, "fr-01", false));
        let (dev_id, all) = (dev.id, [dev.id, no_secrets.id, no_kms.id, no_projects.id]);
        let kms: Arc<dyn Kms> = Arc::new(MemoryKms::new(Arc::new(OsEntropy)));
        // `de-01` has no KMS at all; that of `fr-01` is switched off.
        let kms = HashMap::from([(nl.id, Arc::clone(&kms)), (fr.id, kms)]);
        let changes = vec![
            Change::InsertOrganisation(dev),
            Change::InsertOrganisation(no_secrets),
            Change::InsertOrganisation(no_kms),
            Change::InsertOrganisation(no_projects),
            Change::InsertOrganisation(foreign),
            Change::InsertRegion(nl),
            Change::InsertRegion(de),
            Change::InsertRegion(fr),
        ];
        store.commit(Unit { changes, ..Unit::default() }).await.expect("an empty store");

        let everything = [Rule::everything(RuleId::new(Uuid::from_u128(1)))];
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let reading = [Rule {
            id: RuleId::new(Uuid::from_u128(2)),
            resources: texts(&["secret"]),
            resource_identities: texts(&["/app/prod/*"]),
            permissions: texts(&["read", "list", "getSecretValue"]),
            note: String::new(),
        }];
        let read_only = CredentialScopes { read: true, write: false };
        let in_project = caller(&ids, CredentialScopes::ALL, &[dev_id], &everything);
        let in_project = Arc::new(Caller { project: Some("payments".to_owned()), ..Caller::clone(&in_project) });
        let tokens = Tokens(HashMap::from([
            (ADMIN, caller(&ids, CredentialScopes::ALL, &[dev_id], &everything)),
            (READER, caller(&ids, CredentialScopes::ALL, &[dev_id], &reading)),
            (READ_SCOPE, caller(&ids, read_only, &[dev_id], &everything)),
            (NOBODY, caller(&ids, CredentialScopes::ALL, &[dev_id], &[])),
            (IN_PROJECT, in_project),
            (EVERYWHERE, caller(&ids, CredentialScopes::ALL, &all, &everything)),
        ]));
        let gate = Arc::new(Gate {
            broken: AtomicBool::new(false),
            store: store.clone(),
            places: Semaphore::new(Gate::OPEN),
            log_places: Semaphore::new(Gate::OPEN),
            reached: Notify::new(),
        });
        let ports = Ports {
            authenticator: Arc::new(tokens),
            secrets: store.clone(),
            keys: store.clone(),
            tenancy: store.clone(),
            directory: store.clone(),
            setup: store.clone(),
            credentials: None,
            answers: store.clone(),
            committer: gate.clone(),
            access_log: store.clone(),
            audit_log: gate.clone(),
            audit: alter(store.clone()),
            leases: store.clone(),
            kms,
            import_keys: Some(Arc::new(FixedWrappingKey)),
            root_keys: None,
            audit_keys: None,
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[7; 32]), 1)),
            clock: clock.clone(),
            ids: ids.clone(),
            entropy: Arc::new(OsEntropy),
        };
        let engine = Arc::new(Engine::new(ports, Limits { max_value_len: MAX_VALUE_LEN, ..Limits::default() }));
        let api = Api::new(Arc::clone(&engine), ids, clock.clone(), settings);
        documented::learn(&api).await;
        let mut room = Self { engine, api, gate, clock, key: String::new() };
        let created = room.call(ADMIN, "POST /v1/kms/nl-01/keys", json!({ "name": "App key" })).await;
        assert_eq!(created.status, 201, "{:?}", created.body);
        room.key = created.json()["identity"].as_str().expect("an identity").to_owned();
        room
    }

    /// The records of the audit log after the first `n`.
    pub(crate) async fn records_after(&self, n: usize) -> Vec<AuditRecord> {
        let stream = StreamId::new(Uuid::nil());
        let records = self.gate.store.records(stream, n as u64, 1_000).await.expect("a store in memory");
        records.into_iter().map(|chained| chained.record).collect()
    }

    /// Sends anything. `request`: method and URL.
    pub(crate) async fn raw(&self, request: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        let (method, url) = request.split_once(' ').expect("method and URL");
        let mut builder = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(Full::new(body.into())).expect("a request");
        documented::send(&self.api, request).await
    }

    /// Sends with a token, and a JSON body unless it is null.
    pub(crate) async fn call(&self, token: &str, request: &str, body: Value) -> Reply {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.raw(request, &headers, body).await
    }

    pub(crate) async fn admin(&self, request: &str, body: Value) -> Reply {
        self.call(ADMIN, request, body).await
    }

    pub(crate) async fn get(&self, url: &str) -> Reply {
        self.admin(&format!("GET {url}"), Value::Null).await
    }

    /// Creates a key of this type, whose material may be given out. The URL's path.
    pub(crate) async fn key_of(&self, key_type: &str) -> String {
        let body = json!({ "name": key_type, "keyType": key_type, "exportAllowed": true });
        let created = self.admin("POST /v1/kms/nl-01/keys", body).await;
        assert_eq!(created.status, 201, "{key_type}: {:?}", created.body);
        format!("/v1/kms/nl-01/keys/{}", created.json()["identity"].as_str().expect("an identity"))
    }

    /// Creates a secret whose value is `YQ==`.
    pub(crate) async fn secret(&self, path: &str) {
        let body = json!({ "path": path, "kmsKeyIdentity": self.key, "secretString": "YQ==" });
        let created = self.admin("POST /v1/secrets/nl-01/secrets", body).await;
        assert_eq!(created.status, 201, "{path}: {:?}", created.body);
    }
}

/// Checks the form that every error has.
pub(crate) fn assert_error(reply: &Reply, status: StatusCode, code: &str) {
    assert_eq!(reply.verdict(), (status.as_u16(), code.to_owned()), "{}", reply.message());
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.json()["requestId"], reply.header("x-request-id"));
    assert!(reply.header("x-request-id").starts_with("req-"));
    assert!(reply.message().ends_with('.'), "{}", reply.message());
}

/// What decided, and for how many calls the record stands.
pub(crate) fn cause(record: &AuditRecord) -> (String, u64) {
    let count = record.details.as_ref().and_then(|details| details.count);
    (record.decided_by.clone().unwrap_or_default(), count.unwrap_or(1))
}
