#![doc = include_str!("../README.md")]

mod access;
mod audit;
mod change;
mod commit;
mod expect;
mod journal;
mod keys;
mod lease;
mod log;
mod objects;
mod read;
mod state;
mod tokens;

use state::State;
use std::sync::{Arc, Mutex, MutexGuard};
use strongroom_domain::failure::Failure;
use strongroom_domain::id::StreamId;
use strongroom_domain::port::{AuditSigner, Clock, ReadError, ReadErrorKind};

/// Every store port over one state in memory, behind one lock that is held for no longer than a call.
///
/// Erased payloads and wrapped keys are overwritten before their memory is given back. When a call panicked halfway, all later ones
/// fail with `Unavailable`: what it left is not trusted.
pub struct MemoryStore {
    state: Mutex<State>,
    signer: Arc<dyn AuditSigner>,
    /// The machine's when there is none.
    clock: Option<Arc<dyn Clock>>,
}

impl MemoryStore {
    /// An empty store whose audit log is one stream, the last record of every commit signed by `signer`.
    #[must_use]
    pub fn new(signer: Arc<dyn AuditSigner>, stream: StreamId) -> Self {
        Self { state: Mutex::new(State::new(stream)), signer, clock: None }
    }

    /// The same, but leases go by this clock and not by the machine's.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Whether an active version holds these bytes as its payload or its wrapped key, or a KMS key as a handle, for tests of what is
    /// erased.
    ///
    /// # Errors
    /// `Unavailable` when an earlier call broke off.
    pub fn holds(&self, bytes: &[u8]) -> Result<bool, ReadError> {
        let state = self.read()?;
        let mut versions = state.secrets.values().flat_map(|secret| secret.versions.values());
        let mut handles = state.keys.all().flat_map(|key| &key.versions).map(|version| version.handle.as_bytes());
        Ok(versions.any(|version| version.holds(bytes)) || handles.any(|handle| handle == bytes))
    }

    /// The state, unless a call panicked while it changed it.
    fn lock<K>(&self, unavailable: K) -> Result<MutexGuard<'_, State>, Failure<K>> {
        self.state.lock().map_err(|_| Failure::new(unavailable, "an earlier call broke off in the middle of a change"))
    }

    fn read(&self) -> Result<MutexGuard<'_, State>, ReadError> {
        self.lock(ReadErrorKind::Unavailable)
    }
}
