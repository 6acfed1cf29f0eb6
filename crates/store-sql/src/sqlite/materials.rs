//! The table of payloads and wrapped keys, and of the handles of KMS keys, which stand there as wrapped keys without a payload, written so that nothing erased is left behind: docs/adr/0004-erasure-on-sqlite.md.
//!
//! Rows are appended or overwritten in place with content of the same length; either way SQLite moves no other row, and so leaves
//! no copy of one that a later erasure wouldn't reach.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

/// From how many erased bytes on [`reclaim`] is worth its while.
pub(super) const RECLAIM_BYTES: i64 = 64 << 20;

/// Stores a payload and its wrapped key; answers the row. An erased row of the same size is used again.
pub(super) fn store(connection: &Connection, wrapped: &[u8], payload: &[u8]) -> rusqlite::Result<i64> {
    let reused: Option<i64> = connection
        .prepare_cached(
            "DELETE FROM erased_materials WHERE id =
                 (SELECT id FROM erased_materials WHERE wrapped_len = ?1 AND payload_len = ?2 LIMIT 1)
             RETURNING id",
        )?
        .query_row((wrapped.len(), payload.len()), |row| row.get(0))
        .optional()?;
    if let Some(id) = reused {
        connection
            .prepare_cached("UPDATE secret_materials SET wrapped = ?2, payload = ?3 WHERE id = ?1")?
            .execute((id, wrapped, payload))?;
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO secret_materials (wrapped, payload) VALUES (?1, ?2)")?
        .execute((wrapped, payload))?;
    Ok(connection.last_insert_rowid())
}

/// Overwrites a row with zeros of the same length, and keeps it for [`store`].
pub(super) fn erase(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO erased_materials (id, wrapped_len, payload_len)
             SELECT id, length(wrapped), length(payload) FROM secret_materials WHERE id = ?1",
        )?
        .execute([id])?;
    connection
        .prepare_cached(
            "UPDATE secret_materials SET wrapped = zeroblob(length(wrapped)), payload = zeroblob(length(payload))
             WHERE id = ?1",
        )?
        .execute([id])?;
    Ok(())
}

