use core::fmt;
use strongroom_domain::audit::{ChainHash, ChainState, IndexEntry, StreamCheck, Term};
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::id::{EventId, OrganisationId, StreamId};
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

const PURPOSE: &str = "strongroom audit verification";
const VERSION: u8 = 2;

/// What a verification is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyPhase {
    /// Whether checkpoints follow from each other, and are signed.
    Checkpoints,
    /// Whether the records of each stream follow from each other, and are signed, with their columns and index lines.
    Streams,
    /// Whether each stream has what each checkpoint tells of it.
    Ends,
    /// Whether each line of the index is one that its record gives.
    Index,
}

impl VerifyPhase {
    const ALL: [Self; 4] = [Self::Checkpoints, Self::Streams, Self::Ends, Self::Index];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoints => "checkpoints",
            Self::Streams => "streams",
            Self::Ends => "ends",
            Self::Index => "index",
        }
    }
}

impl fmt::Display for VerifyPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a verification goes on. Its bytes can be kept, and given back later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyCursor {
    /// Names the verification.
    pub(super) run: Uuid,
    pub(super) phase: VerifyPhase,
    /// In this phase.
    pub(super) checked: u64,
    pub(super) total: u64,
    /// How many records were checked in all.
    pub(super) records: u64,
    /// Up to which checkpoint it was told what is wrong.
    pub(super) reported: u64,
    /// The hash of its bytes, so that it shows when another stands there later.
    pub(super) reported_hash: ChainHash,
    /// The stream that it is at, or was at last.
    pub(super) stream: Option<Walk>,
    /// The last checkpoint whose ends were looked at.
    pub(super) ends: u64,
    /// How many lines of the index records led to; `None` when something is wrong with records.
    pub(super) lines: Option<u64>,
    /// The last line of the index that was checked.
    pub(super) line: Option<IndexEntry>,
}

/// How far a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    pub(super) check: StreamCheck,
    pub(super) is_done: bool,
}

/// Not what a cursor was kept as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not where a verification goes on")]
pub struct VerifyCursorError;

impl VerifyCursor {
    pub(super) const fn begin(run: Uuid) -> Self {
        Self {
            run,
            phase: VerifyPhase::Checkpoints,
            checked: 0,
            total: 0,
            records: 0,
            reported: 0,
            reported_hash: [0; 32],
            stream: None,
            ends: 0,
            lines: Some(0),
            line: None,
        }
    }

    /// To be kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut to = Encoder::new(PURPOSE, VERSION);
        let phase = VerifyPhase::ALL.iter().position(|it| *it == self.phase).unwrap_or_default();
        to.id(self.run).number(phase as u64).number(self.checked).number(self.total);
        to.number(self.records).number(self.reported).bytes(&self.reported_hash);
        to.optional(self.stream, |to, Walk { check, is_done }| {
            to.id(check.through.stream.uuid()).number(check.through.sequence).bytes(&check.through.hash);
            to.number(u64::from(check.is_linked)).number(check.signed).number(u64::from(check.key_version));
            to.number(check.going).number(u64::from(is_done));
        });
        to.number(self.ends).optional(self.lines, |to, lines| {
            to.number(lines);
        });
        to.optional(self.line, |to, IndexEntry { organisation, term, at, event, sequence }| {
            to.optional(organisation, |to, organisation| {
                to.id(organisation.uuid());
            });
            to.number(term.get().cast_unsigned()).number(at.as_micros().cast_unsigned());
            to.id(event.uuid()).number(sequence);
        });
        to.finish()
    }

    /// What was kept.
    ///
    /// # Errors
    /// [`VerifyCursorError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, VerifyCursorError> {
        read(bytes).map_err(|_| VerifyCursorError)
    }
}

