//! What somebody does who can write to the database.

use crate::database::Database;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;
use strongroom_crypto::{Ed25519Signer, OsEntropy, ed25519_public};
use strongroom_domain::audit::{AuditKey, ChainState, Checkpoint, Finding, FindingKind, Signature, SignedCheckpoint};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::StoredCheckpoint;
use strongroom_root_key::SoftwareRootKey;

/// The columns beside the signed record.
const COLUMNS: [&str; 19] = [
    "stream",
    "sequence",
    "at",
    "status",
    "resource_version",
    "event",
    "organisation",
    "region",
    "principal",
    "credential",
    "project",
    "resource_id",
    "request_id",
    "principal_kind",
    "action",
    "outcome",
    "resource_kind",
    "resource_identity",
    "client_ip",
];
const SEQUENCE_BITS: u32 = 44;
const ALL: &str = "sequence, hash, signature, signing_key_version, canonical, at, event, organisation, region, project, \
                   principal_kind, principal, credential, action, outcome, status, resource_kind, resource_identity, \
                   resource_id, resource_version, request_id, client_ip";

#[derive(Clone, Debug)]
pub(crate) enum Tampering {
    Canonical,
    Hash,
    Column(usize),
    Delete,
    Swap,
    SwapSignatures,
    Insert,
    /// Chained as a writer does it, but not signed; a server that goes on must not sign it.
    Append,
    DeleteStream,
    DeleteCheckpoint,
    EditCheckpoint,
    DeleteLastCheckpoints,
    CutTail,
    DeleteIndexLine,
    EditIndexLine,
    InsertIndexLine,
    /// Far behind the last record of a stream.
    PlantAhead,
    /// A key of somebody else.
    PlantKey,
    /// How far a reader is with a stream, which is all that there is: beyond that.
    Position(usize),
}

/// The readers whose positions verification looks at.
const READERS: [&str; 2] = ["index", "checkpoints"];

pub(crate) fn all() -> Vec<Tampering> {
    use Tampering as T;
    let mut all = vec![
        T::Canonical,
        T::Hash,
        T::Delete,
        T::Swap,
        T::SwapSignatures,
        T::Insert,
        T::Append,
        T::DeleteStream,
        T::DeleteCheckpoint,
        T::EditCheckpoint,
        T::DeleteLastCheckpoints,
        T::CutTail,
        T::DeleteIndexLine,
        T::EditIndexLine,
        T::InsertIndexLine,
        T::PlantAhead,
        T::PlantKey,
    ];
    all.extend((0..COLUMNS.len()).map(T::Column));
    all.extend((0..READERS.len()).map(T::Position));
    all
}

pub(crate) fn any() -> impl Strategy<Value = Tampering> {
    prop::sample::select(all())
}

/// What must be found first.
#[derive(Debug)]
pub(crate) enum Wanted {
    Record(FindingKind, StreamId, u64),
    Stream(FindingKind, StreamId),
    /// The stream ended with its only record: it is gone, or its records from here on are.
    Emptied(StreamId, u64),
    Checkpoint(u64),
    Kinds(Vec<FindingKind>),
    /// The log is still what it was.
    Nothing,
}

impl Wanted {
    pub(crate) fn is_met(&self, findings: &[Finding]) -> bool {
        let Some(first) = findings.first() else { return matches!(self, Self::Nothing) };
        let at = (first.kind, first.stream, first.sequence);
        match self {
            Self::Record(kind, stream, sequence) => at == (*kind, Some(*stream), Some(*sequence)),
            Self::Stream(kind, stream) => at == (*kind, Some(*stream), None),
            Self::Emptied(stream, sequence) => {
                at == (FindingKind::StreamMissing, Some(*stream), None)
                    || at == (FindingKind::RecordsCutOff, Some(*stream), Some(*sequence))
            }
            Self::Checkpoint(number) => first.checkpoint == Some(*number),
            Self::Kinds(kinds) => kinds.contains(&first.kind),
            Self::Nothing => false,
        }
    }
}

pub(crate) fn sequence(position: i64) -> u64 {
    (position & ((1 << SEQUENCE_BITS) - 1)).unsigned_abs()
}

pub(crate) fn position(stream: i64, sequence: u64) -> i64 {
    stream << SEQUENCE_BITS | sequence.cast_signed()
}

pub(crate) fn stream_of(position: i64) -> i64 {
    position >> SEQUENCE_BITS
}

