use super::browse;
use crate::MemoryStore;
use crate::state::{SecretRow, VersionBody};
use async_trait::async_trait;
use core::ops::Bound;
use std::sync::Arc;
use strongroom_domain::id::SecretId;
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::port::{BrowseEntry, Freshness, ReadError, SealedRead, SealedVersionState, SecretReader};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::Secret;
use strongroom_domain::version::{Version, VersionNumber, VersionSelector};

fn sealed_state(row: &SecretRow, version: VersionSelector) -> SealedVersionState {
    let number = match version {
        VersionSelector::Current => row.secret.state.head.current,
        VersionSelector::Number(number) => Some(number),
    };
    let found = number.and_then(|number| Some((number, row.versions.get(&number)?)));
    match found {
        None => SealedVersionState::Missing,
        Some((_, version)) if matches!(version.body, VersionBody::Destroyed(_)) => SealedVersionState::Destroyed,
        Some((number, version)) => version
            .sealed(number)
            .map_or(SealedVersionState::Missing, |sealed| SealedVersionState::Active(Arc::new(sealed))),
    }
}

#[async_trait]
impl SecretReader for MemoryStore {
    async fn find(&self, scope: &Scope, path: &SecretPath) -> Result<Option<Secret>, ReadError> {
        Ok(self.read()?.secret_at(scope, path.as_str()).map(|row| row.secret.clone()))
    }

    async fn sealed(
        &self,
        scope: &Scope,
        path: &SecretPath,
        version: VersionSelector,
        _: Freshness,
    ) -> Result<Option<SealedRead>, ReadError> {
        let state = self.read()?;
        Ok(state
            .secret_at(scope, path.as_str())
            .map(|row| SealedRead { secret: Arc::new(row.secret.clone()), version: sealed_state(row, version) }))
    }

    async fn versions(
        &self,
        secret: SecretId,
        after: Option<VersionNumber>,
        limit: u32,
    ) -> Result<Vec<Version>, ReadError> {
        let state = self.read()?;
        let Some(row) = state.secrets.get(&secret) else { return Ok(Vec::new()) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let versions = row.versions.range((from, Bound::Unbounded)).take(limit as usize);
        Ok(versions.map(|(number, version)| version.entry(*number)).collect())
    }

    async fn version(&self, secret: SecretId, number: VersionNumber) -> Result<Option<Version>, ReadError> {
        let state = self.read()?;
        let version = state.secrets.get(&secret).and_then(|row| row.versions.get(&number));
        Ok(version.map(|version| version.entry(number)))
    }

    async fn active_below(&self, secret: SecretId, number: VersionNumber) -> Result<Option<VersionNumber>, ReadError> {
        let state = self.read()?;
        let Some(row) = state.secrets.get(&secret) else { return Ok(None) };
        let below = row.versions.range(..number).rev().find(|(_, version)| version.is_active());
        Ok(below.map(|(number, _)| *number))
    }

    async fn list(
        &self,
        scope: &Scope,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Secret>, ReadError> {
        let state = self.read()?;
        let Some(paths) = state.paths.get(scope) else { return Ok(Vec::new()) };
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let found = paths.range::<str, _>((from, Bound::Unbounded)).take_while(|(path, _)| path.starts_with(prefix));
        let rows = found.filter_map(|(_, id)| state.secrets.get(id));
        Ok(rows.take(limit as usize).map(|row| row.secret.clone()).collect())
    }

    async fn browse(
        &self,
        scope: &Scope,
        directory: &Directory,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<BrowseEntry>, ReadError> {
        Ok(browse::browse(&*self.read()?, scope, directory, after, limit as usize))
    }
}
