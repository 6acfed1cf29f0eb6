//! The next records of a stream, for those who take them in order and keep how far they are: the index and the sinks.

use crate::engine::{AuditKeyPorts, Engine};
use crate::error::Error;
use strongroom_domain::audit::{ChainedRecord, Link, Signature, signed_bytes};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::ReadErrorKind;
use strongroom_domain::root_key::SealedInstanceKey;

/// How many links are looked at for a signature: more than a commit has records.
const LOOKED_AT: u32 = 10_000;
/// How many are read at once.
const LINKS: u32 = 500;

/// The next records of a stream: without a gap among them.
#[derive(Default)]
pub(super) struct Run {
    /// Those that can be read.
    pub(super) records: Vec<ChainedRecord>,
    /// How many can't.
    pub(super) unreadable: u64,
    /// The last, readable or not; `None` when there are none.
    pub(super) last: Option<u64>,
    /// Whether there are others which no writer put there.
    pub(super) is_foreign: bool,
}

impl Engine {
    /// The records of a stream after this one, at most `limit`. One that can't be read must not hold up those behind it.
    ///
    /// Where there is a gap, one goes on behind it only when a signature says that a writer came so far: whoever moved on to a record that
    /// somebody planted far ahead would never take those that are still to be written before it.
    pub(super) async fn next_run(&self, stream: StreamId, after: u64, limit: u32) -> Result<Run, Error> {
        let (records, sequences): (Vec<ChainedRecord>, Vec<u64>) =
            match self.ports.audit.records(stream, after, limit).await {
                Ok(records) => {
                    let sequences = records.iter().map(|record| record.sequence).collect();
                    (records, sequences)
                }
                Err(error) if *error.kind() == ReadErrorKind::Corrupt => {
                    let links = self.links_after(stream, after, limit).await?;
                    let sequences = links.iter().map(|link| link.sequence).collect();
                    (links.into_iter().filter_map(|link| link.read(stream)).collect(), sequences)
                }
                Err(error) => return Err(error.into()),
            };
        let Some(first) = sequences.first().copied() else { return Ok(Run::default()) };
        if after.checked_add(1) != Some(first) && !self.is_of_stream(stream, first).await? {
            return Ok(Run { is_foreign: true, ..Run::default() });
        }
        let run = || (first..).zip(&sequences).take_while(|(expected, sequence)| expected == *sequence);
        let last = run().last().map(|(last, _)| last);
        let mut records = records;
        records.retain(|record| Some(record.sequence) <= last);
        let unreadable = (run().count() as u64).saturating_sub(records.len() as u64);
        Ok(Run { records, unreadable, last, is_foreign: false })
    }

    /// Whether a writer came to this place: it signed a record there, or soon behind. Where nothing is signed, it is believed.
    async fn is_of_stream(&self, stream: StreamId, sequence: u64) -> Result<bool, Error> {
        let Some(ports) = &self.ports.audit_keys else { return Ok(true) };
        let keys = self.stored_audit_keys().await?;
        let mut after = sequence.saturating_sub(1);
        for _ in 0..LOOKED_AT / LINKS {
            let page = self.links_after(stream, after, LINKS).await?;
            for link in &page {
                if self.is_signed(ports, &keys, stream, link)? {
                    return Ok(true);
                }
            }
            match page.last() {
                Some(last) if page.len() >= LINKS as usize => after = last.sequence,
                _ => break,
            }
        }
        Ok(false)
    }

    fn is_signed(
        &self,
        ports: &AuditKeyPorts,
        keys: &[SealedInstanceKey],
        stream: StreamId,
        link: &Link,
    ) -> Result<bool, Error> {
        let signature = link.signature.clone().map(Signature::try_from);
        let (Some(Ok(signature)), Ok(hash)) = (signature, link.hash.as_slice().try_into()) else { return Ok(false) };
        let Some(public) = self.opened_key(ports, keys, signature.key_version)? else { return Ok(false) };
        Ok(ports.verifier.verify(&public, &signed_bytes(stream, link.sequence, &hash), &signature.bytes))
    }
}
