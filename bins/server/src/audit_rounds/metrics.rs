//! What is told of the audit log's readers.

use core::time::Duration;
use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};
use strongroom::{Engine, Error};
use strongroom_domain::audit::{LogReader, SinkName};
use strongroom_domain::time::Timestamp;

/// How often the lag is read from the store.
pub(super) const EVERY: Duration = Duration::from_secs(10);

const LAG_RECORDS: &str = "strongroom_audit_lag_records";
const LAG_SECONDS: &str = "strongroom_audit_lag_seconds";
const NUMBER: &str = "strongroom_audit_checkpoint_number";
const AGE: &str = "strongroom_audit_checkpoint_age_seconds";
const PUBLISHED: &str = "strongroom_audit_checkpoint_published_number";
const NOT_PUBLISHED: &str = "strongroom_audit_checkpoint_publish_failures_total";
const NO_CHECKPOINT: &str = "strongroom_audit_checkpoint_failures_total";
const REMOVED: &str = "strongroom_audit_records_removed_total";
const NOT_REMOVED: &str = "strongroom_audit_retention_failures_total";

#[derive(Clone)]
pub(super) struct Measured {
    number: Gauge,
    age: Gauge,
    failed: Counter,
    removed: Counter,
    kept: Counter,
}

impl Measured {
    pub(super) fn new() -> Self {
        describe_gauge!(LAG_RECORDS, Unit::Count, "Audit records that a reader of the log has not had yet.");
        describe_gauge!(LAG_SECONDS, Unit::Seconds, "The age of the oldest of them.");
        describe_gauge!(NUMBER, Unit::Count, "The number of the last checkpoint of the audit log.");
        describe_gauge!(AGE, Unit::Seconds, "The age of the last checkpoint of the audit log.");
        describe_gauge!(PUBLISHED, Unit::Count, "The number of the last checkpoint that this server published.");
        describe_counter!(NOT_PUBLISHED, Unit::Count, "Tries to publish a checkpoint that failed.");
        describe_counter!(
            NO_CHECKPOINT,
            Unit::Count,
            "Rounds of checkpoints that failed, or in which a stream or the last checkpoint was not what was signed."
        );
        describe_counter!(REMOVED, Unit::Count, "Audit records that retention removed.");
        describe_counter!(
            NOT_REMOVED,
            Unit::Count,
            "Rounds of retention that failed, or in which a stream kept its old records because one was not what was written."
        );
        Self {
            number: gauge!(NUMBER),
            age: gauge!(AGE),
            failed: counter!(NO_CHECKPOINT),
            removed: counter!(REMOVED),
            kept: counter!(NOT_REMOVED),
        }
    }

    pub(super) fn published(&self, to: &'static str, number: u64) {
        gauge!(PUBLISHED, "to" => to).set(number as f64);
    }

    pub(super) fn not_published(&self, to: &'static str) {
        counter!(NOT_PUBLISHED, "to" => to).increment(1);
    }

    pub(super) fn no_checkpoint(&self) {
        self.failed.increment(1);
    }

    pub(super) fn not_removed(&self) {
        self.kept.increment(1);
    }

    pub(super) fn removed(&self, records: u64) {
        self.removed.increment(records);
    }

    /// Reads how far everybody is.
    pub(super) async fn measure(&self, engine: &Engine, now: Timestamp, sinks: &[SinkName]) -> Result<(), Error> {
        let seconds = |since: Timestamp| now.micros_since(since) as f64 / 1_000_000.0;
        let sinks = sinks.iter().cloned().map(LogReader::Sink);
        for reader in [LogReader::Index, LogReader::Checkpoints].into_iter().chain(sinks) {
            let lag = engine.audit_lag(&reader).await?;
            let reader = reader.name();
            gauge!(LAG_RECORDS, "reader" => reader.clone()).set(lag.records as f64);
            gauge!(LAG_SECONDS, "reader" => reader).set(lag.oldest.map_or(0.0, seconds));
        }
        if let Some((number, at)) = engine.newest_audit_checkpoint().await? {
            self.number.set(number as f64);
            self.age.set(seconds(at));
        }
        Ok(())
    }
}