fn change(bytes: &mut [u8], at: &Index) {
    let at = at.index(bytes.len());
    bytes[at] ^= 1;
}

pub(crate) fn stream_id(place: &Database, ordinal: i64) -> StreamId {
    let id = match place {
        Database::Sqlite(_) => "lower(hex(id))",
        Database::Postgres(_) => "id::text",
    };
    let rows = place.rows(&format!("SELECT {id} FROM audit_streams WHERE ordinal = {ordinal}"));
    StreamId::new(rows[0][0].parse().expect("an identifier"))
}

/// Puts a copy of this record, the last of its stream, so far behind it.
pub(crate) fn plant_ahead(place: &Database, last: i64, by: i64) {
    let made = ALL.replacen("sequence", &format!("sequence + {by}"), 1);
    place.run(&format!(
        "INSERT INTO audit_records (position, stream, {ALL}) SELECT {}, stream, {made} FROM audit_records WHERE position = {last}",
        last + by
    ));
}

/// Tells a reader that it has had more of a stream than there is.
pub(crate) fn set_ahead(place: &Database, reader: &str, stream: i64) {
    place.run(&format!("DELETE FROM audit_positions WHERE name = '{reader}' AND stream = {stream}"));
    place.run(&format!(
        "INSERT INTO audit_positions (name, stream, sequence) SELECT '{reader}', {stream}, max(sequence) + 1000 \
         FROM audit_records WHERE stream = {stream}"
    ));
}

/// Adds records behind this one, the last of its stream: with hashes as a writer makes them, without a signature.
pub(crate) fn append(place: &Database, last: i64, count: usize) {
    let row = format!("position = {last}");
    let canonical = place.column("audit_records", "canonical", &row);
    let hash = place.column("audit_records", "hash", &row).try_into().expect("32 bytes");
    // The stream's identifier is in its first hash only.
    let mut state =
        ChainState { sequence: sequence(last), hash, ..ChainState::begin(StreamId::new(uuid::Uuid::nil())) };
    for position in (last + 1..).take(count) {
        state = state.after(&canonical);
        let made = format!("{}, {}, NULL, NULL", state.sequence, place.bytes(&state.hash));
        let made = ALL.replacen("sequence, hash, signature, signing_key_version", &made, 1);
        place.run(&format!(
            "INSERT INTO audit_records (position, stream, {ALL}) SELECT {position}, stream, {made} FROM audit_records WHERE {row}"
        ));
    }
}

