//! One commit: as many jobs as were queued, each whole or not at all.

use super::chain::{Chain, Links};
use super::fault::{Failed, bounded};
use super::job::{Job, Verdict};
use super::session::Session;
use super::statement::{self, Append, Patience};
use crate::encoded::EncodedUnit;
use crate::postgres::change::Effect;
use crate::postgres::{failure, units};
use crate::row;
use sqlx::{Executor, PgConnection};
use std::collections::HashMap;
use std::time::Duration;
use strongroom_domain::audit::ChainState;
use strongroom_domain::id::SecretId;
use strongroom_domain::unit::Revision;
use uuid::Uuid;

/// A batch that was committed.
pub(super) struct Committed {
    /// One for each job, in order.
    pub(super) verdicts: Vec<Verdict>,
    pub(super) effects: Vec<Effect>,
    /// Where the stream stands now; `None` when no record was written.
    pub(super) stream: Option<(i64, ChainState)>,
}

/// What an open transaction holds.
struct Made {
    committed: Committed,
    /// Whether there is anything to commit.
    any: bool,
}

pub(super) struct Batch<'a> {
    pub(super) chain: &'a Chain,
    pub(super) jobs: &'a [Job],
    pub(super) limit: Duration,
    /// That of its units; without any it waits for as long as the session says, since nothing else could go on either.
    pub(super) patience: Patience,
    /// Whether units of this lane wait for locks.
    pub(super) contended: bool,
}

