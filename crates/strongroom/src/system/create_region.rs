use super::enter::Operation;
use super::{OperatorSession, RegionView, region_resource, slug, slug_taken};
use crate::audit;
use crate::engine::Engine;
use crate::error::Error;
use std::collections::BTreeMap;
use std::sync::Arc;
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::id::RegionId;
use strongroom_domain::metadata::{Metadata, check_name};
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};

/// A region to be made.
#[derive(Clone, Debug)]
pub struct NewRegion {
    /// Its name: 1 to 255 characters, none of them a control character.
    pub name: String,
    /// Its slug: 1 to 63 of `a` to `z` and `0` to `9`, with single hyphens between them; no other region has it. `None` for the one that is
    /// made of the name.
    pub slug: Option<String>,
    /// Its description: at most 1,024 characters; may be empty.
    pub description: String,
    /// Whether its KMS may be used, once there is one.
    pub kms_enabled: bool,
}

impl Engine {
    /// Makes a region. Until a KMS is configured for it, its keys can't be used, and no secret can be made there.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`](crate::Code::InvalidRequest), [`Code::ObjectExists`](crate::Code::ObjectExists) when the slug is taken,
    /// and those of the store.
    pub async fn create_region(&self, session: &OperatorSession, new: NewRegion) -> Result<RegionView, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemRegionCreate };
        let resource = audit::listing(ResourceKind::Region, &new.name.chars().take(64).collect::<String>());
        let outcome = make(&operation, new).await;
        operation.failed(None, resource, outcome).await
    }
}

async fn make(operation: &Operation<'_>, new: NewRegion) -> Result<RegionView, Error> {
    let engine = operation.engine;
    check(&new.name, &new.description)?;
    let at = engine.ports.clock.now();
    let region = Region {
        id: RegionId::new(engine.ports.ids.next()),
        slug: slug(new.slug, &new.name)?,
        name: new.name,
        description: new.description,
        kms_enabled: new.kms_enabled,
        created_at: at,
        updated_at: at,
        object_version: 1,
    };
    let expect = vec![Expect::Absent(UniqueKey::RegionSlug(region.slug.clone()))];
    let unit = Unit { expect, changes: vec![Change::InsertRegion(region.clone())], records: Vec::new() };
    let committed = operation.commit(unit, None, region_resource(&region), 201).await;
    engine.cache.forget_regions();
    match committed {
        Ok(()) => Ok(engine.region_view(Arc::new(region))),
        Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => Err(slug_taken("region", &region.slug)),
        Err(error) => Err(error.into()),
    }
}

/// Checks what people read of a region.
pub(super) fn check(name: &str, description: &str) -> Result<(), Error> {
    check_name(name)?;
    Metadata::new(description.to_owned(), BTreeMap::new(), BTreeMap::new())?;
    Ok(())
}
