//! Takes what was erased out of the table of versions and its TOAST table: PostgreSQL keeps old rows until a VACUUM.
//!
//! Nothing remembers an erase over a restart; instead every start begins with a VACUUM, which skips pages without old rows.

use super::connect;
use super::options::PostgresOptions;
use crate::error::OpenError;
use sqlx::Executor;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{sleep, timeout, timeout_at};

/// How soon after an erase it begins; erases that come meanwhile share it.
const FIRST: Duration = Duration::from_secs(5);
/// How long after the first one a second follows, for what a transaction could still see at the first.
const SECOND: Duration = Duration::from_secs(30);
/// How soon one that failed is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Where erases are told.
#[derive(Clone)]
pub(super) struct Vacuum(Sender<()>);

impl Vacuum {
    /// Starts the task; it ends when all senders are dropped.
    pub(super) fn start(options: PostgresOptions) -> Self {
        let (sender, wanted) = channel(1);
        tokio::spawn(Task { options, wanted, open: true }.run());
        Self(sender)
    }

    /// Something was erased.
    pub(super) fn want(&self) {
        // When there is no room, it is wanted already.
        let _ = self.0.try_send(());
    }
}

struct Task {
    options: PostgresOptions,
    wanted: Receiver<()>,
    open: bool,
}

impl Task {
    async fn run(mut self) {
        while self.open {
            self.pause(FIRST).await;
            self.vacuum().await;
            if self.wanted_within(SECOND).await {
                continue;
            }
            self.vacuum().await;
            self.open = self.open && self.wanted.recv().await.is_some();
        }
    }

    /// Waits so long, or until the store closes. Erases that are told meanwhile share the next VACUUM.
    async fn pause(&mut self, time: Duration) {
        let end = sleep(time).deadline();
        while self.open
            && let Ok(told) = timeout_at(end, self.wanted.recv()).await
        {
            self.open = told.is_some();
        }
    }

    /// Waits so long, or until another erase is told, which it answers, or the store closes.
    async fn wanted_within(&mut self, time: Duration) -> bool {
        if self.open
            && let Ok(told) = timeout(time, self.wanted.recv()).await
        {
            self.open = told.is_some();
            return self.open;
        }
        false
    }

    async fn vacuum(&mut self) {
        while self.open {
            match vacuum(&self.options).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "erased values could not be vacuumed yet");
                    self.pause(RETRY).await;
                }
            }
        }
    }
}

async fn vacuum(options: &PostgresOptions) -> Result<(), OpenError> {
    let mut connection = connect::connection(options).await?;
    connection.execute("SET statement_timeout = 0").await?;
    connection.execute("VACUUM secret_versions").await?;
    Ok(())
}
