//! What stores made before lack: the users of their tokens, as owners, and the roles that organisations have from the start.

use crate::row::at;
use crate::row::directory::{Row, encode};
use sea_orm_migration::DbErr;
use sea_orm_migration::sea_orm::{ConnectionTrait, Statement};
use std::collections::BTreeMap;
use strongroom_domain::directory::{DirectoryObject, MemberRole, OrganisationMember, User, built_in_roles};
use strongroom_domain::id::{MemberId, OrganisationId, UserId};
use strongroom_domain::port::IdGenerator;
use strongroom_domain::time::Timestamp;
use uuid::Uuid;

/// A schema is made before any port is there.
struct Ids;

impl IdGenerator for Ids {
    #[expect(clippy::disallowed_methods, reason = "no generator is at hand while the schema is made")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

pub(super) async fn add(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    for object in users(connection).await?.into_iter().chain(roles(connection).await?) {
        put(connection, &object).await?;
    }
    Ok(())
}

async fn users(connection: &impl ConnectionTrait) -> Result<Vec<DirectoryObject>, DbErr> {
    let tokens = Statement::from_string(
        connection.get_database_backend(),
        "SELECT user_id, organisation, min(created_at) FROM tokens GROUP BY user_id, organisation
         ORDER BY user_id, organisation",
    );
    let (mut since, mut objects) = (BTreeMap::<Uuid, Timestamp>::new(), Vec::new());
    for row in connection.query_all_raw(tokens).await? {
        let (user, organisation): (Uuid, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let created_at = at(row.try_get_by_index(2)?);
        let first = since.entry(user).or_insert(created_at);
        *first = created_at.min(*first);
        let (id, role) = (MemberId::new(Ids.next()), MemberRole::Owner);
        let (organisation, user) = (OrganisationId::new(organisation), UserId::new(user));
        objects.push(OrganisationMember { id, organisation, user, role, created_at }.into());
    }
    let (name, email) = ("administrator", String::new());
    objects.extend(since.into_iter().map(|(id, created_at)| {
        let user = User { id: UserId::new(id), login: None, name: name.to_owned(), email: email.clone(), created_at };
        user.into()
    }));
    Ok(objects)
}

async fn roles(connection: &impl ConnectionTrait) -> Result<Vec<DirectoryObject>, DbErr> {
    let organisations = Statement::from_string(
        connection.get_database_backend(),
        "SELECT id, created_at FROM organisations ORDER BY id",
    );
    let mut objects = Vec::new();
    for row in connection.query_all_raw(organisations).await? {
        let organisation = OrganisationId::new(row.try_get_by_index(0)?);
        let roles = built_in_roles(&Ids, organisation, at(row.try_get_by_index(1)?));
        objects.extend(roles.into_iter().map(DirectoryObject::from));
    }
    Ok(objects)
}

async fn put(connection: &impl ConnectionTrait, object: &DirectoryObject) -> Result<(), DbErr> {
    let row = Row::of(object);
    let values = [
        row.id.into(),
        row.kind.into(),
        row.organisation.into(),
        row.parent.into(),
        row.subject.into(),
        row.handle.as_ref().into(),
        encode(object).into(),
    ];
    let sql = "INSERT INTO directory_objects (id, kind, organisation, parent, subject, handle, body)
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await.map(|_| ())
}
