//! The table of payloads and wrapped keys, written so that nothing erased is left behind: docs/adr/0004-erasure-on-sqlite.md.
//!
//! Rows are appended or overwritten in place with content of the same length; either way SQLite moves no other row, and so leaves
//! no copy of one that a later erasure wouldn't reach.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};

/// From how many erased bytes on a start copies the living rows to a new table.
const RECLAIM_BYTES: i64 = 64 << 20;

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

/// When erased rows take up much of the file, copies the living ones to a new table and drops the old one, whose pages are zeroed
/// and used again. All in one transaction. Answers whether it did.
pub(super) fn reclaim(connection: &mut Connection) -> rusqlite::Result<bool> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let erased = number("SELECT coalesce(sum(wrapped_len + payload_len), 0) FROM erased_materials")?;
    let file = number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?;
    if erased < RECLAIM_BYTES || erased < file / 2 {
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
