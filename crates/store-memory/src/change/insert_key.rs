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
    if state.keys.contains_key(&id) {
        return Err(Refusal::Doubled("key"));
    }
    state.keys_by_scope.entry(scope).or_default().insert(id);
    state.keys.insert(id, Arc::new(key));
    journal.undo(move |state| {
        state.keys.remove(&id);
        if let Some(keys) = state.keys_by_scope.get_mut(&scope) {
            keys.remove(&id);
        }
    });
    Ok(())
}
