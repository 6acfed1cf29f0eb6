use crate::entity::token;
use crate::error::unread;
use crate::row::array;
use crate::row::token::TokenRow;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, Select};
use strongroom_domain::id::UserId;
use strongroom_domain::port::ReadError;
use strongroom_domain::principal::Token;

/// The holder is written out, since a parameter would hide that the index on users' tokens has them.
pub(super) fn query(user: UserId) -> Select<token::Entity> {
    token::Entity::find().filter(token::Column::UserId.eq(user.uuid())).filter(Expr::cust("holder = 'user'"))
}

pub(crate) async fn of_user(db: &DatabaseConnection, user: UserId) -> Result<Vec<Token>, ReadError> {
    let mut found = query(user).all(db).await.map_err(unread)?;
    found.sort_unstable_by_key(|row| row.id);
    found.into_iter().map(read).collect()
}

fn read(row: token::Model) -> Result<Token, ReadError> {
    let digest = array(&row.digest, "token")?;
    let row = TokenRow {
        id: row.id,
        digest_key_version: row.digest_key_version,
        holder: row.holder,
        user_id: row.user_id,
        organisation: row.organisation,
        name: row.name,
        scopes: row.scopes,
        created_at: row.created_at,
        expires_at: row.expires_at,
        expires: row.expires,
    };
    row.read(digest)
}
