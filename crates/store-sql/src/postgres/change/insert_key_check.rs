use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::root_key::KeyCheck;
use strongroom_domain::unit::{Expect, UniqueKey};

pub(super) async fn apply(connection: &mut PgConnection, check: &KeyCheck) -> Result<Lacks, sqlx::Error> {
    let done =
        sqlx::query("INSERT INTO key_check (id, root_key, sealed) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING")
            .bind(check.root_key.0.as_slice())
            .bind(check.sealed.as_slice())
            .execute(connection)
            .await?;
    Ok((done.rows_affected() == 0).then_some(Expect::Absent(UniqueKey::Setup)))
}
