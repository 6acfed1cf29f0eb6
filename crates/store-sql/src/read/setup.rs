use crate::entity::key_check;
use crate::error::unread;
use crate::row::array;
use sea_orm::{DatabaseConnection, DbBackend, EntityTrait, FromQueryResult, Statement};
use strongroom_domain::port::ReadError;
use strongroom_domain::root_key::{InstanceKeyPurpose, KeyCheck, RootKeyId, SealedInstanceKey};

pub(crate) async fn key_check(db: &DatabaseConnection) -> Result<Option<KeyCheck>, ReadError> {
    let found = key_check::Entity::find().one(db).await.map_err(unread)?;
    let read = |row: key_check::Model| {
        Ok(KeyCheck { root_key: RootKeyId(array(&row.root_key, "key check")?), sealed: row.sealed })
    };
    found.map(read).transpose()
}

#[derive(FromQueryResult)]
struct KeyRow {
    /// Its bytes; `None` where there is no text.
    purpose: Option<Vec<u8>>,
    /// 0 where there is no number.
    version: i64,
    sealed: Option<Vec<u8>>,
    public: Option<Vec<u8>>,
}

impl KeyRow {
    fn read(self) -> SealedInstanceKey {
        let purpose = self.purpose.and_then(|name| InstanceKeyPurpose::from_name(str::from_utf8(&name).ok()?));
        let version = u32::try_from(self.version).ok().filter(|version| *version > 0);
        let (sealed, public) = (self.sealed.unwrap_or_default(), self.public.and_then(|key| key.try_into().ok()));
        match purpose.zip(version) {
            Some((purpose, version)) => SealedInstanceKey { purpose, version, sealed, public },
            // No key has version 0.
            None => SealedInstanceKey { purpose: InstanceKeyPurpose::AuditSigning, version: 0, sealed, public: None },
        }
    }
}

/// On SQLite anything may stand in any column; a row that somebody slipped in must not hide others.
fn keys(backend: DbBackend) -> Statement {
    let columns = match backend {
        DbBackend::Sqlite => {
            "CASE WHEN typeof(purpose) = 'text' THEN CAST(purpose AS BLOB) END AS purpose,
             CASE WHEN typeof(version) = 'integer' THEN version ELSE 0 END AS version,
             CAST(sealed AS BLOB) AS sealed, CAST(public AS BLOB) AS public"
        }
        _ => "convert_to(purpose, 'UTF8') AS purpose, version, sealed, public",
    };
    Statement::from_string(backend, format!("SELECT {columns} FROM instance_keys"))
}

pub(crate) async fn instance_keys(db: &DatabaseConnection) -> Result<Vec<SealedInstanceKey>, ReadError> {
    let rows = KeyRow::find_by_statement(keys(db.get_database_backend())).all(db).await.map_err(unread)?;
    let mut keys: Vec<SealedInstanceKey> = rows.into_iter().map(KeyRow::read).collect();
    keys.sort_unstable_by(|a, b| {
        let of = |key: &SealedInstanceKey| (key.purpose.as_str(), key.version);
        of(a).cmp(&of(b)).then_with(|| a.sealed.cmp(&b.sealed))
    });
    Ok(keys)
}
