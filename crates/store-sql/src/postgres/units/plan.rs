//! Which units share a batch: those that have nothing in common, so that each statement may serve many of them.

use crate::encoded::EncodedUnit;
use std::borrow::Cow;
use std::collections::HashMap;
use strongroom_domain::audit::SignedCheckpoint;
use strongroom_domain::directory::ObjectKind;
use strongroom_domain::id::{CredentialId, OrganisationId, RegionId, StreamId};
use strongroom_domain::lease::LeaseName;
use strongroom_domain::path::SecretPath;
use strongroom_domain::scope::Scope;
use strongroom_domain::unit::{AggregateId, AnswerKey, Change, Expect, UniqueKey};
use uuid::Uuid;

/// What a unit reads or changes.
#[derive(PartialEq, Eq, Hash)]
enum Claim<'a> {
    Aggregate(AggregateId),
    Setup,
    Checkpoint(u64),
    Stream(StreamId),
    OrganisationSlug(&'a str),
    RegionSlug(&'a str),
    SecretPath(Scope, &'a SecretPath),
    KeyName(Scope, &'a str),
    KeySlug(Scope, &'a str),
    Region(RegionId),
    Handle(Option<OrganisationId>, ObjectKind, Cow<'a, str>),
    Object(Uuid),
    Token(CredentialId),
    Answer(AnswerKey),
    Lease(LeaseName),
}

/// Of two units that claim one thing, at least one of them [`Alone`](Use::Alone), the later waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Shared,
    Alone,
}

/// For each unit, in order, whether it goes into this batch. One that doesn't waits for the next, and with it all later ones that have
/// anything in common with it.
pub(in crate::postgres) fn plan<'a>(units: impl IntoIterator<Item = &'a EncodedUnit>) -> Vec<bool> {
    let mut claimed = HashMap::new();
    units.into_iter().map(|unit| admit(unit, &mut claimed)).collect()
}

fn admit<'a>(unit: &'a EncodedUnit, claimed: &mut HashMap<Claim<'a>, Use>) -> bool {
    let claims = claims(unit);
    let clashes = |(claim, wanted): &(Claim<'a>, Use)| match claimed.get(claim) {
        None => false,
        Some(held) => (*held, *wanted) != (Use::Shared, Use::Shared),
    };
    let admitted = !claims.iter().any(clashes);
    for (claim, wanted) in claims {
        let held = claimed.entry(claim).or_insert(wanted);
        if wanted == Use::Alone {
            *held = wanted;
        }
    }
    admitted
}

fn claims(unit: &EncodedUnit) -> Vec<(Claim<'_>, Use)> {
    let mut claims = Vec::with_capacity(unit.expect.len() + 2 * unit.changes.len());
    for expect in &unit.expect {
        claims.push(match expect {
            Expect::Revision(id, _) => (Claim::Aggregate(*id), Use::Alone),
            Expect::Absent(key) => (unique(key), Use::Alone),
            // What is made in a project expects the revision of the organisation.
            Expect::Empty(organisation, _) => (Claim::Aggregate(AggregateId::Organisation(*organisation)), Use::Alone),
            Expect::KeyVersion(key, _) => (Claim::Aggregate(AggregateId::Key(*key)), Use::Shared),
            Expect::RootKey(_) => (Claim::Setup, Use::Shared),
            // Nothing in a unit changes a lease.
            Expect::Lease(name, _) => (Claim::Lease(*name), Use::Shared),
        });
    }
    unit.changes.iter().for_each(|change| claim(change, &mut claims));
    claims
}

fn unique(key: &UniqueKey) -> Claim<'_> {
    match key {
        UniqueKey::Setup => Claim::Setup,
        UniqueKey::Checkpoint(number) => Claim::Checkpoint(*number),
        UniqueKey::OrganisationSlug(slug) => Claim::OrganisationSlug(slug),
        UniqueKey::RegionSlug(slug) => Claim::RegionSlug(slug),
        UniqueKey::SecretPath(scope, path) => Claim::SecretPath(*scope, path),
        UniqueKey::KeyName(scope, name) => Claim::KeyName(*scope, name),
        UniqueKey::KeySlug(scope, slug) => Claim::KeySlug(*scope, slug),
        UniqueKey::Answer(key) => Claim::Answer(*key),
        UniqueKey::Handle(organisation, kind, handle) => {
            Claim::Handle(*organisation, *kind, Cow::Borrowed(handle.as_str()))
        }
    }
}

fn claim<'a>(change: &'a Change, claims: &mut Vec<(Claim<'a>, Use)>) {
    let mut alone = |claim| claims.push((claim, Use::Alone));
    match change {
        Change::InsertKeyCheck(_) | Change::ReplaceKeyCheck(_) => alone(Claim::Setup),
        Change::InsertOrganisation(organisation) | Change::ReplaceOrganisation(organisation) => {
            alone(Claim::Aggregate(AggregateId::Organisation(organisation.id)));
            alone(Claim::OrganisationSlug(&organisation.slug));
        }
        // Objects of an organisation go with its revision.
        Change::ReviseOrganisation { organisation, .. } => {
            alone(Claim::Aggregate(AggregateId::Organisation(*organisation)));
        }
        Change::InsertRegion(region) | Change::ReplaceRegion(region) => {
            alone(Claim::Region(region.id));
            alone(Claim::RegionSlug(&region.slug));
        }
        Change::PutObject(object) => {
            alone(Claim::Object(object.id()));
            alone(Claim::Handle(object.organisation(), object.kind(), object.handle()));
        }
        Change::DeleteObject { id, .. } => alone(Claim::Object(*id)),
        Change::InsertToken(token) => alone(Claim::Token(token.id)),
        Change::DeleteToken { id } => alone(Claim::Token(*id)),
        Change::InsertSecret { secret, .. } => {
            alone(Claim::Aggregate(AggregateId::Secret(secret.id)));
            alone(Claim::SecretPath(secret.scope, &secret.path));
        }
        Change::AppendVersion { secret, .. }
        | Change::EraseVersion { secret, .. }
        | Change::ReplaceMetadata { secret, .. }
        | Change::ReplacePolicy { secret, .. }
        | Change::ReplaceWrappedKey { secret, .. }
        | Change::DeleteSecret { secret } => alone(Claim::Aggregate(AggregateId::Secret(*secret))),
        Change::InsertKey(key) => {
            alone(Claim::Aggregate(AggregateId::Key(key.spec.id)));
            alone(Claim::KeyName(key.spec.scope, &key.name));
            alone(Claim::KeySlug(key.spec.scope, &key.slug));
        }
        Change::AppendKeyVersion { key, .. }
        | Change::ReplaceKeyState { key, .. }
        | Change::ReplaceKeyHandle { key, .. }
        | Change::DeleteKey { key } => {
            alone(Claim::Aggregate(AggregateId::Key(*key)));
        }
        Change::IndexRecords { stream, .. }
        | Change::RemoveRecords { stream, .. }
        | Change::AdvanceReader { stream, .. } => alone(Claim::Stream(*stream)),
        Change::AddCheckpoint(SignedCheckpoint { checkpoint, .. }) => {
            alone(Claim::Checkpoint(checkpoint.number));
            checkpoint.ends.iter().for_each(|end| alone(Claim::Stream(end.stream)));
        }
        // Answers go with their secret.
        Change::RememberAnswer(answer) => {
            alone(Claim::Answer(answer.key));
            alone(Claim::Aggregate(AggregateId::Secret(answer.secret)));
        }
        Change::ForgetAnswer { key, .. } => alone(Claim::Answer(*key)),
        // What expired may as well go later; an instance key is compared when it is replaced.
        Change::PruneAnswers { .. } | Change::InsertInstanceKey(_) | Change::ReplaceInstanceKey { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::encoded::EncodedUnit;
    use strongroom_domain::audit::{ChainState, LogReader};
    use strongroom_domain::directory::User;
    use strongroom_domain::id::StreamId;
    use strongroom_domain::lease::{Epoch, LeaseName};
    use strongroom_domain::tenancy::Organisation;
    use strongroom_domain::unit::{Change, Expect, UniqueKey, Unit};
    use strongroom_testkit::{build, units};
    use uuid::Uuid;

    fn plan<const N: usize>(units: [Unit; N]) -> Vec<bool> {
        super::plan(&units.map(EncodedUnit::from))
    }

    #[test]
    fn units_of_different_secrets_go_together() {
        let (a, b) = (build::secret(build::scope(), "/a"), build::secret(build::scope(), "/a"));
        let key = build::key(a.scope, "k");
        let units = [
            units::append(&a).0,
            units::append(&b).0,
            units::insert_key(&key),
            units::insert(&build::secret(a.scope, "/b")),
            units::of(vec![Change::PruneAnswers { before: build::at(1), limit: 1 }]),
            Unit::default(),
        ];
        assert_eq!(plan(units), [true; 6]);
    }

    #[test]
    fn units_of_one_aggregate_go_one_after_the_other() {
        let (a, b) = (build::secret(build::scope(), "/a"), build::secret(build::scope(), "/b"));
        let answer = Change::RememberAnswer(build::answer(a.id, 1, build::at(1)));
        let key = build::key(a.scope, "k");
        let same_name = strongroom_domain::kms::Key { slug: "other".to_owned(), ..build::key(a.scope, "k") };
        let units = [
            units::append(&a).0,
            units::delete(&a),
            units::expecting(vec![units::unchanged(&a)], Vec::new()),
            units::of(vec![answer]),
            units::append(&b).0,
            units::insert_key(&key),
            units::append_key_version(&key).0,
            units::of(vec![Change::InsertKey(same_name)]),
        ];
        assert_eq!(plan(units), [true, false, false, false, true, true, false, false]);
    }

    #[test]
    fn units_that_claim_one_unique_key_go_one_after_the_other() {
        let secret = build::secret(build::scope(), "/a");
        let again = build::secret(secret.scope, "/a");
        let answer = build::answer(secret.id, 1, build::at(1));
        let remembered = strongroom_domain::unit::Answer { secret: again.id, ..answer.clone() };
        let units = [
            units::expecting(vec![units::path_is_free(&secret)], Vec::new()),
            units::of(vec![Change::InsertSecret { secret: again, version: build::sealed(1) }]),
            units::of(vec![Change::RememberAnswer(answer)]),
            units::of(vec![Change::RememberAnswer(remembered)]),
            units::of(vec![Change::InsertKeyCheck(build::key_check())]),
            units::of(vec![Change::InsertKeyCheck(build::key_check())]),
        ];
        assert_eq!(plan(units), [true, false, true, false, true, false]);
    }

    #[test]
    fn changes_of_one_directory_go_one_after_the_other() {
        let (ours, theirs) = (build::organisation("ours"), build::organisation("theirs"));
        let team = |organisation: &Organisation| units::put(build::team(organisation.id, "team"));
        let units = [
            units::revise(&ours, vec![team(&ours)]).0,
            units::revise(&theirs, vec![team(&theirs)]).0,
            units::revise(&ours, vec![units::put(build::role(ours.id, "role"))]).0,
            units::replace_organisation(&theirs, |it| it.name = "Theirs".to_owned()).0,
            units::of(vec![Change::InsertOrganisation(ours.clone())]),
            units::append(&build::secret(build::scope(), "/a")).0,
        ];
        assert_eq!(plan(units), [true, true, false, false, false, true]);
    }

    #[test]
    fn units_that_put_one_handle_or_object_go_one_after_the_other() {
        let (ada, bob) = (build::user(), build::user());
        let (region, token) = (build::region("r"), build::token(build::organisation("o").id));
        let renamed = strongroom_domain::tenancy::Region { slug: "s".to_owned(), ..region.clone() };
        let ada_again = User { id: bob.id, login: ada.login.clone(), ..build::user() };
        let moved = User { login: build::user().login, ..ada.clone() };
        let units = [
            units::of(vec![units::put(ada.clone())]),
            units::of(vec![units::put(ada_again)]),
            units::expecting(vec![units::handle_is_free(&ada.clone().into())], Vec::new()),
            units::of(vec![units::put(moved)]),
            units::of(vec![units::remove(&ada.into())]),
            units::of(vec![units::put(build::user())]),
            units::of(vec![Change::InsertRegion(region)]),
            units::of(vec![Change::ReplaceRegion(renamed)]),
            units::of(vec![Change::InsertToken(token.clone())]),
            units::of(vec![Change::DeleteToken { id: token.id }]),
        ];
        assert_eq!(plan(units), [true, false, false, false, false, true, true, false, true, false]);
    }

    #[test]
    fn what_waits_holds_back_what_comes_after_it() {
        let [a, b, c] = ["/a", "/b", "/c"].map(|path| build::secret(build::scope(), path));
        let both = |first, second| {
            units::of(vec![Change::DeleteSecret { secret: first }, Change::DeleteSecret { secret: second }])
        };
        let units = [units::delete(&a), both(a.id, b.id), both(b.id, c.id), units::delete(&c)];
        assert_eq!(plan(units), [true, false, false, false]);
    }

    #[test]
    fn puts_under_one_key_go_together_and_apart_from_its_changes() {
        let key = build::key(build::scope(), "k");
        let put = |path: &str| {
            let mut unit = units::append(&build::secret(key.spec.scope, path)).0;
            unit.expect.push(Expect::KeyVersion(key.spec.id, build::key_version(1).number));
            unit
        };
        let retire =
            units::replace_key_state(&key, |state| state.min_decryption_version = build::key_version(1).number).0;
        let units = [put("/a"), put("/b"), units::append(&build::secret(key.spec.scope, "/c")).0, retire, put("/d")];
        assert_eq!(plan(units), [true, true, true, false, false]);
    }

    #[test]
    fn the_writes_of_a_leaseholder_go_together() {
        let fenced = |path: &str| {
            let mut unit = units::insert(&build::secret(build::scope(), path));
            unit.expect.push(Expect::Lease(LeaseName::Housekeeping, Epoch::FIRST));
            unit
        };
        assert_eq!(plan([fenced("/a"), fenced("/b")]), [true, true]);
    }

    #[test]
    fn changes_of_one_stream_of_the_log_go_one_after_the_other() {
        let [a, b] = [1, 2].map(|id| ChainState::begin(StreamId::new(Uuid::from_u128(id))));
        let advance = |stream| units::advance(&LogReader::Index, stream, 1);
        let index = |stream| Change::IndexRecords { stream, through: 1, entries: Vec::new() };
        let checkpoint = |number, ends| Change::AddCheckpoint(build::checkpoint(number, ends));
        let units = [
            units::silent(vec![advance(a.stream)]),
            units::silent(vec![index(b.stream)]),
            units::silent(vec![Change::RemoveRecords { stream: a.stream, through: 1, entries: Vec::new() }]),
            units::silent(vec![checkpoint(1, vec![b])]),
            units::silent(vec![checkpoint(2, Vec::new())]),
            units::expecting(vec![Expect::Absent(UniqueKey::Checkpoint(2))], Vec::new()),
            units::append(&build::secret(build::scope(), "/a")).0,
        ];
        assert_eq!(plan(units), [true, true, false, false, true, false, true]);
    }
}
