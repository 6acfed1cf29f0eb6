//! What is done to the audit log beside the requests: its index, checkpoints, sinks, and retention. A task each, so that none waits for
//! another, and no request for any.

mod alarm;
mod metrics;
mod pace;

use crate::audit_outlets::AuditOutlets;
use crate::failure::causes;
use alarm::Alarm;
use core::time::Duration;
use metrics::Measured;
use pace::{Pace, Paced};
use std::sync::Arc;
use strongroom::audit::{AlteredRecord, ClockJump, ForwardError, Indexed, PublishedCheckpoint, Retained, SinkTurns};
use strongroom::{Code, Engine};
use strongroom_audit_sinks::FileCheckpointSink;
use strongroom_domain::audit::SinkName;
use strongroom_domain::port::{AuditSink, CheckpointSink, Clock};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many records one unit of the index is for.
const INDEXED_AT_ONCE: u32 = 200;
/// How many times as long as a unit of the index took is rested after it, and the bounds of that.
const INDEX_REST: u32 = 10;
const MIN_INDEX_REST: Duration = Duration::from_millis(5);
const MAX_INDEX_REST: Duration = Duration::from_millis(100);
/// How long the index rests when there was nothing more; longer where to look takes long, as it does with many streams.
const MIN_INDEX_IDLE: Duration = Duration::from_millis(250);
const MAX_INDEX_IDLE: Duration = Duration::from_secs(1);
/// How many times as long as it took to look is rested then.
const INDEX_IDLE: u32 = 20;
/// How often checkpoints are written and published, and sinks looked after.
const EVERY_SECOND: Duration = Duration::from_secs(1);
/// How often old records are looked for.
const EVERY_HOUR: Duration = Duration::from_secs(60 * 60);
/// How long rounds that are under way may go on at a stop. What is cut off is done again by whoever comes next.
const LAST_ROUNDS: Duration = Duration::from_secs(5);

/// The rounds, while they go on.
pub(crate) struct AuditRounds {
    engine: Arc<Engine>,
    tasks: JoinSet<()>,
}

impl AuditRounds {
    /// Begins with a round of each at once. `measures`: whether somebody hears of how they lag.
    pub(crate) fn start(
        engine: Arc<Engine>,
        clock: Arc<dyn Clock>,
        outlets: AuditOutlets,
        measures: bool,
        stop: CancellationToken,
    ) -> Self {
        let AuditOutlets { retention_days, sinks, checkpoint_file, checkpoint_url } = outlets;
        let names: Vec<SinkName> = sinks.iter().map(|sink| sink.name().clone()).collect();
        engine.note_audit_sinks(names.iter().cloned());
        let rounds = Rounds { engine: Arc::clone(&engine), pace: Pace { clock, stop }, measured: Measured::new() };
        let mut tasks = JoinSet::new();
        tasks.spawn(rounds.clone().index());
        tasks.spawn(rounds.clone().checkpoint());
        if let Some(file) = checkpoint_file {
            tasks.spawn(rounds.clone().publish_to_file(file));
        }
        if let Some(url) = checkpoint_url {
            tasks.spawn(rounds.clone().publish_to_url(url));
        }
        for sink in sinks {
            tasks.spawn(rounds.clone().forward(sink));
        }
        if let Some(days) = retention_days {
            tasks.spawn(rounds.clone().retain(days, names.clone()));
        }
        if measures {
            tasks.spawn(rounds.measure(names));
        }
        Self { engine, tasks }
    }

    /// Ends them, after the stop was asked for and the last records were written; with a checkpoint that tells of these, and so that other
    /// nodes go on at once.
    pub(crate) async fn end(mut self) {
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_ROUNDS, ended).await.is_err() {
            self.tasks.shutdown().await;
        }
        let last = async {
            if let Err(error) = self.engine.checkpoint_audit().await {
                tracing::warn!(error = %causes(&error), "the last checkpoint of the audit log could not be written");
            }
            // Where they can't be released, the leases end by themselves.
            let _ = self.engine.release_audit_checkpoints().await;
            let _ = self.engine.release_audit_sinks().await;
        };
        if tokio::time::timeout(LAST_ROUNDS, last).await.is_err() {
            tracing::warn!("the last checkpoint of the audit log was not written in time");
        }
    }
}

