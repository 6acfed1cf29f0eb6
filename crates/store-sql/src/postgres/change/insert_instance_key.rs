use super::Lacks;
use sqlx::PgConnection;
use strongroom_domain::root_key::SealedInstanceKey;

pub(super) async fn apply(connection: &mut PgConnection, key: &SealedInstanceKey) -> Result<Lacks, sqlx::Error> {
    sqlx::query("INSERT INTO instance_keys (purpose, version, sealed, public) VALUES ($1, $2, $3, $4)")
        .bind(key.purpose.as_str())
        .bind(i64::from(key.version))
        .bind(key.sealed.as_slice())
        .bind(key.public.as_ref().map(<[u8; 32]>::as_slice))
        .execute(connection)
        .await?;
    Ok(None)
}
