use super::Operation;
use super::directory::PlainDirectory;
use crate::{build, units};
use core::num::NonZeroU32;
use strongroom_domain::audit::AuditRecord;
use strongroom_domain::id::{KeyId, SecretId};
use strongroom_domain::kms::{Key, KeyStatus, Rotation};
use strongroom_domain::port::{Access, AccessErrorKind, CommitErrorKind};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{Answer, AnswerKey, Change, Expect, UniqueKey, Unit};
use strongroom_domain::version::{Version, VersionNumber, VersionStatus};

/// Paths that share beginnings in every way; each exists in two scopes.
const PATHS: [&str; 12] =
    ["/a", "/a+b", "/a-b/c", "/a/b", "/a/b/c", "/a/b/d", "/a/bc", "/a0", "/aB", "/a_b/c", "/b/c/d/e", "/b/c/f"];
/// The first two share a slug.
const KEY_NAMES: [&str; 3] = ["My key", "my-key", "other"];

/// A version; its ciphertext while it is active.
#[derive(Clone)]
pub(super) struct PlainVersion {
    pub(super) entry: Version,
    pub(super) sealed: Option<SealedVersion>,
}

impl PlainVersion {
    fn new(sealed: SealedVersion) -> Self {
        let entry = Version {
            number: sealed.number,
            status: VersionStatus::Active,
            format: sealed.format,
            created_at: sealed.created_at,
            last_accessed_at: None,
        };
        Self { entry, sealed: Some(sealed) }
    }
}

/// A secret with its versions, by rising number.
#[derive(Clone)]
pub(super) struct PlainSecret {
    pub(super) secret: Secret,
    pub(super) versions: Vec<PlainVersion>,
}

impl PlainSecret {
    pub(super) fn active_below(&self, number: u64) -> Option<VersionNumber> {
        let active = self.versions.iter().rev().filter(|version| version.sealed.is_some());
        active.map(|version| version.entry.number).find(|found| found.get() < number)
    }

    pub(super) fn oldest_active(&self, limit: u32) -> Vec<VersionNumber> {
        let active = self.versions.iter().filter(|version| version.sealed.is_some());
        active.map(|version| version.entry.number).take(limit as usize).collect()
    }

    /// Whether it was active.
    fn erase(&mut self, number: VersionNumber, at: Timestamp) -> bool {
        let version = self.versions.iter_mut().find(|version| version.entry.number == number);
        version.is_some_and(|version| {
            let was_active = version.sealed.take().is_some();
            if was_active {
                version.entry.status = VersionStatus::Destroyed { at };
            }
            was_active
        })
    }

    pub(super) fn version(&self, number: u64) -> Option<&PlainVersion> {
        self.versions.iter().find(|version| version.entry.number.get() == number)
    }
}

/// The model.
#[derive(Clone)]
pub(super) struct Plain {
    pub(super) scopes: [Scope; 2],
    pub(super) secrets: Vec<PlainSecret>,
    /// What secrets are bound to. No such keys are made.
    pub(super) bound: [KeyId; 2],
    pub(super) keys: Vec<Key>,
    pub(super) answers: Vec<Answer>,
    pub(super) answers_ever: Vec<AnswerKey>,
    pub(super) directory: PlainDirectory,
    pub(super) records: Vec<AuditRecord>,
}

/// What an operation means now, and how the store must take it.
pub(super) enum Planned {
    Nothing,
    Commit(Unit, Result<(), CommitErrorKind>),
    Access(Box<Access>, Result<(), AccessErrorKind>),
}

fn refused(expect: Expect) -> Result<(), CommitErrorKind> {
    Err(CommitErrorKind::Conflict(expect))
}

impl Plain {
    pub(super) fn new() -> Self {
        let scope = build::scope();
        Self {
            scopes: [scope, build::project_in(scope)],
            secrets: Vec::new(),
            bound: [(); 2].map(|()| KeyId::new(build::uuid())),
            keys: Vec::new(),
            answers: Vec::new(),
            answers_ever: Vec::new(),
            directory: PlainDirectory::new(),
            records: Vec::new(),
        }
    }

