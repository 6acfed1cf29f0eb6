use super::units::CROWD;
use crate::contract::Store;
use crate::{build, units};
use core::slice::from_ref;
use std::sync::Arc;
use strongroom_domain::directory::{
    AccessCredential, Binding, BoundTo, DirectoryObject, FederatedIdentity, IdentityProvider, ObjectKind,
    OrganisationMember, Project, Role, ServiceAccount, Team, TeamMember, User,
};
use strongroom_domain::id::{
    BindingId, CredentialId, FederatedIdentityId, MemberId, OrganisationId, ProjectId, ProviderId, RoleId,
    ServiceAccountId, TeamId, TeamMemberId, UserId,
};
use strongroom_domain::port::{CommitErrorKind, ObjectSelector};
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::Change;
use uuid::Uuid;

/// The same object under another identity.
fn copy(object: &DirectoryObject) -> DirectoryObject {
    let id = build::uuid();
    match object.clone() {
        DirectoryObject::User(it) => User { id: UserId::new(id), ..it }.into(),
        DirectoryObject::OrganisationMember(it) => OrganisationMember { id: MemberId::new(id), ..it }.into(),
        DirectoryObject::Team(it) => Team { id: TeamId::new(id), ..it }.into(),
        DirectoryObject::TeamMember(it) => TeamMember { id: TeamMemberId::new(id), ..it }.into(),
        DirectoryObject::ServiceAccount(it) => ServiceAccount { id: ServiceAccountId::new(id), ..it }.into(),
        DirectoryObject::AccessCredential(it) => AccessCredential { id: CredentialId::new(id), ..it }.into(),
        DirectoryObject::Role(it) => Role { id: RoleId::new(id), ..it }.into(),
        DirectoryObject::Binding(it) => Binding { id: BindingId::new(id), ..it }.into(),
        DirectoryObject::IdentityProvider(it) => IdentityProvider { id: ProviderId::new(id), ..it }.into(),
        DirectoryObject::FederatedIdentity(it) => FederatedIdentity { id: FederatedIdentityId::new(id), ..it }.into(),
        DirectoryObject::Project(it) => Project { id: ProjectId::new(id), ..it }.into(),
    }
}

async fn all(store: &Store, kind: ObjectKind) -> Vec<DirectoryObject> {
    store.objects(kind, None, ObjectSelector::All).await
}

async fn read(store: &Store, id: OrganisationId) -> Option<Organisation> {
    store.tenancy.organisation_by_id(id).await.expect("readable")
}

/// `PutObject`: every kind with every field, also with nothing that may be left out.
pub async fn put_object_keeps_every_field(store: Store) {
    let organisation = store.organisation("o").await;
    let objects = build::directory_objects(organisation.id);
    store.put(&organisation, objects.clone()).await;
    for object in objects {
        let found = store.objects(object.kind(), None, ObjectSelector::Ids(vec![object.id()])).await;
        assert_eq!(found, [object]);
    }
}

/// `PutObject`: replaces the object of the same identity whole, and no other.
pub async fn put_object_replaces_the_one_of_its_identity(store: Store) {
    let organisation = store.organisation("o").await;
    let other = build::team(organisation.id, "other");
    let (role, to) = (RoleId::new(build::uuid()), BoundTo::User(UserId::new(build::uuid())));
    let full = build::binding(organisation.id, role, to, "full");
    let user = build::user();
    let organisation = store.put(&organisation, [other.clone().into(), full.clone().into(), user.clone().into()]).await;

    let to = BoundTo::ServiceAccount(ServiceAccountId::new(build::uuid()));
    let mut bare = Binding { id: full.id, ..build::binding(organisation.id, RoleId::new(build::uuid()), to, "new") };
    bare.projects.clear();
    let renamed = User { login: None, name: "Other".to_owned(), ..user };
    let organisation = store.put(&organisation, [bare.clone().into(), renamed.clone().into()]).await;
    assert_eq!(all(&store, ObjectKind::Binding).await, [bare.into()]);
    assert_eq!(all(&store, ObjectKind::User).await, [renamed.into()]);
    assert_eq!(all(&store, ObjectKind::Team).await, [other.into()]);
    store.put(&organisation, [full.clone().into()]).await;
    assert_eq!(all(&store, ObjectKind::Binding).await, [full.into()]);
}

