use super::PATIENCE;
use crate::{MachineClock, build, units};
use async_trait::async_trait;
use core::any::Any;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom_domain::audit::{AuditRecord, Behind, ChainedRecord, LogReader, Signature};
use strongroom_domain::directory::{DirectoryObject, ObjectKind};
use strongroom_domain::id::{EventId, OrganisationId};
use strongroom_domain::port::{
    AccessLog, AnswerReader, AuditLog, AuditReader, Clock, CommitErrorKind, Committer, DirectoryReader, Freshness,
    KeyReader, Leases, ObjectQuery, ObjectSelector, SealedVersionState, SecretReader, SetupReader, TenancyReader,
    TokenReader,
};
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::{Change, Expect, Unit};
use strongroom_domain::version::VersionSelector;

/// Says whether a signature is the signer's for these bytes.
pub type Verifier = Arc<dyn Fn(&[u8], &Signature) -> bool + Send + Sync>;

/// Looks for bytes in a store, past its ports: what was erased must not be found there, and each store promises where and when.
#[async_trait]
pub trait Remains: Send + Sync {
    /// Whether these bytes are still where the store keeps what it holds; they must be gone by the time that an erase is answered.
    async fn at_once(&self, bytes: &[u8]) -> bool;

    /// Whether these bytes are still anywhere where the store promises that they go soon, such as a log; it is asked again and again until
    /// they are gone.
    async fn soon(&self, bytes: &[u8]) -> bool {
        self.at_once(bytes).await
    }

    /// How soon: the longest time that the store promises. A case waits for ten seconds at least.
    fn within(&self) -> Duration {
        Duration::ZERO
    }
}

/// Every port over one empty store.
pub struct Store {
    /// Reads secrets.
    pub secrets: Arc<dyn SecretReader>,
    /// Reads KMS keys.
    pub keys: Arc<dyn KeyReader>,
    /// Reads organisations and regions.
    pub tenancy: Arc<dyn TenancyReader>,
    /// Reads the directory.
    pub directory: Arc<dyn DirectoryReader>,
    /// Reads tokens.
    pub tokens: Arc<dyn TokenReader>,
    /// Reads remembered answers.
    pub answers: Arc<dyn AnswerReader>,
    /// Reads what the store was set up with.
    pub setup: Arc<dyn SetupReader>,
    /// Applies changes.
    pub committer: Arc<dyn Committer>,
    /// Records reveals.
    pub access: Arc<dyn AccessLog>,
    /// Takes the records of what holds no value.
    pub audit_log: Arc<dyn AuditLog>,
    /// Reads the audit log.
    pub audit: Arc<dyn AuditReader>,
    /// Gives out leases.
    pub leases: Arc<dyn Leases>,
    /// The clock that the store's leases go by, for cases that wait for the end of one. Whoever sleeps by it must find that the store's
    /// time has gone on by as much: the machine's, or one that a test moves and the store was given too.
    pub clock: Arc<dyn Clock>,
    /// Whether the store's signer gave this signature for these bytes; [`FixedSigner::verify`](crate::FixedSigner::verify) for a store that
    /// was given a [`FixedSigner`](crate::FixedSigner).
    pub verify: Verifier,
    /// Looks for what was erased, past the ports. With `None` every case that erases something panics: give one with
    /// [`searched_by`](Self::searched_by).
    pub remains: Option<Arc<dyn Remains>>,
    /// What must outlive the store, such as its directory: dropped after the ports.
    pub keep: Option<Box<dyn Any + Send + Sync>>,
}

impl Store {
    /// Of an adapter that is all the ports at once, by the machine's clock, and what checks its signatures
    /// ([`FixedSigner::verify`](crate::FixedSigner::verify)).
    pub fn of<S>(store: Arc<S>, verify: impl Fn(&[u8], &Signature) -> bool + Send + Sync + 'static) -> Self
    where
        S: SecretReader + KeyReader + TenancyReader + DirectoryReader + TokenReader + AnswerReader + SetupReader,
        S: Committer + AccessLog + AuditLog + AuditReader + Leases + 'static,
    {
        Self {
            secrets: store.clone(),
            keys: store.clone(),
            tenancy: store.clone(),
            directory: store.clone(),
            tokens: store.clone(),
            answers: store.clone(),
            setup: store.clone(),
            committer: store.clone(),
            access: store.clone(),
            audit_log: store.clone(),
            audit: store.clone(),
            leases: store,
            clock: Arc::new(MachineClock),
            verify: Arc::new(verify),
            remains: None,
            keep: None,
        }
    }

    /// With something that is dropped after the ports.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send + Sync) -> Self {
        Self { keep: Some(Box::new(guard)), ..self }
    }

