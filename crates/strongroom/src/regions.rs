//! Regions, open to every member of any organisation.

use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use std::sync::Arc;
use strongroom_domain::port::Freshness;
use strongroom_domain::tenancy::Region;

impl Engine {
    /// All regions, by slug.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn regions(&self, _: &OrganisationSession) -> Result<Vec<Arc<Region>>, Error> {
        Ok(self.cache.regions(Freshness::Latest).await?.to_vec())
    }

    /// The region of this identity or slug.
    ///
    /// # Errors
    /// [`Code::RegionNotFound`](crate::Code::RegionNotFound).
    pub async fn region(&self, _: &OrganisationSession, name: &str) -> Result<Arc<Region>, Error> {
        self.find_region(name).await
    }
}
