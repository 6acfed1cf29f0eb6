//! Gives each region its KMS.

use crate::config::{Config, RegionKms};
use crate::failure::{Exit, Failure};
use crate::store::Reads;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_domain::id::RegionId;
use strongroom_domain::port::{Clock, Entropy, Kms, KmsErrorKind};
use strongroom_domain::tenancy::Region;
use strongroom_kms_local::is_of_another_kms;
use strongroom_kms_transit::{TransitKms, TransitOptions};

/// How many keys are read at once, and how often, to see where those of a region are kept.
const KEYS_AT_ONCE: u32 = 500;
const READS: usize = 20;

/// Every region of the store has the local KMS unless the configuration says otherwise.
pub(crate) async fn of_regions(
    store: &dyn Reads,
    config: &Config,
    local: &Arc<dyn Kms>,
    (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
) -> Result<HashMap<RegionId, Arc<dyn Kms>>, Failure> {
    let regions =
        store.regions().await.map_err(|error| Failure::runtime("the regions cannot be read").because(error))?;
    let unknown: Vec<_> =
        config.regions.keys().filter(|slug| !regions.iter().any(|region| region.slug == **slug)).cloned().collect();
    if !unknown.is_empty() {
        let known: Vec<_> = regions.iter().map(|region| region.slug.as_str()).collect();
        let message = format!(
            "the configuration has regions that the store has not: {}; it has {}",
            unknown.join(", "),
            known.join(", ")
        );
        return Err(Failure::new(Exit::Configuration, message));
    }
    let is_local = |region: &&Region| matches!(config.regions.get(&region.slug), None | Some(RegionKms::Local));
    check_local(store, regions.iter().filter(is_local).collect()).await?;
    let mut found = HashMap::new();
    for region in regions.iter() {
        let kms = match config.regions.get(&region.slug) {
            None | Some(RegionKms::Local) => Arc::clone(local),
            Some(RegionKms::Transit(options)) => transit(&region.slug, options, clock, entropy).await?,
            Some(RegionKms::None) => continue,
        };
        found.insert(region.id, kms);
    }
    Ok(found)
}

/// Refuses to keep keys here for a region whose keys are in another KMS. Other servers on the database may have a section for it that this one lacks:
/// the keys that this one made the others could not use. Looks at one key of each region, among the first 10,000.
async fn check_local(store: &dyn Reads, mut regions: Vec<&Region>) -> Result<(), Failure> {
    let mut after = None;
    for _ in 0..READS {
        if regions.is_empty() {
            return Ok(());
        }
        let keys = store.all(after, KEYS_AT_ONCE).await;
        let keys = keys.map_err(|error| Failure::runtime("the keys cannot be read").because(error))?;
        for key in &keys {
            let Some(place) = regions.iter().position(|region| region.id == key.spec.scope.region) else { continue };
            let slug = &regions.swap_remove(place).slug;
            if key.latest().is_some_and(|latest| is_of_another_kms(&latest.handle)) {
                let message = format!(
                    "the keys of the region {slug} are kept by another KMS than this server; its section [regions.{slug}] must name that one, as \
                     with every server on this database"
                );
                return Err(Failure::new(Exit::Configuration, message));
            }
        }
        match keys.last() {
            Some(last) => after = Some(last.spec.id),
            None => return Ok(()),
        }
    }
    Ok(())
}

/// A server that is out of reach doesn't keep this one from starting: other regions can be used, and this one as soon as it is back. One that can't
/// keep what it is trusted with does.
async fn transit(
    slug: &str,
    options: &TransitOptions,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<dyn Kms>, Failure> {
    let refused = || Failure::new(Exit::Configuration, format!("the KMS of the region {slug} cannot be used"));
    let kms =
        TransitKms::new(options, Arc::clone(clock), Arc::clone(entropy)).map_err(|error| refused().because(error))?;
    match kms.check().await {
        Ok(()) => tracing::info!(region = slug, "the KMS of the region can be used"),
        Err(error) if *error.kind() == KmsErrorKind::Unsupported => return Err(refused().because(error)),
        Err(error) => {
            let error = crate::failure::causes(&error);
            tracing::warn!(region = slug, error, "the KMS of the region cannot be used now");
        }
    }
    Ok(Arc::new(kms))
}
