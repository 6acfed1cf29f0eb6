use crate::programs::Programs;
use crate::{Builder, Cluster, Database, Error};
use std::sync::{Mutex, PoisonError};

/// Names the shared cluster of a run: a URL of its database `postgres`, as a superuser.
pub const SHARED_CLUSTER: &str = "STRONGROOM_TEST_POSTGRES";

/// The connections that all tests of a run may have at once.
const MAX_CONNECTIONS: &str = "200";

/// Bounds what the log takes of the memory.
const MAX_WAL_SIZE: &str = "256MB";

/// The cluster of this process, when the run has none. The watchdog ends it with the process.
static OF_THIS_PROCESS: Mutex<Option<Cluster>> = Mutex::new(None);

/// A new, empty database of the caller's own, in the cluster that the run shares, else in one that this process keeps.
///
/// # Panics
/// When it can't be created.
#[must_use]
#[track_caller]
pub fn database() -> Database {
    let created = match std::env::var(SHARED_CLUSTER) {
        Ok(cluster) => Programs::find().and_then(|programs| Database::create(programs, &cluster, true)),
        Err(_) => in_own_cluster(),
    };
    created.unwrap_or_else(|error| error.panic())
}

fn in_own_cluster() -> Result<Database, Error> {
    let url = {
        let mut cluster = OF_THIS_PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cluster {
            Some(cluster) => cluster.socket_url("postgres"),
            None => cluster.insert(builder().try_start()?).socket_url("postgres"),
        }
    };
    Database::create(Programs::find()?, &url, false)
}

/// A cluster for many tests.
#[must_use]
pub(crate) fn builder() -> Builder {
    Cluster::builder().in_memory().set("max_connections", MAX_CONNECTIONS).set("max_wal_size", MAX_WAL_SIZE)
}

impl Cluster {
    /// A cluster for all tests of a run, to be named in [`SHARED_CLUSTER`].
    ///
    /// # Errors
    /// When it can't be started.
    pub fn try_start_shared() -> Result<Self, Error> {
        builder().try_start()
    }
}
