use super::browse;
use crate::MemoryStore;
use crate::state::{SecretRow, VersionBody};
use async_trait::async_trait;
use core::ops::Bound;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_domain::id::{KeyId, SecretId};
use strongroom_domain::kms::KeyVersionNumber;
use strongroom_domain::path::{Directory, SecretPath};
use strongroom_domain::port::{
    BrowseEntry, Freshness, ReadError, SealedRead, SealedVersionState, SecretReader, WrappedVersion,
};
use strongroom_domain::scope::Scope;
use strongroom_domain::secret::{Secret, WrappedKey};
use strongroom_domain::version::{Version, VersionNumber, VersionSelector};
use uuid::Uuid;

const FIRST_SECRET: SecretId = SecretId::new(Uuid::nil());

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

fn wrapped_version(secret: &Secret, version: VersionNumber, wrapped: WrappedKey) -> WrappedVersion {
    WrappedVersion { secret: secret.id, scope: secret.scope, path: secret.path.clone(), version, wrapped }
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

    async fn oldest_active(&self, secret: SecretId, limit: u32) -> Result<Vec<VersionNumber>, ReadError> {
        let state = self.read()?;
        let Some(row) = state.secrets.get(&secret) else { return Ok(Vec::new()) };
        let active = row.versions.iter().filter(|(_, version)| version.is_active());
        Ok(active.take(limit as usize).map(|(number, _)| *number).collect())
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

    async fn count_bound(&self, key: KeyId) -> Result<u64, ReadError> {
        Ok(self.read()?.bound_to(key, FIRST_SECRET).count() as u64)
    }

    async fn count_wrapped(&self, key: KeyId) -> Result<Vec<(KeyVersionNumber, u64)>, ReadError> {
        let state = self.read()?;
        let mut counts = BTreeMap::new();
        for version in state.bound_to(key, FIRST_SECRET).flat_map(|row| row.versions.values()) {
            if let VersionBody::Active(ciphertext) = &version.body {
                *counts.entry(ciphertext.key_version).or_default() += 1;
            }
        }
        Ok(counts.into_iter().collect())
    }

    async fn wrapped(
        &self,
        key: KeyId,
        below: Option<KeyVersionNumber>,
        after: Option<(SecretId, VersionNumber)>,
        limit: u32,
    ) -> Result<Vec<WrappedVersion>, ReadError> {
        let state = self.read()?;
        let rows = state.bound_to(key, after.map_or(FIRST_SECRET, |(secret, _)| secret));
        let versions = rows.flat_map(|row| {
            let from = after.filter(|(secret, _)| *secret == row.secret.id);
            let from = from.map_or(Bound::Unbounded, |(_, number)| Bound::Excluded(number));
            let versions = row.versions.range((from, Bound::Unbounded));
            versions.filter_map(|(number, version)| Some(wrapped_version(&row.secret, *number, version.wrapped()?)))
        });
        let wanted = versions.filter(|version| below.is_none_or(|below| version.wrapped.key_version < below));
        Ok(wanted.take(limit as usize).collect())
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
