use super::{replace_state, secret_before, secret_conflict};
use crate::journal::{Journal, Refusal};
use crate::state::{State, VersionRow};
use strongroom_domain::id::SecretId;
use strongroom_domain::secret::{SealedVersion, SecretState};

pub(super) fn apply(
    state: &mut State,
    id: SecretId,
    version: SealedVersion,
    new: SecretState,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    let row = secret_before(state, id, &new)?;
    let number = version.number;
    if row.versions.contains_key(&number) {
        return Err(secret_conflict(id, &new));
    }
    row.versions.insert(number, VersionRow::new(version));
    journal.undo(move |state| {
        if let Some(row) = state.secrets.get_mut(&id) {
            row.versions.remove(&number);
        }
    });
    replace_state(state, id, new, journal);
    Ok(())
}
