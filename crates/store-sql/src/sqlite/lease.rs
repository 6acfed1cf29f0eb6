//! Leases, decided inside the writing transaction, where nobody else writes.

use crate::row;
use rusqlite::{Connection, OptionalExtension, Row};
use std::sync::Arc;
use strongroom_domain::lease::{Epoch, Lease, LeaseName, LeaseTtl, Tenure};
use strongroom_domain::port::Clock;
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

/// What a caller asks of a lease.
pub(super) enum LeaseCall {
    Acquire(LeaseName, Uuid, LeaseTtl),
    Renew(Lease, LeaseTtl),
    Release(Lease),
}

/// The time that leases go by: SQLite's own, unless the store was given another.
#[derive(Clone, Default)]
pub(super) struct LeaseClock(pub(super) Option<Arc<dyn Clock>>);

impl LeaseClock {
    fn now(&self, connection: &Connection) -> rusqlite::Result<Timestamp> {
        if let Some(clock) = &self.0 {
            return Ok(clock.now());
        }
        connection
            .prepare_cached("SELECT CAST(round(unixepoch('subsec') * 1000000) AS INTEGER)")?
            .query_row([], |row| row.get(0))
            .map(row::at)
    }
}

/// What became of it: the lease, where it was acquired or renewed.
pub(super) fn call(connection: &Connection, call: &LeaseCall, clock: &LeaseClock) -> rusqlite::Result<Option<Lease>> {
    let now = clock.now(connection)?;
    let name = match call {
        LeaseCall::Acquire(name, ..) => *name,
        LeaseCall::Renew(lease, _) | LeaseCall::Release(lease) => lease.name,
    };
    let last = tenure(connection, name, now)?;
    let next = match call {
        LeaseCall::Acquire(_, holder, ttl) => Tenure::acquired(last.as_ref(), *holder, *ttl, now),
        LeaseCall::Renew(lease, ttl) => last.and_then(|last| last.renewed(lease.epoch, *ttl, now)),
        LeaseCall::Release(lease) => last.and_then(|last| last.released(lease.epoch, now)),
    };
    let Some(next) = next else { return Ok(None) };
    connection
        .prepare_cached(
            "INSERT INTO leases (name, epoch, holder, expires_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO UPDATE
             SET epoch = excluded.epoch, holder = excluded.holder, expires_at = excluded.expires_at",
        )?
        .execute((name.as_str(), row::column(next.epoch.get()), next.holder, next.until.as_micros()))?;
    Ok(Some(next.lease(name)))
}

/// Whether this tenure stands.
pub(super) fn stands(
    connection: &Connection,
    name: LeaseName,
    epoch: Epoch,
    clock: &LeaseClock,
) -> rusqlite::Result<bool> {
    let now = clock.now(connection)?;
    Ok(tenure(connection, name, now)?.is_some_and(|tenure| tenure.is(epoch, now)))
}

/// What the row says. One that no server wrote has ended, so that it keeps nobody from the lease. Where its epoch is none, or there is none
/// after it, the microseconds since 1970 are: no lease was acquired as often, so that no epoch comes again.
fn tenure(connection: &Connection, name: LeaseName, now: Timestamp) -> rusqlite::Result<Option<Tenure>> {
    let read = |row: &Row<'_>| {
        let epoch = row.get(0).ok().filter(|epoch| (0..i64::MAX).contains(epoch));
        let (holder, until): (Option<Uuid>, Option<i64>) = (row.get(1).ok(), row.get(2).ok());
        let until = epoch.zip(holder).and(until).unwrap_or_default();
        let epoch = epoch.unwrap_or_else(|| now.as_micros()).max(0).unsigned_abs();
        Tenure { epoch: Epoch::new(epoch), holder: holder.unwrap_or_default(), until: row::at(until.max(0)) }
    };
    connection
        .prepare_cached("SELECT epoch, holder, expires_at FROM leases WHERE name = ?1")?
        .query_row([name.as_str()], |row| Ok(read(row)))
        .optional()
}
