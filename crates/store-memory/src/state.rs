use crate::keys::Keys;
use crate::log::Log;
use crate::objects::Objects;
use crate::tokens::Tokens;
use std::collections::{BTreeMap, BTreeSet};
use strongroom_domain::id::{KeyId, OrganisationId, SecretId, StreamId};
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::lease::{LeaseName, Tenure};
use strongroom_domain::root_key::{InstanceKeyPurpose, KeyCheck, SealedInstanceKey};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::{SealedVersion, Secret, WrappedKey};
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Answer, AnswerKey};
use strongroom_domain::value::ValueFormat;
use strongroom_domain::version::{Version, VersionNumber, VersionStatus};
use zeroize::Zeroizing;

/// The ciphertext of an active version; overwritten when it is dropped.
pub(crate) struct Ciphertext {
    pub(crate) key_version: KeyVersionNumber,
    pub(crate) wrapped: Zeroizing<Vec<u8>>,
    payload: Zeroizing<Vec<u8>>,
}

pub(crate) enum VersionBody {
    Active(Ciphertext),
    Destroyed(Timestamp),
}

pub(crate) struct VersionRow {
    format: ValueFormat,
    created_at: Timestamp,
    pub(crate) last_accessed_at: Option<Timestamp>,
    pub(crate) body: VersionBody,
}

impl VersionRow {
    pub(crate) fn new(version: SealedVersion) -> Self {
        let SealedVersion { number: _, format, created_at, wrapped, payload } = version;
        let wrapped_bytes = Zeroizing::new(wrapped.bytes);
        let body =
            Ciphertext { key_version: wrapped.key_version, wrapped: wrapped_bytes, payload: Zeroizing::new(payload) };
        Self { format, created_at, last_accessed_at: None, body: VersionBody::Active(body) }
    }

    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        matches!(&self.body, VersionBody::Active(Ciphertext { wrapped, payload, .. })
            if wrapped.as_slice() == bytes || payload.as_slice() == bytes)
    }

    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.body, VersionBody::Active(_))
    }

    pub(crate) const fn entry(&self, number: VersionNumber) -> Version {
        let status = match self.body {
            VersionBody::Active(_) => VersionStatus::Active,
            VersionBody::Destroyed(at) => VersionStatus::Destroyed { at },
        };
        Version {
            number,
            status,
            format: self.format,
            created_at: self.created_at,
            last_accessed_at: self.last_accessed_at,
        }
    }

    /// What wraps the data key; `None` when the version was destroyed.
    pub(crate) fn wrapped(&self) -> Option<WrappedKey> {
        let VersionBody::Active(ciphertext) = &self.body else { return None };
        Some(WrappedKey { key_version: ciphertext.key_version, bytes: ciphertext.wrapped.to_vec() })
    }

    /// The version with its ciphertext; `None` when it was destroyed.
    pub(crate) fn sealed(&self, number: VersionNumber) -> Option<SealedVersion> {
        let VersionBody::Active(ciphertext) = &self.body else { return None };
        Some(SealedVersion {
            number,
            format: self.format,
            created_at: self.created_at,
            wrapped: WrappedKey { key_version: ciphertext.key_version, bytes: ciphertext.wrapped.to_vec() },
            payload: ciphertext.payload.to_vec(),
        })
    }
}

pub(crate) struct SecretRow {
    pub(crate) secret: Secret,
    pub(crate) versions: BTreeMap<VersionNumber, VersionRow>,
}

/// Everything that the store holds.
pub(crate) struct State {
    pub(crate) secrets: BTreeMap<SecretId, SecretRow>,
    /// Each scope's secrets in the order of their paths.
    pub(crate) paths: BTreeMap<Scope, BTreeMap<Box<str>, SecretId>>,
    /// Secrets by the key that they are bound to.
    pub(crate) bound: BTreeSet<(KeyId, SecretId)>,
    pub(crate) keys: Keys,
    answers: BTreeMap<AnswerKey, Answer>,
    answers_by_version: BTreeSet<(SecretId, VersionNumber, AnswerKey)>,
    answers_by_end: BTreeSet<(Timestamp, AnswerKey)>,
    pub(crate) organisations: BTreeMap<OrganisationId, Organisation>,
    /// By slug.
    pub(crate) regions: BTreeMap<String, Region>,
    pub(crate) objects: Objects,
    pub(crate) tokens: Tokens,
    pub(crate) key_check: Option<KeyCheck>,
    pub(crate) instance_keys: BTreeMap<(InstanceKeyPurpose, u32), SealedInstanceKey>,
    pub(crate) leases: BTreeMap<LeaseName, Tenure>,
    pub(crate) log: Log,
}

impl State {
    pub(crate) fn new(stream: StreamId) -> Self {
        Self {
            secrets: BTreeMap::new(),
            paths: BTreeMap::new(),
            bound: BTreeSet::new(),
            keys: Keys::default(),
            answers: BTreeMap::new(),
            answers_by_version: BTreeSet::new(),
            answers_by_end: BTreeSet::new(),
            organisations: BTreeMap::new(),
            regions: BTreeMap::new(),
            objects: Objects::default(),
            tokens: Tokens::default(),
            key_check: None,
            instance_keys: BTreeMap::new(),
            leases: BTreeMap::new(),
            log: Log::new(stream),
        }
    }

    pub(crate) fn secret_at(&self, scope: &Scope, path: &str) -> Option<&SecretRow> {
        self.secrets.get(self.paths.get(scope)?.get(path)?)
    }

    /// The secrets that are bound to a key, from an identity on.
    pub(crate) fn bound_to(&self, key: KeyId, from: SecretId) -> impl Iterator<Item = &SecretRow> {
        let found = self.bound.range((key, from)..).take_while(move |entry| entry.0 == key);
        found.filter_map(|(_, id)| self.secrets.get(id))
    }

    pub(crate) fn answer(&self, key: &AnswerKey) -> Option<&Answer> {
        self.answers.get(key)
    }

    pub(crate) fn put_answer(&mut self, answer: Answer) {
        self.answers_by_version.insert((answer.secret, answer.version, answer.key));
        self.answers_by_end.insert((answer.expires_at, answer.key));
        self.answers.insert(answer.key, answer);
    }

    pub(crate) fn take_answer(&mut self, key: &AnswerKey) -> Option<Answer> {
        let answer = self.answers.remove(key)?;
        self.answers_by_version.remove(&(answer.secret, answer.version, answer.key));
        self.answers_by_end.remove(&(answer.expires_at, answer.key));
        Some(answer)
    }

    /// The answers about these versions of a secret.
    pub(crate) fn answers_about(
        &self,
        secret: SecretId,
        from: VersionNumber,
        to: Option<VersionNumber>,
    ) -> Vec<AnswerKey> {
        let first = (secret, from, AnswerKey([0; 32]));
        let within =
            |entry: &&(SecretId, VersionNumber, AnswerKey)| entry.0 == secret && to.is_none_or(|to| entry.1 <= to);
        self.answers_by_version.range(first..).take_while(within).map(|entry| entry.2).collect()
    }

    /// At most `limit` answers that ended before a time, those that ended first before others.
    pub(crate) fn answers_ended(&self, before: Timestamp, limit: usize) -> Vec<AnswerKey> {
        let ended = self.answers_by_end.iter().take_while(|(end, _)| *end < before);
        ended.take(limit).map(|(_, key)| *key).collect()
    }
}
