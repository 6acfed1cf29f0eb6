use super::{replace_state, secret_before};
use crate::journal::{Journal, Refusal};
use crate::state::State;
use core::num::NonZeroU32;
use strongroom_domain::id::SecretId;
use strongroom_domain::metadata::Metadata;
use strongroom_domain::secret::SecretState;

pub(super) fn apply(
    state: &mut State,
    id: SecretId,
    metadata: Metadata,
    max_active_versions: Option<NonZeroU32>,
    new: SecretState,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    let row = secret_before(state, id, &new)?;
    let old = core::mem::replace(&mut row.secret.metadata, metadata);
    let kept = core::mem::replace(&mut row.secret.max_active_versions, max_active_versions);
    journal.undo(move |state| {
        if let Some(row) = state.secrets.get_mut(&id) {
            row.secret.metadata = old;
            row.secret.max_active_versions = kept;
        }
    });
    replace_state(state, id, new, journal);
    Ok(())
}
