use super::OperatorSession;
use super::enter::Operation;
use crate::audit;
use crate::engine::Engine;
use crate::error::Error;
use std::sync::Arc;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::port::Freshness;
use strongroom_domain::tenancy::Region;

/// A region as the operator sees it.
#[derive(Clone, Debug)]
pub struct RegionView {
    /// The region.
    pub region: Arc<Region>,
    /// Whether its KMS may be used: it is switched on, and this node has one configured.
    pub kms_available: bool,
}

impl Engine {
    /// All regions, by slug.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list_regions(&self, session: &OperatorSession) -> Result<Vec<RegionView>, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemRegionRead };
        let regions = self.cache.regions(Freshness::Latest).await.map_err(Error::from);
        let views = regions.map(|all| all.iter().map(|region| self.region_view(Arc::clone(region))).collect());
        operation.told(None, audit::listing(ResourceKind::Region, ""), views).await
    }

    pub(super) fn region_view(&self, region: Arc<Region>) -> RegionView {
        RegionView { kms_available: self.has_kms(&region), region }
    }
}
