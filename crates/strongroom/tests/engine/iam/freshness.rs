//! Decision I4: only yeses may be old, and they at most a second.

use super::support::House;
use crate::support::{code, path};
use core::time::Duration;
use strongroom::Code;
use strongroom::domain::directory::{BoundTo, MemberRole, OrganisationMember};
use strongroom::domain::port::{Committer, DirectoryReader, ObjectQuery, ObjectSelector};
use strongroom::domain::unit::{Change, Unit};

/// Removes an object as another node would.
async fn remove_elsewhere(house: &House, kind: strongroom::domain::directory::ObjectKind, id: uuid::Uuid) {
    let revision = house.organisation().await.revision.next();
    let changes =
        vec![Change::DeleteObject { kind, id }, Change::ReviseOrganisation { organisation: house.id, revision }];
    house.store.commit(Unit { changes, ..Unit::default() }).await.expect("removed");
}

#[tokio::test]
async fn what_another_node_gave_is_seen_before_a_no() {
    let house = House::new().await;
    let user = house.member("user", MemberRole::Member).await;
    let session = house.secrets(user, None).await.expect("a member");
    assert_eq!(code(house.engine.describe(&session, path("/a")).await), Some(Code::Forbidden));
    let role = house.role("reader", &[("secret", &["/a"], &["read"])]).await;
    house.bind(&role, BoundTo::User(user), &[]).await;
    // At once, though the clock stood still and everything was cached.
    assert!(house.engine.describe(&session, path("/a")).await.is_ok());
}

#[tokio::test]
async fn what_another_node_took_ends_within_a_second() {
    let house = House::new().await;
    let user = house.member("user", MemberRole::Member).await;
    let role = house.role("reader", &[("secret", &["/a"], &["read"])]).await;
    let binding = house.bind(&role, BoundTo::User(user), &[]).await;
    let session = house.secrets(user, None).await.expect("a member");
    assert!(house.engine.describe(&session, path("/a")).await.is_ok());
    remove_elsewhere(&house, strongroom::domain::directory::ObjectKind::Binding, binding.uuid()).await;
    house.clock.advance(Duration::from_secs(1));
    let session = house.secrets(user, None).await.expect("still a member");
    assert_eq!(code(house.engine.describe(&session, path("/a")).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn a_member_who_was_removed_elsewhere_is_out_within_a_second() {
    let house = House::new().await;
    let user = house.member("user", MemberRole::Member).await;
    assert!(house.call(&user.to_string()).await.is_ok());
    let query = ObjectQuery {
        kind: strongroom::domain::directory::ObjectKind::OrganisationMember,
        organisation: Some(house.id),
        which: ObjectSelector::Handle(user.to_string()),
    };
    let found = house.store.objects(&query).await.expect("readable").pop().expect("there");
    let member = OrganisationMember::try_from(found).expect("a membership");
    remove_elsewhere(&house, strongroom::domain::directory::ObjectKind::OrganisationMember, member.id.uuid()).await;
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(code(house.call(&user.to_string()).await), Some(Code::OrganisationDenied));
}
