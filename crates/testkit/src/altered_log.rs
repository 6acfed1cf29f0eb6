//! A log that answers as another one does, but for what a test changes.

use crate::Faulty;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom_domain::audit::{AuditRecord, Behind, ChainedRecord, IndexEntry, Link, LogReader, Term};
use strongroom_domain::id::{OrganisationId, RequestId, StreamId};
use strongroom_domain::port::{AuditReader, ReadError, StoredCheckpoint, StoredLine, Window};

/// Every question that can be asked of a log is written here once.
macro_rules! questions {
    ($(async fn $ask:ident($($with:ident: $of:ty),*) -> $answer:ty;)*) => {
        /// Answers the questions that a test wants answered otherwise; the log behind answers the others.
        #[async_trait]
        pub trait AlterLog: Send + Sync {
            /// The log behind.
            fn log(&self) -> &dyn AuditReader;

            $(
                #[doc = concat!("As [`AuditReader::", stringify!($ask), "`], of which it has the errors.")]
                async fn $ask(&self, $($with: $of),*) -> Result<$answer, ReadError> {
                    self.log().$ask($($with),*).await
                }
            )*
        }

        #[async_trait]
        impl<A: AlterLog + ?Sized> AuditReader for AlteredLog<A> {
            $(
                async fn $ask(&self, $($with: $of),*) -> Result<$answer, ReadError> {
                    self.0.$ask($($with),*).await
                }
            )*
        }

        #[async_trait]
        impl<S: AuditReader + ?Sized> AuditReader for Faulty<S> {
            $(
                async fn $ask(&self, $($with: $of),*) -> Result<$answer, ReadError> {
                    self.inner.$ask($($with),*).await
                }
            )*
        }
    };
}

/// A log as [`AlterLog`] shows it.
pub struct AlteredLog<A: ?Sized>(pub Arc<A>);

questions! {
    async fn streams() -> Vec<StreamId>;
    async fn records(stream: StreamId, after: u64, limit: u32) -> Vec<ChainedRecord>;
    async fn denied(request: RequestId, organisation: OrganisationId) -> Option<AuditRecord>;
    async fn behind(reader: &LogReader, after: Option<StreamId>, limit: u32) -> Vec<Behind>;
    async fn find(organisation: Option<OrganisationId>, term: Term, window: Window, limit: u32) -> Vec<(IndexEntry, StreamId)>;
    async fn count(organisation: Option<OrganisationId>, term: Term, window: Window, limit: u32) -> u32;
    async fn at(places: &[(StreamId, u64)]) -> Vec<Option<ChainedRecord>>;
    async fn links(stream: StreamId, after: u64, limit: u32) -> Vec<Link>;
    async fn indexed(stream: StreamId, entries: &[IndexEntry]) -> Vec<bool>;
    async fn index_lines(after: Option<&IndexEntry>, limit: u32) -> Vec<StoredLine>;
    async fn checkpoints(after: u64, limit: u32) -> Vec<StoredCheckpoint>;
    async fn checkpoints_before(number: u64, limit: u32) -> Vec<StoredCheckpoint>;
    async fn last_checkpoint() -> Option<StoredCheckpoint>;
}
