use crate::engine::Engine;
use crate::error::{Code, Error};
use crate::session::OrganisationSession;
use std::sync::Arc;
use strongroom_domain::port::{Freshness, KeyCounts};
use strongroom_domain::scope::Scope;
use strongroom_domain::tenancy::Region;

/// What a region's KMS holds.
#[derive(Clone, Debug)]
pub struct RegionSummary {
    /// The region.
    pub region: Arc<Region>,
    /// Whether its KMS may be used.
    pub kms_available: bool,
    /// The keys of the active scope.
    pub counts: KeyCounts,
}

/// What the KMS of all regions hold.
#[derive(Clone, Debug)]
pub struct KmsSummary {
    /// Whether the organisation may use the KMS.
    pub feature_enabled: bool,
    /// Each region, by slug.
    pub regions: Vec<RegionSummary>,
}

impl Engine {
    /// How many keys there are, by region and state. Open to every member, also while the gate is closed.
    ///
    /// # Errors
    /// [`Code::ProjectNotFound`], and those of the store.
    pub async fn summary(&self, session: &OrganisationSession, project: Option<&str>) -> Result<KmsSummary, Error> {
        if project.is_some() {
            return Err(Error::new(Code::ProjectNotFound, "There is no such project in this organisation."));
        }
        let mut regions = Vec::new();
        for region in self.cache.regions(Freshness::Latest).await?.iter() {
            let scope = Scope { organisation: session.organisation.id, region: region.id, project: None };
            regions.push(RegionSummary {
                region: Arc::clone(region),
                kms_available: self.has_kms(region),
                counts: self.ports.keys.counts(&scope).await?,
            });
        }
        let organisation = self.cache.organisation(session.organisation.id, Freshness::Latest).await?;
        let feature_enabled = organisation.is_some_and(|organisation| organisation.gates.kms);
        Ok(KmsSummary { feature_enabled, regions })
    }
}