    /// What a secret at a place is, or would be.
    pub(super) fn place(&self, place: usize) -> Secret {
        let secret = build::secret(self.scopes[place % 2], PATHS[place / 2 % PATHS.len()]);
        Secret { key: self.bound[place / 2 % 2], ..secret }
    }

    pub(super) fn index_at(&self, place: &Secret) -> Option<usize> {
        self.secrets.iter().position(|it| it.secret.scope == place.scope && it.secret.path == place.path)
    }

    /// Makes the change of the operation, and says how the store must take it; when it must refuse, the model is thrown away.
    pub(super) fn plan(&mut self, operation: &Operation, step: usize) -> Planned {
        match operation {
            Operation::Insert(place) => self.insert(*place),
            Operation::Append { place, fresh } => self.change(*place, |found, secret| {
                if !fresh {
                    secret.state.revision = strongroom_domain::unit::Revision::new(1_000);
                }
                let (unit, after) = units::append(secret);
                if let (Some(found), Change::AppendVersion { version, .. }) = (found, &unit.changes[0]) {
                    found.versions.push(PlainVersion::new(version.clone()));
                }
                (unit, after, *fresh)
            }),
            Operation::AppendAndErase { place, oldest, fresh } => self.append_and_erase(*place, *oldest, *fresh),
            Operation::Erase { place, pick } => self.erase(*place, *pick),
            Operation::KeepVersions { place, most } => self.change(*place, |_, secret| {
                let (unit, after) = units::keep_versions(secret, NonZeroU32::new(*most));
                (unit, after, true)
            }),
            Operation::ReplaceMetadata { place, text } => self.change(*place, |_, secret| {
                let (unit, after) = units::replace_metadata(secret, build::metadata(text));
                (unit, after, true)
            }),
            Operation::ReplacePolicy { place, set } => self.change(*place, |_, secret| {
                let (unit, after) = units::replace_policy(secret, set.then(build::policy));
                (unit, after, true)
            }),
            Operation::Delete(place) => self.delete(*place),
            Operation::Access { place, pick, second, fresh } => self.access(*place, *pick, build::at(*second), *fresh),
            Operation::InsertKey { scope, name } => self.insert_key(*scope, *name, step),
            Operation::AppendKeyVersion(pick) => self.change_key(*pick, units::append_key_version),
            Operation::SetKeyStatus { pick, status } => {
                let statuses = [KeyStatus::Active, KeyStatus::Disabled, units::pending_deletion()];
                self.change_key(*pick, |key| units::replace_key_status(key, statuses[status % statuses.len()]))
            }
            Operation::SetKeyRotation { pick, days, oldest } => self.change_key(*pick, |key| {
                units::replace_key_state(key, |state| {
                    state.rotation = Rotation { enabled: days.is_some(), period_days: *days };
                    state.min_decryption_version = build::key_version(*oldest).number;
                })
            }),
            Operation::ReplaceKeyHandle { pick, place } => self.change_key(*pick, |key| {
                let place = place % key.versions.len();
                units::replace_key_handle(key, place, build::key_version(1).handle)
            }),
            Operation::DeleteKey(pick) => self.delete_key(*pick),
            Operation::ExpectKeyVersion { pick, version } => self.expect_key_version(*pick, *version),
            Operation::Rewrap { place, pick, key_version, fresh } => self.rewrap(*place, *pick, *key_version, *fresh),
            Operation::Remember { place, second } => self.remember(*place, build::at(*second)),
            Operation::PutTeam { organisation, team, slug, fresh } => {
                self.directory.put(*organisation, *team, *slug, *fresh)
            }
            Operation::DeleteTeam { organisation, team } => self.directory.delete(*organisation, *team),
            Operation::Prune { second } => {
                let before = build::at(*second);
                self.answers.retain(|answer| answer.expires_at >= before);
                Planned::Commit(units::of(vec![Change::PruneAnswers { before, limit: 1_000 }]), Ok(()))
            }
        }
    }

