//! The engine: its ports, its limits, and what the use cases share.

use crate::answers::AnswersInFlight;
use crate::audit::checkpoint::CheckpointLease;
use crate::audit::forward::SinkLease;
use crate::audit::index::IndexLease;
use crate::audit::pages::PageStarts;
use crate::audit::retention_ledger::RetentionLedger;
use crate::audit::status::SinkNames;
use crate::audit::verify::Ledgers;
use crate::cache::Cache;
use crate::error::{Code, Error};
use crate::floods::Floods;
use crate::metrics::{Counted, EngineMetrics};
use crate::system::RootKeyProgress;
use async_lock::{Mutex, MutexGuard};
use core::future::poll_fn;
use core::hash::{BuildHasher, Hash};
use core::num::NonZeroU32;
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;
use std::collections::{BTreeMap, HashMap};
use std::hash::RandomState;
use std::sync::Arc;
use strongroom_domain::id::{KeyId, RegionId, SecretId};
use strongroom_domain::port::{
    AccessLog, AnswerReader, AuditKeys, AuditLog, AuditReader, Authenticator, Clock, Committer, CredentialMaker,
    DirectoryReader, Entropy, ForeignTokens, IdGenerator, ImportKeys, KeyReader, KeyedDigest, Kms, Leases,
    PayloadCipher, RootKeys, SecretReader, SetupReader, SignatureVerifier, TenancyReader, TokenIssuer, TokenReader,
};
use strongroom_domain::secret::Secret;
use strongroom_domain::tenancy::Region;
use strongroom_domain::value::DEFAULT_MAX_VALUE_LEN;
use strongroom_domain::version::{DEFAULT_MAX_ACTIVE_VERSIONS, VersionLimits, VersionNumber};

/// The most that a secret may say of how many of its versions are kept: no operator allows more active ones.
const MAX_KEPT_VERSIONS: u32 = 100_000;

/// Bounds that an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of a value: 1 KiB to 1 MiB.
    pub max_value_len: usize,
    /// The most active versions of a secret, from 1.
    pub max_active_versions: u32,
    /// How many active versions of any secret are kept, from 1: a put that leaves more destroys the oldest. `None` for all; 0 counts
    /// as 1. A secret may say less, never more.
    pub keep_active_versions: Option<u32>,
    /// How much memory the cache of ciphertexts may take, in bytes; 0 switches it off.
    pub cache_bytes: u64,
    /// Whether callers also need a permission on the secret's key.
    pub check_key_permission: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_value_len: DEFAULT_MAX_VALUE_LEN,
            max_active_versions: DEFAULT_MAX_ACTIVE_VERSIONS,
            keep_active_versions: None,
            cache_bytes: 64 * 1024 * 1024,
            check_key_permission: true,
        }
    }
}

impl Limits {
    /// Those that hold for a secret.
    pub(crate) fn versions_of(&self, secret: &Secret) -> VersionLimits {
        let keep = self.keep_active_versions.map(|keep| NonZeroU32::new(keep).unwrap_or(NonZeroU32::MIN));
        secret.version_limits(self.max_active_versions, keep)
    }
}

/// What a caller wants to be kept of a secret's active versions, when it may be. More than the operator allows may be said, since theirs holds
/// in any case: what a secret was told under a higher limit is shown, and can be sent back or to a copy.
pub(crate) fn check_max_active_versions(wanted: u32) -> Result<NonZeroU32, Error> {
    NonZeroU32::new(wanted).filter(|wanted| wanted.get() <= MAX_KEPT_VERSIONS).ok_or_else(|| {
        Error::new(
            Code::InvalidRequest,
            format!(
                "`maxActiveVersions` must be 1 to {MAX_KEPT_VERSIONS}; leave it out, or patch it to null, to keep every version."
            ),
        )
    })
}

