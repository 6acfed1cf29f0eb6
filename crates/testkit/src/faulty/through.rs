//! The ports that never fail here, so that a [`Faulty`] store can stand wherever a whole store is wanted.

use super::Faulty;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::id::{KeyId, OrganisationId};
use strongroom_domain::kms::{Key, KeySummary};
use strongroom_domain::port::{
    AnswerReader, Freshness, KeyCounts, KeyFilter, KeyName, KeyReader, ReadError, TenancyReader,
};
use strongroom_domain::scope::Scope;
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::unit::{Answer, AnswerKey};

#[async_trait]
impl<S: KeyReader + ?Sized> KeyReader for Faulty<S> {
    async fn get(&self, id: KeyId, freshness: Freshness) -> Result<Option<Arc<Key>>, ReadError> {
        self.inner.get(id, freshness).await
    }

    async fn find(&self, scope: &Scope, name: &KeyName) -> Result<Option<Arc<Key>>, ReadError> {
        self.inner.find(scope, name).await
    }

    async fn list(&self, scope: &Scope, filter: &KeyFilter) -> Result<Vec<Key>, ReadError> {
        self.inner.list(scope, filter).await
    }

    async fn summaries(&self, ids: &[KeyId]) -> Result<Vec<KeySummary>, ReadError> {
        self.inner.summaries(ids).await
    }

    async fn counts(&self, scope: &Scope) -> Result<KeyCounts, ReadError> {
        self.inner.counts(scope).await
    }
}

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
        self.inner.answer(key).await
    }
}
