//! Objects of the directory. Each selector is a look-up by an index of its own; what is found is put in order here, since an order in
//! the statement can make a plan that reads everything in that order.

use crate::entity::directory_object::{Column, Entity, Model};
use crate::error::unread;
use crate::row::{directory::handle_column, organisation_column};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, Select};
use std::borrow::Cow;
use std::collections::BTreeSet;
use strongroom_domain::directory::{DirectoryObject, ObjectKind};
use strongroom_domain::port::{ObjectQuery, ObjectSelector, ReadError};
use uuid::Uuid;

/// How many identities one statement names; both databases bound its parameters.
const MOST: usize = 10_000;

pub(crate) async fn objects(db: &DatabaseConnection, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError> {
    let mut found = match statements(query).as_slice() {
        [] => Vec::new(),
        [only] => rows(db, only).await.map_err(unread)?,
        several => together(db, several).await.map_err(unread)?,
    };
    found.sort_unstable_by_key(|row| row.id);
    found.into_iter().map(Model::read).collect()
}

async fn rows(db: &impl ConnectionTrait, statement: &Select<Entity>) -> Result<Vec<Model>, DbErr> {
    statement.clone().all(db).await
}

async fn together(db: &DatabaseConnection, statements: &[Select<Entity>]) -> Result<Vec<Model>, DbErr> {
    let transaction = super::snapshot(db).await?;
    let mut found = Vec::new();
    for statement in statements {
        found.extend(rows(&transaction, statement).await?);
    }
    transaction.commit().await?;
    Ok(found)
}

/// The statements whose rows together answer the query, none of them twice.
pub(super) fn statements(query: &ObjectQuery) -> Vec<Select<Entity>> {
    let mut all = Entity::find().filter(Column::Kind.eq(query.kind.as_str()));
    // Users belong to no organisation, so that this selects nothing out.
    if query.organisation.is_some() || query.kind == ObjectKind::User {
        all = all.filter(Column::Organisation.eq(organisation_column(query.organisation)));
    }
    let each = |column: Column, ids: &[Uuid]| {
        let ids: Vec<Uuid> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        ids.chunks(MOST).map(|ids| all.clone().filter(column.is_in(ids.iter().copied()))).collect()
    };
    match &query.which {
        ObjectSelector::All => vec![all],
        ObjectSelector::Ids(ids) => each(Column::Id, ids),
        ObjectSelector::Handle(handle) => {
            let handle = handle_column(Cow::Borrowed(handle));
            vec![all.filter(Column::Handle.eq(handle.into_owned()))]
        }
        ObjectSelector::PartsOf(parent) => vec![all.filter(Column::Parent.eq(*parent))],
        ObjectSelector::About(subjects) => each(Column::Subject, subjects),
    }
}