#[derive(Clone)]
struct Rounds {
    engine: Arc<Engine>,
    pace: Pace,
    measured: Measured,
}

impl Rounds {
    async fn index(self) {
        let mut pace = self.pace.clone().begin();
        let mut alarm = Alarm::default();
        while pace.goes_on() {
            let begun = self.pace.clock.now();
            let indexed = self.engine.index_audit(INDEXED_AT_ONCE).await;
            let took = Duration::from_micros(self.pace.clock.now().micros_since(begun));
            if let Ok(Indexed { foreign: streams @ 1.., .. }) = indexed
                && alarm.is_due(self.pace.clock.now())
            {
                tracing::error!(
                    streams,
                    "the audit log has records that no server wrote, and they are not indexed; verify the log"
                );
            }
            match indexed {
                Ok(Indexed { more: true, .. }) => {
                    pace.rest(took.saturating_mul(INDEX_REST).clamp(MIN_INDEX_REST, MAX_INDEX_REST)).await;
                }
                // Where something was written, more comes soon.
                Ok(Indexed { records: 1.., .. }) => pace.rest(MIN_INDEX_IDLE).await,
                Ok(_) => pace.rest(took.saturating_mul(INDEX_IDLE).clamp(MIN_INDEX_IDLE, MAX_INDEX_IDLE)).await,
                Err(error) => {
                    tracing::warn!(error = %causes(&error), "the audit log could not be indexed");
                    pace.back_off().await;
                }
            }
        }
    }

    async fn checkpoint(self) {
        let mut pace = self.pace.clone().begin();
        let mut alarm = Alarm::default();
        while pace.goes_on() {
            match self.engine.checkpoint_audit().await {
                Ok(_) => pace.rest(EVERY_SECOND).await,
                // It stays until somebody sees to it, and must not hold up what is sound.
                Err(error) if error.code() == Code::Internal => {
                    self.measured.no_checkpoint();
                    if alarm.is_due(self.pace.clock.now()) {
                        tracing::error!(error = %causes(&error), "the audit log is not what was signed");
                    }
                    pace.rest(EVERY_SECOND).await;
                }
                Err(error) => {
                    self.measured.no_checkpoint();
                    tracing::warn!(error = %causes(&error), "a checkpoint of the audit log could not be written");
                    pace.back_off().await;
                }
            }
        }
    }

    /// Goes on after the last checkpoint that is in the file. After a set-back that is looked for again: the file may have been moved away.
    async fn publish_to_file(self, file: FileCheckpointSink) {
        let mut pace = self.pace.clone().begin();
        let (mut alarm, mut last, mut is_read) = (Alarm::default(), None, false);
        while pace.goes_on() {
            if !is_read {
                match file.last().await {
                    Ok(read) => last = read.as_ref().map(PublishedCheckpoint::from),
                    Err(error) => {
                        self.not_published("file", &error.into());
                        pace.back_off().await;
                        continue;
                    }
                }
            }
            is_read = self.publish("file", &file, &mut last, (&mut pace, &mut alarm)).await;
        }
    }

    async fn publish_to_url(self, url: impl CheckpointSink) {
        let mut pace = self.pace.clone().begin();
        let (mut alarm, mut last) = (Alarm::default(), None);
        while pace.goes_on() {
            self.publish("url", &url, &mut last, (&mut pace, &mut alarm)).await;
        }
    }

    /// One round, and the rest after it; `false` when the store was set back.
    async fn publish(
        &self,
        to: &'static str,
        sink: &impl CheckpointSink,
        last: &mut Option<PublishedCheckpoint>,
        (pace, alarm): (&mut Paced, &mut Alarm),
    ) -> bool {
        let published = self.engine.publish_checkpoints(sink, last).await;
        if let Some(last) = last {
            self.measured.published(to, last.number);
        }
        match published {
            Ok(()) => pace.rest(EVERY_SECOND).await,
            Err(ForwardError::SetBack(number)) => {
                self.measured.not_published(to);
                if alarm.is_due(self.pace.clock.now()) {
                    tracing::error!(
                        to,
                        number,
                        "a checkpoint was published that the store does not have: it was set back, or its audit log cut off. No more are \
                         published there, so that what is there still shows it: run `strongroomd audit verify --anchor` with what was \
                         published; then, to begin anew, move the file and the full ones beside it away, or, for a URL, restart"
                    );
                }
                pace.rest(EVERY_SECOND).await;
                return false;
            }
            Err(ForwardError::Store(error)) if error.code() == Code::Internal => {
                self.measured.not_published(to);
                if alarm.is_due(self.pace.clock.now()) {
                    tracing::error!(to, error = %causes(&error), "a checkpoint of the audit log was not published");
                }
                pace.rest(EVERY_SECOND).await;
            }
            Err(error) => {
                self.not_published(to, &error);
                pace.back_off().await;
            }
        }
        true
    }

