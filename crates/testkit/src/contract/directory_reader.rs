//! Cases for [`DirectoryReader`](strongroom_domain::port::DirectoryReader).

use super::Store;
use crate::{build, units};
use core::slice::from_ref;
use strongroom_domain::directory::{Binding, BoundTo, DirectoryObject, ObjectKind};
use strongroom_domain::id::{BindingId, OrganisationId, RoleId, ServiceAccountId, TeamId, UserId};
use strongroom_domain::port::ObjectSelector;
use uuid::Uuid;

/// How many identities are asked for at once, where many are.
const MANY: usize = 1_000;

fn sorted(mut objects: Vec<DirectoryObject>) -> Vec<DirectoryObject> {
    objects.sort_by_key(DirectoryObject::id);
    objects
}

fn strangers() -> impl Iterator<Item = Uuid> {
    core::iter::repeat_with(build::uuid)
}

/// All objects of a kind in an organisation; none where nothing was put.
pub async fn all_finds_every_object_of_the_kind(store: Store) {
    let organisation = store.organisation("o").await;
    for kind in ObjectKind::ALL {
        assert_eq!(store.objects(*kind, None, ObjectSelector::All).await, []);
        assert_eq!(store.objects(*kind, Some(organisation.id), ObjectSelector::All).await, []);
    }
    let objects = build::directory_objects(organisation.id);
    store.put(&organisation, objects.clone()).await;
    for kind in ObjectKind::ALL {
        let of_kind = objects.iter().filter(|object| object.kind() == *kind).cloned().collect();
        let within = (*kind != ObjectKind::User).then_some(organisation.id);
        assert_eq!(store.objects(*kind, within, ObjectSelector::All).await, sorted(of_kind), "{kind:?}");
    }
}

/// The objects of these identities; what isn't there is left out, what is named twice comes once.
pub async fn ids_find_those_that_are_there(store: Store) {
    let organisation = store.organisation("o").await;
    let teams = ["a", "b", "c"].map(|slug| DirectoryObject::from(build::team(organisation.id, slug)));
    store.put(&organisation, teams.clone()).await;
    let find = async |ids: &[Uuid]| {
        store.objects(ObjectKind::Team, Some(organisation.id), ObjectSelector::Ids(ids.to_vec())).await
    };
    let [a, b, c] = [0, 1, 2].map(|index: usize| teams[index].id());
    assert_eq!(find(&[]).await, []);
    assert_eq!(find(&[build::uuid()]).await, []);
    assert_eq!(find(&[b]).await, [teams[1].clone()]);
    assert_eq!(find(&[c, build::uuid(), a, c]).await, [teams[0].clone(), teams[2].clone()]);
    let many: Vec<_> = strangers().take(MANY).chain([b]).collect();
    assert_eq!(find(&many).await, [teams[1].clone()]);
}

/// A handle finds the object that has exactly this one.
pub async fn a_handle_is_matched_exactly(store: Store) {
    let organisation = store.organisation("o").await;
    let objects = build::directory_objects(organisation.id);
    let organisation = store.put(&organisation, objects.clone()).await;
    let find = async |kind, handle: &str| {
        let within = (kind != ObjectKind::User).then_some(organisation.id);
        store.objects(kind, within, ObjectSelector::Handle(handle.to_owned())).await
    };
    for object in &objects {
        let handle = object.handle();
        assert_eq!(find(object.kind(), &handle).await, from_ref(object), "{handle}");
        assert_eq!(find(object.kind(), &handle[..handle.len() - 1]).await, [], "{handle} cut off");
        assert_eq!(find(object.kind(), &format!("{handle}/")).await, [], "{handle} and more");
    }
    store.put(&organisation, [build::team(organisation.id, "web_1").into()]).await;
    for other in ["WEB_1", "web%", "web-1", " web_1", ""] {
        assert_eq!(find(ObjectKind::Team, other).await, [], "{other:?}");
    }
}

/// A parent finds its parts: those of a team, a service account, a role, a provider, a project.
pub async fn parts_of_finds_by_the_parent(store: Store) {
    let organisation = store.organisation("o").await;
    let objects = build::directory_objects(organisation.id);
    store.put(&organisation, objects.clone()).await;
    let mut with_parent = 0;
    for object in &objects {
        let Some(parent) = object.parent() else { continue };
        with_parent += 1;
        let siblings = objects.iter().filter(|it| it.kind() == object.kind() && it.parent() == Some(parent));
        let found = store.objects(object.kind(), Some(organisation.id), ObjectSelector::PartsOf(parent)).await;
        assert_eq!(found, sorted(siblings.cloned().collect()), "{:?}", object.kind());
    }
    assert!(with_parent > 5);
    for kind in ObjectKind::ALL {
        assert_eq!(store.objects(*kind, None, ObjectSelector::PartsOf(build::uuid())).await, []);
    }
}