    fn insert(&mut self, place: usize) -> Planned {
        let secret = self.place(place);
        let unit = units::insert(&secret);
        if self.index_at(&secret).is_some() {
            return Planned::Commit(unit, refused(units::path_is_free(&secret)));
        }
        if let Change::InsertSecret { version, .. } = &unit.changes[0] {
            self.secrets.push(PlainSecret { secret, versions: vec![PlainVersion::new(version.clone())] });
        }
        Planned::Commit(unit, Ok(()))
    }

    /// A change of the secret at a place, or of one that isn't there; the closure says whether it is one that fits.
    fn change(
        &mut self,
        place: usize,
        change: impl FnOnce(Option<&mut PlainSecret>, &mut Secret) -> (Unit, Secret, bool),
    ) -> Planned {
        let mut secret = self.place(place);
        let index = self.index_at(&secret);
        let found = index.map(|index| &mut self.secrets[index]);
        if let Some(found) = &found {
            secret = found.secret.clone();
        }
        let (unit, after, fits) = change(found, &mut secret);
        match index {
            Some(index) if fits => {
                self.secrets[index].secret = after;
                Planned::Commit(unit, Ok(()))
            }
            _ => Planned::Commit(unit, refused(units::unchanged(&secret))),
        }
    }

    fn append_and_erase(&mut self, place: usize, oldest: u32, fresh: bool) -> Planned {
        let mut erased = Vec::new();
        let planned = self.change(place, |found, secret| {
            if !fresh {
                secret.state.revision = strongroom_domain::unit::Revision::new(1_000);
            }
            let oldest = found.as_ref().map_or_else(Vec::new, |found| found.oldest_active(oldest));
            erased.extend(oldest.iter().map(|number| (secret.id, *number)));
            let (unit, after) = units::append_and_erase(secret, oldest.clone());
            if let (Some(found), Change::AppendVersion { version, .. }) = (found, &unit.changes[0]) {
                found.versions.push(PlainVersion::new(version.clone()));
                oldest.into_iter().for_each(|number| assert!(found.erase(number, after.state.updated_at)));
            }
            (unit, after, fresh)
        });
        self.erase_digests(&erased);
        planned
    }

    fn erase(&mut self, place: usize, pick: usize) -> Planned {
        let mut erased = None;
        let planned = self.change(place, |found, secret| {
            let number = pick as u64 % secret.state.head.latest.get() + 1;
            let below = found.as_ref().and_then(|found| found.active_below(number));
            let number = build::number(number);
            let (unit, after) = units::erase(secret, number, below);
            let fits = found.is_some_and(|found| found.erase(number, after.state.updated_at));
            erased = Some((secret.id, number));
            (unit, after, fits)
        });
        self.erase_digests(erased.as_slice());
        planned
    }

    fn erase_digests(&mut self, erased: &[(SecretId, VersionNumber)]) {
        for answer in self.answers.iter_mut().filter(|answer| erased.contains(&(answer.secret, answer.version))) {
            answer.body = None;
        }
    }

    fn delete(&mut self, place: usize) -> Planned {
        let secret = self.place(place);
        let Some(index) = self.index_at(&secret) else {
            return Planned::Commit(units::delete(&secret), refused(units::unchanged(&secret)));
        };
        let PlainSecret { secret, .. } = self.secrets.remove(index);
        self.answers.retain(|answer| answer.secret != secret.id);
        Planned::Commit(units::delete(&secret), Ok(()))
    }

    fn access(&mut self, place: usize, pick: usize, at: Timestamp, fresh: bool) -> Planned {
        let secret = self.place(place);
        let Some(index) = self.index_at(&secret) else {
            return Planned::Access(Box::new(build::access(&secret, 1, at)), Err(AccessErrorKind::Stale));
        };
        let PlainSecret { secret, versions } = &mut self.secrets[index];
        let pick = pick % versions.len();
        let version = &mut versions[pick];
        let mut access = build::access(secret, version.entry.number.get(), at);
        if !fresh {
            access.seen = access.seen.next();
            return Planned::Access(Box::new(access), Err(AccessErrorKind::Stale));
        }
        if version.sealed.is_none() {
            return Planned::Nothing;
        }
        secret.last_accessed_at = secret.last_accessed_at.max(Some(at));
        version.entry.last_accessed_at = version.entry.last_accessed_at.max(Some(at));
        Planned::Access(Box::new(access), Ok(()))
    }

