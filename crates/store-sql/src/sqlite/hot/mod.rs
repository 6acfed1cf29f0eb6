//! Reads that every reveal or put makes: prepared statements on connections that are held open, on the caller's thread. A point read
//! takes some ten microseconds, less than handing it to another thread and back.

pub(super) mod key;
pub(super) mod secret;
pub(super) mod token;

use super::connect;
use crate::accesses::{Accesses, Pending};
use crate::metrics::Reads;
use crate::options::OpenOptions;
use rusqlite::Connection;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use strongroom_domain::port::ReadError;

pub(super) struct HotReads {
    connections: Box<[Mutex<Connection>]>,
    next: AtomicUsize,
    in_flight: Reads,
}

impl HotReads {
    pub(super) fn open(options: &OpenOptions) -> rusqlite::Result<Self> {
        let connections = (0..options.hot_readers.max(1)).map(|_| connect::reader(options).map(Mutex::new));
        let connections = connections.collect::<Result<_, _>>()?;
        Ok(Self { connections, next: AtomicUsize::new(0), in_flight: Reads::new("hot") })
    }

    /// A connection that is free, else the next in turn. A panic in a read leaves a connection as good as before.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        let count = self.connections.len();
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let in_turn = |step: usize| &self.connections[start.wrapping_add(step) % count];
        for step in 0..count {
            match in_turn(step).try_lock() {
                Ok(free) => return free,
                Err(TryLockError::Poisoned(free)) => return free.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        in_turn(0).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads; one statement is one snapshot.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, ReadError>) -> Result<T, ReadError> {
        let _running = self.in_flight.begin();
        read(&self.connection())
    }

    /// Reads what shows last accesses, and lays over it those that the table may not have.
    pub(super) fn reading<T>(
        &self,
        accesses: &Accesses,
        read: impl FnOnce(&Connection) -> Result<T, ReadError>,
        overlay: impl FnOnce(&mut T, &Pending),
    ) -> Result<T, ReadError> {
        let reading = accesses.reading();
        let mut found = self.read(read)?;
        reading.overlay(|pending| overlay(&mut found, pending));
        Ok(found)
    }
}
