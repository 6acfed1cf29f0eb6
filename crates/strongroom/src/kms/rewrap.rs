use super::GrantedKey;
use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::envelope::wrap;
use crate::error::{Code, Error, busy};
use crate::session::Session;
use strongroom_domain::audit::{Action, AuditRecord, Details};
use strongroom_domain::envelope::{DATA_KEY_LEN, data_key_aad};
use strongroom_domain::iam::Permission;
use strongroom_domain::id::SecretId;
use strongroom_domain::kms::{Key, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{CommitErrorKind, KeyName, Kms, KmsErrorKind, WrappedVersion};
use strongroom_domain::secret::WrappedKey;
use strongroom_domain::unit::{Change, Expect, Unit};
use strongroom_domain::version::VersionNumber;

/// How many data keys one unit moves at the most: a put waits for no longer than such a unit takes.
const AT_ONCE: u32 = 100;
/// After how many data keys that can't be opened a call ends, at the end of the page that it is at.
const MAX_FAILED: u64 = 500;

/// Where a page ends.
type Place = (SecretId, VersionNumber);

/// How far a re-wrap came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// How many data keys this call moved to the newest version. One whose version was destroyed, or moved by
    /// another call, meanwhile may be counted too.
    pub rewrapped: u64,
    /// How many this call could not open, 599 at the most. They stay as they are, and another call tries them again.
    pub failed: u64,
    /// How many are under earlier versions still, those that can't be opened among them.
    pub remaining: u64,
    /// The newest version.
    pub latest: KeyVersionNumber,
}

/// A caller who may move data keys to the newest version of this key.
pub struct Rewrap<'a>(GrantedKey<'a>);

impl Engine {
    /// Checks that the caller may re-wrap what is under the key of this identity or slug.
    ///
    /// # Errors
    /// [`Code::KeyNotFound`], also when no rule allows it.
    pub async fn rewrap<'a>(&'a self, session: &'a Session, name: &str) -> Result<Rewrap<'a>, Error> {
        self.grant_key(session, Action::KmsRewrap, &[Permission::Update], name).await.map(Rewrap)
    }
}

impl Rewrap<'_> {
    /// Moves up to `limit` data keys from earlier versions of the key, retired ones too, to the newest. Values stay untouched, and puts and
    /// reveals go on meanwhile. What is done is durable, with its audit records; called again, it goes on where the last call ended: data
    /// keys that can't be opened, after 500 of which a call ends too, don't keep it from those behind them.
    ///
    /// # Errors
    /// [`Code::KeyUnusable`], [`Code::KeyPendingDeletion`], and those of KMS and store. What was moved before stays moved.
    pub async fn run(self, limit: u32) -> Result<Rewrapped, Error> {
        let outcome = self.attempt(limit).await;
        self.0.recorded(outcome).await
    }

    async fn attempt(&self, limit: u32) -> Result<Rewrapped, Error> {
        // What is wrong with the key is said before a missing KMS.
        self.0.key.check_usable()?;
        let (places, id) = (&self.0.engine.rewraps, self.0.key.spec.id);
        let from = places.lock().await.remove(&id);
        let moved = self.0.rewrap_below(None, Some(u64::from(limit.max(1))), from).await?;
        if let Some(place) = moved.ended_at {
            places.lock().await.insert(id, place);
        }
        if moved.units == 0 {
            self.0.log_success_with(None, Details { count: Some(0), ..self.0.details() }).await?;
        }
        let remaining = self.0.count_below(moved.latest).await?;
        Ok(Rewrapped { rewrapped: moved.rewrapped, failed: moved.failed, remaining, latest: moved.latest })
    }
}

/// What was moved.
pub(super) struct Moved {
    rewrapped: u64,
    pub(super) failed: u64,
    units: u64,
    latest: KeyVersionNumber,
    /// Behind which there may be more, unless everything was tried.
    ended_at: Option<Place>,
}

/// What a page of data keys led to.
struct Page {
    changes: Vec<Change>,
    failed: u64,
    /// Why the rest of the page was not tried.
    error: Option<Error>,
}

