//! The ports that never fail here, so that a [`Faulty`] store can stand wherever a whole store is wanted.

use super::Faulty;
use async_trait::async_trait;
use strongroom_domain::id::{OrganisationId, UserId};
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{AnswerReader, LeaseError, Leases, ReadError, SetupReader, TenancyReader, TokenReader};
use strongroom_domain::principal::Token;
use strongroom_domain::root_key::{KeyCheck, SealedInstanceKey};
use strongroom_domain::tenancy::{Organisation, Region};
use strongroom_domain::unit::{Answer, AnswerKey};
use uuid::Uuid;

#[async_trait]
impl<S: TenancyReader + ?Sized> TenancyReader for Faulty<S> {
    async fn organisation(&self, name: &str) -> Result<Option<Organisation>, ReadError> {
        self.inner.organisation(name).await
    }

    async fn organisation_by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, ReadError> {
        self.inner.organisation_by_id(id).await
    }

    async fn organisations(&self) -> Result<Vec<Organisation>, ReadError> {
        self.inner.organisations().await
    }

    async fn regions(&self) -> Result<Vec<Region>, ReadError> {
        self.inner.regions().await
    }
}

#[async_trait]
impl<S: TokenReader + ?Sized> TokenReader for Faulty<S> {
    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
        self.inner.by_digest(digest).await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Token>, ReadError> {
        self.inner.of_user(user).await
    }
}

#[async_trait]
impl<S: SetupReader + ?Sized> SetupReader for Faulty<S> {
    async fn key_check(&self) -> Result<Option<KeyCheck>, ReadError> {
        self.inner.key_check().await
    }

    async fn instance_keys(&self) -> Result<Vec<SealedInstanceKey>, ReadError> {
        self.inner.instance_keys().await
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

#[async_trait]
impl<S: Leases + ?Sized> Leases for Faulty<S> {
    async fn acquire(&self, name: LeaseName, holder: Uuid, ttl: LeaseTtl) -> Result<Option<Lease>, LeaseError> {
        self.inner.acquire(name, holder, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: LeaseTtl) -> Result<Renewal, LeaseError> {
        self.inner.renew(lease, ttl).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), LeaseError> {
        self.inner.release(lease).await
    }
}
