use crate::audit::{self, Place};
use crate::engine::Engine;
use crate::error::Error;
use crate::gates::Gates;
use crate::session::{OrganisationSession, Target};
use std::sync::Arc;
use strongroom_domain::audit::{Action, ResourceKind};
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
    /// How many keys there are, by region and state. Open to every member, also while the gate of the KMS is closed.
    ///
    /// # Errors
    /// [`Code::FeatureDisabled`](crate::Code::FeatureDisabled) and [`Code::ProjectNotFound`](crate::Code::ProjectNotFound) when a
    /// project is named, and those of the store; recorded.
    pub async fn summary(&self, session: &OrganisationSession, project: Option<&str>) -> Result<KmsSummary, Error> {
        let recorder = session.recorder(self, Place::default());
        match self.count(session, project).await {
            Ok(summary) => {
                let resource = audit::listing(ResourceKind::KmsKey, "");
                recorder.log(recorder.success(self.ports.clock.now(), Action::KmsList, resource, None, 200)).await?;
                Ok(summary)
            }
            Err(error) => {
                let target = Target { action: Action::KmsList, resource: Some((ResourceKind::KmsKey, "")) };
                Err(self.refused(&recorder, target, error).await)
            }
        }
    }

    async fn count(&self, session: &OrganisationSession, project: Option<&str>) -> Result<KmsSummary, Error> {
        let names_project = project.is_some() || session.caller().project.is_some();
        let (session, passed) = self.pass_gates(session.clone(), Gates { service: None, project: names_project }).await;
        passed?;
        let project = self.settle_project(&session, project).await?.map(|project| project.id);
        let now = self.ports.clock.now();
        let mut regions = Vec::new();
        for region in self.cache.regions(Freshness::Latest).await?.iter() {
            let scope = Scope { organisation: session.organisation.id, region: region.id, project };
            regions.push(RegionSummary {
                region: Arc::clone(region),
                kms_available: self.has_kms(region),
                counts: self.ports.keys.counts(&scope, now).await?,
            });
        }
        let organisation = self.cache.organisation(session.organisation.id, Freshness::Latest).await?;
        let feature_enabled = organisation.is_some_and(|organisation| organisation.gates.kms);
        Ok(KmsSummary { feature_enabled, regions })
    }
}
