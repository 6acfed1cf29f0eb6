//! Units as the engine makes them: a change, what it expects, and one record. Those that leave an object behind give it as it is
//! afterwards.

use crate::build;
use core::num::NonZeroU32;
use strongroom_domain::audit::{Action, ChainedRecord, IndexEntry, LogReader};
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::id::StreamId;
use strongroom_domain::kms::{Key, KeyHandle, KeyState, KeyStatus};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::policy::AccessPolicy;
use strongroom_domain::secret::{Secret, SecretState, WrappedKey};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Change, Expect, UniqueKey, Unit};
use strongroom_domain::version::{VersionLimits, VersionNumber};

/// These changes, with one record and no expectation.
#[must_use]
pub fn of(changes: Vec<Change>) -> Unit {
    expecting(Vec::new(), changes)
}

/// These changes under these expectations, with one record.
#[must_use]
pub fn expecting(expect: Vec<Expect>, changes: Vec<Change>) -> Unit {
    Unit { expect, changes, records: vec![build::record(Action::SystemInit)] }
}

/// That the secret still is as it was read.
#[must_use]
pub fn unchanged(secret: &Secret) -> Expect {
    Expect::Revision(AggregateId::Secret(secret.id), secret.state.revision)
}

/// That the key still is as it was read.
#[must_use]
pub fn unchanged_key(key: &Key) -> Expect {
    Expect::Revision(AggregateId::Key(key.spec.id), key.state.revision)
}

/// That the organisation and its directory still are as they were read.
#[must_use]
pub const fn unchanged_organisation(organisation: &Organisation) -> Expect {
    Expect::Revision(AggregateId::Organisation(organisation.id), organisation.revision)
}

/// That no object of its kind and organisation has the object's handle.
#[must_use]
pub fn handle_is_free(object: &DirectoryObject) -> Expect {
    let handle = object.handle().into_owned();
    Expect::Absent(UniqueKey::Handle(object.organisation(), object.kind(), handle))
}

/// That nothing lies at the secret's path.
#[must_use]
pub fn path_is_free(secret: &Secret) -> Expect {
    Expect::Absent(UniqueKey::SecretPath(secret.scope, secret.path.clone()))
}

/// Adds a secret with a first version; expects its path to be free.
#[must_use]
pub fn insert(secret: &Secret) -> Unit {
    expecting(
        vec![path_is_free(secret)],
        vec![Change::InsertSecret { secret: secret.clone(), version: build::sealed(1) }],
    )
}

fn later(at: Timestamp) -> Timestamp {
    at.plus_seconds(1)
}

fn with(secret: &Secret, state: SecretState, change: Change) -> (Unit, Secret) {
    (expecting(vec![unchanged(secret)], vec![change]), Secret { state, ..secret.clone() })
}

/// Adds a version, the next by number, a second after the last change; expects the secret as it was read. Gives the secret as it is
/// afterwards.
///
/// # Panics
/// Never: the limit on active versions is out of reach.
#[must_use]
pub fn append(secret: &Secret) -> (Unit, Secret) {
    let appended = secret.state.appended(later(secret.state.updated_at), VersionLimits::most(u32::MAX));
    let state = appended.unwrap_or_else(|error| panic!("{error}"));
    let version = build::sealed(state.head.latest.get());
    with(secret, state, Change::AppendVersion { secret: secret.id, version, state })
}

/// Destroys the active version `number`; `below` is the highest active one below it, `None` when there is none. Expects the secret as it
/// was read.
#[must_use]
pub fn erase(secret: &Secret, number: VersionNumber, below: Option<VersionNumber>) -> (Unit, Secret) {
    let at = later(secret.state.updated_at);
    let state = secret.state.destroyed(number, below, at);
    with(secret, state, Change::EraseVersion { secret: secret.id, version: number, at, state })
}