impl GrantedKey<'_> {
    /// How many data keys are wrapped by versions of the key before this one.
    pub(super) async fn count_below(&self, number: KeyVersionNumber) -> Result<u64, Error> {
        let counts = self.engine.ports.secrets.count_wrapped(self.key.spec.id).await?;
        Ok(counts.iter().filter(|(version, _)| *version < number).map(|(_, count)| count).sum())
    }

    /// Moves data keys that are wrapped by versions before `below`, else before the newest, to the newest; up to `limit`, else all. Those
    /// that can't be opened are passed over, so that they keep nothing else from being moved. Begins behind `from`, and goes on with what
    /// stands before it.
    ///
    /// Waits for nobody: what changes meanwhile stays as it is then, and two calls at once only do some of the work twice.
    pub(super) async fn rewrap_below(
        &self,
        below: Option<KeyVersionNumber>,
        limit: Option<u64>,
        from: Option<Place>,
    ) -> Result<Moved, Error> {
        let Self { engine, session, .. } = self;
        let id = self.key.spec.id;
        let kms = engine.kms(&session.region)?;
        let mut after = from;
        let mut until = None;
        let mut tries = 0;
        let mut moved = Moved { rewrapped: 0, failed: 0, units: 0, latest: KeyVersionNumber::FIRST, ended_at: None };
        loop {
            // Anew for each page: meanwhile the key may have been disabled, rotated or retired.
            let key = engine.ports.keys.find(&session.scope, &KeyName::Id(id)).await?.ok_or_else(super::not_found)?;
            key.check_usable()?;
            let latest = latest(&key)?;
            moved.latest = latest.number;
            let left = limit.map_or(u64::MAX, |limit| limit.saturating_sub(moved.rewrapped));
            let at_once = u32::try_from(left).unwrap_or(u32::MAX).min(AT_ONCE);
            if at_once == 0 || moved.failed >= MAX_FAILED {
                moved.ended_at = after;
                return Ok(moved);
            }
            let below = below.unwrap_or(latest.number);
            let mut found = engine.ports.secrets.wrapped(id, Some(below), after, at_once).await?;
            found.retain(|found| until.is_none_or(|until| place(found) <= until));
            let Some(last) = found.last().map(place) else {
                if until.is_none() && from.is_some() {
                    (after, until) = (None, from);
                    continue;
                }
                return Ok(moved);
            };
            let page = self.rewrap_page(kms.as_ref(), &key, latest, &found).await;
            let count = page.changes.len() as u64;
            if count > 0 {
                if !self.commit_page(&found, page.changes, latest.number).await? {
                    tries += 1;
                    if tries == MAX_TRIES {
                        return Err(busy());
                    }
                    engine.back_off(tries).await?;
                    continue;
                }
                (moved.rewrapped, moved.units, tries) = (moved.rewrapped + count, moved.units + 1, 0);
            }
            moved.failed += page.failed;
            if let Some(error) = page.error {
                return Err(error);
            }
            after = Some(last);
        }
    }

    async fn rewrap_page(&self, kms: &dyn Kms, key: &Key, latest: &KeyVersion, found: &[WrappedVersion]) -> Page {
        let mut page = Page { changes: Vec::with_capacity(found.len()), failed: 0, error: None };
        for found in found {
            match rewrapped(kms, key, latest, found).await {
                Ok(Ok(after)) => page.changes.push(Change::ReplaceWrappedKey {
                    secret: found.secret,
                    version: found.version,
                    before: found.wrapped.clone(),
                    after,
                }),
                Ok(Err(error)) => {
                    page.failed += 1;
                    self.count_unopened(found, &error);
                }
                Err(error) => {
                    page.error = Some(error);
                    break;
                }
            }
        }
        page
    }

    /// `false` when the version is retired by now, or the key gone.
    async fn commit_page(
        &self,
        found: &[WrappedVersion],
        changes: Vec<Change>,
        latest: KeyVersionNumber,
    ) -> Result<bool, Error> {
        let Self { engine, key, .. } = self;
        let details = Details { count: Some(changes.len() as u64), ..self.details() };
        let record = AuditRecord { action: Action::KmsRewrap, ..self.success(self.now(), Some(latest), details) };
        let unit = Unit { expect: vec![Expect::KeyVersion(key.spec.id, latest)], changes, records: vec![record] };
        let committed = engine.ports.committer.commit(unit).await;
        // Reveals read the new wrapping from now on, so that the old version is not needed for what is kept in memory.
        for found in found {
            engine.cache.forget_secret(&found.scope, &found.path);
        }
        match committed {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells the audit log of a data key that can't be opened; of many at once, in one record.
    fn count_unopened(&self, found: &WrappedVersion, error: &Error) {
        let resource = audit::secret(&found.path, Some(found.secret), Some(found.version));
        let record = AuditRecord {
            details: Some(Box::new(self.details())),
            ..self.session.recorder(self.engine).failure(self.now(), Action::KmsRewrap, resource, error)
        };
        self.engine.count_fault(error.code().as_str(), record);
    }
}

const fn place(found: &WrappedVersion) -> Place {
    (found.secret, found.version)
}

pub(super) fn latest(key: &Key) -> Result<&KeyVersion, Error> {
    key.latest().ok_or_else(|| Error::new(Code::Internal, "The KMS key has no version; tell the operator."))
}

/// The data key under the newest version; within, why it can't be opened; without, why none can be moved now.
async fn rewrapped(
    kms: &dyn Kms,
    key: &Key,
    latest: &KeyVersion,
    found: &WrappedVersion,
) -> Result<Result<WrappedKey, Error>, Error> {
    let damaged =
        |what| Ok(Err(Error::new(Code::Internal, format!("The stored {what} is damaged; tell the operator."))));
    // A retired version too: this is how what was left under it is saved.
    let Some(version) = key.version(found.wrapped.key_version) else { return damaged("key version") };
    let aad = data_key_aad(&found.scope, &found.path, found.secret, found.version, key.spec.id);
    let data_key = match kms.decrypt(&key.spec, version, &aad, &found.wrapped.bytes).await {
        Ok(data_key) if data_key.len() == DATA_KEY_LEN => data_key,
        Ok(_) => return damaged("data key"),
        Err(error) if matches!(error.kind(), KmsErrorKind::Unavailable | KmsErrorKind::OtherKms) => {
            return Err(error.into());
        }
        Err(error) => return Ok(Err(error.into())),
    };
    let bytes = wrap(kms, key, latest, &aad, &data_key).await?;
    Ok(Ok(WrappedKey { key_version: latest.number, bytes }))
}

#[cfg(test)]
mod tests {
    use crate::Limits;
    use crate::embed::{Embedded, Environment};
    use crate::kms::CreateKeyInput;
    use crate::secret::CreateInput;
    use core::time::Duration;
    use std::sync::Arc;
    use strongroom_crypto::{Aes256GcmCipher, HmacSha256Digest, OsEntropy};
    use strongroom_domain::id::StreamId;
    use strongroom_domain::value::SecretBytes;
    use strongroom_kms_memory::MemoryKms;
    use strongroom_store_memory::MemoryStore;
    use strongroom_testkit::{FixedSigner, ManualClock, SequentialIds, build};
    use uuid::Uuid;

    async fn room() -> Embedded {
        let environment = Environment {
            cipher: Arc::new(Aes256GcmCipher),
            answer_digest: Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[7; 32]), 1)),
            clock: Arc::new(ManualClock::jumping(build::at(0))),
            ids: Arc::new(SequentialIds::new()),
            entropy: Arc::new(OsEntropy),
        };
        let store = Arc::new(MemoryStore::new(Arc::new(FixedSigner), StreamId::new(Uuid::nil())));
        let kms = Arc::new(MemoryKms::new(Arc::new(OsEntropy)));
        Embedded::start(store, kms, environment, Limits::default()).await.expect("starts")
    }

    /// Nor does anybody wait for it, then.
    #[tokio::test]
    async fn it_waits_for_no_turn_of_a_secret() {
        let room = room().await;
        let (engine, session) = (room.engine(), room.session());
        let key = engine.create_key(&session).await.expect("allowed").run(CreateKeyInput::named("app")).await;
        let key = key.expect("creates");
        let create = engine.create(&session, "/a".parse().expect("a path")).await.expect("allowed");
        create.run(CreateInput::string(&key, SecretBytes::copy_of(b"1")), None).await.expect("creates");
        engine.rotate(&session, "app").await.expect("allowed").run().await.expect("rotates");

        let _turns = engine.all_turns().await;
        let rewrap = engine.rewrap(&session, "app").await.expect("allowed");
        let done = tokio::time::timeout(Duration::from_secs(60), rewrap.run(10)).await.expect("waits for nobody");
        let done = done.expect("moves");
        assert_eq!((done.rewrapped, done.remaining), (1, 0));
    }
}
