use super::{replace_state, secret_before};
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::id::SecretId;
use strongroom_domain::metadata::Metadata;
use strongroom_domain::secret::SecretState;

pub(super) fn apply(
    state: &mut State,
    id: SecretId,
    metadata: Metadata,
    new: SecretState,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    let row = secret_before(state, id, &new)?;
    let old = core::mem::replace(&mut row.secret.metadata, metadata);
    journal.undo(move |state| {
        if let Some(row) = state.secrets.get_mut(&id) {
            row.secret.metadata = old;
        }
    });
    replace_state(state, id, new, journal);
    Ok(())
}
