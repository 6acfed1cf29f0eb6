//! Opens the store of a data directory.

use crate::failure::{Exit, Failure};
use crate::system::SystemIds;
use std::path::Path;
use std::sync::Arc;
use strongroom_domain::port::{RootKey, SetupReader};
use strongroom_domain::root_key::KeyCheck;
use strongroom_root_key::InstanceKeys;
use strongroom_store_sql::{OpenError, OpenOptions, SqliteStore, SqliteWriter, peek_key_check};

/// A store that is set up, and opened under its root key.
pub(crate) struct OpenStore {
    pub(crate) reader: Arc<SqliteStore>,
    pub(crate) writer: Arc<SqliteWriter>,
    pub(crate) keys: InstanceKeys,
}

/// Opens a store that was set up, after its root key was verified; brings an older schema up to date.
pub(crate) async fn open(database: &Path, root_key: &dyn RootKey) -> Result<OpenStore, Failure> {
    let reader = SqliteStore::open(OpenOptions::new(database)).await.map_err(refusal)?;
    let sealed = reader
        .instance_keys()
        .await
        .map_err(|error| Failure::runtime("the instance keys cannot be read").because(error))?;
    let keys = InstanceKeys::open(root_key, &sealed).map_err(|error| {
        Failure::new(Exit::RootKey, "the instance keys cannot be opened; nothing was written").because(error)
    })?;
    let writer = reader.writer(keys.audit_signer(), Arc::new(SystemIds)).map_err(refusal)?;
    Ok(OpenStore { reader: Arc::new(reader), writer: Arc::new(writer), keys })
}

/// Why a store doesn't open, for the operator.
pub(crate) fn refusal(error: OpenError) -> Failure {
    let exit = match error {
        OpenError::Absent(_) | OpenError::NotAStore(_) | OpenError::Newer { .. } => Exit::Configuration,
        OpenError::Corrupt(_) | OpenError::WriterExists | OpenError::Database(_) => Exit::Runtime,
    };
    Failure::new(exit, "the store cannot be opened").because(error)
}

/// The check of the root key that a store was set up with; `None` where there is no store, or one whose set-up was cut short. Writes nothing.
pub(crate) fn inspect(database: &Path) -> Result<Option<KeyCheck>, Failure> {
    peek_key_check(database).map_err(refusal)
}