/// Subjects find what is about any of them: memberships, bindings, federated identities.
pub async fn about_finds_by_any_of_the_subjects(store: Store) {
    let organisation = store.organisation("o").await;
    let role = RoleId::new(build::uuid());
    let subjects = [
        BoundTo::User(UserId::new(build::uuid())),
        BoundTo::Team(TeamId::new(build::uuid())),
        BoundTo::ServiceAccount(ServiceAccountId::new(build::uuid())),
    ];
    let bind = |to, slug| DirectoryObject::from(build::binding(organisation.id, role, to, slug));
    let [user, team, account] = subjects;
    let bindings = [bind(user, "a"), bind(team, "b"), bind(account, "c"), bind(user, "d")];
    let others = build::directory_objects(organisation.id);
    store.put(&organisation, bindings.iter().chain(&others).cloned()).await;
    let find = async |kind, subjects: &[Uuid]| {
        store.objects(kind, Some(organisation.id), ObjectSelector::About(subjects.to_vec())).await
    };
    let [user, team, _] = [0, 1, 2].map(|index: usize| bindings[index].subject().expect("bound"));
    assert_eq!(find(ObjectKind::Binding, &[]).await, []);
    assert_eq!(find(ObjectKind::Binding, &[build::uuid()]).await, []);
    assert_eq!(find(ObjectKind::Binding, &[user]).await, [bindings[0].clone(), bindings[3].clone()]);
    assert_eq!(
        find(ObjectKind::Binding, &[team, user, build::uuid(), team]).await,
        [bindings[0].clone(), bindings[1].clone(), bindings[3].clone()]
    );
    let many: Vec<_> = strangers().take(MANY).chain([team]).collect();
    assert_eq!(find(ObjectKind::Binding, &many).await, [bindings[1].clone()]);
    for object in &others {
        let Some(subject) = object.subject() else { continue };
        let alike = others.iter().filter(|it| it.kind() == object.kind() && it.subject() == Some(subject));
        assert_eq!(find(object.kind(), &[subject]).await, sorted(alike.cloned().collect()), "{:?}", object.kind());
    }
}

/// A query sees no object of another kind, whatever it has in common with the wanted ones.
pub async fn kinds_are_kept_apart(store: Store) {
    let organisation = store.organisation("o").await;
    let objects: Vec<DirectoryObject> = vec![
        build::team(organisation.id, "same").into(),
        build::service_account(organisation.id, "same").into(),
        build::role(organisation.id, "same").into(),
        build::project(organisation.id, "same").into(),
    ];
    let user = build::user();
    let team = build::team_member(organisation.id, TeamId::new(build::uuid()), user.id);
    let member = build::member(organisation.id, user.id);
    let organisation = store.put(&organisation, objects.clone()).await;
    store.put(&organisation, [team.clone().into(), member.clone().into(), user.into()]).await;
    let within = Some(organisation.id);
    for object in &objects {
        let same = ObjectSelector::Handle("same".to_owned());
        assert_eq!(store.objects(object.kind(), within, same).await, from_ref(object));
        for kind in ObjectKind::ALL.iter().filter(|kind| **kind != object.kind()) {
            assert_eq!(store.objects(*kind, within, ObjectSelector::Ids(vec![object.id()])).await, [], "{kind:?}");
        }
    }
    let about = || ObjectSelector::About(vec![member.user.uuid()]);
    assert_eq!(store.objects(ObjectKind::TeamMember, within, about()).await, [team.clone().into()]);
    assert_eq!(store.objects(ObjectKind::OrganisationMember, within, about()).await, [member.into()]);
    let parts = ObjectSelector::PartsOf(team.team.uuid());
    assert_eq!(store.objects(ObjectKind::Project, within, parts).await, []);
}

