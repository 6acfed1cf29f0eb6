use super::room::{Room, code, show};
use strongroom::domain::audit::{Action, ResourceKind};
use strongroom::domain::directory::MemberRole;
use strongroom::domain::principal::Principal;
use strongroom::{Code, Needs, Target};

#[tokio::test]
async fn users_see_where_they_are_members() {
    let room = Room::new().await;
    let elsewhere = room.organisation("elsewhere").await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    room.join(zoe.id, elsewhere, MemberRole::Owner).await;
    let identity = room.identity(&show(&zoe.token)).await.expect("needs no organisation");
    let found = room.engine.my_memberships(&identity).await.expect("reads");
    let seen: Vec<_> = found.iter().map(|it| (it.organisation.slug.as_str(), it.role)).collect();
    assert_eq!(seen, [("dev", MemberRole::Member), ("elsewhere", MemberRole::Owner)]);
    assert_eq!((found[0].identity.clone(), &found[0].who.identity), (zoe.member(), &zoe.id.to_string()));
    let records = room.world.records().await;
    assert_eq!(records.last().expect("a record").organisation, None, "it concerns no single one");

    let (id, bound) = room.token(zoe.id, Some(elsewhere), &[], None).await;
    let identity = room.identity(&show(&bound)).await.expect("stands");
    let me = room.engine.me(&identity).await.expect("reads");
    assert_eq!((me.principal, me.credential), (Principal::User(zoe.id), id));
    let seen: Vec<_> = me.memberships.iter().map(|it| it.organisation.id).collect();
    assert_eq!(seen, [elsewhere], "the token reaches no further");
    let records = room.world.records().await;
    let last = records.last().expect("a record");
    assert_eq!((last.action, last.organisation), (Action::IamUserRead, Some(elsewhere)));

    let stranger = room.person(None).await;
    let identity = room.identity(&show(&stranger.token)).await.expect("a user");
    assert!(room.engine.me(&identity).await.expect("reads").memberships.is_empty());
}

#[tokio::test]
async fn a_service_account_is_a_member_of_its_one_organisation() {
    let room = Room::new().await;
    let (account, key) = room.service_account("deploy").await;
    let identity = room.identity(&key).await.expect("stands");
    let found = room.engine.my_memberships(&identity).await.expect("reads");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].organisation.id, found[0].role), (room.organisation, MemberRole::Member));
    assert_eq!((&found[0].who.identity, found[0].who.name.as_str()), (&account.to_string(), "deploy"));
    let me = room.engine.me(&identity).await.expect("reads");
    assert_eq!((me.principal, me.memberships.len()), (Principal::ServiceAccount(account), 1));
    let records = room.world.records().await;
    assert_eq!(records.last().expect("a record").organisation, Some(room.organisation));
}

#[tokio::test]
async fn the_credentials_scope_counts_and_a_refusal_is_recorded() {
    let room = Room::new().await;
    let (_, reading) = room.token(room.owner.id, None, &["api:read"], None).await;
    let call = room.identified(&room.engine, &show(&reading)).await.expect("stands");
    let target = Target { action: Action::IamPersonalTokenCreate, resource: Some((ResourceKind::PersonalToken, "")) };
    let entered = room.engine.enter_identity(call.clone(), Needs::Write, target).await;
    assert_eq!(code(entered), Some(Code::InsufficientScope));
    assert_eq!(room.last_record().await, "iam.personal_token.create denied 403 insufficient_scope ");
    assert_eq!(room.world.records().await.last().expect("a record").organisation, Some(room.organisation));
    assert!(room.engine.enter_identity(call, Needs::Read, target).await.is_ok());
}
