use super::check_free;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(state: &mut State, region: Region, journal: &mut Journal) -> Result<(), Refusal> {
    check_free(state, UniqueKey::RegionSlug(region.slug.clone()))?;
    if state.regions.values().any(|other| other.id == region.id) {
        return Err(Refusal::Doubled("region"));
    }
    let slug = region.slug.clone();
    state.regions.insert(slug.clone(), region);
    journal.undo(move |state| drop(state.regions.remove(&slug)));
    Ok(())
}
