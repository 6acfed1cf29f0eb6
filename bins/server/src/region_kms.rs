//! Gives each region its KMS.

use crate::config::{Config, RegionKms};
use crate::failure::{Exit, Failure};
use crate::store::Reads;
use std::collections::HashMap;
use std::sync::Arc;
use strongroom_domain::id::RegionId;
use strongroom_domain::port::{Clock, Entropy, Kms, KmsErrorKind};
use strongroom_kms_transit::{TransitKms, TransitOptions};

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
