use super::check_free;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::tenancy::Region;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(state: &mut State, region: Region, journal: &mut Journal) -> Result<(), Refusal> {
    let old = state.regions.values().find(|other| other.id == region.id);
    let old_slug = old.map(|old| old.slug.clone()).ok_or(Refusal::Missing("region"))?;
    if old_slug != region.slug {
        check_free(state, UniqueKey::RegionSlug(region.slug.clone()))?;
    }
    let old = state.regions.remove(&old_slug);
    let slug = region.slug.clone();
    state.regions.insert(slug.clone(), region);
    journal.undo(move |state| {
        state.regions.remove(&slug);
        state.regions.extend(old.map(|old| (old_slug, old)));
    });
    Ok(())
}
