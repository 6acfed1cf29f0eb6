//! The ports that never fail here, so that a [`Faulty`] store can stand wherever a whole store is wanted.

use super::Faulty;
use async_trait::async_trait;
use strongroom_domain::audit::{AuditRecord, Behind, ChainedRecord, IndexEntry, Link, LogReader, Term};
use strongroom_domain::id::{OrganisationId, RequestId, StreamId, UserId};
use strongroom_domain::lease::{Lease, LeaseName, LeaseTtl, Renewal};
use strongroom_domain::port::{
    AnswerReader, AuditReader, LeaseError, Leases, ReadError, SetupReader, StoredCheckpoint, StoredLine, TenancyReader,
    TokenReader, Window,
};
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
impl<S: AuditReader + ?Sized> AuditReader for Faulty<S> {
    async fn streams(&self) -> Result<Vec<StreamId>, ReadError> {
        self.inner.streams().await
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        self.inner.records(stream, after, limit).await
    }

    async fn denied(&self, request: RequestId, organisation: OrganisationId) -> Result<Option<AuditRecord>, ReadError> {
        self.inner.denied(request, organisation).await
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        self.inner.behind(reader, after, limit).await
    }

    async fn find(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<Vec<(IndexEntry, StreamId)>, ReadError> {
        self.inner.find(organisation, term, window, limit).await
    }

    async fn count(
        &self,
        organisation: Option<OrganisationId>,
        term: Term,
        window: Window,
        limit: u32,
    ) -> Result<u32, ReadError> {
        self.inner.count(organisation, term, window, limit).await
    }

    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        self.inner.at(places).await
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        self.inner.links(stream, after, limit).await
    }

    async fn indexed(&self, stream: StreamId, entries: &[IndexEntry]) -> Result<Vec<bool>, ReadError> {
        self.inner.indexed(stream, entries).await
    }

    async fn index_lines(&self, after: Option<&IndexEntry>, limit: u32) -> Result<Vec<StoredLine>, ReadError> {
        self.inner.index_lines(after, limit).await
    }

    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        self.inner.checkpoints(after, limit).await
    }

    async fn checkpoints_before(&self, number: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, ReadError> {
        self.inner.checkpoints_before(number, limit).await
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, ReadError> {
        self.inner.last_checkpoint().await
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
