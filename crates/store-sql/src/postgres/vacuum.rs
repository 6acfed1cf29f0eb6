//! Takes what was erased out of the tables of versions, of secrets and of keys, and their TOAST tables: PostgreSQL keeps old rows until a VACUUM.
//!
//! Nothing remembers an erase over a restart; instead every start begins with a VACUUM, which skips pages without old rows.

use super::lane::now;
use super::options::PostgresOptions;
use super::{connect, failure};
use crate::error::OpenError;
use crate::metrics::Level;
use sqlx::Executor;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout, timeout_at};

/// How soon after an erase it begins; erases that come meanwhile share it.
const FIRST: Duration = Duration::from_secs(5);
/// How often it is looked whether transactions have ended that could still see what was erased.
const LOOK: Duration = Duration::from_secs(10);
/// How soon one that failed is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How soon one that the database does not allow is tried again.
const REFUSED: Duration = Duration::from_secs(60);
/// The longest that one may take, when the server may have gone.
const LIMIT: Duration = Duration::from_secs(600);
/// The longest that one may take when the store closes.
const LAST: Duration = Duration::from_secs(5);
/// How soon one that runs notices that the store closes.
const TICK: Duration = Duration::from_millis(100);

/// The transaction that comes next: whatever was erased, an earlier one did it.
const NOW: &str = "SELECT pg_snapshot_xmax(pg_current_snapshot())::xid::text";
/// Whether this user may vacuum, which else is a mere warning of the server; and whether nobody is left who sees more than
/// transaction `$1` does. One that runs in another database holds back the view of later ones in this one.
const LOOK_ROUND: &str = "
    SELECT bool_and(pg_has_role(relowner, 'USAGE')
            OR EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE'))
            OR CASE WHEN current_setting('server_version_num')::int >= 170000 THEN has_table_privilege(oid, 'MAINTAIN')
                    ELSE false END),
        NOT EXISTS (
            SELECT FROM (
                SELECT backend_xmin FROM pg_stat_activity
                WHERE pid <> pg_backend_pid() AND (datname IS NULL OR datname = current_database())
                UNION ALL SELECT backend_xid FROM pg_stat_activity
                UNION ALL SELECT transaction FROM pg_prepared_xacts
                UNION ALL SELECT xmin FROM pg_replication_slots) AS holders (oldest)
            WHERE age(oldest) > age($1::xid))
    FROM pg_class WHERE oid IN ('secret_versions'::regclass, 'kms_key_versions'::regclass)";

/// Where erases are told.
#[derive(Clone)]
pub(super) struct Vacuum(Sender<()>);

impl Vacuum {
    /// Starts the task; it ends when all senders are dropped, after a last VACUUM, not long, if one is wanted.
    pub(super) fn start(options: PostgresOptions) -> (Self, JoinHandle<()>) {
        let (sender, wanted) = channel(1);
        let wanted_metric = crate::metrics::vacuum_wanted();
        let task = Task {
            options,
            wanted,
            open: true,
            erased: false,
            since: None,
            wanted_metric,
            refused: false,
            gave_up: false,
        };
        (Self(sender), tokio::spawn(task.run()))
    }

    /// Something was, or may have been, erased.
    pub(super) fn want(&self) {
        // When there is no room, it is wanted already.
        let _ = self.0.try_send(());
    }
}

struct Task {
    options: PostgresOptions,
    wanted: Receiver<()>,
    open: bool,
    /// Whether something was erased that no VACUUM was told to take out yet.
    erased: bool,
    /// The first transaction that can't have erased what is to be taken out, and no longer sees it; `None` until it is known.
    since: Option<String>,
    wanted_metric: Level,
    /// Whether the database did not allow the last one.
    refused: bool,
    /// Whether one was given up because the store closed.
    gave_up: bool,
}

/// What became of a VACUUM.
enum Done {
    /// Nobody could see any more what was erased, and it is gone.
    All,
    /// Transactions were open that began before the erase, or somebody read a page of it all the while.
    NotYet,
    /// The user may not do it.
    Refused,
}