/// `PutObject`: of no kind may two objects of one organisation have one handle; what is refused leaves nothing.
pub async fn put_object_conflicts_over_the_handle_of_another(store: Store) {
    let organisation = store.organisation("o").await;
    let mut objects = build::directory_objects(organisation.id);
    // A user without a login has a handle that nobody else can have.
    objects.retain(|object| !matches!(object, DirectoryObject::User(User { login: None, .. })));
    let organisation = store.put(&organisation, objects.clone()).await;
    for object in &objects {
        let copy = copy(object);
        let (taken, before) = (units::handle_is_free(object), all(&store, object.kind()).await);
        store.conflicts(units::expecting(vec![taken.clone()], Vec::new()), &taken).await;
        let (unit, _) = units::revise(&organisation, vec![units::put(copy.clone())]);
        store.conflicts(unit, &taken).await;
        assert_eq!(all(&store, object.kind()).await, before);
        assert_eq!(read(&store, organisation.id).await.as_ref(), Some(&organisation));
    }
    // Nor may an object that is there take it.
    let [one, other] = ["one", "other"].map(|slug| build::team(organisation.id, slug));
    let organisation = store.put(&organisation, [one.clone().into(), other.clone().into()]).await;
    let thief = DirectoryObject::from(Team { id: other.id, ..one.clone() });
    let (unit, _) = units::revise(&organisation, vec![units::put(thief.clone())]);
    store.conflicts(unit, &units::handle_is_free(&thief)).await;
    for team in [one, other] {
        let slug = ObjectSelector::Handle(team.named.slug.clone());
        assert_eq!(store.objects(ObjectKind::Team, Some(organisation.id), slug).await, [team.into()]);
    }
}

/// A handle that is taken is free in another kind, in another organisation, and when it is written otherwise.
pub async fn a_handle_is_free_in_another_kind_and_organisation(store: Store) {
    let (one, other) = (store.organisation("one").await, store.organisation("other").await);
    let objects = |organisation| -> Vec<DirectoryObject> {
        let account = ServiceAccountId::new(build::uuid());
        let role = build::role(organisation, "same");
        let provider = build::identity_provider(organisation, "same");
        vec![
            build::team(organisation, "same").into(),
            build::team(organisation, "Same").into(),
            build::service_account(organisation, "same").into(),
            build::binding(organisation, role.id, BoundTo::ServiceAccount(account), "same").into(),
            role.into(),
            build::federated_identity(organisation, provider.id, account, "same").into(),
            provider.into(),
            build::project(organisation, "same").into(),
        ]
    };
    for organisation in [&one, &other] {
        let objects = objects(organisation.id);
        for object in &objects {
            store.commit(units::expecting(vec![units::handle_is_free(object)], Vec::new())).await;
        }
        store.put(organisation, objects.clone()).await;
        for object in objects {
            let handle = ObjectSelector::Handle(object.handle().into_owned());
            assert_eq!(store.objects(object.kind(), Some(organisation.id), handle).await, [object]);
        }
    }
}

/// An object put again keeps its handle; one that is renamed frees it for the next change of the same unit, and can't have it back.
pub async fn put_object_keeps_and_frees_its_own_handle(store: Store) {
    let organisation = store.organisation("o").await;
    let first = build::team(organisation.id, "first");
    let renamed = Team { named: build::named("renamed"), ..first.clone() };
    let second = build::team(organisation.id, "first");
    let organisation = store.put(&organisation, [first.clone().into()]).await;
    let organisation = store.put(&organisation, [first.clone().into(), first.clone().into()]).await;
    let organisation = store.put(&organisation, [renamed.clone().into(), second.clone().into()]).await;
    assert_eq!(all(&store, ObjectKind::Team).await, [renamed.clone().into(), second.clone().into()]);
    let first = DirectoryObject::from(first);
    let (unit, _) = units::revise(&organisation, vec![units::put(first.clone())]);
    store.conflicts(unit, &units::handle_is_free(&first)).await;
    assert_eq!(all(&store, ObjectKind::Team).await, [renamed.into(), second.into()]);
}

