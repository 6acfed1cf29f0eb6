//! Domain values for tests: complete, distinguishable, one line each. Every call makes fresh identities.

mod objects;

pub use objects::*;

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_domain::audit::{
    Action, AuditRecord, ChainState, Checkpoint, Details, Outcome, RequestInfo, Resource, ResourceKind, Signature,
    SignedCheckpoint,
};
use strongroom_domain::document::Document;
use strongroom_domain::id::{
    CredentialId, EventId, KeyId, OrganisationId, ProjectId, RegionId, RequestId, SecretId, UserId,
};
use strongroom_domain::kms::{
    Key, KeyHandle, KeyOrigin, KeySpec, KeyState, KeyStatus, KeyType, KeyVersion, KeyVersionNumber, Rotation,
};
use strongroom_domain::metadata::{Metadata, slug_of};
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::port::Access;
use strongroom_domain::principal::{Principal, Token, TokenHolder};
use strongroom_domain::root_key::{InstanceKeyPurpose, KeyCheck, RootKeyId, SealedInstanceKey};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::{SealedVersion, Secret, SecretState, WrappedKey};
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Answer, AnswerKey, Revision};
use strongroom_domain::value::ValueFormat;
use strongroom_domain::version::VersionNumber;
use uuid::Uuid;

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// An identifier that this process never gave before.
#[must_use]
pub fn uuid() -> Uuid {
    static LAST: AtomicU64 = AtomicU64::new(0);
    Uuid::from_u64_pair(0x7e57, LAST.fetch_add(1, Ordering::Relaxed) + 1)
}

/// 2026-01-01T00:00:00Z plus so many seconds.
#[must_use]
pub const fn at(seconds: i64) -> Timestamp {
    START.plus_seconds(seconds)
}

/// A new organisation in a new region, without a project.
#[must_use]
pub fn scope() -> Scope {
    Scope { organisation: OrganisationId::new(uuid()), region: RegionId::new(uuid()), project: None }
}

/// A new project in the organisation and region of `scope`.
#[must_use]
pub fn project_in(scope: Scope) -> Scope {
    Scope { project: Some(ProjectId::new(uuid())), ..scope }
}

