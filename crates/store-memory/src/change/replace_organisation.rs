use super::{check_free, organisation_before};
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(state: &mut State, organisation: Organisation, journal: &mut Journal) -> Result<(), Refusal> {
    let id = organisation.id;
    let keeps_slug = organisation_before(state, id, organisation.revision)?.slug == organisation.slug;
    if !keeps_slug {
        check_free(state, UniqueKey::OrganisationSlug(organisation.slug.clone()))?;
    }
    if let Some(old) = state.organisations.insert(id, organisation) {
        journal.undo(move |state| drop(state.organisations.insert(id, old)));
    }
    Ok(())
}
