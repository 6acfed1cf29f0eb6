//! What lanes and pools of connections tell of themselves. Several of one process add up, so gauges move up and down and are never set.

use metrics::{Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const QUEUE_JOBS: &str = "strongroom_lane_queue_jobs";
const QUEUE_BYTES: &str = "strongroom_lane_queue_bytes";
const CALLERS_WAITING: &str = "strongroom_lane_callers_waiting";
const BACKLOG_RECORDS: &str = "strongroom_lane_backlog_records";
const ACCESSES_PENDING: &str = "strongroom_lane_accesses_pending";
const BATCH_JOBS: &str = "strongroom_lane_batch_jobs";
const COMMIT_DURATION: &str = "strongroom_lane_commit_duration_seconds";
const COMMITS_FAILED: &str = "strongroom_lane_commits_failed_total";
const WAL_BYTES: &str = "strongroom_store_wal_bytes";
const VACUUM_WANTED: &str = "strongroom_store_vacuum_wanted";
const READS_IN_FLIGHT: &str = "strongroom_store_reads_in_flight";

/// A gauge, up by as much as this holds; down again when dropped.
struct Held(Gauge, f64);

impl Held {
    fn new(gauge: &Gauge, amount: impl Into<f64>) -> Self {
        let amount = amount.into();
        gauge.increment(amount);
        Self(gauge.clone(), amount)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.decrement(self.1);
    }
}

/// The room that jobs of one kind may take in a lane's queue. While there is none, callers wait.
pub(crate) struct Room {
    /// In KiB.
    free: Arc<Semaphore>,
    /// In KiB; what is larger takes all of it.
    size: u32,
    jobs: Gauge,
    bytes: Gauge,
    callers: Gauge,
}

/// A job's room, given back when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _job: Held,
    _bytes: Held,
}

impl Room {
    /// `kind`: what the metrics call it. `bytes`: how much there is.
    pub(crate) fn new(kind: &'static str, bytes: u32) -> Self {
        describe_gauge!(
            QUEUE_JOBS,
            Unit::Count,
            "Jobs that were handed to a lane and are not answered or written yet."
        );
        describe_gauge!(QUEUE_BYTES, Unit::Bytes, "About the memory that these jobs take.");
        describe_gauge!(CALLERS_WAITING, Unit::Count, "Callers that wait because the queue of a lane is full.");
        let size = kib(bytes);
        Self {
            free: Arc::new(Semaphore::new(size as usize)),
            size,
            jobs: gauge!(QUEUE_JOBS, "kind" => kind),
            bytes: gauge!(QUEUE_BYTES, "kind" => kind),
            callers: gauge!(CALLERS_WAITING, "kind" => kind),
        }
    }

    /// Waits for room for a job of so many bytes; `None` when the store is stopping.
    pub(crate) async fn take(&self, weight: u32) -> Option<Place> {
        let wanted = kib(weight).min(self.size);
        let permit = match Arc::clone(&self.free).try_acquire_many_owned(wanted) {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = Held::new(&self.callers, 1);
                Arc::clone(&self.free).acquire_many_owned(wanted).await.ok()?
            }
        };
        Some(Place { _permit: permit, _job: Held::new(&self.jobs, 1), _bytes: Held::new(&self.bytes, weight) })
    }

    /// Gives no more room, also not to those who wait.
    pub(crate) fn close(&self) {
        self.free.close();
    }
}

/// In KiB, rounded up, at least 1.
fn kib(bytes: u32) -> u32 {
    bytes.div_ceil(1024).max(1)
}

/// A length that is told from time to time; its part of the gauge goes when it is dropped.
pub(crate) struct Level {
    gauge: Gauge,
    told: f64,
}

impl Level {
    const fn new(gauge: Gauge) -> Self {
        Self { gauge, told: 0.0 }
    }

    /// It is so much now.
    pub(crate) fn to(&mut self, now: u64) {
        let now = now as f64;
        if now.total_cmp(&self.told).is_ne() {
            self.gauge.increment(now - self.told);
            self.told = now;
        }
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.to(0);
    }
}

/// Whether values were erased whose bytes a VACUUM of PostgreSQL has yet to take out of the files: 1 or 0.
pub(crate) fn vacuum_wanted() -> Level {
    describe_gauge!(
        VACUUM_WANTED,
        Unit::Count,
        "1 while values were erased that PostgreSQL has yet to vacuum out of its files, and after a start."
    );
    Level::new(gauge!(VACUUM_WANTED))
}

/// What a lane tells beside its queue.
pub(crate) struct LaneMetrics {
    /// Records that could not be written yet.
    pub(crate) backlog: Level,
    /// Times of last accesses that are not in their table yet. Of the lanes of a store only one tells it.
    pub(crate) accesses: Level,
    /// What is in use of SQLite's write-ahead log, in bytes.
    pub(crate) wal_bytes: Level,
    batch_jobs: Histogram,
    commit_duration: Histogram,
    full: Counter,
    unavailable: Counter,
    unknown: Counter,
}

