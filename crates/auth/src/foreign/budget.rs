use super::age;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use strongroom_domain::id::OrganisationId;
use strongroom_domain::time::Timestamp;

/// How many fetches one organisation's providers cause in a minute, beyond those of issuers that have proven themselves.
pub(super) const FETCHES_A_MINUTE: u32 = 30;
const MINUTE_MICROS: u64 = 60_000_000;

struct Minute {
    began: Timestamp,
    spent: HashMap<OrganisationId, u32>,
}

/// How many fetches organisations may still cause. What is counted isn't forgotten with the source that it was counted for, and no
/// organisation spends what is another's.
pub(super) struct Budget {
    minute: Mutex<Minute>,
}

impl Budget {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { minute: Mutex::new(Minute { began: now, spent: HashMap::new() }) }
    }

    /// Counts a fetch for this organisation, unless it has had its share.
    pub(super) fn take(&self, organisation: OrganisationId, now: Timestamp) -> bool {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if age(now, minute.began) >= MINUTE_MICROS {
            *minute = Minute { began: now, spent: HashMap::new() };
        }
        let spent = minute.spent.entry(organisation).or_default();
        let is_left = *spent < FETCHES_A_MINUTE;
        *spent += u32::from(is_left);
        is_left
    }
}
