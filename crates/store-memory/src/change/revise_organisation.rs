use super::organisation_before;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::id::OrganisationId;
use strongroom_domain::unit::Revision;

pub(super) fn apply(
    state: &mut State,
    id: OrganisationId,
    revision: Revision,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    let organisation = organisation_before(state, id, revision)?;
    let old = core::mem::replace(&mut organisation.revision, revision);
    journal.undo(move |state| {
        if let Some(organisation) = state.organisations.get_mut(&id) {
            organisation.revision = old;
        }
    });
    Ok(())
}