    /// With what finds in it what was erased.
    #[must_use]
    pub fn searched_by(self, remains: impl Remains + 'static) -> Self {
        Self { remains: Some(Arc::new(remains)), ..self }
    }

    /// Commits a unit that erases these versions, and checks that their bytes go as the store promises.
    ///
    /// # Panics
    /// When they can't be found before, or can be afterwards.
    pub async fn erase(&self, unit: Unit, versions: &[SealedVersion]) {
        let erased: Vec<&[u8]> =
            versions.iter().flat_map(|version| [&*version.payload, &*version.wrapped.bytes]).collect();
        self.erase_bytes(unit, &erased).await;
    }

    /// Commits a unit that erases this material, and checks that it goes as the store promises.
    ///
    /// # Panics
    /// When it can't be found before, or can be afterwards.
    pub async fn erase_bytes(&self, unit: Unit, erased: &[&[u8]]) {
        let remains = self.remains.as_ref().expect("a store says what it promises of erased bytes: `Store::remains`");
        for bytes in erased {
            assert!(remains.soon(bytes).await, "what is there can't be found: {}", bytes.escape_ascii());
        }
        self.commit(unit).await;
        for bytes in erased {
            assert!(!remains.at_once(bytes).await, "erased, and still there: {}", bytes.escape_ascii());
        }
        let gone = async {
            for bytes in erased {
                while remains.soon(bytes).await {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        let within = remains.within();
        assert!(tokio::time::timeout(within.max(PATIENCE), gone).await.is_ok(), "not gone within {within:?}");
    }

    /// Commits.
    ///
    /// # Panics
    /// When the unit is refused.
    pub async fn commit(&self, unit: Unit) {
        if let Err(error) = self.committer.commit(unit).await {
            panic!("refused: {:?}, {error}", error.kind());
        }
    }

    /// Commits what must be refused over `expect`, and checks that no record was left.
    ///
    /// # Panics
    /// When the unit is applied, or refused for another reason.
    pub async fn conflicts(&self, unit: Unit, expect: &Expect) {
        let events: BTreeSet<EventId> = unit.records.iter().map(|record| record.event).collect();
        match self.committer.commit(unit).await {
            Ok(()) => panic!("applied, though {expect:?} does not hold"),
            Err(error) => assert_eq!(error.kind(), &CommitErrorKind::Conflict(expect.clone()), "{error}"),
        }
        let left = self.records().await.into_iter().filter(|record| events.contains(&record.event)).count();
        assert_eq!(left, 0, "a refused unit leaves no record");
    }

    /// Adds a secret with one version, and gives it back.
    ///
    /// # Panics
    /// When the unit is refused.
    pub async fn insert(&self, secret: Secret) -> Secret {
        self.commit(units::insert(&secret)).await;
        secret
    }

    /// Applies a unit, and gives back what it makes of an object.
    ///
    /// # Panics
    /// When the unit is refused.
    pub async fn apply<T>(&self, (unit, after): (Unit, T)) -> T {
        self.commit(unit).await;
        after
    }

    /// Adds an organisation of this slug, and gives it back.
    ///
    /// # Panics
    /// When the unit is refused.
    pub async fn organisation(&self, slug: &str) -> Organisation {
        let organisation = build::organisation(slug);
        self.commit(units::of(vec![Change::InsertOrganisation(organisation.clone())])).await;
        organisation
    }

    /// Adds or replaces objects of an organisation's directory, in one unit, and gives back the organisation with its new revision.
    ///
    /// # Panics
    /// When the unit is refused.
    pub async fn put(
        &self,
        organisation: &Organisation,
        objects: impl IntoIterator<Item = DirectoryObject>,
    ) -> Organisation {
        let changes = objects.into_iter().map(units::put).collect();
        self.apply(units::revise(organisation, changes)).await
    }

    /// What the directory answers.
    ///
    /// # Panics
    /// When the store can't be read.
    pub async fn objects(
        &self,
        kind: ObjectKind,
        organisation: Option<OrganisationId>,
        which: ObjectSelector,
    ) -> Vec<DirectoryObject> {
        self.directory.objects(&ObjectQuery { kind, organisation, which }).await.expect("readable")
    }

    /// The secret at the place of this one.
    ///
    /// # Panics
    /// When the store can't be read.
    pub async fn find(&self, secret: &Secret) -> Option<Secret> {
        self.secrets.find(&secret.scope, &secret.path).await.expect("readable")
    }

    /// What a reveal of this secret finds.
    ///
    /// # Panics
    /// When there is no secret, or the store can't be read.
    pub async fn sealed(&self, secret: &Secret, version: VersionSelector) -> SealedVersionState {
        let read = self.secrets.sealed(&secret.scope, &secret.path, version, Freshness::Latest).await;
        read.expect("readable").expect("there is a secret").version
    }

    /// The ciphertext that a reveal of this secret finds, if the version is active.
    ///
    /// # Panics
    /// When there is no secret, or the store can't be read.
    pub async fn active(&self, secret: &Secret, version: VersionSelector) -> Option<SealedVersion> {
        match self.sealed(secret, version).await {
            SealedVersionState::Active(version) => Some(SealedVersion::clone(&version)),
            SealedVersionState::Destroyed | SealedVersionState::Missing => None,
        }
    }

    /// All streams of the audit log, each in order.
    ///
    /// # Panics
    /// When the store can't be read.
    pub async fn streams(&self) -> Vec<Vec<ChainedRecord>> {
        const PAGE: u32 = 100;
        let mut streams = Vec::new();
        for stream in self.audit.streams().await.expect("readable") {
            let mut records: Vec<ChainedRecord> = Vec::new();
            loop {
                let after = records.last().map_or(0, |record| record.sequence);
                let page = self.audit.records(stream, after, PAGE).await.expect("readable");
                let Some(first) = page.first() else { break };
                assert!(first.sequence > after, "a page after {after} begins at {}", first.sequence);
                records.extend(page);
            }
            streams.push(records);
        }
        streams
    }

    /// All records of the audit log, stream by stream, each in order.
    ///
    /// # Panics
    /// When the store can't be read.
    pub async fn records(&self) -> Vec<AuditRecord> {
        self.streams().await.into_iter().flatten().map(|chained| chained.record).collect()
    }

    /// Commits these records, and gives them as the log has them: one after the other in one stream.
    ///
    /// # Panics
    /// When the log has them otherwise.
    pub async fn log(&self, records: Vec<AuditRecord>) -> Vec<ChainedRecord> {
        self.commit(Unit { records: records.clone(), ..Unit::default() }).await;
        let first = records.first().map(|record| record.event);
        let streams = self.streams().await;
        let found = streams.iter().find_map(|stream| {
            let start = stream.iter().position(|chained| Some(chained.record.event) == first)?;
            stream.get(start..start + records.len())
        });
        let logged = found.expect("all of them in one stream").to_vec();
        assert!(logged.iter().map(|chained| &chained.record).eq(&records));
        logged
    }

    /// How far a reader of the log is with every stream that it is behind with; the first 1,000 of them.
    ///
    /// # Panics
    /// When the store can't be read.
    pub async fn behind(&self, reader: &LogReader) -> Vec<Behind> {
        self.audit.behind(reader, None, 1_000).await.expect("readable")
    }

    /// Those of `records` that the log holds, in the log's order.
    ///
    /// # Panics
    /// When the store can't be read.
    pub async fn logged(&self, records: &[AuditRecord]) -> Vec<AuditRecord> {
        let mut logged = self.records().await;
        logged.retain(|record| records.iter().any(|wanted| wanted.event == record.event));
        logged
    }
}
