use super::GrantedKey;
use crate::audit;
use crate::engine::{Engine, MAX_TRIES};
use crate::envelope::wrap;
use crate::error::{Code, Error, busy};
use crate::session::Session;
use strongroom_domain::audit::Action;
use strongroom_domain::envelope::{DATA_KEY_LEN, data_key_aad};
use strongroom_domain::iam::Permission;
use strongroom_domain::kms::{Key, KeyVersion, KeyVersionNumber};
use strongroom_domain::port::{CommitErrorKind, KeyName, Kms, KmsErrorKind, WrappedVersion};
use strongroom_domain::secret::WrappedKey;
use strongroom_domain::unit::{Change, Expect, Unit};

/// How many data keys one unit moves at the most: a put waits for no longer than such a unit takes.
const AT_ONCE: u32 = 100;

/// How far a re-wrap came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrapped {
    /// How many data keys this call moved to the newest version. One whose version was destroyed meanwhile may be counted too.
    pub rewrapped: u64,
    /// How many this call could not open. They stay as they are, and another call tries them again.
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
    /// reveals go on meanwhile. What is done is durable, with its audit records; called again, it goes on where the last call ended.
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
        let moved = self.0.rewrap_below(None, Some(u64::from(limit.max(1)))).await?;
        if moved.units == 0 {
            self.0.log_success().await?;
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
    /// that can't be opened are passed over, so that they keep nothing else from being moved.
    pub(super) async fn rewrap_below(
        &self,
        below: Option<KeyVersionNumber>,
        limit: Option<u64>,
    ) -> Result<Moved, Error> {
        let Self { engine, session, .. } = self;
        let id = self.key.spec.id;
        // Two at once would do the same work twice.
        let _turn = engine.queue(("re-wrap", id)).await;
        let kms = engine.kms(&session.region)?;
        let mut after = None;
        let mut tries = 0;
        let mut moved = Moved { rewrapped: 0, failed: 0, units: 0, latest: KeyVersionNumber::FIRST };
        loop {
            // Anew for each page: meanwhile the key may have been disabled, rotated or retired.
            let key = engine.ports.keys.find(&session.scope, &KeyName::Id(id)).await?.ok_or_else(super::not_found)?;
            key.check_usable()?;
            let latest = latest(&key)?;
            moved.latest = latest.number;
            let left = limit.map_or(u64::MAX, |limit| limit.saturating_sub(moved.rewrapped));
            let at_once = u32::try_from(left).unwrap_or(u32::MAX).min(AT_ONCE);
            if at_once == 0 {
                return Ok(moved);
            }
            let below = below.unwrap_or(latest.number);
            let found = engine.ports.secrets.wrapped(id, Some(below), after, at_once).await?;
            let Some(last) = found.last().map(|found| (found.secret, found.version)) else { return Ok(moved) };
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
        let Self { engine, session, key, rule, .. } = self;
        let resource = audit::key(key.spec.id, Some(latest));
        let record = session.recorder(engine).success(self.now(), Action::KmsRewrap, resource, Some(*rule), 200);
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
        let record = self.session.recorder(self.engine).failure(self.now(), Action::KmsRewrap, resource, error);
        self.engine.count_fault(error.code().as_str(), record);
    }
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
        Err(error) if *error.kind() == KmsErrorKind::Unavailable => return Err(error.into()),
        Err(error) => return Ok(Err(error.into())),
    };
    let bytes = wrap(kms, key, latest, &aad, &data_key).await?;
    Ok(Ok(WrappedKey { key_version: latest.number, bytes }))
}
