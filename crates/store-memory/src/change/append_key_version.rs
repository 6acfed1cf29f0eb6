use super::edit_key;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::{KeyState, KeyVersion};

pub(super) fn apply(
    state: &mut State,
    id: KeyId,
    version: KeyVersion,
    new: KeyState,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    edit_key(state, id, new.revision, journal, |key| {
        key.versions.push(version);
        key.state = new;
        Some(())
    })
}