    fn insert_key(&mut self, scope: usize, name: usize, step: usize) -> Planned {
        let scope = self.scopes[scope % 2];
        let created_at = build::at(i64::try_from(step).unwrap_or(i64::MAX));
        let key = Key { created_at, ..build::key(scope, KEY_NAMES[name % KEY_NAMES.len()]) };
        let unit = units::insert_key(&key);
        let mut live = self.keys.iter().filter(|other| other.spec.scope == scope && other.is_live());
        let expect = if live.clone().any(|other| other.name == key.name) {
            Some(UniqueKey::KeyName(scope, key.name.clone()))
        } else {
            live.any(|other| other.slug == key.slug).then(|| UniqueKey::KeySlug(scope, key.slug.clone()))
        };
        if let Some(taken) = expect {
            return Planned::Commit(unit, refused(Expect::Absent(taken)));
        }
        self.keys.push(key);
        Planned::Commit(unit, Ok(()))
    }

    fn change_key(&mut self, pick: usize, change: impl FnOnce(&Key) -> (Unit, Key)) -> Planned {
        let count = self.keys.len();
        if count == 0 {
            let key = build::key(self.scopes[0], "missing");
            return Planned::Commit(change(&key).0, refused(units::unchanged_key(&key)));
        }
        let key = &mut self.keys[pick % count];
        let (unit, after) = change(key);
        *key = after;
        Planned::Commit(unit, Ok(()))
    }

    fn delete_key(&mut self, pick: usize) -> Planned {
        let key = match self.keys.len() {
            0 => build::key(self.scopes[0], "missing"),
            count => self.keys.remove(pick % count),
        };
        Planned::Commit(units::of(vec![Change::DeleteKey { key: key.spec.id }]), Ok(()))
    }

    fn expect_key_version(&self, pick: usize, version: u32) -> Planned {
        let version = build::key_version(version).number;
        let key = match self.keys.len() {
            0 => None,
            count => self.keys.get(pick % count),
        };
        let expect = Expect::KeyVersion(key.map_or(self.bound[0], |key| key.spec.id), version);
        let holds = key.is_some_and(|key| version >= key.state.min_decryption_version);
        let unit = units::expecting(vec![expect.clone()], Vec::new());
        Planned::Commit(unit, if holds { Ok(()) } else { refused(expect) })
    }

    fn rewrap(&mut self, place: usize, pick: usize, key_version: u32, fresh: bool) -> Planned {
        let secret = self.place(place);
        let mut sealed = build::sealed(1).wrapped;
        let before = sealed.clone();
        sealed.key_version = build::key_version(key_version).number;
        // Of two lengths.
        sealed.bytes.truncate(if pick.is_multiple_of(2) { usize::MAX } else { 40 });
        let Some(index) = self.index_at(&secret) else {
            return Planned::Commit(units::rewrap(&secret, build::number(1), before, sealed), Ok(()));
        };
        let PlainSecret { secret, versions } = &mut self.secrets[index];
        let pick = pick % versions.len();
        let version = &mut versions[pick];
        let before = match &mut version.sealed {
            Some(active) if fresh => core::mem::replace(&mut active.wrapped, sealed.clone()),
            _ => before,
        };
        Planned::Commit(units::rewrap(secret, version.entry.number, before, sealed), Ok(()))
    }

    fn remember(&mut self, place: usize, expires_at: Timestamp) -> Planned {
        let Some(index) = self.index_at(&self.place(place)) else { return Planned::Nothing };
        let secret = &self.secrets[index].secret;
        let Some(current) = secret.state.head.current else { return Planned::Nothing };
        let answer = build::answer(secret.id, current.get(), expires_at);
        self.answers.push(answer.clone());
        self.answers_ever.push(answer.key);
        Planned::Commit(units::of(vec![Change::RememberAnswer(answer)]), Ok(()))
    }
}
