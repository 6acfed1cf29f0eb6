use super::{Refusal, advance_reader, require_absent};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::audit::{LogReader, SignedCheckpoint};
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(connection: &Connection, signed: &SignedCheckpoint) -> Result<(), Refusal> {
    let SignedCheckpoint { checkpoint, signature } = signed;
    require_absent(connection, UniqueKey::Checkpoint(checkpoint.number))?;
    connection
        .prepare_cached(
            "INSERT INTO audit_checkpoints (number, canonical, signature, signing_key_version) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((row::column(checkpoint.number), checkpoint.to_canonical(), signature.bytes, signature.key_version))?;
    for end in &checkpoint.ends {
        advance_reader::apply(connection, &LogReader::Checkpoints, end.stream, end.sequence)?;
    }
    Ok(())
}