    fn not_published(&self, to: &'static str, error: &ForwardError) {
        self.measured.not_published(to);
        tracing::warn!(to, error = %causes(error), "a checkpoint of the audit log could not be published");
    }

    async fn forward(self, sink: Arc<dyn AuditSink>) {
        let mut pace = self.pace.clone().begin();
        let (mut alarm, mut refused, mut turns) = (Alarm::default(), Alarm::default(), SinkTurns::default());
        while pace.goes_on() {
            match self.engine.forward_audit(sink.as_ref(), &mut turns).await {
                Ok(done) => {
                    if done.unreadable > 0 {
                        let records = done.unreadable;
                        tracing::error!(sink = %sink.name(), records, "damaged records of the audit log could not be sent on; verify the log");
                    }
                    if done.foreign > 0 && alarm.is_due(self.pace.clock.now()) {
                        let streams = done.foreign;
                        tracing::error!(sink = %sink.name(), streams, "the audit log has records that no server wrote, and they were not sent on; verify the log");
                    }
                    if let Some(error) = &done.refused
                        && refused.is_due(self.pace.clock.now())
                    {
                        tracing::warn!(sink = %sink.name(), error = %causes(error), "some of the audit log could not be sent on; the rest goes on");
                    }
                    let goes_on = done.more && done.refused.is_none();
                    pace.rest(if goes_on { Duration::ZERO } else { EVERY_SECOND }).await;
                }
                Err(error) => {
                    tracing::warn!(sink = %sink.name(), error = %causes(&error), "the audit log could not be sent on");
                    pace.back_off().await;
                }
            }
        }
    }

    async fn retain(self, days: u32, sinks: Vec<SinkName>) {
        let mut pace = self.pace.clone().begin();
        let (mut alarm, mut held) = (Alarm::default(), Alarm::default());
        while pace.goes_on() {
            match self.engine.retain_audit(days, &sinks).await {
                Ok(Retained { removed, more, altered, jump }) => {
                    if let Some(ClockJump { from, to }) = jump
                        && held.is_due(self.pace.clock.now())
                    {
                        tracing::warn!(%from, %to, "the checkpoints of the audit log say a later time than servers can have run to: none ran for long, or the clock was set ahead. What is old only by the later time is removed by and by, ten times as fast as time goes; if the clock is wrong, set it right now");
                    }
                    if let Some(AlteredRecord { stream, sequence }) = altered {
                        self.measured.not_removed();
                        if alarm.is_due(self.pace.clock.now()) {
                            tracing::error!(%stream, sequence, "a record of the audit log is not what was written, so nothing is removed of its stream; verify the log");
                        }
                    }
                    if removed > 0 {
                        self.measured.removed(removed);
                        tracing::info!(records = removed, days, "removed old records of the audit log");
                    }
                    pace.rest(if more { EVERY_SECOND } else { EVERY_HOUR }).await;
                }
                Err(error) => {
                    self.measured.not_removed();
                    if error.code() != Code::Internal {
                        tracing::warn!(error = %causes(&error), "old records of the audit log could not be removed");
                    } else if alarm.is_due(self.pace.clock.now()) {
                        tracing::error!(error = %causes(&error), "nothing is removed from the audit log");
                    }
                    pace.back_off().await;
                }
            }
        }
    }

    async fn measure(self, sinks: Vec<SinkName>) {
        let mut pace = self.pace.clone().begin();
        while pace.goes_on() {
            if let Err(error) = self.measured.measure(&self.engine, self.pace.clock.now(), &sinks).await {
                tracing::debug!(error = %causes(&error), "the lag of the audit log's readers could not be read");
            }
            pace.rest(metrics::EVERY).await;
        }
    }
}