/// `DeleteObject`: removes that object and no other, and frees its handle; again is fine, and so is what never was.
pub async fn delete_object_frees_its_handle(store: Store) {
    let mut organisation = store.organisation("o").await;
    let objects = build::directory_objects(organisation.id);
    organisation = store.put(&organisation, objects.clone()).await;
    for (index, object) in objects.iter().enumerate() {
        let other_kind = objects.iter().map(DirectoryObject::kind).find(|kind| *kind != object.kind());
        let wrong = Change::DeleteObject { kind: other_kind.expect("many kinds"), id: object.id() };
        organisation = store.apply(units::revise(&organisation, vec![wrong])).await;
        let find = || ObjectSelector::Handle(object.handle().into_owned());
        assert_eq!(store.objects(object.kind(), None, find()).await, from_ref(object));
        for _ in 0..2 {
            organisation = store.apply(units::revise(&organisation, vec![units::remove(object)])).await;
            assert_eq!(store.objects(object.kind(), None, find()).await, []);
        }
        store.commit(units::expecting(vec![units::handle_is_free(object)], Vec::new())).await;
        for other in &objects[index + 1..] {
            let there = store.objects(other.kind(), None, ObjectSelector::Ids(vec![other.id()])).await;
            assert_eq!(there, from_ref(other));
        }
    }
    let copies: Vec<_> = objects.iter().map(copy).collect();
    store.put(&organisation, copies.clone()).await;
    for copy in copies {
        assert_eq!(store.objects(copy.kind(), None, ObjectSelector::Ids(vec![copy.id()])).await, [copy]);
    }
    let never = Change::DeleteObject { kind: ObjectKind::Team, id: Uuid::nil() };
    store.commit(units::of(vec![never])).await;
}

/// `ReviseOrganisation`: raises the revision, nothing else; it is a conflict when the revision isn't the next one, and then the unit
/// leaves nothing.
pub async fn revise_organisation_compares_the_revision(store: Store) {
    let (first, other) = (store.organisation("o").await, store.organisation("other").await);
    let second = store.apply(units::revise(&first, Vec::new())).await;
    assert_eq!(second, Organisation { revision: first.revision.next(), ..first.clone() });
    assert_eq!(read(&store, first.id).await.as_ref(), Some(&second));

    let missing = build::organisation("missing");
    let ahead = Organisation { revision: second.revision.next(), ..second.clone() };
    let team = build::team(first.id, "t");
    for stale in [&first, &ahead, &missing] {
        let (unit, _) = units::revise(stale, vec![units::put(team.clone())]);
        store.conflicts(unit.clone(), &units::unchanged_organisation(stale)).await;
        let mut changes = unit.changes;
        changes.reverse();
        store.conflicts(units::of(changes), &units::unchanged_organisation(stale)).await;
    }
    assert_eq!(all(&store, ObjectKind::Team).await, []);
    assert_eq!(read(&store, first.id).await.as_ref(), Some(&second));
    assert_eq!(read(&store, other.id).await.as_ref(), Some(&other));
    store.put(&second, [team.clone().into()]).await;
    assert_eq!(all(&store, ObjectKind::Team).await, [team.into()]);
}

/// Of commits at once that change one directory, each from what it read, exactly one is applied, whatever objects they change.
pub async fn of_changes_at_once_of_one_directory_one_is_applied(store: Store) {
    let organisation = store.organisation("o").await;
    let owners: Vec<_> =
        (0..CROWD).map(|_| build::member(organisation.id, UserId::new(build::uuid())).into()).collect();
    let organisation = store.put(&organisation, owners.clone()).await;
    let commits = owners.iter().map(|owner: &DirectoryObject| {
        let (unit, _) = units::revise(&organisation, vec![units::remove(owner)]);
        let committer = Arc::clone(&store.committer);
        tokio::spawn(async move { committer.commit(unit).await })
    });
    let mut applied = 0;
    for commit in commits.collect::<Vec<_>>() {
        match commit.await.expect("no panic") {
            Ok(()) => applied += 1,
            Err(error) => {
                let wanted = CommitErrorKind::Conflict(units::unchanged_organisation(&organisation));
                assert_eq!(error.kind(), &wanted);
            }
        }
    }
    assert_eq!(applied, 1);
    assert_eq!(all(&store, ObjectKind::OrganisationMember).await.len(), owners.len() - 1);
}

/// Of users put at once with one login, exactly one is there: users are in no organisation, whose revision would tell.
pub async fn of_users_at_once_with_one_login_one_is_put(store: Store) {
    let user = DirectoryObject::from(build::user());
    let commits = (0..CROWD).map(|_| {
        let (committer, unit) = (Arc::clone(&store.committer), units::of(vec![units::put(copy(&user))]));
        tokio::spawn(async move { committer.commit(unit).await })
    });
    let mut applied = 0;
    for commit in commits.collect::<Vec<_>>() {
        match commit.await.expect("no panic") {
            Ok(()) => applied += 1,
            Err(error) => assert_eq!(error.kind(), &CommitErrorKind::Conflict(units::handle_is_free(&user))),
        }
    }
    assert_eq!(applied, 1);
    assert_eq!(all(&store, ObjectKind::User).await.len(), 1);
}
