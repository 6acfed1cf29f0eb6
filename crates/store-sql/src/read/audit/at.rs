use super::links::{bare, raw};
use crate::entity::audit_stream;
use crate::error::unread;
use crate::row::position;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, QueryFilter, Select, Statement,
};
use std::collections::{BTreeSet, HashMap};
use strongroom_domain::audit::{ChainedRecord, Link};
use strongroom_domain::id::StreamId;
use strongroom_domain::port::ReadError;
use uuid::Uuid;

/// How many places one statement names; both databases bound its parameters.
const MOST: usize = 1_000;

/// Streams never go and records never change, so that two statements see what one would.
pub(crate) async fn at(
    db: &DatabaseConnection,
    places: &[(StreamId, u64)],
) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
    let mut found = Vec::with_capacity(places.len());
    for places in places.chunks(MOST) {
        let ordinals = ordinals(db, places).await?;
        // Streams begin with 1: what lies at 0 is no record of theirs.
        let wanted = |(stream, sequence): &(StreamId, u64)| {
            let ordinal = ordinals.get(&stream.uuid()).filter(|_| *sequence > 0)?;
            Some(position(*ordinal, *sequence))
        };
        let links = links(db, places.iter().filter_map(wanted).collect()).await?;
        for place in places {
            let link = wanted(place).and_then(|position| links.get(&position));
            found.push(link.and_then(|link| link.clone().read(place.0)));
        }
    }
    Ok(found)
}

/// The records at these positions.
pub(crate) fn statement(backend: DbBackend, positions: &BTreeSet<i64>) -> Statement {
    let names: Vec<String> = (1..=positions.len()).map(|number| format!("${number}")).collect();
    let sql = format!("SELECT {} FROM audit_records WHERE position IN ({})", raw(backend), names.join(", "));
    Statement::from_sql_and_values(backend, sql, positions.iter().map(|position| (*position).into()))
}

/// As they lie in the store: a damaged one must not keep others from being read.
async fn links(db: &DatabaseConnection, positions: BTreeSet<i64>) -> Result<HashMap<i64, Link>, ReadError> {
    if positions.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = db.query_all_raw(statement(db.get_database_backend(), &positions)).await.map_err(unread)?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, bare(row)?))).collect::<Result<_, _>>().map_err(unread)
}

/// The streams in which these places are.
pub(crate) fn streams_query(places: &[(StreamId, u64)]) -> Select<audit_stream::Entity> {
    let streams: BTreeSet<Uuid> = places.iter().map(|(stream, _)| stream.uuid()).collect();
    audit_stream::Entity::find().filter(audit_stream::Column::Id.is_in(streams))
}

async fn ordinals(db: &DatabaseConnection, places: &[(StreamId, u64)]) -> Result<HashMap<Uuid, i64>, ReadError> {
    let found = streams_query(places).all(db).await;
    Ok(found.map_err(unread)?.into_iter().map(|row| (row.id, row.ordinal)).collect())
}
