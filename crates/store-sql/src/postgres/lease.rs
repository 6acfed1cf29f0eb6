//! Leases. Each call is one statement of its own, decided by the server's clock at the moment when it holds the row.

use super::connect;
use super::failure;
use super::lane::{bounded, limit};
use super::options::PostgresOptions;
use crate::error::OpenError;
use crate::row;
use async_trait::async_trait;
use sqlx::PgConnection;
use strongroom_domain::lease::{Epoch, Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{LeaseError, LeaseErrorKind, Leases};
use tokio::sync::Mutex;
use uuid::Uuid;

/// The server's time in microseconds; it goes on while a statement waits.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    };
}

/// Whether the row of `leases` has an epoch, and there is one after it. Else no server wrote it.
macro_rules! has_epoch {
    () => {
        "leases.epoch BETWEEN 0 AND 9223372036854775806"
    };
}

/// Whether the row of `leases` stands: as `Tenure::stands`, where the longest life of a lease is explained.
macro_rules! stands {
    () => {
        concat!(has_epoch!(), " AND leases.expires_at BETWEEN ", now!(), " + 1 AND ", now!(), " + 3600000000")
    };
}

/// An epoch is kept only for the holder that has it already. Where there is none, the microseconds since 1970 stand for it: no lease was
/// acquired as often, so that no epoch comes again.
const ACQUIRE: &str = concat!(
    "INSERT INTO leases (name, epoch, holder, expires_at) VALUES ($1, 1, $2, ",
    now!(),
    " + $3)
     ON CONFLICT (name) DO UPDATE
     SET epoch = CASE WHEN ",
    has_epoch!(),
    " THEN leases.epoch ELSE ",
    now!(),
    " END + CASE WHEN leases.holder = excluded.holder AND ",
    stands!(),
    " THEN 0 ELSE 1 END, holder = excluded.holder, expires_at = ",
    now!(),
    " + $3
     WHERE leases.holder = excluded.holder OR NOT (",
    stands!(),
    ")
     RETURNING epoch, expires_at"
);

const RENEW: &str = concat!(
    "UPDATE leases SET expires_at = ",
    now!(),
    " + $3 WHERE name = $1 AND epoch = $2 AND ",
    stands!(),
    " RETURNING epoch, expires_at"
);

/// Not the server's time, where a clock that goes back would find it standing again.
const RELEASE: &str = concat!(
    "UPDATE leases SET expires_at = 0 WHERE name = $1 AND epoch = $2 AND ",
    stands!(),
    " RETURNING epoch, expires_at"
);

const HOLDS: &str = concat!("SELECT epoch FROM leases WHERE name = $1 AND epoch = $2 AND ", stands!(), " FOR SHARE");

/// Whether this tenure stands. The row is locked, so that nobody else acquires the lease before the transaction of this connection has
/// ended.
pub(super) async fn holds(connection: &mut PgConnection, name: LeaseName, epoch: Epoch) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar::<_, i64>(HOLDS)
        .bind(name.as_str())
        .bind(row::column(epoch.get()))
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// What a caller asks of a lease.
#[derive(Clone, Copy)]
enum Call {
    Acquire(LeaseName, Uuid, LeaseTtl),
    Renew(Lease, LeaseTtl),
    Release(Lease),
}

impl Call {
    /// What became of it: the lease, where it was acquired or renewed.
    async fn run(self, connection: &mut PgConnection) -> sqlx::Result<Option<Lease>> {
        let query = match self {
            Self::Acquire(_, holder, ttl) => {
                sqlx::query_as(ACQUIRE).bind(self.name().as_str()).bind(holder).bind(ttl.as_micros())
            }
            Self::Renew(lease, ttl) => sqlx::query_as(RENEW)
                .bind(self.name().as_str())
                .bind(row::column(lease.epoch.get()))
                .bind(ttl.as_micros()),
            Self::Release(lease) => {
                sqlx::query_as(RELEASE).bind(self.name().as_str()).bind(row::column(lease.epoch.get()))
            }
        };
        let found: Option<(i64, i64)> = query.fetch_optional(connection).await?;
        let lease = |(epoch, until): (i64, i64)| {
            let epoch = u64::try_from(epoch).map_err(|error| sqlx::Error::Decode(error.into()))?;
            Ok(Lease { name: self.name(), epoch: Epoch::new(epoch), until: row::at(until) })
        };
        found.map(lease).transpose()
    }

    const fn name(self) -> LeaseName {
        match self {
            Self::Acquire(name, ..) => name,
            Self::Renew(lease, _) | Self::Release(lease) => lease.name,
        }
    }
}

/// The leases of a store in PostgreSQL, over a connection of their own that is made when it is needed.
pub(super) struct PostgresLeases {
    options: PostgresOptions,
    connection: Mutex<Option<PgConnection>>,
}

impl PostgresLeases {
    pub(super) fn new(options: PostgresOptions) -> Self {
        Self { options, connection: Mutex::new(None) }
    }

    async fn call(&self, call: Call) -> Result<Option<Lease>, LeaseError> {
        let mut held = self.connection.lock().await;
        // Given back only by a call that came to its end, so that one that was given up leaves no half-read answer behind.
        if let Some(mut connection) = held.take() {
            match bounded(limit(&self.options), call.run(&mut connection)).await {
                Ok(lease) => {
                    *held = Some(connection);
                    return Ok(lease);
                }
                // The server may have ended it while it was idle. Every call may be made twice.
                Err(error) if failure::is_lost(&error) && !failure::is_timeout(&error) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let mut connection = connect::connection(&self.options).await.map_err(unreachable)?;
        let lease = bounded(limit(&self.options), call.run(&mut connection)).await.map_err(failed)?;
        *held = Some(connection);
        Ok(lease)
    }
}

fn unreachable(error: OpenError) -> LeaseError {
    LeaseError::new(LeaseErrorKind::Unavailable, "no connection to the database could be made for a lease")
        .because(error)
}

fn failed(error: sqlx::Error) -> LeaseError {
    let kind = if failure::is_lost(&error) {
        LeaseErrorKind::OutcomeUnknown
    } else if failure::is_full(&error) {
        LeaseErrorKind::Full
    } else {
        LeaseErrorKind::Unavailable
    };
    LeaseError::new(kind, failure::explain(&error)).because(error)
}

#[async_trait]
impl Leases for PostgresLeases {
    async fn acquire(&self, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Result<Option<Lease>, LeaseError> {
        self.call(Call::Acquire(name, holder, ttl)).await
    }

    async fn renew(&self, lease: &Lease, ttl: LeaseTtl) -> Result<Renewal, LeaseError> {
        Ok(self.call(Call::Renew(*lease, ttl)).await?.map_or(Renewal::Lost, Renewal::Held))
    }

    async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        self.call(Call::Release(*lease)).await.map(|_| ())
    }
}