/// What the engine works with.
#[derive(Clone)]
pub struct Ports {
    /// Tells who calls.
    pub authenticator: Arc<dyn Authenticator>,
    /// Reads secrets.
    pub secrets: Arc<dyn SecretReader>,
    /// Reads KMS keys.
    pub keys: Arc<dyn KeyReader>,
    /// Reads organisations and regions.
    pub tenancy: Arc<dyn TenancyReader>,
    /// Reads the directories of organisations.
    pub directory: Arc<dyn DirectoryReader>,
    /// Reads the installation's own keys.
    pub setup: Arc<dyn SetupReader>,
    /// Makes and checks credentials; `None` where callers are settled by the program around the engine.
    pub credentials: Option<CredentialPorts>,
    /// Reads remembered answers.
    pub answers: Arc<dyn AnswerReader>,
    /// Applies changes.
    pub committer: Arc<dyn Committer>,
    /// Records reveals.
    pub access_log: Arc<dyn AccessLog>,
    /// Takes the records of what holds no value.
    pub audit_log: Arc<dyn AuditLog>,
    /// Reads the audit log.
    pub audit: Arc<dyn AuditReader>,
    /// Gives out what one node at a time may do.
    pub leases: Arc<dyn Leases>,
    /// The KMS of each region that has one.
    pub kms: HashMap<RegionId, Arc<dyn Kms>>,
    /// Unwraps key material that was made elsewhere; `None` where none can be brought in.
    pub import_keys: Option<Arc<dyn ImportKeys>>,
    /// The root keys of this node, for their rotation; `None` where there is none to rotate.
    pub root_keys: Option<Arc<dyn RootKeys>>,
    /// The keys that sign the audit log; `None` where no checkpoints are made and nothing is verified.
    pub audit_keys: Option<AuditKeyPorts>,
    /// Encrypts values.
    pub cipher: Arc<dyn PayloadCipher>,
    /// Digests requests that carry an idempotency key.
    pub answer_digest: Arc<dyn KeyedDigest>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// What signs the audit log, and verifies what was signed.
#[derive(Clone)]
pub struct AuditKeyPorts {
    /// The keys of this node, with which its writers sign too.
    pub keys: Arc<dyn AuditKeys>,
    /// Verifies signatures.
    pub verifier: Arc<dyn SignatureVerifier>,
}

/// What makes and checks credentials.
#[derive(Clone)]
pub struct CredentialPorts {
    /// Reads opaque tokens.
    pub tokens: Arc<dyn TokenReader>,
    /// Makes opaque tokens and access keys.
    pub maker: Arc<dyn CredentialMaker>,
    /// Makes access tokens.
    pub issuer: Arc<dyn TokenIssuer>,
    /// Verifies tokens of other issuers.
    pub foreign: Arc<dyn ForeignTokens>,
}

/// How many queues there are for puts; two secrets share one now and then, which costs time but is right.
const QUEUES: usize = 4_096;
/// How often a change, or a read in several steps, is tried when others are faster.
pub(crate) const MAX_TRIES: u32 = 8;

/// The secrets manager: every use case is a method, in two steps. The first (`engine.put(&session, path)`) checks that the caller may,
/// so that an inbound adapter can decide before it reads a body; the second (`.run(input)`) does it.
///
/// Cheap to share by `Arc`. Needs no runtime of its own: it spawns nothing and waits only through its ports.
pub struct Engine {
    pub(crate) ports: Ports,
    pub(crate) limits: Limits,
    pub(crate) cache: Cache,
    pub(crate) answers_in_flight: AnswersInFlight,
    pub(crate) floods: Floods,
    /// How far the rotation of the root key came; whoever works on it holds it.
    pub(crate) root_key_rotation: Mutex<RootKeyProgress>,
    pub(crate) index_lease: IndexLease,
    /// Where pages of audit logs begin that were asked for of late.
    pub(crate) page_starts: PageStarts,
    pub(crate) checkpoint_lease: CheckpointLease,
    /// What verifications of the audit log know by now.
    pub(crate) ledgers: Ledgers,
    pub(crate) retention_ledger: RetentionLedger,
    pub(crate) sink_names: SinkNames,
    pub(crate) sink_lease: SinkLease,
    /// Behind which secret and version the next re-wrap of a key goes on, of keys whose last one did not come to the end.
    pub(crate) rewraps: Mutex<HashMap<KeyId, (SecretId, VersionNumber)>>,
    queues: Box<[Mutex<()>]>,
    hasher: RandomState,
    metrics: EngineMetrics,
}

impl Engine {
    /// Puts the engine together.
    #[must_use]
    pub fn new(ports: Ports, limits: Limits) -> Self {
        Self {
            cache: Cache::new(&ports, limits.cache_bytes),
            ports,
            limits,
            answers_in_flight: AnswersInFlight::new(),
            floods: Floods::default(),
            root_key_rotation: Mutex::default(),
            index_lease: IndexLease::default(),
            page_starts: PageStarts::default(),
            checkpoint_lease: CheckpointLease::default(),
            ledgers: Ledgers::default(),
            retention_ledger: RetentionLedger::default(),
            sink_names: SinkNames::default(),
            sink_lease: SinkLease::new(),
            rewraps: Mutex::default(),
            queues: (0..QUEUES).map(|_| Mutex::new(())).collect(),
            hasher: RandomState::new(),
            metrics: EngineMetrics::new(),
        }
    }

