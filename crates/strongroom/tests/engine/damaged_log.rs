//! A log some of whose records are damaged.

use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::domain::audit::{ChainedRecord, Link};
use strongroom::domain::id::StreamId;
use strongroom::domain::port::{AuditReader, ReadError, ReadErrorKind};
use strongroom_testkit::{AlterLog, AlteredLog};

pub(crate) struct DamagedLog {
    inner: Arc<dyn AuditReader>,
    /// The sequences of those that can't be read; with 0 another one, which can, lies before the first.
    damaged: BTreeSet<u64>,
}

#[async_trait]
impl AlterLog for DamagedLog {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn at(&self, places: &[(StreamId, u64)]) -> Result<Vec<Option<ChainedRecord>>, ReadError> {
        let found = self.inner.at(places).await?.into_iter();
        Ok(found.map(|record| record.filter(|record| !self.damaged.contains(&record.sequence))).collect())
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        let records = self.inner.records(stream, after, limit).await?;
        if records.iter().any(|record| self.damaged.contains(&record.sequence)) {
            return Err(ReadError::new(ReadErrorKind::Corrupt, "planned"));
        }
        Ok(records)
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        let mut links = self.inner.links(stream, after, limit).await?;
        let planted = links.first().filter(|_| after == 0 && self.damaged.contains(&0));
        let planted = planted.map(|first| Link { sequence: 0, ..first.clone() });
        for link in links.iter_mut().filter(|link| self.damaged.contains(&link.sequence)) {
            link.canonical = vec![0xff];
        }
        if let Some(planted) = planted {
            links.insert(0, planted);
            links.truncate(limit as usize);
        }
        Ok(links)
    }
}

impl DamagedLog {
    pub(crate) fn of(inner: Arc<dyn AuditReader>, damaged: impl Into<BTreeSet<u64>>) -> Arc<dyn AuditReader> {
        Arc::new(AlteredLog(Arc::new(Self { inner, damaged: damaged.into() })))
    }
}
