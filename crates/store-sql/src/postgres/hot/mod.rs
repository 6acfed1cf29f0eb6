//! Reads that every reveal or put makes: one prepared statement, one round trip. The driver's own pool would add a second one to each,
//! to test the connection, so these connections are held here, and one that turns out to be dead is replaced.

pub(super) mod key;
pub(super) mod secret;
pub(super) mod token;

use super::options::PostgresOptions;
use super::{connect, failure};
use crate::error::OpenError;
use crate::metrics::Reads;
use sqlx::PgConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use strongroom_domain::port::{ReadError, ReadErrorKind};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How much longer than the server a read waits for the statement timeout. A server that is gone tells of none.
const GRACE: Duration = Duration::from_secs(1);

pub(super) struct HotReads {
    driver: PgConnectOptions,
    connect_timeout: Duration,
    acquire_timeout: Duration,
    read_timeout: Duration,
    permits: Semaphore,
    idle: Mutex<Vec<PgConnection>>,
    in_flight: Reads,
}

impl HotReads {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self, OpenError> {
        Ok(Self {
            driver: options.driver()?,
            connect_timeout: options.connect_timeout,
            acquire_timeout: options.acquire_timeout,
            read_timeout: options.statement_timeout.saturating_add(GRACE),
            permits: Semaphore::new(options.hot_readers.max(1) as usize),
            idle: Mutex::default(),
            in_flight: Reads::new("hot"),
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a statement; one statement is one snapshot.
    ///
    /// A caller that stops waiting takes its connection with it, since an answer may be on the way there.
    pub(super) async fn rows(&self, sql: &'static str, arguments: PgArguments) -> Result<Vec<PgRow>, ReadError> {
        let _running = self.in_flight.begin();
        let _permit = match timeout(self.acquire_timeout, self.permits.acquire()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(failure::unread(sqlx::Error::PoolClosed)),
            Err(_) => return Err(failure::unread(sqlx::Error::PoolTimedOut)),
        };
        let held = self.idle().pop();
        if let Some(held) = held {
            match self.read(held, sql, arguments.clone()).await {
                Err(error) if failure::is_lost(&error) => {
                    // The others are probably dead too.
                    self.idle().clear();
                    if failure::is_timeout(&error) {
                        return Err(failure::unread(error));
                    }
                }
                answered => return answered.map_err(failure::unread),
            }
        }
        let fresh = connect::seeking(&self.driver, self.connect_timeout).await.map_err(failure::unread)?;
        self.read(fresh, sql, arguments).await.map_err(failure::unread)
    }

    async fn read(
        &self,
        mut connection: PgConnection,
        sql: &'static str,
        arguments: PgArguments,
    ) -> sqlx::Result<Vec<PgRow>> {
        let read = sqlx::query_with(sql, arguments).fetch_all(&mut connection);
        let answered = timeout(self.read_timeout, read).await.unwrap_or_else(|_| Err(connect::timed_out()));
        if !answered.as_ref().is_err_and(failure::is_lost) && !self.permits.is_closed() {
            self.idle().push(connection);
        }
        answered
    }

    /// At most one row.
    pub(super) async fn row(&self, sql: &'static str, arguments: PgArguments) -> Result<Option<PgRow>, ReadError> {
        Ok(self.rows(sql, arguments).await?.pop())
    }

    /// Ends the connections; later reads answer that the store is stopping.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            // What can't be told good-bye is gone already.
            let _ = sqlx::Connection::close(connection).await;
        }
    }
}

/// Arguments by their order. One that can't be encoded is a fault of this program.
macro_rules! arguments {
    ($($value:expr),+ $(,)?) => {{
        let mut arguments = sqlx::postgres::PgArguments::default();
        $($crate::postgres::hot::add(&mut arguments, $value)?;)+
        arguments
    }};
}
use arguments;

fn add<'t, T>(to: &mut PgArguments, value: T) -> Result<(), ReadError>
where
    T: sqlx::Encode<'t, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let added = sqlx::Arguments::add(to, value);
    added.map_err(|error| ReadError::new(ReadErrorKind::Unavailable, "a statement could not be written").because(error))
}