    /// The engine's bounds.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Waits for the turn of this object, so that changes to one secret don't waste each other's work.
    pub(crate) async fn queue(&self, object: impl Hash) -> MutexGuard<'_, ()> {
        let place = self.hasher.hash_one(object) as usize % self.queues.len();
        if let Some(turn) = self.queues[place].try_lock() {
            return turn;
        }
        let _waiting = Counted::on(&self.metrics.changes_waiting);
        self.queues[place].lock().await
    }

    /// Every turn there is, for tests of what waits for none.
    #[cfg(test)]
    pub(crate) async fn all_turns(&self) -> Vec<MutexGuard<'_, ()>> {
        let mut turns = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            turns.push(queue.lock().await);
        }
        turns
    }

    /// Waits a random while before try number `attempt`, longer each time.
    pub(crate) async fn back_off(&self, attempt: u32) -> Result<(), Error> {
        self.metrics.changes_retried.increment(1);
        let mut byte = [0];
        self.ports.entropy.fill(&mut byte)?;
        let micros = (u64::from(byte[0]) + 1) << (attempt + 2).min(10);
        self.ports.clock.sleep(Duration::from_micros(micros)).await;
        Ok(())
    }

    /// The KMS of a region.
    pub(crate) fn kms(&self, region: &Region) -> Result<&Arc<dyn Kms>, Error> {
        self.ports.kms.get(&region.id).filter(|_| region.kms_enabled).ok_or_else(|| {
            Error::new(
                Code::KmsNotConfigured,
                format!("Region `{}` has no KMS, or it is switched off; ask the operator.", region.slug),
            )
        })
    }

    /// What makes and checks credentials.
    pub(crate) fn credentials(&self) -> Result<&CredentialPorts, Error> {
        self.ports.credentials.as_ref().ok_or_else(|| {
            Error::new(
                Code::NoCredentials,
                "There are no credentials to be had here; the program around the engine settles callers.",
            )
        })
    }

    /// Whether the region's KMS may be used, as the summary shows it.
    pub(crate) fn has_kms(&self, region: &Region) -> bool {
        self.kms(region).is_ok()
    }

    /// Asks the store, and the KMS of every region, whether they can be used: the regions, by slug, whose KMS can't. Other regions are
    /// as ready as ever.
    ///
    /// # Errors
    /// A name and an error for what nothing can be done without: the store, and the KMS when there is none left that works.
    pub async fn ready(&self) -> Result<Vec<String>, BTreeMap<&'static str, Error>> {
        let regions = match self.ports.tenancy.regions().await {
            Ok(regions) => regions,
            Err(error) => return Err(BTreeMap::from([("store", error.into())])),
        };
        // Regions share a KMS, which is asked once.
        let mut asked: Vec<&Arc<dyn Kms>> = Vec::new();
        for kms in regions.iter().filter_map(|region| self.ports.kms.get(&region.id)) {
            if !asked.iter().any(|other| Arc::ptr_eq(other, kms)) {
                asked.push(kms);
            }
        }
        let answers = together(asked.iter().map(|kms| kms.check()).collect()).await;
        let fails = |kms: &Arc<dyn Kms>| {
            let at = asked.iter().position(|other| Arc::ptr_eq(other, kms));
            at.is_some_and(|at| answers[at].is_err())
        };
        let failing = regions.iter().filter(|region| self.ports.kms.get(&region.id).is_some_and(fails));
        let without: Vec<String> = failing.map(|region| region.slug.clone()).collect();
        let one_works = answers.iter().any(Result::is_ok);
        match answers.into_iter().find_map(Result::err) {
            Some(reason) if !one_works => Err(BTreeMap::from([("kms", reason.into())])),
            _ => Ok(without),
        }
    }
}

/// Waits for all of them at once, so that those that hang cost the time of the slowest; their answers in the same order.
async fn together<T>(mut waiting: Vec<Pin<Box<dyn Future<Output = T> + Send + '_>>>) -> Vec<T> {
    let mut answers: Vec<Option<T>> = waiting.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (future, answer) in waiting.iter_mut().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(cx) {
                *answer = Some(value);
            }
        }
        if answers.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::check_max_active_versions;
    use core::num::NonZeroU32;

    #[test]
    fn how_many_versions_may_be_said_to_be_kept() {
        for (wanted, is_right) in [(0, false), (1, true), (100_000, true), (100_001, false), (u32::MAX, false)] {
            let checked = check_max_active_versions(wanted).ok();
            assert_eq!(checked, NonZeroU32::new(wanted).filter(|_| is_right), "{wanted}");
        }
    }
}