/// Does it; what must be found. `None` where there is nothing that it could be done to.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn apply(place: &Database, tampering: &Tampering, (pick, other): (Index, Index)) -> Option<Wanted> {
    use Tampering as T;
    let positions = place.numbers("SELECT position FROM audit_records ORDER BY position");
    let at = pick.index(positions.len());
    let position = positions[at];
    let row = format!("position = {position}");
    let stream = stream_id(place, stream_of(position));
    let last_of = |position: i64| *positions.iter().rfind(|it| stream_of(**it) == stream_of(position)).expect("there");
    let set_bytes = |column: &str, row: &str, bytes: &[u8]| {
        place.run(&format!("UPDATE audit_records SET {column} = {} WHERE {row}", place.bytes(bytes)));
    };
    Some(match tampering {
        T::Canonical | T::Hash => {
            let column = if matches!(tampering, T::Canonical) { "canonical" } else { "hash" };
            let mut bytes = place.column("audit_records", column, &row);
            change(&mut bytes, &other);
            set_bytes(column, &row, &bytes);
            Wanted::Record(FindingKind::RecordChanged, stream, sequence(position))
        }
        T::Column(which) => {
            let column = COLUMNS[*which];
            let value = match *which {
                0..5 => format!("coalesce({column}, 0) + 1"),
                5..13 => match place {
                    Database::Sqlite(_) => "randomblob(16)".to_owned(),
                    Database::Postgres(_) => "gen_random_uuid()".to_owned(),
                },
                _ => format!("coalesce({column}, '') || 'x'"),
            };
            place.run(&format!("UPDATE audit_records SET {column} = {value} WHERE {row}"));
            Wanted::Record(FindingKind::ColumnDiffers, stream, sequence(position))
        }
        T::Delete => {
            place.run(&format!("DELETE FROM audit_records WHERE {row}"));
            let of_stream = positions.iter().filter(|it| stream_of(**it) == stream_of(position));
            match last_of(position) == position {
                true if of_stream.count() == 1 => Wanted::Emptied(stream, sequence(position)),
                true => Wanted::Record(FindingKind::RecordsCutOff, stream, sequence(position)),
                false => Wanted::Record(FindingKind::RecordMissing, stream, sequence(position)),
            }
        }
        T::Swap => {
            let others: Vec<i64> = positions
                .iter()
                .copied()
                .filter(|it| stream_of(*it) == stream_of(position) && *it != position)
                .collect();
            let second = *others.get(other.index(others.len().max(1)))?;
            let (low, high) = (position.min(second), position.max(second));
            let parked = -1;
            for (from, to) in [(low, parked), (high, low), (parked, high)] {
                place.run(&format!("UPDATE audit_records SET position = {to} WHERE position = {from}"));
            }
            Wanted::Record(FindingKind::RecordChanged, stream, sequence(low))
        }
        T::SwapSignatures => {
            let signed: Vec<i64> = place
                .numbers("SELECT position FROM audit_records WHERE signature IS NOT NULL ORDER BY position")
                .into_iter()
                .filter(|it| stream_of(*it) == stream_of(position))
                .collect();
            if signed.len() < 2 {
                return None;
            }
            let low = pick.index(signed.len() - 1);
            let (low, high) = (signed[low], signed[low + 1]);
            let rows = [low, high].map(|it| format!("position = {it}"));
            let [one, two] = [0, 1].map(|n| place.column("audit_records", "signature", &rows[n]));
            set_bytes("signature", &rows[0], &two);
            set_bytes("signature", &rows[1], &one);
            Wanted::Record(FindingKind::SignatureInvalid, stream, sequence(low))
        }
        T::Insert => {
            let last = last_of(position);
            let made = ALL.replacen("sequence", "sequence + 1", 1);
            place.run(&format!(
                "INSERT INTO audit_records (position, stream, {ALL}) SELECT {}, stream, {made} FROM audit_records WHERE position = {last}",
                last + 1
            ));
            Wanted::Record(FindingKind::RecordChanged, stream, sequence(last) + 1)
        }
        T::Append => {
            let last = last_of(position);
            append(place, last, 1 + other.index(3));
            Wanted::Record(FindingKind::Unsigned, stream, sequence(last) + 1)
        }
        T::DeleteStream => {
            let ordinal = stream_of(position);
            let (from, to) = (ordinal << SEQUENCE_BITS, (ordinal + 1) << SEQUENCE_BITS);
            place.run(&format!("DELETE FROM audit_records WHERE position >= {from} AND position < {to}"));
            place.run(&format!("DELETE FROM audit_positions WHERE stream = {ordinal}"));
            place.run(&format!("DELETE FROM audit_index WHERE position >= {from} AND position < {to}"));
            place.run(&format!("DELETE FROM audit_streams WHERE ordinal = {ordinal}"));
            Wanted::Stream(FindingKind::StreamMissing, stream)
        }
        T::DeleteCheckpoint | T::EditCheckpoint => {
            let numbers = place.numbers("SELECT number FROM audit_checkpoints ORDER BY number");
            // The last one is another matter.
            let number = *numbers[..numbers.len() - 1].get(pick.index((numbers.len() - 1).max(1)))?;
            let row = format!("number = {number}");
            if matches!(tampering, T::DeleteCheckpoint) {
                place.run(&format!("DELETE FROM audit_checkpoints WHERE {row}"));
                // Where it is the anchor's own, that comes first.
            } else {
                let mut bytes = place.column("audit_checkpoints", "canonical", &row);
                change(&mut bytes, &other);
                place.run(&format!("UPDATE audit_checkpoints SET canonical = {} WHERE {row}", place.bytes(&bytes)));
            }
            Wanted::Checkpoint(number.unsigned_abs())
        }
        T::DeleteLastCheckpoints => {
            let last = place.numbers("SELECT max(number) FROM audit_checkpoints")[0];
            place.run(&format!("DELETE FROM audit_checkpoints WHERE number = {last}"));
            // Records under a key that only that one made known show first.
            Wanted::Kinds(vec![
                FindingKind::CheckpointsCutOff,
                FindingKind::AnchorMissing,
                FindingKind::SignatureKeyUnknown,
            ])
        }
        T::CutTail => {
            let last = last_of(position);
            place.run(&format!("DELETE FROM audit_records WHERE position > {position} AND position <= {last}"));
            if position == last {
                return None;
            }
            Wanted::Record(FindingKind::RecordsCutOff, stream, sequence(position) + 1)
        }
        T::DeleteIndexLine | T::EditIndexLine | T::InsertIndexLine => {
            let lines = place.rows("SELECT term, at, position FROM audit_index ORDER BY position, term");
            let [term, at, of] = lines.get(pick.index(lines.len().max(1)))?.as_slice() else { return None };
            let row = format!("term = {term} AND at = {at} AND position = {of}");
            let of: i64 = of.parse().expect("a number");
            let stream = stream_id(place, stream_of(of));
            match tampering {
                T::DeleteIndexLine => place.run(&format!("DELETE FROM audit_index WHERE {row}")),
                T::EditIndexLine => place.run(&format!("UPDATE audit_index SET term = 12345 WHERE {row}")),
                _ => {
                    place.run(&format!(
                        "INSERT INTO audit_index (organisation, term, at, event, position) SELECT organisation, 12345, at, event, \
                         position FROM audit_index WHERE {row}"
                    ));
                    return Some(Wanted::Kinds(vec![FindingKind::IndexLinesForeign]));
                }
            }
            Wanted::Record(FindingKind::IndexLineMissing, stream, sequence(of))
        }
        T::PlantAhead => {
            let last = last_of(position);
            plant_ahead(place, last, 1_000_000);
            Wanted::Record(FindingKind::RecordMissing, stream, sequence(last) + 1)
        }
        T::PlantKey => {
            let newest = place.numbers("SELECT max(version) FROM instance_keys WHERE purpose = 'audit-signing'")[0];
            slip_in_a_key(place, u32::try_from(newest).expect("few") + 1);
            Wanted::Kinds(vec![FindingKind::KeySlippedIn])
        }
        T::Position(reader) => {
            set_ahead(place, READERS[*reader], stream_of(position));
            match READERS[*reader] {
                // A checkpoint told of more than there is.
                "checkpoints" => {
                    Wanted::Record(FindingKind::CheckpointsCutOff, stream, sequence(last_of(position)) + 1)
                }
                _ => Wanted::Nothing,
            }
        }
    })
}

