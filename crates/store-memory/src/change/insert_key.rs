use super::check_free;
use crate::journal::{Journal, Refusal};
use crate::state::State;
use std::sync::Arc;
use strongroom_domain::kms::Key;
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(state: &mut State, key: Key, journal: &mut Journal) -> Result<(), Refusal> {
    let (id, scope) = (key.spec.id, key.spec.scope);
    if key.is_live() {
        check_free(state, UniqueKey::KeyName(scope, key.name.clone()))?;
        check_free(state, UniqueKey::KeySlug(scope, key.slug.clone()))?;
    }
    if state.keys.get(id).is_some() {
        return Err(Refusal::Doubled("key"));
    }
    state.keys.put(Arc::new(key));
    journal.undo(move |state| drop(state.keys.take(id)));
    Ok(())
}
