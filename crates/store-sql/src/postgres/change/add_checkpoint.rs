use super::Lacks;
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use strongroom_domain::audit::{ChainState, LogReader, SignedCheckpoint};
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) async fn apply(connection: &mut PgConnection, signed: &SignedCheckpoint) -> Result<Lacks, sqlx::Error> {
    let SignedCheckpoint { checkpoint, signature } = signed;
    let inserted = sqlx::query(
        "INSERT INTO audit_checkpoints (number, canonical, signature, signing_key_version) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(row::column(checkpoint.number))
    .bind(checkpoint.to_canonical())
    .bind(signature.bytes.as_slice())
    .bind(i64::from(signature.key_version))
    .execute(&mut *connection)
    .await?;
    if inserted.rows_affected() == 0 {
        return Ok(Some(Expect::Absent(UniqueKey::Checkpoint(checkpoint.number))));
    }
    advance(connection, &checkpoint.ends).await?;
    Ok(None)
}

async fn advance(connection: &mut PgConnection, ends: &[ChainState]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit_positions (name, stream, sequence)
         SELECT $1, streams.ordinal, max(ends.sequence)
         FROM unnest($2::uuid[], $3::bigint[]) AS ends (stream, sequence)
         JOIN audit_streams AS streams ON streams.id = ends.stream
         GROUP BY streams.ordinal ORDER BY streams.ordinal
         ON CONFLICT (name, stream) DO UPDATE SET sequence = excluded.sequence
         WHERE audit_positions.sequence < excluded.sequence",
    )
    .bind(LogReader::Checkpoints.name())
    .bind(ends.iter().map(|end| end.stream.uuid()).bind_iter())
    .bind(ends.iter().map(|end| row::column(end.sequence)).bind_iter())
    .execute(connection)
    .await
    .map(|_| ())
}