impl Task {
    async fn run(mut self) {
        loop {
            self.wanted_metric.to(1);
            self.pause(FIRST).await;
            self.until_gone().await;
            if !self.open {
                break;
            }
            self.wanted_metric.to(0);
            match self.wanted.recv().await {
                Some(()) => self.erased = true,
                None => return,
            }
        }
        if self.erased
            && !self.gave_up
            && let Err(error) = self.vacuum(LAST).await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "erased values are vacuumed at the next start");
        }
    }

    /// Waits so long, or until the store closes. Erases that are told meanwhile share the next VACUUM.
    async fn pause(&mut self, time: Duration) {
        let end = sleep(time).deadline();
        while self.open
            && let Ok(told) = timeout_at(end, self.wanted.recv()).await
        {
            self.tell(told);
        }
    }

    fn tell(&mut self, told: Option<()>) {
        self.open = told.is_some();
        if self.open {
            self.erased = true;
            self.since = None;
        }
    }

    /// Repeats it until all is gone that was told, or the store closes.
    async fn until_gone(&mut self) {
        while self.open {
            let pause = match self.vacuum(LIMIT).await {
                Ok(Done::All) => {
                    self.since = None;
                    self.erased = false;
                    return;
                }
                Ok(Done::NotYet) => LOOK,
                Ok(Done::Refused) => REFUSED,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "erased values could not be vacuumed yet");
                    RETRY
                }
            };
            self.pause(pause).await;
        }
    }

    /// One VACUUM; when it waits for transactions to end, the next one after that.
    async fn vacuum(&mut self, limit: Duration) -> Result<Done, OpenError> {
        let (options, since) = (self.options.clone(), self.since.take());
        let mut running = pin!(timeout(limit, vacuum(options, since)));
        let mut end: Option<Instant> = None;
        let is_over = |end: Instant| now() >= end;
        let (done, since) = loop {
            match timeout(TICK, running.as_mut()).await {
                Ok(Ok(done)) => break done?,
                Ok(Err(_)) => return Err(connect::timed_out().into()),
                Err(_) if end.is_some_and(is_over) => {
                    self.gave_up = true;
                    return Err(connect::timed_out().into());
                }
                Err(_) if end.is_none() && self.wanted.is_closed() => end = Some(now() + LAST),
                Err(_) => {}
            }
        };
        self.since = Some(since);
        let refused = matches!(done, Done::Refused);
        if refused && !self.refused {
            tracing::error!(
                "the database user may not vacuum secret_versions and kms_key_versions, so erased values stay in their files; make \
                 it the owner of both tables (ALTER TABLE … OWNER TO …), or run VACUUM secret_versions, kms_key_versions as the \
                 owner after each erase"
            );
        }
        self.refused = refused;
        Ok(done)
    }
}

/// One VACUUM, and what to tell the next one. With `since` there was one already, and it had to leave something: then there is nothing
/// to do before those have ended that could still see it.
async fn vacuum(options: PostgresOptions, since: Option<String>) -> Result<(Done, String), OpenError> {
    let mut connection = connect::connection(&options).await?;
    let is_first = since.is_none();
    let since = match since {
        Some(since) => since,
        None => sqlx::query_scalar(NOW).fetch_one(&mut connection).await?,
    };
    let (allowed, passed): (bool, bool) = sqlx::query_as(LOOK_ROUND).bind(&since).fetch_one(&mut connection).await?;
    if !allowed {
        return Ok((Done::Refused, since));
    }
    if is_first || passed {
        connection.execute("SET statement_timeout = '10min'").await?;
        connection.execute("VACUUM secret_versions, kms_key_versions").await?;
    }
    if !passed {
        return Ok((Done::NotYet, since));
    }
    // That one leaves out pages that somebody is reading; this one waits for them, but not for so long that other erases have to wait.
    // What it did until then stays done.
    connection.execute("SET statement_timeout = '15s'").await?;
    match connection.execute("VACUUM (FREEZE) secret_versions, kms_key_versions").await {
        Ok(_) => Ok((Done::All, since)),
        Err(error) if failure::is_statement_timeout(&error) => Ok((Done::NotYet, since)),
        Err(error) => Err(error.into()),
    }
}