/// Adds a version, and destroys these active ones in the same unit: the lowest numbers first, none of them the new one. Expects one
/// revision, the one before all of it.
///
/// # Panics
/// Never: the limit on active versions is out of reach.
#[must_use]
pub fn append_and_erase(secret: &Secret, oldest: Vec<VersionNumber>) -> (Unit, Secret) {
    let (mut unit, appended) = append(secret);
    let at = appended.state.updated_at;
    let pruned = appended.state.pruned(oldest, at);
    let state = pruned.last().map_or(appended.state, |(_, state)| *state);
    unit.changes.extend(pruned.into_iter().map(|(version, state)| Change::EraseVersion {
        secret: secret.id,
        version,
        at,
        state,
    }));
    (unit, Secret { state, ..appended })
}

/// Replaces description, labels and annotations; expects the secret as it was read.
#[must_use]
pub fn replace_metadata(secret: &Secret, metadata: Metadata) -> (Unit, Secret) {
    replaced(Secret { metadata, ..secret.clone() })
}

/// Sets or clears how many active versions are kept.
#[must_use]
pub fn keep_versions(secret: &Secret, max_active_versions: Option<NonZeroU32>) -> (Unit, Secret) {
    replaced(Secret { max_active_versions, ..secret.clone() })
}

fn replaced(secret: Secret) -> (Unit, Secret) {
    let state = secret.state.touched(later(secret.state.updated_at));
    let (metadata, max_active_versions) = (secret.metadata.clone(), secret.max_active_versions);
    let change = Change::ReplaceMetadata { secret: secret.id, metadata, max_active_versions, state };
    with(&secret, state, change)
}

/// Sets the access policy, or clears it with `None`; expects the secret as it was read.
#[must_use]
pub fn replace_policy(secret: &Secret, policy: Option<AccessPolicy>) -> (Unit, Secret) {
    let state = secret.state.touched(later(secret.state.updated_at));
    let change = Change::ReplacePolicy { secret: secret.id, policy: policy.clone(), state };
    let (unit, secret) = with(secret, state, change);
    (unit, Secret { policy, ..secret })
}

/// Removes a secret with all its versions; expects it as it was read.
#[must_use]
pub fn delete(secret: &Secret) -> Unit {
    expecting(vec![unchanged(secret)], vec![Change::DeleteSecret { secret: secret.id }])
}

/// Adds a KMS key with its versions; expects its name and slug to be free.
#[must_use]
pub fn insert_key(key: &Key) -> Unit {
    let scope = key.spec.scope;
    let expect = vec![
        Expect::Absent(UniqueKey::KeyName(scope, key.name.clone())),
        Expect::Absent(UniqueKey::KeySlug(scope, key.slug.clone())),
    ];
    expecting(expect, vec![Change::InsertKey(key.clone())])
}

/// Adds a key version, the next by number; expects the key as it was read.
#[must_use]
pub fn append_key_version(key: &Key) -> (Unit, Key) {
    let state = key.touched(later(key.state.updated_at));
    let number = key.versions.last().map_or(1, |version| version.number.get() + 1);
    let version = build::key_version(number);
    let change = Change::AppendKeyVersion { key: key.spec.id, version: version.clone(), state };
    let mut appended = Key { state, ..key.clone() };
    appended.versions.push(version);
    (expecting(vec![unchanged_key(key)], vec![change]), appended)
}

/// Replaces a key's status; expects the key as it was read.
#[must_use]
pub fn replace_key_status(key: &Key, status: KeyStatus) -> (Unit, Key) {
    let state = KeyState { status, ..key.touched(later(key.state.updated_at)) };
    let change = Change::ReplaceKeyState { key: key.spec.id, state };
    (expecting(vec![unchanged_key(key)], vec![change]), Key { state, ..key.clone() })
}

/// Replaces a key's state by what `edit` makes of it.
#[must_use]
pub fn replace_key_state(key: &Key, edit: impl FnOnce(&mut KeyState)) -> (Unit, Key) {
    let mut state = key.touched(later(key.state.updated_at));
    edit(&mut state);
    let change = Change::ReplaceKeyState { key: key.spec.id, state };
    (expecting(vec![unchanged_key(key)], vec![change]), Key { state, ..key.clone() })
}

