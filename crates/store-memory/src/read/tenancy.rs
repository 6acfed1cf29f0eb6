use crate::MemoryStore;
use async_trait::async_trait;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::port::{ReadError, TenancyReader};
use strongroom_domain::tenancy::{Organisation, Region};

#[async_trait]
impl TenancyReader for MemoryStore {
    async fn organisation(&self, name: &str) -> Result<Option<Organisation>, ReadError> {
        let state = self.read()?;
        let by_identity = name.parse().ok().and_then(|id: OrganisationId| state.organisations.get(&id));
        let found = by_identity.or_else(|| state.organisations.values().find(|it| it.slug == name));
        Ok(found.cloned())
    }

    async fn organisation_by_id(&self, id: OrganisationId) -> Result<Option<Organisation>, ReadError> {
        Ok(self.read()?.organisations.get(&id).cloned())
    }

    async fn organisations(&self) -> Result<Vec<Organisation>, ReadError> {
        let mut organisations: Vec<_> = self.read()?.organisations.values().cloned().collect();
        organisations.sort_unstable_by(|a, b| a.slug.cmp(&b.slug));
        Ok(organisations)
    }

    async fn regions(&self) -> Result<Vec<Region>, ReadError> {
        Ok(self.read()?.regions.values().cloned().collect())
    }
}