/// A key of somebody else, as version `version` of the log's.
pub(crate) fn slip_in_a_key(place: &Database, version: u32) -> Ed25519Signer {
    let seed = [66; 32];
    let theirs = SoftwareRootKey::generate(Arc::new(OsEntropy)).expect("generates");
    let sealed = strongroom_crypto::seal_instance_key(
        &theirs,
        strongroom_domain::root_key::InstanceKeyPurpose::AuditSigning,
        version,
        &strongroom_domain::value::SecretBytes::copy_of(&seed),
    )
    .expect("seals");
    let public = ed25519_public(&seed).expect("a key");
    place.run(&format!(
        "INSERT INTO instance_keys (purpose, version, sealed, public) VALUES ('audit-signing', {version}, {}, {})",
        place.bytes(&sealed.sealed),
        place.bytes(&public)
    ));
    Ed25519Signer::from_seed(&seed).expect("a key")
}

/// A checkpoint after the last, which makes their key known, and is signed with it.
pub(crate) fn forge_checkpoint(place: &Database, theirs: &Ed25519Signer, version: u32) {
    let last = place.numbers("SELECT max(number) FROM audit_checkpoints")[0];
    let canonical = place.column("audit_checkpoints", "canonical", &format!("number = {last}"));
    let last = Checkpoint::from_canonical(&canonical).expect("sound");
    let newest_key = last.newest_key + 1;
    let forged = Checkpoint {
        number: last.number + 1,
        previous: last.hash(),
        keys: vec![AuditKey { version: newest_key, public: theirs.public_key() }],
        newest_key,
        begins: Vec::new(),
        ends: Vec::new(),
        ..last
    };
    let signature = Signature { key_version: version, bytes: theirs.sign(&forged.signed_bytes()) };
    let stored = StoredCheckpoint::from(&SignedCheckpoint { checkpoint: forged, signature });
    place.run(&format!(
        "INSERT INTO audit_checkpoints (number, canonical, signature, signing_key_version) VALUES ({}, {}, {}, {})",
        stored.number,
        place.bytes(&stored.canonical),
        place.bytes(&stored.signature.1),
        stored.signature.0
    ));
}
