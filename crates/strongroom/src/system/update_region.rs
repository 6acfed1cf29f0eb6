use super::create_region::check;
use super::enter::Operation;
use super::{OperatorSession, RegionView, region_resource};
use crate::engine::Engine;
use crate::enter::no_such_region;
use crate::error::Error;
use std::sync::Arc;
use strongroom_domain::audit::Action;
use strongroom_domain::port::Freshness;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::{Change, Unit};

/// What changes of a region; `None` stays. The slug always stays.
#[derive(Clone, Debug, Default)]
pub struct RegionChanges {
    /// Its name: 1 to 255 characters, none of them a control character.
    pub name: Option<String>,
    /// Its description: at most 1,024 characters; empty to remove it.
    pub description: Option<String>,
    /// Whether its KMS may be used.
    pub kms_enabled: Option<bool>,
}

impl Engine {
    /// Changes the region of this identity or slug, and gives it back. It takes effect on this node at once.
    ///
    /// # Errors
    /// [`Code::RegionNotFound`](crate::Code::RegionNotFound), [`Code::InvalidRequest`](crate::Code::InvalidRequest), and those of the
    /// store.
    pub async fn update_region(
        &self,
        session: &OperatorSession,
        name: &str,
        changes: RegionChanges,
    ) -> Result<RegionView, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemRegionUpdate };
        let outcome = change(&operation, name, changes).await;
        let resource = crate::audit::listing(
            strongroom_domain::audit::ResourceKind::Region,
            &name.chars().take(64).collect::<String>(),
        );
        operation.failed(None, resource, outcome).await
    }
}

async fn change(operation: &Operation<'_>, name: &str, changes: RegionChanges) -> Result<RegionView, Error> {
    let engine = operation.engine;
    // A region has no revision: of two operators who change one at the same time on two nodes, the later wins.
    let _turn = engine.queue(engine.find_region(name).await?.id).await;
    let before = engine.cache.regions(Freshness::Latest).await?;
    let id = engine.find_region(name).await?.id;
    let before = before.iter().find(|region| region.id == id).ok_or_else(no_such_region)?;
    let mut after = Region {
        name: changes.name.unwrap_or_else(|| before.name.clone()),
        description: changes.description.unwrap_or_else(|| before.description.clone()),
        kms_enabled: changes.kms_enabled.unwrap_or(before.kms_enabled),
        ..Region::clone(before)
    };
    check(&after.name, &after.description)?;
    let mut changes = Vec::new();
    if after != **before {
        after.updated_at = engine.ports.clock.now();
        after.object_version += 1;
        changes.push(Change::ReplaceRegion(after.clone()));
    }
    let committed = operation.commit(Unit { changes, ..Unit::default() }, None, region_resource(&after), 200).await;
    engine.cache.forget_regions();
    committed?;
    Ok(engine.region_view(Arc::new(after)))
}
