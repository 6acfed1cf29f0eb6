use super::edit_key;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use strongroom_domain::id::KeyId;
use strongroom_domain::kms::KeyVersion;
use strongroom_domain::unit::Revision;

pub(super) fn apply(
    state: &mut State,
    id: KeyId,
    new: KeyVersion,
    revision: Revision,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    edit_key(state, id, revision, journal, |key| {
        let version = key.versions.iter_mut().find(|version| version.number == new.number)?;
        version.handle = new.handle;
        key.state.revision = revision;
        Some(())
    })
}