/// Replaces the handle of the version at this place, which callers don't see.
///
/// # Panics
/// When the key has fewer versions.
#[must_use]
pub fn replace_key_handle(key: &Key, place: usize, handle: KeyHandle) -> (Unit, Key) {
    let mut replaced = key.clone();
    replaced.state.revision = key.state.revision.next();
    replaced.versions[place].handle = handle;
    let (version, revision) = (replaced.versions[place].clone(), replaced.state.revision);
    let change = Change::ReplaceKeyHandle { key: key.spec.id, version, revision };
    (expecting(vec![unchanged_key(key)], vec![change]), replaced)
}

/// Removes a key with its versions; expects it as it was read.
#[must_use]
pub fn delete_key(key: &Key) -> Unit {
    expecting(vec![unchanged_key(key)], vec![Change::DeleteKey { key: key.spec.id }])
}

/// Replaces what wraps the data key of a version. No expectation: what is no longer as it was stays.
#[must_use]
pub fn rewrap(secret: &Secret, version: VersionNumber, before: WrappedKey, after: WrappedKey) -> Unit {
    of(vec![Change::ReplaceWrappedKey { secret: secret.id, version, before, after }])
}

/// The status of a key that waits for its end.
#[must_use]
pub const fn pending_deletion() -> KeyStatus {
    KeyStatus::PendingDeletion { purge_at: build::at(30 * 86_400), was_disabled: false }
}

/// Makes these changes of an organisation's directory and raises the organisation's revision, in one unit; expects the organisation as it
/// was read. Gives it as it is afterwards.
#[must_use]
pub fn revise(organisation: &Organisation, changes: Vec<Change>) -> (Unit, Organisation) {
    let revised = Organisation { revision: organisation.revision.next(), ..organisation.clone() };
    let mut all = vec![Change::ReviseOrganisation { organisation: revised.id, revision: revised.revision }];
    all.extend(changes);
    (expecting(vec![unchanged_organisation(organisation)], all), revised)
}

/// Adds or replaces an object of the directory.
#[must_use]
pub fn put(object: impl Into<DirectoryObject>) -> Change {
    Change::PutObject(Box::new(object.into()))
}

/// Removes an object from the directory.
#[must_use]
pub const fn remove(object: &DirectoryObject) -> Change {
    Change::DeleteObject { kind: object.kind(), id: object.id() }
}

/// Replaces an organisation by what `edit` makes of it, as a change of its own.
#[must_use]
pub fn replace_organisation(organisation: &Organisation, edit: impl FnOnce(&mut Organisation)) -> (Unit, Organisation) {
    let mut replaced = organisation.clone();
    edit(&mut replaced);
    replaced.updated_at = Some(later(organisation.updated_at.unwrap_or(organisation.created_at)));
    replaced.object_version += 1;
    replaced.revision = organisation.revision.next();
    let change = Change::ReplaceOrganisation(replaced.clone());
    (expecting(vec![unchanged_organisation(organisation)], vec![change]), replaced)
}

/// These changes and nothing else: what the log's readers commit leaves no record, or they would never come to its end.
#[must_use]
pub fn silent(changes: Vec<Change>) -> Unit {
    Unit { changes, ..Unit::default() }
}

fn lines(records: &[ChainedRecord]) -> (StreamId, u64, Vec<IndexEntry>) {
    let last = records.last().unwrap_or_else(|| panic!("records are wanted"));
    let entries = records.iter().flat_map(|chained| IndexEntry::of(&chained.record, chained.sequence)).collect();
    (last.stream, last.sequence, entries)
}

/// Adds the index lines of these records of one stream.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn index(records: &[ChainedRecord]) -> Change {
    let (stream, through, entries) = lines(records);
    Change::IndexRecords { stream, through, entries }
}

/// Removes these first records of a stream.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn remove_records(records: &[ChainedRecord]) -> Change {
    let (stream, through, entries) = lines(records);
    Change::RemoveRecords { stream, through, entries }
}

/// Notes how far a reader of the log is.
#[must_use]
pub fn advance(reader: &LogReader, stream: StreamId, through: u64) -> Change {
    Change::AdvanceReader { reader: reader.clone(), stream, through }
}
