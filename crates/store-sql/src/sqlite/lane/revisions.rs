//! What revision secrets have, as the open transaction sees it. The lane is the only writer, so what it remembers is exact.

use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use strongroom_domain::id::SecretId;
use strongroom_domain::unit::{Change, Revision};

/// How many are remembered: about 3 MB.
const MOST: usize = 65_536;

#[derive(Default)]
pub(super) struct Revisions(HashMap<SecretId, Revision>);

impl Revisions {
    /// The secret's revision; `None` when it isn't there.
    pub(super) fn of(&mut self, connection: &Connection, secret: SecretId) -> rusqlite::Result<Option<Revision>> {
        if let Some(known) = self.0.get(&secret) {
            return Ok(Some(*known));
        }
        let stored: Option<u64> = connection
            .prepare_cached("SELECT revision FROM secrets WHERE id = ?1")?
            .query_row([secret.uuid()], |row| row.get(0))
            .optional()?;
        let found = stored.map(Revision::new);
        if let Some(revision) = found {
            if self.0.len() >= MOST {
                self.0.clear();
            }
            self.0.insert(secret, revision);
        }
        Ok(found)
    }

    /// To be called before a change is made: it may change the revision, or be undone.
    pub(super) fn forget(&mut self, change: &Change) {
        if let Some(secret) = change.secret() {
            self.0.remove(&secret);
        }
    }

    /// What the transaction saw may never have been.
    pub(super) fn rolled_back(&mut self) {
        self.0.clear();
    }
}