/// Every selector sees the given organisation only, and all of them when none is given; a user belongs to none.
pub async fn organisations_are_kept_apart(store: Store) {
    let (one, other) = (store.organisation("one").await, store.organisation("other").await);
    let (role, to) = (RoleId::new(build::uuid()), BoundTo::User(UserId::new(build::uuid())));
    let bind = |organisation, slug| DirectoryObject::from(build::binding(organisation, role, to, slug));
    let [first, second, third] = [bind(one.id, "a"), bind(other.id, "a"), bind(one.id, "b")];
    store.put(&one, [first.clone(), third.clone()]).await;
    let user = build::user();
    store.put(&other, [second.clone(), user.clone().into()]).await;

    let ids = ObjectSelector::Ids([&third, &second, &first].map(DirectoryObject::id).to_vec());
    let subject = first.subject().expect("bound");
    for which in [ObjectSelector::All, ids, ObjectSelector::PartsOf(role.uuid()), ObjectSelector::About(vec![subject])]
    {
        let find = async |organisation| store.objects(ObjectKind::Binding, organisation, which.clone()).await;
        assert_eq!(find(Some(one.id)).await, [first.clone(), third.clone()], "{which:?}");
        assert_eq!(find(Some(other.id)).await, from_ref(&second), "{which:?}");
        assert_eq!(find(Some(OrganisationId::new(build::uuid()))).await, [], "{which:?}");
        assert_eq!(find(None).await, [first.clone(), second.clone(), third.clone()], "{which:?}");
    }
    let find = async |organisation, handle: &str| {
        store.objects(ObjectKind::Binding, organisation, ObjectSelector::Handle(handle.to_owned())).await
    };
    assert_eq!(find(Some(one.id), "a").await, from_ref(&first));
    assert_eq!(find(Some(other.id), "b").await, []);
    assert_eq!(find(None, "a").await, [first, second]);

    let user = DirectoryObject::from(user);
    for which in
        [ObjectSelector::All, ObjectSelector::Ids(vec![user.id()]), ObjectSelector::Handle(user.handle().into())]
    {
        assert_eq!(store.objects(ObjectKind::User, Some(one.id), which.clone()).await, []);
        assert_eq!(store.objects(ObjectKind::User, None, which).await, from_ref(&user));
    }
}

/// Whatever the selector, objects come in the order of their identities, bytewise: not in that of their making or their handles.
pub async fn objects_come_in_the_order_of_their_identities(store: Store) {
    let role = RoleId::new(build::uuid());
    let mut bindings = Vec::new();
    for (index, first) in [0x80, 0x00, 0xff, 0x7f, 0x01].into_iter().enumerate() {
        let organisation = store.organisation(&format!("o{index}")).await;
        let mut id = build::uuid().into_bytes();
        id[0] = first;
        let to = BoundTo::User(UserId::new(build::uuid()));
        let binding = build::binding(organisation.id, role, to, "same");
        let binding = DirectoryObject::from(Binding { id: BindingId::new(Uuid::from_bytes(id)), ..binding });
        store.put(&organisation, [binding.clone()]).await;
        bindings.push(binding);
    }
    let rising = [1, 4, 3, 0, 2].map(|index: usize| bindings[index].clone());
    for which in [
        ObjectSelector::All,
        ObjectSelector::Ids(bindings.iter().map(DirectoryObject::id).collect()),
        ObjectSelector::Handle("same".to_owned()),
        ObjectSelector::PartsOf(role.uuid()),
        ObjectSelector::About(bindings.iter().filter_map(DirectoryObject::subject).collect()),
    ] {
        assert_eq!(store.objects(ObjectKind::Binding, None, which.clone()).await, rising, "{which:?}");
    }
}

/// Every read shows what was committed last: an object by its new handle, parent and subject, not by the old ones.
pub async fn every_read_shows_the_latest_state(store: Store) {
    let organisation = store.organisation("o").await;
    let to = || BoundTo::Team(TeamId::new(build::uuid()));
    let old = build::binding(organisation.id, RoleId::new(build::uuid()), to(), "old");
    let new = Binding { id: old.id, ..build::binding(organisation.id, RoleId::new(build::uuid()), to(), "new") };
    let [old, new] = [old, new].map(DirectoryObject::from);
    let selectors = |binding: &DirectoryObject| {
        [
            ObjectSelector::Handle(binding.handle().into_owned()),
            ObjectSelector::PartsOf(binding.parent().expect("a role")),
            ObjectSelector::About(vec![binding.subject().expect("a team")]),
        ]
    };
    let organisation = store.put(&organisation, [old.clone()]).await;
    let organisation = store.put(&organisation, [new.clone()]).await;
    let find = async |which| store.objects(ObjectKind::Binding, Some(organisation.id), which).await;
    for which in selectors(&old) {
        assert_eq!(find(which).await, []);
    }
    for which in [ObjectSelector::All, ObjectSelector::Ids(vec![new.id()])].into_iter().chain(selectors(&new)) {
        assert_eq!(find(which).await, from_ref(&new));
    }
    store.apply(units::revise(&organisation, vec![units::remove(&new)])).await;
    for which in [ObjectSelector::All, ObjectSelector::Ids(vec![new.id()])].into_iter().chain(selectors(&new)) {
        assert_eq!(find(which).await, []);
    }
}
