use crate::state::State;
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::unit::{AggregateId, Expect, Revision, UniqueKey};

fn revision(state: &State, aggregate: &AggregateId) -> Option<Revision> {
    match aggregate {
        AggregateId::Secret(id) => state.secrets.get(id).map(|row| row.secret.state.revision),
        AggregateId::Key(id) => state.keys.get(*id).map(|key| key.state.revision),
        AggregateId::Organisation(id) => state.organisations.get(id).map(|it| it.revision),
    }
}

/// Whether something holds this key.
pub(crate) fn is_taken(state: &State, key: &UniqueKey) -> bool {
    match key {
        UniqueKey::Setup => state.key_check.is_some(),
        UniqueKey::Checkpoint(number) => state.log.has_checkpoint(*number),
        UniqueKey::OrganisationSlug(slug) => state.organisations.values().any(|it| it.slug == *slug),
        UniqueKey::RegionSlug(slug) => state.regions.contains_key(slug),
        UniqueKey::SecretPath(scope, path) => state.secret_at(scope, path.as_str()).is_some(),
        UniqueKey::KeyName(scope, name) => state.keys.of(scope).any(|key| key.is_live() && key.name == *name),
        UniqueKey::KeySlug(scope, slug) => state.keys.of(scope).any(|key| key.is_live() && key.slug == *slug),
        UniqueKey::Answer(key) => state.answer(key).is_some(),
        UniqueKey::Handle(organisation, kind, handle) => state.objects.holder(*organisation, *kind, handle).is_some(),
    }
}

/// Whether this holds at `now`.
pub(crate) fn holds(state: &State, expect: &Expect, now: Timestamp) -> bool {
    match expect {
        Expect::Revision(aggregate, wanted) => revision(state, aggregate) == Some(*wanted),
        Expect::Absent(key) => !is_taken(state, key),
        Expect::Empty(organisation, project) => {
            let is_there = |scope: &Scope| scope.organisation == *organisation && scope.project == Some(*project);
            let mut scopes = state.secrets.values().map(|row| &row.secret.scope);
            !scopes.any(is_there) && !state.keys.all().any(|key| is_there(&key.spec.scope))
        }
        Expect::KeyVersion(id, version) => {
            state.keys.get(*id).is_some_and(|key| *version >= key.state.min_decryption_version)
        }
        Expect::RootKey(id) => state.key_check.as_ref().is_some_and(|check| check.root_key == *id),
        Expect::Lease(name, epoch) => state.leases.get(name).is_some_and(|tenure| tenure.is(*epoch, now)),
    }
}