impl LaneMetrics {
    pub(crate) fn new() -> Self {
        describe_gauge!(BACKLOG_RECORDS, Unit::Count, "Audit records that could not be written and are tried again.");
        describe_gauge!(ACCESSES_PENDING, Unit::Count, "Times of last accesses that are not in their table yet.");
        describe_histogram!(BATCH_JOBS, Unit::Count, "Jobs that shared a commit.");
        describe_histogram!(COMMIT_DURATION, Unit::Seconds, "From the begin of a transaction until it is durable.");
        describe_counter!(COMMITS_FAILED, Unit::Count, "Commits that failed, with all their jobs.");
        describe_gauge!(WAL_BYTES, Unit::Bytes, "What is in use of the write-ahead log of SQLite.");
        let failed = |kind: &'static str| counter!(COMMITS_FAILED, "kind" => kind);
        // A store of any kind tells all metrics.
        drop(vacuum_wanted());
        Self {
            backlog: Level::new(gauge!(BACKLOG_RECORDS)),
            accesses: Level::new(gauge!(ACCESSES_PENDING)),
            wal_bytes: Level::new(gauge!(WAL_BYTES)),
            batch_jobs: metrics::histogram!(BATCH_JOBS),
            commit_duration: metrics::histogram!(COMMIT_DURATION),
            full: failed("full"),
            unavailable: failed("unavailable"),
            unknown: failed("unknown"),
        }
    }

    /// A batch was committed.
    pub(crate) fn committed(&self, jobs: usize, took: Duration) {
        // A commit without jobs only tidies.
        if jobs > 0 {
            self.batch_jobs.record(jobs as f64);
        }
        self.commit_duration.record(took.as_secs_f64());
    }

    /// A commit failed for want of room.
    pub(crate) fn failed_full(&self) {
        self.full.increment(1);
    }

    /// A commit failed because the database could not be written.
    pub(crate) fn failed_unavailable(&self) {
        self.unavailable.increment(1);
    }

    /// Nobody knows whether a commit was made.
    pub(crate) fn failed_unknown(&self) {
        self.unknown.increment(1);
    }
}

/// Counts the reads that use a connection of a pool, or wait for one.
pub(crate) struct Reads(Gauge);

/// A read that is running.
pub(crate) struct Running(#[expect(dead_code, reason = "counts while it lives")] Held);

impl Reads {
    /// `pool`: what the metric calls it.
    pub(crate) fn new(pool: &'static str) -> Self {
        describe_gauge!(READS_IN_FLIGHT, Unit::Count, "Reads that use a connection of a pool, or wait for one.");
        Self(gauge!(READS_IN_FLIGHT, "pool" => pool))
    }

    /// To be kept for as long as the read takes.
    pub(crate) fn begin(&self) -> Running {
        Running(Held::new(&self.0, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Room};
    use metrics::{Gauge, GaugeFn};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    /// Whole numbers only.
    #[derive(Default)]
    struct Shown(AtomicI64);

    impl GaugeFn for Shown {
        fn increment(&self, by: f64) {
            self.0.fetch_add(by as i64, Ordering::Relaxed);
        }

        fn decrement(&self, by: f64) {
            self.0.fetch_sub(by as i64, Ordering::Relaxed);
        }

        fn set(&self, to: f64) {
            panic!("set to {to}, where others add");
        }
    }

    impl Shown {
        fn get(&self) -> i64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn shown() -> (Arc<Shown>, Gauge) {
        let shown = Arc::new(Shown::default());
        (Arc::clone(&shown), Gauge::from_arc(shown))
    }

    #[tokio::test]
    async fn room_is_counted_until_it_is_given_back() {
        let ((jobs, jobs_gauge), (bytes, bytes_gauge), (callers, callers_gauge)) = (shown(), shown(), shown());
        let room = Room { jobs: jobs_gauge, bytes: bytes_gauge, callers: callers_gauge, ..Room::new("test", 4096) };
        let first = room.take(1000).await.expect("there is room");
        let second = room.take(3000).await.expect("there is room");
        assert_eq!((jobs.get(), bytes.get(), callers.get()), (2, 4000, 0));
        {
            let mut third = std::pin::pin!(room.take(1 << 20));
            assert!(futures_poll(third.as_mut()).await.is_none(), "there is no room");
            assert_eq!((jobs.get(), callers.get()), (2, 1));
            drop((first, second));
            let third = third.await.expect("what is larger than all takes all");
            assert_eq!((jobs.get(), bytes.get(), callers.get()), (1, 1 << 20, 0));
            drop(third);
        }
        assert_eq!((jobs.get(), bytes.get()), (0, 0));
        room.close();
        assert!(room.take(1).await.is_none());
        assert_eq!((jobs.get(), bytes.get(), callers.get()), (0, 0, 0));
    }

    async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }

    #[test]
    fn levels_of_several_add_up() {
        let (shown, gauge) = shown();
        let (mut one, mut other) = (Level::new(gauge.clone()), Level::new(gauge));
        one.to(5);
        other.to(3);
        one.to(1);
        assert_eq!(shown.get(), 4);
        drop(one);
        assert_eq!(shown.get(), 3);
    }
}
