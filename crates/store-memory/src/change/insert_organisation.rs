use super::check_free;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(state: &mut State, organisation: Organisation, journal: &mut Journal) -> Result<(), Refusal> {
    check_free(state, UniqueKey::OrganisationSlug(organisation.slug.clone()))?;
    let id = organisation.id;
    if state.organisations.contains_key(&id) {
        return Err(Refusal::Doubled("organisation"));
    }
    state.organisations.insert(id, organisation);
    journal.undo(move |state| drop(state.organisations.remove(&id)));
    Ok(())
}
