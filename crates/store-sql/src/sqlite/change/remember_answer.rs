use super::{Refusal, require_absent};
use crate::row;
use rusqlite::Connection;
use strongroom_domain::unit::{Answer, UniqueKey};

pub(super) fn apply(connection: &Connection, answer: &Answer) -> Result<(), Refusal> {
    require_absent(connection, UniqueKey::Answer(answer.key))?;
    connection
        .prepare_cached(
            "INSERT INTO answers (key, body, answer, secret, version, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((
            answer.key.0,
            row::digest(answer),
            &answer.answer,
            answer.secret.uuid(),
            row::column(answer.version.get()),
            answer.expires_at.as_micros(),
        ))?;
    Ok(())
}