/// The path that `text` spells.
///
/// # Panics
/// When it spells none.
#[must_use]
pub fn path(text: &str) -> SecretPath {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The directory that `text` spells.
///
/// # Panics
/// When it spells none.
#[must_use]
pub fn directory(text: &str) -> Directory {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Version `number`.
///
/// # Panics
/// For 0 and above 2⁶³ − 1.
#[must_use]
pub fn number(number: u64) -> VersionNumber {
    VersionNumber::new(number).unwrap_or_else(|| panic!("{number} numbers no version"))
}

/// Description, one label, one annotation; different for every `text`.
///
/// # Panics
/// When `text` is no legal description or value.
#[must_use]
pub fn metadata(text: &str) -> Metadata {
    let labels =
        BTreeMap::from([("app.example/name".to_owned(), text.to_owned()), ("empty".to_owned(), String::new())]);
    let annotations = BTreeMap::from([("note".to_owned(), format!("{text}\nß \u{1f511}"))]);
    Metadata::new(format!("{text} – described"), labels, annotations).unwrap_or_else(|error| panic!("{error}"))
}

/// An access policy that allows one network.
///
/// # Panics
/// Never, as long as the domain accepts such a policy.
#[must_use]
pub fn policy() -> AccessPolicy {
    let map = |entries: Vec<(&str, Document)>| {
        Document::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    let text = |text: &str| Document::Text(text.to_owned());
    let entry =
        map(vec![("type", text("ip")), ("effect", text("allow")), ("cidrs", Document::List(vec![text("10.0.0.0/8")]))]);
    match AccessPolicy::parse(map(vec![("conditions", Document::List(vec![entry]))])) {
        Ok(Some(policy)) => policy,
        other => panic!("{other:?}"),
    }
}

/// A secret with its first version, made at [`at`]`(0)`, without policy.
#[must_use]
pub fn secret(scope: Scope, path: &str) -> Secret {
    Secret {
        id: SecretId::new(uuid()),
        scope,
        path: self::path(path),
        key: KeyId::new(uuid()),
        metadata: metadata("secret"),
        policy: None,
        max_active_versions: None,
        created_at: at(0),
        last_accessed_at: None,
        state: SecretState::first(at(0)),
    }
}

/// An encrypted value; no two calls give the same bytes.
#[must_use]
pub fn sealed(number: u64) -> SealedVersion {
    let id = uuid();
    SealedVersion {
        number: self::number(number),
        format: if number.is_multiple_of(2) { ValueFormat::KeyValue } else { ValueFormat::String },
        created_at: at(i64::try_from(number).unwrap_or(i64::MAX)),
        wrapped: WrappedKey { key_version: KeyVersionNumber::FIRST, bytes: format!("wrapped {id}").into_bytes() },
        payload: format!("payload {id} \0\u{ff}").into_bytes(),
    }
}

/// Version `number` of a key.
///
/// # Panics
/// For 0.
#[must_use]
pub fn key_version(number: u32) -> KeyVersion {
    KeyVersion {
        number: KeyVersionNumber::new(number).unwrap_or_else(|| panic!("0 numbers no version")),
        handle: KeyHandle::new(format!("handle {} \0\u{ff}", uuid()).into_bytes()),
        created_at: at(i64::from(number)),
    }
}

/// An active key with its first version, made at [`at`]`(0)`.
#[must_use]
pub fn key(scope: Scope, name: &str) -> Key {
    Key {
        spec: KeySpec { id: KeyId::new(uuid()), scope, key_type: KeyType::default(), export_allowed: false },
        name: name.to_owned(),
        slug: slug_of(name),
        metadata: metadata("key"),
        origin: KeyOrigin::Generated,
        state: KeyState {
            status: KeyStatus::Active,
            rotation: Rotation { enabled: true, period_days: Some(90) },
            min_decryption_version: KeyVersionNumber::FIRST,
            updated_at: at(0),
            object_version: 1,
            revision: Revision::FIRST,
        },
        created_at: at(0),
        versions: vec![key_version(1)],
    }
}

/// An organisation with every gate open.
#[must_use]
pub fn organisation(slug: &str) -> Organisation {
    Organisation::new(OrganisationId::new(uuid()), format!("Organisation {slug}"), slug.to_owned(), at(0))
}

/// A region with a KMS.
#[must_use]
pub fn region(slug: &str) -> Region {
    Region {
        id: RegionId::new(uuid()),
        name: format!("Region {slug}"),
        slug: slug.to_owned(),
        description: "somewhere".to_owned(),
        kms_enabled: true,
        created_at: at(0),
        updated_at: at(2),
        object_version: 3,
    }
}

/// Two different halves of fresh bytes, for digests.
fn digest() -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(uuid().as_bytes());
    digest[16..].copy_from_slice(uuid().as_bytes());
    digest
}

/// A token of a new user, for one organisation, without an end.
#[must_use]
pub fn token(organisation: OrganisationId) -> Token {
    Token {
        id: CredentialId::new(uuid()),
        digest: digest(),
        digest_key_version: 1,
        holder: TokenHolder::User(UserId::new(uuid())),
        organisation: Some(organisation),
        name: "test".to_owned(),
        scopes: scopes(&["api:read"]),
        created_at: at(0),
        expires: None,
    }
}

/// The check of a root key.
#[must_use]
pub fn key_check() -> KeyCheck {
    KeyCheck { root_key: RootKeyId(*uuid().as_bytes()), sealed: b"sealed \0\xff".to_vec() }
}

/// An instance key; with a public key when it signs.
#[must_use]
pub fn instance_key(purpose: InstanceKeyPurpose, version: u32) -> SealedInstanceKey {
    let public = (purpose == InstanceKeyPurpose::AuditSigning).then(digest);
    SealedInstanceKey { purpose, version, sealed: digest().to_vec(), public }
}

/// The remembered answer to a request that made version `version` of a secret.
#[must_use]
pub fn answer(secret: SecretId, version: u64, expires_at: Timestamp) -> Answer {
    Answer {
        key: AnswerKey(digest()),
        body: Some(digest()),
        answer: b"{\"currentVersion\":1}".to_vec(),
        secret,
        version: number(version),
        expires_at,
    }
}

/// A record of a success, with every field filled.
#[must_use]
pub fn record(action: Action) -> AuditRecord {
    let client = core::net::IpAddr::from([192, 0, 2, 7]);
    AuditRecord {
        event: EventId::new(uuid()),
        at: at(0),
        action,
        outcome: Outcome::Success,
        status: 200,
        organisation: Some(OrganisationId::new(uuid())),
        region: Some(RegionId::new(uuid())),
        project: None,
        principal: Some(Principal::User(UserId::new(uuid()))),
        credential: Some(CredentialId::new(uuid())),
        resource: Some(Resource {
            kind: ResourceKind::Secret,
            identity: "/app/db".to_owned(),
            id: Some(uuid()),
            version: Some(1),
        }),
        decided_by: Some("rule".to_owned()),
        request: Some(Arc::new(RequestInfo::http(
            RequestId::new(uuid()),
            client,
            Some("test/1"),
            "POST",
            "/v1/secrets",
        ))),
        details: Some(Box::new(Details {
            key_slug: Some("db".to_owned()),
            key_type: Some(KeyType::default()),
            bytes_in: Some(1),
            bytes_out: Some(2),
            count: Some(3),
            access: Some("role=reader".to_owned()),
        })),
    }
}

/// A reveal of version `version` of the secret as it stands, with both records.
#[must_use]
pub fn access(secret: &Secret, version: u64, at: Timestamp) -> Access {
    Access {
        secret: secret.id,
        version: number(version),
        seen: secret.state.revision,
        at,
        records: [record(Action::SecretValueRead), record(Action::KmsDecrypt)],
    }
}

/// A checkpoint that tells of these ends, with some bytes for a signature.
#[must_use]
pub fn checkpoint(number: u64, ends: Vec<ChainState>) -> SignedCheckpoint {
    let checkpoint =
        Checkpoint { number, at: at(0), previous: digest(), keys: Vec::new(), newest_key: 1, begins: Vec::new(), ends };
    let mut bytes = [7; 64];
    bytes[..32].copy_from_slice(&digest());
    SignedCheckpoint { checkpoint, signature: Signature { key_version: 1, bytes } }
}
