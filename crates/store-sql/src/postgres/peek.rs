//! Looks at a database without changing anything, so that a wrong root key is refused before a table is made.

use super::lane::{bounded, limit};
use super::options::PostgresOptions;
use super::schema::Found;
use super::{connect, schema};
use crate::error::OpenError;
use sqlx::Connection;
use strongroom_domain::root_key::{KeyCheck, RootKeyId};

/// The check of the root key that the store in this database was set up with; `None` where there is no store yet, or one whose set-up
/// was cut short.
///
/// # Errors
/// [`OpenError`]; of an older release's store too, what its tables say.
pub async fn peek_postgres_key_check(options: &PostgresOptions) -> Result<Option<KeyCheck>, OpenError> {
    let mut connection = connect::establish(&options.driver()?, options.connect_timeout).await?;
    let found = match schema::inspect(&mut connection, options).await? {
        Found::Nothing => None,
        Found::Older | Found::Current => {
            let row = sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>("SELECT root_key, sealed FROM key_check");
            bounded(limit(options), row.fetch_optional(&mut connection)).await?
        }
    };
    bounded(limit(options), connection.close()).await?;
    let read = |(root_key, sealed): (Vec<u8>, Vec<u8>)| {
        let root_key = root_key.try_into().map_err(|_| OpenError::Corrupt("its key check".to_owned()))?;
        Ok(KeyCheck { root_key: RootKeyId(root_key), sealed })
    };
    found.map(read).transpose()
}
