//! Units inside a lane's open transaction: many at once, each whole or not at all.
//!
//! Expectations are checked and rows locked first, in one order on every node: leases by name, organisations, secrets and keys by id. Then the first
//! change of every unit is made, all of a kind in one statement, then the second, and so on. When another node was faster, a row is
//! not written; then everything is rolled back to a savepoint and made again without that unit.

mod plan;

pub(super) use plan::plan;

use super::change::{self, Effect, Lost};
use super::expect;
use crate::encoded::EncodedUnit;
use sqlx::PgConnection;
use sqlx::error::DatabaseError;
use strongroom_domain::unit::{Change, Expect};

/// How a unit fared, should the transaction be committed.
#[derive(Debug)]
pub(super) enum Verdict {
    Done(Vec<Effect>),
    Conflict(Expect),
    /// The unit doesn't fit the schema: a mistake of the caller.
    Refused(sqlx::Error),
}

/// A unit that has not failed yet, by its place in the batch.
type Live<'a> = (usize, &'a EncodedUnit);

/// Applies units of one [`plan`]; gives a verdict for each, in order. Their records are the caller's to write.
///
/// # Errors
/// What concerns the connection or the whole batch, a deadlock too; then the transaction can only be rolled back.
pub(super) async fn apply(connection: &mut PgConnection, units: &[&EncodedUnit]) -> Result<Vec<Verdict>, sqlx::Error> {
    let failed = expect::first_failures(connection, units).await?;
    let live = units.iter().copied().enumerate().zip(&failed);
    let live: Vec<Live<'_>> =
        live.filter(|((_, unit), failed)| failed.is_none() && !unit.changes.is_empty()).map(|(live, _)| live).collect();
    let verdict = |(unit, failed): (&&EncodedUnit, Option<Expect>)| {
        failed.map_or_else(|| Verdict::Done(change::effects(&unit.changes)), Verdict::Conflict)
    };
    let mut verdicts = units.iter().zip(failed).map(verdict).collect::<Vec<_>>();
    if !live.is_empty() {
        together(connection, live, &mut verdicts).await?;
    }
    Ok(verdicts)
}

async fn execute(connection: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).execute(connection).await.map(|_| ())
}

async fn together(
    connection: &mut PgConnection,
    mut live: Vec<Live<'_>>,
    verdicts: &mut [Verdict],
) -> Result<(), sqlx::Error> {
    execute(connection, "SAVEPOINT units").await?;
    while !live.is_empty() {
        match changes(connection, &live).await {
            Ok(lost) if lost.is_empty() => break,
            Ok(lost) => {
                execute(connection, "ROLLBACK TO SAVEPOINT units").await?;
                live.retain(|(unit, _)| lost.iter().all(|(lost, _)| lost != unit));
                settle(lost, verdicts);
            }
            Err(error) if is_of_a_unit(&error) => {
                execute(connection, "ROLLBACK TO SAVEPOINT units").await?;
                for unit in live {
                    alone(connection, unit, verdicts).await?;
                }
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Finds the unit that an error belongs to.
async fn alone(connection: &mut PgConnection, unit: Live<'_>, verdicts: &mut [Verdict]) -> Result<(), sqlx::Error> {
    let mut may_repeat = true;
    loop {
        execute(connection, "SAVEPOINT unit").await?;
        match changes(connection, &[unit]).await {
            Ok(lost) if lost.is_empty() => return execute(connection, "RELEASE SAVEPOINT unit").await,
            Ok(lost) => {
                settle(lost, verdicts);
                return execute(connection, "ROLLBACK TO SAVEPOINT unit").await;
            }
            Err(error) if is_of_a_unit(&error) => {
                execute(connection, "ROLLBACK TO SAVEPOINT unit").await?;
                // An update that another node was faster than sees its row the second time.
                if std::mem::take(&mut may_repeat) && is_unique_violation(&error) {
                    continue;
                }
                if let Some(verdict) = verdicts.get_mut(unit.0) {
                    *verdict = Verdict::Refused(error);
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}

/// The first change of every unit, or its first few, then those after it, and so on, until one can't be made.
async fn changes(connection: &mut PgConnection, live: &[Live<'_>]) -> Result<Lost, sqlx::Error> {
    let mut left: Vec<(usize, &[Change])> =
        live.iter().map(|(place, unit)| (*place, unit.changes.as_slice())).collect();
    loop {
        let mut step = Vec::new();
        for (place, changes) in &mut left {
            let (next, later) = changes.split_at(change::together(changes));
            step.extend(next.iter().map(|change| (*place, change)));
            *changes = later;
        }
        if step.is_empty() {
            return Ok(Lost::new());
        }
        let lost = change::apply(connection, step).await?;
        if !lost.is_empty() {
            return Ok(lost);
        }
    }
}

fn settle(lost: Lost, verdicts: &mut [Verdict]) {
    for (unit, expect) in lost {
        if let Some(verdict) = verdicts.get_mut(unit) {
            *verdict = Verdict::Conflict(expect);
        }
    }
}

/// Whether the error is about what was written, not about the connection, the server or its other clients: the classes "data
/// exception", "integrity constraint violation" and "program limit exceeded".
fn is_of_a_unit(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
}

fn is_unique_violation(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

#[cfg(test)]
mod tests;