impl Batch<'_> {
    /// Commits on the session's connection, which it keeps when it is still of use.
    pub(super) async fn run(self, session: &mut Session) -> Result<Committed, Failed> {
        let awake = session.is_awake();
        let mut connection = session.take().await.map_err(|error| Failed::down(&error))?;
        let (outcome, fit) = self.commit(&mut connection, awake).await;
        if fit {
            session.keep(connection);
        }
        outcome
    }

    /// Answers also whether the connection may be used again.
    async fn commit(&self, connection: &mut PgConnection, awake: bool) -> (Result<Committed, Failed>, bool) {
        // Whether a connection still lives must not show in the statement that commits.
        if let Some(ordinal) = self.chain.ordinal()
            && awake
            // The one statement sets how long it waits when it already has its tables: not while somebody holds a lock.
            && self.patience == Patience::First
            && !self.contended
            && let Some(mut appends) = self.appends()
        {
            match bounded(self.limit, self.at_once(connection, ordinal, &mut appends)).await {
                Ok(Some(committed)) => return (Ok(committed), true),
                // Something is not as its caller saw it.
                Ok(None) => {}
                Err(error) => return (Err(Failed::in_commit(&error)), !failure::is_lost(&error)),
            }
        }
        let made = match bounded(self.limit, self.transact(connection)).await {
            Ok(made) => made,
            Err(error) => {
                let fit =
                    !failure::is_lost(&error) && bounded(self.limit, connection.execute("ROLLBACK")).await.is_ok();
                return (Err(Failed::surely(&error)), fit);
            }
        };
        let end = if made.any { "COMMIT" } else { "ROLLBACK" };
        match bounded(self.limit, connection.execute(end)).await {
            Ok(_) => (Ok(made.committed), true),
            Err(error) if made.any => (Err(Failed::in_commit(&error)), !failure::is_lost(&error)),
            Err(error) => (Err(Failed::surely(&error)), false),
        }
    }

    /// The versions that the units append; `None` when a unit does anything else.
    fn appends(&self) -> Option<Vec<Append<'_>>> {
        self.jobs.iter().filter_map(Job::unit).map(Append::of).collect()
    }

    /// Accesses, records and appended versions in one statement, which is its own transaction; `None` when it wrote nothing.
    async fn at_once(
        &self,
        connection: &mut PgConnection,
        ordinal: i64,
        appends: &mut [Append<'_>],
    ) -> Result<Option<Committed>, sqlx::Error> {
        let seen: Vec<(SecretId, Revision)> =
            self.jobs.iter().filter_map(Job::access).map(|access| (access.secret, access.seen)).collect();
        let links = self.chain.link(self.jobs.iter().flat_map(Job::records));
        let written = match (links.is_empty(), appends.is_empty()) {
            (true, true) => true,
            (true, false) => false,
            (false, true) => statement::record(connection, &links, ordinal, &seen).await?,
            (false, false) => statement::append(connection, &links, ordinal, &seen, appends, self.patience).await?,
        };
        if !written {
            return Ok(None);
        }
        let verdicts = self.jobs.iter().map(|_| Verdict::Done).collect();
        let stream = (!links.is_empty()).then(|| (ordinal, links.after()));
        Ok(Some(Committed { verdicts, effects: Vec::new(), stream }))
    }

    async fn transact(&self, connection: &mut PgConnection) -> Result<Made, sqlx::Error> {
        let units: Vec<&EncodedUnit> = self.jobs.iter().filter_map(Job::unit).collect();
        let may_wait = units.is_empty() && self.patience == Patience::First;
        connection.execute(if may_wait { "BEGIN" } else { self.patience.begin() }).await?;
        let mut applied =
            if units.is_empty() { Vec::new() } else { units::apply(connection, &units).await? }.into_iter();
        let revisions = self.revisions(connection).await?;
        let mut effects = Vec::new();
        let mut any = false;
        let mut verdicts = Vec::with_capacity(self.jobs.len());
        for job in self.jobs {
            verdicts.push(match (job.unit(), job.access()) {
                (Some(_), _) => match applied.next() {
                    Some(units::Verdict::Done(made)) => {
                        any = true;
                        effects.extend(made);
                        Verdict::Done
                    }
                    Some(units::Verdict::Conflict(expect)) => Verdict::Conflict(expect),
                    Some(units::Verdict::Refused(error)) => Verdict::Refused((&error).into()),
                    None => return Err(sqlx::Error::Protocol("a unit got no verdict".to_owned())),
                },
                (None, Some(access))
                    if revisions.get(&access.secret.uuid()) != Some(&row::column(access.seen.get())) =>
                {
                    Verdict::Stale
                }
                _ => Verdict::Done,
            });
        }
        let done = self.jobs.iter().zip(&verdicts).filter(|(_, verdict)| matches!(verdict, Verdict::Done));
        let links = self.chain.link(done.flat_map(|(job, _)| job.records()));
        let stream = self.write(connection, &links).await?;
        any |= stream.is_some();
        Ok(Made { committed: Committed { verdicts, effects, stream }, any })
    }

    async fn write(
        &self,
        connection: &mut PgConnection,
        links: &Links<'_>,
    ) -> Result<Option<(i64, ChainState)>, sqlx::Error> {
        if links.is_empty() {
            return Ok(None);
        }
        let ordinal = match self.chain.ordinal() {
            Some(ordinal) => ordinal,
            None => self.chain.begin(connection).await?,
        };
        if !statement::record(connection, links, ordinal, &[]).await? {
            return Err(sqlx::Error::Protocol("no audit record was inserted".to_owned()));
        }
        Ok(Some((ordinal, links.after())))
    }

    /// What revision the secrets of the accesses have now.
    async fn revisions(&self, connection: &mut PgConnection) -> Result<HashMap<Uuid, i64>, sqlx::Error> {
        let mut secrets: Vec<Uuid> =
            self.jobs.iter().filter_map(Job::access).map(|access| access.secret.uuid()).collect();
        if secrets.is_empty() {
            return Ok(HashMap::new());
        }
        secrets.sort_unstable();
        secrets.dedup();
        let found: Vec<(Uuid, i64)> = sqlx::query_as("SELECT id, revision FROM secrets WHERE id = ANY($1)")
            .bind(secrets)
            .fetch_all(connection)
            .await?;
        Ok(found.into_iter().collect())
    }
}
