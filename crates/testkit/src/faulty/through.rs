//! The ports that never fail here, so that a [`Faulty`] store can stand wherever a whole store is wanted.

use super::Faulty;
use async_trait::async_trait;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::{AnswerReader, ReadError, TenancyReader};
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::unit::{Answer, AnswerKey};

#[async_trait]
impl<S: TenancyReader + ?Sized> TenancyReader for Faulty<S> {
    async fn organisation(&self, name: &str) -> Result<Option<Organisation>, ReadError> {
        self.inner.organisation(name).await
    }

    async fn organisation_by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, ReadError> {
        self.inner.organisation_by_id(id).await
    }

    async fn regions(&self) -> Result<Vec<Region>, ReadError> {
        self.inner.regions().await
    }
}

#[async_trait]
impl<S: AnswerReader + ?Sized> AnswerReader for Faulty<S> {
    async fn answer(&self, key: &AnswerKey) -> Result<Option<Answer>, ReadError> {
        let answer = self.inner.answer(key).await;
        self.after_answers.pass().await;
        answer
    }
}
