use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::root_key::KeyCheck;
use strongroom_domain::unit::{Expect, UniqueKey};

/// Where there is none, nothing was set up: refused, not answered as if it were stored.
pub(super) async fn apply(connection: &mut PgConnection, check: &KeyCheck) -> Result<Lacks, sqlx::Error> {
    let done = sqlx::query("UPDATE key_check SET root_key = $1, sealed = $2")
        .bind(check.root_key.0.as_slice())
        .bind(check.sealed.as_slice())
        .execute(connection)
        .await?;
    Ok((done.rows_affected() == 0).then_some(Expect::Absent(UniqueKey::Setup)))
}
