use crate::entity::answer;
use crate::error::unread;
use crate::row::{NO_DIGEST, array, at, secret::version_number};
use sea_orm::{DatabaseConnection, EntityTrait};
use strongroom_domain::id::SecretId;
use strongroom_domain::port::ReadError;
use strongroom_domain::unit::{Answer, AnswerKey};

pub(crate) async fn answer(db: &DatabaseConnection, key: &AnswerKey) -> Result<Option<Answer>, ReadError> {
    let found = answer::Entity::find_by_id(key.0.to_vec()).one(db).await.map_err(unread)?;
    let read = |row: answer::Model| {
        Ok(Answer {
            key: *key,
            body: Some(array(&row.body, "answer")?).filter(|body| *body != NO_DIGEST),
            answer: row.answer,
            secret: SecretId::new(row.secret),
            version: version_number(row.version)?,
            expires_at: at(row.expires_at),
        })
    };
    found.map(read).transpose()
}
