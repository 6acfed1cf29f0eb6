//! What the tests of the lane need; the crate that makes such things can't be used inside this one.

use std::sync::atomic::{AtomicU64, Ordering};
use strongroom_domain::audit::{Action, AuditRecord, Outcome, Signature};
use strongroom_domain::id::EventId;
use strongroom_domain::port::{AuditSigner, IdGenerator};
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

pub(super) struct Signer;

impl AuditSigner for Signer {
    fn sign(&self, bytes: &[u8]) -> Signature {
        let mut signature = [0; 64];
        signature.iter_mut().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
        Signature { key_version: 1, bytes: signature }
    }
}

#[derive(Default)]
pub(super) struct Ids(AtomicU64);

impl IdGenerator for Ids {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(1, self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

pub(super) fn record(event: u128) -> AuditRecord {
    AuditRecord {
        event: EventId::new(Uuid::from_u128(event)),
        at: Timestamp::EPOCH,
        action: Action::SecretList,
        outcome: Outcome::Success,
        status: 200,
        organisation: None,
        region: None,
        project: None,
        principal: None,
        credential: None,
        resource: None,
        decided_by: None,
        request: None,
        details: None,
    }
}
