use super::Lost;
use crate::row;
use sqlx::PgConnection;
use sqlx::postgres::PgBindIterExt;
use std::collections::HashSet;
use strongroom_domain::unit::{Answer, Expect, UniqueKey};

/// In the order of keys on every node: an insert waits for another of the same key, and two must not wait for each other.
pub(super) async fn apply(
    connection: &mut PgConnection,
    mut rows: Vec<(usize, &Answer)>,
    lost: &mut Lost,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(|(_, answer)| answer.key);
    let answers = || rows.iter().map(|(_, answer)| *answer);
    let remembered: Vec<Vec<u8>> = sqlx::query_scalar(
        "INSERT INTO answers (key, body, answer, secret, version, expires_at)
         SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::uuid[], $5::bigint[], $6::bigint[])
         ON CONFLICT (key) DO NOTHING
         RETURNING key",
    )
    .bind(answers().map(|answer| answer.key.0.as_slice()).bind_iter())
    .bind(answers().map(|answer| row::digest(answer).as_slice()).bind_iter())
    .bind(answers().map(|answer| answer.answer.as_slice()).bind_iter())
    .bind(answers().map(|answer| answer.secret.uuid()).bind_iter())
    .bind(answers().map(|answer| row::column(answer.version.get())).bind_iter())
    .bind(answers().map(|answer| answer.expires_at.as_micros()).bind_iter())
    .fetch_all(connection)
    .await?;
    let remembered: HashSet<&[u8]> = remembered.iter().map(Vec::as_slice).collect();
    let failed = rows.iter().filter(|(_, answer)| !remembered.contains(answer.key.0.as_slice()));
    lost.extend(failed.map(|(unit, answer)| (*unit, Expect::Absent(UniqueKey::Answer(answer.key)))));
    Ok(())
}
