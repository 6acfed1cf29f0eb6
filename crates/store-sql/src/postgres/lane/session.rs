//! A connection of its own, opened again when it was lost.

use super::now;
use crate::error::OpenError;
use crate::postgres::connect;
use crate::postgres::options::PostgresOptions;
use sqlx::PgConnection;
use std::time::{Duration, Instant};

/// How long after a failure the next try begins; doubled with each.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const LONGEST_DELAY: Duration = Duration::from_secs(2);
/// After so long a pause the connection may be gone without a word.
const REST: Duration = Duration::from_secs(1);
/// Beyond its own timeout, the server gets so long to say so.
pub(in crate::postgres) const GRACE: Duration = Duration::from_secs(1);
/// The limit when the server has none.
const NO_LIMIT: Duration = Duration::from_secs(600);

/// How long a caller waits for one answer of the server.
pub(in crate::postgres) fn limit(options: &PostgresOptions) -> Duration {
    if options.statement_timeout.is_zero() { NO_LIMIT } else { options.statement_timeout + GRACE }
}

pub(in crate::postgres) struct Session {
    options: PostgresOptions,
    connection: Option<(PgConnection, Instant)>,
    delay: Duration,
    not_before: Option<Instant>,
}

impl Session {
    pub(in crate::postgres) fn new(options: PostgresOptions) -> Self {
        Self { options, connection: None, delay: FIRST_DELAY, not_before: None }
    }

    /// How long a caller waits for one answer of the server.
    pub(super) fn limit(&self) -> Duration {
        limit(&self.options)
    }

    /// How long a statement may wait for a lock.
    pub(super) const fn patience(&self) -> Duration {
        if self.options.lock_timeout.is_zero() { NO_LIMIT } else { self.options.lock_timeout }
    }

    /// Whether the connection was in use a moment ago. A new one, or none, is not awake.
    pub(super) fn is_awake(&self) -> bool {
        self.connection.as_ref().is_some_and(|(_, used)| now().duration_since(*used) < REST)
    }

    /// Whether there is a connection, as far as anybody knows.
    pub(super) const fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// The connection, to be [kept](Self::keep) afterwards, or dropped when it is in a state that nobody knows. Opens one if there is
    /// none; soon after a failure it waits first.
    pub(in crate::postgres) async fn take(&mut self) -> Result<PgConnection, OpenError> {
        if let Some((connection, _)) = self.connection.take() {
            return Ok(connection);
        }
        if let Some(not_before) = self.not_before {
            tokio::time::sleep(not_before.saturating_duration_since(now())).await;
        }
        let opened = connect::connection(&self.options).await;
        match &opened {
            Ok(_) => {
                self.delay = FIRST_DELAY;
                self.not_before = None;
            }
            Err(_) => {
                self.not_before = Some(now() + self.delay);
                self.delay = (2 * self.delay).min(LONGEST_DELAY);
            }
        }
        opened
    }

    pub(in crate::postgres) fn keep(&mut self, connection: PgConnection) {
        self.connection = Some((connection, now()));
    }
}
