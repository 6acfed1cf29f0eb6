use crate::MemoryStore;
use async_trait::async_trait;
use std::time::{SystemTime, UNIX_EPOCH};
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl, Renewal, Tenure};
use strongroom_domain::port::{LeaseError, LeaseErrorKind, Leases};
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

/// The machine's time: what a database in this process has for a clock.
#[expect(clippy::disallowed_methods, reason = "the store's own clock, where it was given no other")]
fn machine_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

impl MemoryStore {
    /// The time that leases go by.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.as_ref().map_or_else(machine_time, |clock| clock.now())
    }
}

#[async_trait]
impl Leases for MemoryStore {
    async fn acquire(&self, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Result<Option<Lease>, LeaseError> {
        let mut state = self.lock(LeaseErrorKind::Unavailable)?;
        let Some(tenure) = Tenure::acquired(state.leases.get(&name), holder, ttl, self.now()) else { return Ok(None) };
        state.leases.insert(name, tenure);
        Ok(Some(tenure.lease(name)))
    }

    async fn renew(&self, lease: &Lease, ttl: LeaseTtl) -> Result<Renewal, LeaseError> {
        let mut state = self.lock(LeaseErrorKind::Unavailable)?;
        let now = self.now();
        let renewed = state.leases.get(&lease.name).and_then(|tenure| tenure.renewed(lease.epoch, ttl, now));
        let Some(tenure) = renewed else { return Ok(Renewal::Lost) };
        state.leases.insert(lease.name, tenure);
        Ok(Renewal::Held(tenure.lease(lease.name)))
    }

    async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        let mut state = self.lock(LeaseErrorKind::Unavailable)?;
        let now = self.now();
        let released = state.leases.get(&lease.name).and_then(|tenure| tenure.released(lease.epoch, now));
        if let Some(tenure) = released {
            state.leases.insert(lease.name, tenure);
        }
        Ok(())
    }
}
