//! A log some of whose records are damaged, and one with records that nobody wrote.

use async_trait::async_trait;
use std::collections::BTreeSet;
use std::sync::Arc;
use strongroom::domain::audit::{Behind, ChainedRecord, Link, LogReader};
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

/// A copy of a record stands at this place; where there are records, those before it are gone.
pub(crate) struct PlantedAhead {
    inner: Arc<dyn AuditReader>,
    at: u64,
}

impl PlantedAhead {
    pub(crate) fn of(inner: Arc<dyn AuditReader>, at: u64) -> Arc<dyn AuditReader> {
        Arc::new(AlteredLog(Arc::new(Self { inner, at })))
    }
}

#[async_trait]
impl AlterLog for PlantedAhead {
    fn log(&self) -> &dyn AuditReader {
        &*self.inner
    }

    async fn behind(&self, reader: &LogReader, after: Option<StreamId>, limit: u32) -> Result<Vec<Behind>, ReadError> {
        let stream = self.inner.streams().await?[0];
        let end = self.inner.links(stream, 0, u32::MAX).await?.last().map_or(0, |last| last.sequence);
        let through = self.inner.behind(reader, after, limit).await?.first().map_or(end, |behind| behind.through);
        let end = end.max(self.at);
        Ok(if after.is_none() && through < end { vec![Behind { stream, through, end }] } else { Vec::new() })
    }

    async fn records(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<ChainedRecord>, ReadError> {
        let links = self.links(stream, after, limit).await?.into_iter();
        Ok(links.filter_map(|link| link.read(stream)).collect())
    }

    async fn links(&self, stream: StreamId, after: u64, limit: u32) -> Result<Vec<Link>, ReadError> {
        let mut links = self.inner.links(stream, 0, u32::MAX).await?;
        match links.iter().any(|link| link.sequence >= self.at) {
            true => links.retain(|link| link.sequence >= self.at),
            false => links.extend(links.last().cloned().map(|last| Link { sequence: self.at, ..last })),
        }
        links.retain(|link| link.sequence > after);
        links.truncate(limit as usize);
        Ok(links)
    }
}