fn read(bytes: &[u8]) -> Result<VerifyCursor, DecodeError> {
    let mut from = Decoder::new(bytes, PURPOSE, VERSION)?;
    let run = from.id()?;
    let phase = usize::try_from(from.number()?).ok().and_then(|at| VerifyPhase::ALL.get(at)).ok_or(DecodeError)?;
    let (checked, total) = (count(&mut from)?, count(&mut from)?);
    let (records, reported) = (count(&mut from)?, count(&mut from)?);
    let reported_hash = from.bytes()?.try_into().map_err(|_| DecodeError)?;
    let stream = from.optional(|from| {
        let stream = StreamId::new(from.id()?);
        let sequence = count(from)?;
        let hash = from.bytes()?.try_into().map_err(|_| DecodeError)?;
        let through = ChainState { stream, sequence, hash };
        let (is_linked, signed) = (from.number()? != 0, count(from)?);
        let key_version = u32::try_from(from.number()?).map_err(|_| DecodeError)?;
        let check = StreamCheck { through, is_linked, signed, key_version, going: count(from)? };
        Ok(Walk { check, is_done: from.number()? != 0 })
    })?;
    let ends = count(&mut from)?;
    let lines = from.optional(count)?;
    let line = from.optional(|from| {
        let organisation = from.optional(Decoder::id)?.map(OrganisationId::new);
        let term = Term::new(from.number()?.cast_signed());
        let at = Timestamp::from_micros(from.number()?.cast_signed());
        Ok(IndexEntry { organisation, term, at, event: EventId::new(from.id()?), sequence: count(from)? })
    })?;
    from.finish()?;
    let phase = *phase;
    Ok(VerifyCursor { run, phase, checked, total, records, reported, reported_hash, stream, ends, lines, line })
}

/// A number of what a store can have, so that one more is a number as well.
fn count(from: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    let count = from.number()?;
    if i64::try_from(count).is_ok() { Ok(count) } else { Err(DecodeError) }
}

#[cfg(test)]
mod tests {
    use super::{VerifyCursor, VerifyCursorError, VerifyPhase, Walk};
    use proptest::prelude::*;
    use strongroom_domain::audit::{ChainState, IndexEntry, StreamCheck, Term};
    use strongroom_domain::id::{EventId, OrganisationId, StreamId};
    use strongroom_domain::time::Timestamp;
    use uuid::Uuid;

    const COUNT: core::ops::RangeInclusive<u64> = 0..=i64::MAX as u64;

    prop_compose! {
        fn cursor()(
            run: u128, phase in 0..4_usize, counts in prop::array::uniform5(COUNT), reported_hash: [u8; 32], lines in prop::option::of(COUNT),
            line in prop::option::of(any::<(Option<u128>, i64, i64, u128)>().prop_flat_map(|it| (Just(it), COUNT))),
            walk in prop::option::of((any::<u128>(), prop::array::uniform3(COUNT), any::<([u8; 32], u32, bool, bool)>())),
        ) -> VerifyCursor {
            let [checked, total, records, reported, ends] = counts;
            let id = |id| StreamId::new(Uuid::from_u128(id));
            let walk = walk.map(|(stream, [sequence, signed, going], (hash, key_version, is_linked, is_done))| {
                let through = ChainState { stream: id(stream), sequence, hash };
                Walk { check: StreamCheck { through, is_linked, signed, key_version, going }, is_done }
            });
            let line = line.map(|((organisation, term, at, event), sequence)| IndexEntry {
                organisation: organisation.map(|id| OrganisationId::new(Uuid::from_u128(id))), term: Term::new(term),
                at: Timestamp::from_micros(at), event: EventId::new(Uuid::from_u128(event)), sequence,
            });
            VerifyCursor {
                run: Uuid::from_u128(run), phase: VerifyPhase::ALL[phase], checked, total, records, reported, reported_hash, stream: walk, ends, lines, line,
            }
        }
    }

    proptest! {
        #[test]
        fn round_trips(cursor in cursor()) {
            let bytes = cursor.to_bytes();
            prop_assert_eq!(VerifyCursor::from_bytes(&bytes), Ok(cursor));
            prop_assert_eq!(VerifyCursor::from_bytes(&bytes[1..]), Err(VerifyCursorError));
            prop_assert_eq!(VerifyCursor::from_bytes(&bytes[..bytes.len() - 1]), Err(VerifyCursorError));
        }

        #[test]
        fn more_than_can_be_counted_is_refused(cursor in cursor(), which in 0..5_usize, much in i64::MAX as u64 + 1..) {
            let mut cursor = cursor;
            let counts =
                [&mut cursor.checked, &mut cursor.total, &mut cursor.records, &mut cursor.reported, &mut cursor.ends];
            *counts.into_iter().nth(which).expect("five") = much;
            prop_assert_eq!(VerifyCursor::from_bytes(&cursor.to_bytes()), Err(VerifyCursorError));
        }
    }
}
