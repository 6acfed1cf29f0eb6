use super::check_free;
use crate::journal::{Journal, Refusal};
use crate::state::{SecretRow, State, VersionRow};
use std::collections::BTreeMap;
use strongroom_domain::secret::{SealedVersion, Secret};
use strongroom_domain::unit::UniqueKey;

pub(super) fn apply(
    state: &mut State,
    secret: Secret,
    version: SealedVersion,
    journal: &mut Journal,
) -> Result<(), Refusal> {
    check_free(state, UniqueKey::SecretPath(secret.scope, secret.path.clone()))?;
    let (id, key) = (secret.id, secret.key);
    if state.secrets.contains_key(&id) {
        return Err(Refusal::Doubled("secret"));
    }
    let (scope, path): (_, Box<str>) = (secret.scope, secret.path.as_str().into());
    state.paths.entry(scope).or_default().insert(path.clone(), id);
    let versions = BTreeMap::from([(version.number, VersionRow::new(version))]);
    state.bound.insert((key, id));
    state.secrets.insert(id, SecretRow { secret, versions });
    journal.undo(move |state| {
        state.bound.remove(&(key, id));
        state.secrets.remove(&id);
        if let Some(paths) = state.paths.get_mut(&scope) {
            paths.remove(&path);
        }
    });
    Ok(())
}
