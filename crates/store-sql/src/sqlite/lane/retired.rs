//! From which version on KMS keys may wrap, as the open transaction sees it. Asked by every put. The lane is the only writer, so what it
//! remembers is exact.

use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use strongroom_domain::id::KeyId;
use strongroom_domain::unit::Change;

/// How many are remembered: about 1 MB.
const MOST: usize = 16_384;

#[derive(Default)]
pub(in crate::sqlite) struct Retired(HashMap<KeyId, u32>);

impl Retired {
    /// The key's oldest version that is not retired; `None` when there is no such key.
    pub(in crate::sqlite) fn oldest_of(
        &mut self,
        connection: &Connection,
        key: KeyId,
    ) -> rusqlite::Result<Option<u32>> {
        if let Some(known) = self.0.get(&key) {
            return Ok(Some(*known));
        }
        let found: Option<u32> = connection
            .prepare_cached("SELECT min_decryption_version FROM kms_keys WHERE id = ?1")?
            .query_row([key.uuid()], |row| row.get(0))
            .optional()?;
        if let Some(oldest) = found {
            if self.0.len() >= MOST {
                self.0.clear();
            }
            self.0.insert(key, oldest);
        }
        Ok(found)
    }

    /// To be called before a change is made: it may change the key, or be undone.
    pub(super) fn forget(&mut self, change: &Change) {
        // What isn't there is not remembered, so that an insert changes nothing.
        if let Change::AppendKeyVersion { key, .. } | Change::ReplaceKeyState { key, .. } | Change::DeleteKey { key } =
            change
        {
            self.0.remove(key);
        }
    }

    /// What the transaction saw may never have been.
    pub(super) fn rolled_back(&mut self) {
        self.0.clear();
    }
}