/// Gives a row another wrapped key, erasing the one before; answers the row, which is another when the lengths differ.
pub(super) fn rewrap(connection: &Connection, id: i64, before: &[u8], after: &[u8]) -> rusqlite::Result<i64> {
    if before.len() == after.len() {
        connection.prepare_cached("UPDATE secret_materials SET wrapped = ?2 WHERE id = ?1")?.execute((id, after))?;
        return Ok(id);
    }
    let payload: Vec<u8> = connection
        .prepare_cached("SELECT payload FROM secret_materials WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?;
    let new = store(connection, after, &payload)?;
    erase(connection, id)?;
    Ok(new)
}

/// When erased rows hold so many bytes, and half of the file, copies the living ones to a new table and drops the old one, whose pages are zeroed
/// and used again. All in one transaction. Answers whether it did.
pub(super) fn reclaim(connection: &mut Connection, at_least: i64) -> rusqlite::Result<bool> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let erased = number("SELECT coalesce(sum(wrapped_len + payload_len), 0) FROM erased_materials")?;
    let file = number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?;
    if erased < at_least || erased < file / 2 {
        return Ok(false);
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    copy_living(&transaction)?;
    transaction.commit()?;
    Ok(true)
}

fn copy_living(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let schema: String = transaction.query_row(
        "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'secret_materials'",
        [],
        |row| row.get(0),
    )?;
    transaction.execute_batch("ALTER TABLE secret_materials RENAME TO old_materials")?;
    transaction.execute_batch(&schema)?;
    transaction.execute_batch(
        "INSERT INTO secret_materials (id, wrapped, payload)
             SELECT id, wrapped, payload FROM old_materials
             WHERE id NOT IN (SELECT id FROM erased_materials) ORDER BY id;
         DROP TABLE old_materials;
         DELETE FROM erased_materials;",
    )
}

#[cfg(test)]
mod tests {
    use super::{copy_living, erase, reclaim, store};
    use crate::options::OpenOptions;
    use crate::sqlite::{SqliteStore, change, connect, hot};
    use rusqlite::Connection;
    use std::collections::{BTreeMap, HashMap, HashSet};
    use std::fs;
    use strongroom_domain::kms::KeyHandle;
    use strongroom_domain::unit::Change;
    use strongroom_testkit::build;
    use tempfile::TempDir;

    /// How many bytes are looked for at either end of each material.
    const PIECE: usize = 8;
    const ROWS: u64 = 4_000;

    type Material = (Vec<u8>, Vec<u8>);

    async fn empty() -> (TempDir, Connection) {
        let folder = tempfile::tempdir().expect("a folder");
        let options = OpenOptions::new(folder.path().join("strongroom.db")).create();
        drop(SqliteStore::open(options.clone()).await.expect("opens"));
        let connection = connect::writer(&options).expect("opens");
        connection.execute_batch("PRAGMA synchronous = OFF").expect("set");
        (folder, connection)
    }

    /// Bytes that look random and depend on nothing but `seed` (SplitMix64).
    fn bytes(seed: u64, len: usize) -> Vec<u8> {
        let byte = |index: u64| {
            let z = (seed << 20).wrapping_add(index).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).to_be_bytes()[1]
        };
        (0..len as u64).map(byte).collect()
    }

    /// Rows of lengths that make SQLite move rows between pages when some are deleted.
    fn fill(connection: &Connection, seeds: core::ops::Range<u64>) -> BTreeMap<i64, Material> {
        let mut rows = BTreeMap::new();
        for seed in seeds {
            let material = (bytes(2 * seed, 60), bytes(2 * seed + 1, 10 + (seed * 7_919 % 1_990) as usize));
            rows.insert(store(connection, &material.0, &material.1).expect("stored"), material);
        }
        rows
    }

    /// Takes most rows out, in no order.
    fn pick(rows: &mut BTreeMap<i64, Material>) -> Vec<(i64, Material)> {
        let mut picked: Vec<_> =
            rows.iter().filter(|(id, _)| **id % 10 < 8).map(|(id, row)| (*id, row.clone())).collect();
        picked.sort_by_key(|(id, _)| bytes(*id as u64, PIECE));
        picked.iter().for_each(|(id, _)| drop(rows.remove(id)));
        picked
    }

    fn start(window: &[u8]) -> usize {
        window[..3].iter().fold(0, |start, byte| start << 8 | usize::from(*byte))
    }

    /// How many of these materials have left anything in any file.
    fn traces<'a>(folder: &TempDir, of: impl IntoIterator<Item = &'a Material>) -> usize {
        let mut wanted: HashMap<&[u8], i64> = HashMap::new();
        for (index, (wrapped, payload)) in (0..).zip(of) {
            for material in [wrapped, payload] {
                wanted.extend([(&material[..PIECE], index), (&material[material.len() - PIECE..], index)]);
            }
        }
        // Most places are ruled out by their first bytes.
        let mut starts = vec![false; 1 << 24];
        wanted.keys().for_each(|piece| starts[start(piece)] = true);
        let mut found: HashSet<i64> = HashSet::new();
        for entry in fs::read_dir(folder.path()).expect("readable") {
            let file = fs::read(entry.expect("readable").path()).expect("readable");
            let places = file.windows(PIECE).filter(|window| starts[start(window)]);
            found.extend(places.filter_map(|window| wanted.get(window)));
        }
        found.len()
    }

    fn empty_log(connection: &Connection) {
        let busy: bool =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("checkpointed");
        assert!(!busy);
    }

    fn stored(connection: &Connection) -> BTreeMap<i64, Material> {
        let mut rows = connection
            .prepare(
                "SELECT id, wrapped, payload FROM secret_materials WHERE id NOT IN (SELECT id FROM erased_materials)",
            )
            .expect("prepared");
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
        rows.query_map([], read).expect("read").collect::<Result<_, _>>().expect("read")
    }

    #[tokio::test]
    async fn erased_rows_leave_no_trace() {
        let (folder, mut connection) = empty().await;
        let mut living = fill(&connection, 0..ROWS);
        let mut erased = pick(&mut living);
        for (id, _) in &erased {
            erase(&connection, *id).expect("erased");
        }
        // Used again, and erased again.
        living.extend(fill(&connection, ROWS..2 * ROWS));
        let more = pick(&mut living);
        for (id, _) in &more {
            erase(&connection, *id).expect("erased");
        }
        erased.extend(more);
        empty_log(&connection);
        assert!(erased.len() > 5_000 && living.len() > 800, "{} and {}", erased.len(), living.len());
        assert_eq!(traces(&folder, erased.iter().map(|(_, row)| row)), 0);
        assert_eq!(traces(&folder, living.values()), living.len());
        assert_eq!(stored(&connection), living);

        assert!(!reclaim(&mut connection, 1 << 40).expect("not worth its while"));
        assert!(reclaim(&mut connection, 0).expect("reclaimed"));
        empty_log(&connection);
        assert_eq!(stored(&connection), living);
        assert_eq!(traces(&folder, erased.iter().map(|(_, row)| row)), 0);
        assert!(!reclaim(&mut connection, 0).expect("nothing left"));
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checked");
        assert_eq!(check, "ok");
    }

    /// Handles stand in the same table; the copy keeps them, and their keys find them again.
    #[tokio::test]
    async fn reclaiming_keeps_the_handles_of_keys() {
        let (folder, mut connection) = empty().await;
        let mut keys = ["a", "b"].map(|name| build::key(build::scope(), name));
        for (key, seed) in keys.iter_mut().zip(1_000..) {
            key.versions[0].handle = KeyHandle::new(bytes(seed, 60));
            change::apply(&connection, &Change::InsertKey(key.clone()), &mut Vec::new()).expect("inserted");
        }
        let mut living = fill(&connection, 0..50);
        for (id, _) in pick(&mut living) {
            erase(&connection, id).expect("erased");
        }
        let delete = Change::DeleteKey { key: keys[0].spec.id };
        change::apply(&connection, &delete, &mut Vec::new()).expect("deleted");
        // The file is larger than what was erased; that it is worth its while is not the question here.
        let transaction = connection.transaction().expect("begun");
        copy_living(&transaction).expect("copied");
        transaction.commit().expect("committed");
        empty_log(&connection);
        assert_eq!(hot::key::get(&connection, keys[0].spec.id).expect("readable"), None);
        assert_eq!(hot::key::get(&connection, keys[1].spec.id).expect("readable").as_ref(), Some(&keys[1]));
        let handles = [&keys[0], &keys[1]].map(|key| (key.versions[0].handle.as_bytes().to_vec(), bytes(9, PIECE)));
        // Each with a payload that is nowhere.
        assert_eq!(traces(&folder, [&handles[0]]), 0);
        assert_eq!(traces(&folder, [&handles[1]]), 1);
    }

    /// What the table is written in this way for: deleting rows leaves copies, secure_delete or not.
    #[tokio::test]
    async fn deleted_rows_would_leave_traces() {
        let (folder, connection) = empty().await;
        let mut living = fill(&connection, 0..ROWS);
        let deleted = pick(&mut living);
        for (id, _) in &deleted {
            connection.execute("DELETE FROM secret_materials WHERE id = ?1", [id]).expect("deleted");
        }
        empty_log(&connection);
        assert!(traces(&folder, deleted.iter().map(|(_, row)| row)) > 0);
    }
}
