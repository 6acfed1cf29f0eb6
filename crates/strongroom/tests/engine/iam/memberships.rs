use super::room::{Person, Room, code, show};
use super::teams::team;
use std::sync::Arc;
use strongroom::domain::directory::{BoundTo, DirectoryObject, MemberRole, ObjectKind, TeamRole};
use strongroom::domain::id::UserId;
use strongroom::domain::port::{CommitErrorKind, TokenReader};
use strongroom::domain::value::SecretBytes;
use strongroom::iam::memberships::NewMember;
use strongroom::iam::personal_tokens::NewPersonalToken;
use strongroom::iam::team_members::NewTeamMember;
use strongroom::{Code, Error, OrganisationSession};
use strongroom_testkit::{Faulty, When};
use uuid::Uuid;

async fn set(room: &Room, session: &OrganisationSession, member: &str, role: MemberRole) -> Result<MemberRole, Error> {
    Ok(room.engine.update_member(session, member).await?.run(role).await?.member.role)
}

async fn remove(room: &Room, session: &OrganisationSession, member: &str) -> Result<(), Error> {
    room.engine.remove_member(session, member).await?.run().await
}

async fn owners(room: &Room) -> usize {
    let members = room.objects(ObjectKind::OrganisationMember).await;
    let is_owner =
        |it: &&DirectoryObject| matches!(it, DirectoryObject::OrganisationMember(it) if it.role == MemberRole::Owner);
    members.iter().filter(is_owner).count()
}

/// May do everything to memberships, and is no owner.
async fn admin(room: &Room) -> Person {
    room.member_with("organisation_member", &[], &["*"]).await
}

#[tokio::test]
async fn only_owners_make_owners() {
    let room = Room::new().await;
    let (owner, admin) = (room.session(&room.owner).await, admin(&room).await);
    let (session, zoe) = (room.session(&admin).await, room.person(Some(MemberRole::Member)).await);
    for member in [zoe.member(), admin.member()] {
        assert_eq!(code(set(&room, &session, &member, MemberRole::Owner).await), Some(Code::Escalation));
    }
    assert_eq!(set(&room, &session, &zoe.member(), MemberRole::Member).await.ok(), Some(MemberRole::Member));
    assert_eq!(set(&room, &owner, &zoe.member(), MemberRole::Owner).await.ok(), Some(MemberRole::Owner));
    assert_eq!(set(&room, &session, &zoe.member(), MemberRole::Owner).await.ok(), Some(MemberRole::Owner), "is one");
    // As an owner she holds everything at once.
    let zoes = room.session(&zoe).await;
    assert_eq!(set(&room, &zoes, &admin.member(), MemberRole::Owner).await.ok(), Some(MemberRole::Owner));
    assert_eq!(owners(&room).await, 3);
    assert_eq!(code(set(&room, &owner, "mem-unknown", MemberRole::Owner).await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn the_last_owner_stays() {
    let room = Room::new().await;
    let (owner, admin) = (room.session(&room.owner).await, admin(&room).await);
    let admin = room.session(&admin).await;
    for session in [&owner, &admin] {
        let own = room.owner.member();
        assert_eq!(code(set(&room, session, &own, MemberRole::Member).await), Some(Code::LastOwner));
        assert_eq!(code(remove(&room, session, &own).await), Some(Code::LastOwner));
    }
    let second = room.person(Some(MemberRole::Owner)).await;
    // Nor do others take an owner away who isn't the last.
    assert_eq!(code(set(&room, &admin, &second.member(), MemberRole::Member).await), Some(Code::Escalation));
    assert_eq!(code(remove(&room, &admin, &second.member()).await), Some(Code::Escalation));
    assert_eq!(set(&room, &owner, &room.owner.member(), MemberRole::Member).await.ok(), Some(MemberRole::Member));
    assert_eq!(code(remove(&room, &admin, &second.member()).await), Some(Code::LastOwner));
    assert_eq!(code(set(&room, &owner, &second.member(), MemberRole::Member).await), Some(Code::Forbidden), "no more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_who_take_each_other_away_at_once_leave_one() {
    for round in 0..20 {
        let room = Room::new().await;
        let second = room.person(Some(MemberRole::Owner)).await;
        let (here, there) = (room.engine.clone(), room.another_node());
        let first = room.session_on(&here, &room.owner.token).await.expect("a member");
        let other = room.session_on(&there, &second.token).await.expect("a member");
        let (to_remove, to_demote) = (second.member(), room.owner.member());
        let one = tokio::spawn(async move { here.remove_member(&first, &to_remove).await?.run().await });
        let two = tokio::spawn(async move {
            there.update_member(&other, &to_demote).await?.run(MemberRole::Member).await.map(drop)
        });
        let outcomes = [one.await.expect("no panic"), two.await.expect("no panic")];
        assert_eq!(owners(&room).await, 1, "round {round}");
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "round {round}: {outcomes:?}");
    }
}

#[tokio::test]
async fn whoever_is_removed_loses_teams_and_roles_at_once() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    team(&room, &owner, "a").await;
    let zoe = room.member_with("team", &[], &["*"]).await;
    let max = room.member_with("team", &[], &["list"]).await;
    for user in [zoe.id, max.id] {
        let add = room.engine.add_team_member(&owner, "a").await.expect("allowed");
        add.run(NewTeamMember { user, role: TeamRole::Member }).await.expect("adds");
    }
    let elsewhere = room.organisation("elsewhere").await;
    room.join(zoe.id, elsewhere, MemberRole::Member).await;
    let session = room.session(&zoe).await;
    remove(&room, &owner, &zoe.member()).await.expect("removes");
    for kind in [ObjectKind::OrganisationMember, ObjectKind::TeamMember, ObjectKind::Binding] {
        let left = room.objects(kind).await;
        assert!(left.iter().all(|object| object.subject() != Some(zoe.id.uuid())), "{kind:?}");
        assert!(left.iter().any(|object| object.subject() == Some(max.id.uuid())), "{kind:?}: others stay");
    }
    assert_eq!(code(room.session_on(&room.engine, &zoe.token).await), Some(Code::OrganisationDenied));
    let create = room.engine.create_team(&session).await.expect("allowed when the call came in");
    let new = strongroom::iam::teams::NewTeam { name: "b".to_owned(), metadata: Default::default() };
    assert_eq!(code(create.run(new).await), Some(Code::OrganisationDenied));
    let identity = room.identity(&show(&zoe.token)).await.expect("still a user");
    assert_eq!(room.engine.my_memberships(&identity).await.expect("reads").len(), 1, "elsewhere she stays");
    assert_eq!(code(remove(&room, &owner, &zoe.member()).await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn known_users_become_members() {
    let room = Room::new().await;
    let (owner, admin) = (room.session(&room.owner).await, admin(&room).await);
    let admin = room.session(&admin).await;
    let add = async |session, user, role| {
        room.engine.add_member(session).await.expect("allowed").run(NewMember { user, role }).await
    };
    let (zoe, max) = (room.person(None).await, room.person(None).await);
    assert_eq!(code(add(&admin, zoe.id, MemberRole::Owner).await), Some(Code::Escalation));
    let view = add(&admin, zoe.id, MemberRole::Member).await.expect("adds");
    assert_eq!((view.user.id, view.member.role), (zoe.id, MemberRole::Member));
    assert_eq!(code(add(&owner, zoe.id, MemberRole::Owner).await), Some(Code::ObjectExists));
    assert_eq!(add(&owner, max.id, MemberRole::Owner).await.expect("adds").member.role, MemberRole::Owner);
    let unknown = UserId::new(Uuid::from_u128(7));
    assert_eq!(code(add(&owner, unknown, MemberRole::Member).await), Some(Code::ObjectNotFound));
    // Whoever belongs elsewhere is not there for this organisation.
    let (foreign, elsewhere) = (room.person(None).await, room.organisation("elsewhere").await);
    room.join(foreign.id, elsewhere, MemberRole::Member).await;
    let texts = [foreign.id, unknown].map(async |user| match add(&owner, user, MemberRole::Member).await {
        Err(error) => format!("{:?} {error}", error.code()),
        Ok(view) => panic!("{view:?}"),
    });
    let [foreign, unknown] = texts;
    assert_eq!(foreign.await, unknown.await);
    // What is bound from before is not given on unseen.
    let ghost = room.person(None).await;
    room.bind(BoundTo::User(ghost.id), "secret", &[], &["read"]).await;
    assert_eq!(code(add(&admin, ghost.id, MemberRole::Member).await), Some(Code::Escalation));
    add(&owner, ghost.id, MemberRole::Member).await.expect("an owner holds it");
    assert!(room.session_on(&room.engine, &zoe.token).await.is_ok());
}

#[tokio::test]
async fn rules_guard_memberships() {
    let room = Room::new().await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let reader = room.member_with("organisation_member", &[&zoe.member()], &["list", "read"]).await;
    let nobody = room.person(Some(MemberRole::Member)).await;
    let (reader, nobody) = (room.session(&reader).await, room.session(&nobody).await);
    let listed = room.engine.list_members(&reader).await.expect("may list");
    assert_eq!(listed.iter().map(|view| view.user.id).collect::<Vec<_>>(), [zoe.id]);
    assert_eq!(code(room.engine.list_members(&nobody).await), Some(Code::Forbidden));
    for session in [&reader, &nobody] {
        for member in [zoe.member(), "missing".to_owned()] {
            assert_eq!(code(set(&room, session, &member, MemberRole::Owner).await), Some(Code::Forbidden));
            assert_eq!(code(remove(&room, session, &member).await), Some(Code::Forbidden));
        }
        assert_eq!(code(room.engine.add_member(session).await), Some(Code::Forbidden));
    }
}

#[tokio::test]
async fn whoever_is_removed_loses_the_tokens_of_the_organisation_for_good() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let elsewhere = room.organisation("elsewhere").await;
    room.join(zoe.id, elsewhere, MemberRole::Member).await;
    let issue = room.engine.issue_user_token(&owner, &zoe.id.to_string()).await.expect("allowed");
    let issued = issue.run(NewPersonalToken { name: "a".to_owned(), ..Default::default() }).await.expect("issues");
    let (_, there) = room.token(zoe.id, Some(elsewhere), &[], None).await;
    let opens = async |token: &SecretBytes| code(room.identified(&room.engine, &show(token)).await).is_none();
    for token in [&issued.secret, &there, &zoe.token] {
        assert!(opens(token).await);
    }
    remove(&room, &owner, &zoe.member()).await.expect("removes");
    // The clock stands still, so that what is kept in memory would still be fresh.
    assert!(!opens(&issued.secret).await);
    for token in [&there, &zoe.token] {
        assert!(opens(token).await, "what is not this organisation's stays");
    }
    let member = room.join(zoe.id, room.organisation, MemberRole::Member).await;
    assert!(!opens(&issued.secret).await, "it does not come back");

    // Also when it can't be told whether it is stored.
    let faulty = Arc::new(Faulty::new(Arc::clone(&room.world.store)));
    let engine = room.node_over(faulty.clone());
    let (_, bound) = room.token(zoe.id, Some(room.organisation), &[], None).await;
    room.identified(&engine, &show(&bound)).await.expect("stands yet");
    let owner = room.session_on(&engine, &room.owner.token).await.expect("a member");
    let remove = engine.remove_member(&owner, &member.to_string()).await.expect("allowed");
    faulty.commits.fail(When::After, CommitErrorKind::OutcomeUnknown);
    assert_eq!(code(remove.run().await), Some(Code::OutcomeUnknown));
    assert_eq!(code(room.identified(&engine, &show(&bound)).await), Some(Code::Unauthenticated));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_token_is_made_past_a_removal() {
    for round in 0..20 {
        let room = Room::new().await;
        let zoe = room.person(Some(MemberRole::Member)).await;
        let (here, there) = (room.engine.clone(), room.another_node());
        let owner = room.session_on(&here, &room.owner.token).await.expect("a member");
        let (_, bound) = room.token(zoe.id, Some(room.organisation), &[], None).await;
        let identity = room.identity_on(&there, &show(&bound)).await.expect("stands yet");
        let member = zoe.member();
        let one = tokio::spawn(async move { here.remove_member(&owner, &member).await?.run().await });
        let two = tokio::spawn(async move {
            let new = NewPersonalToken { name: "a".to_owned(), ..Default::default() };
            there.create_personal_token(&identity).await?.run(new).await.map(drop)
        });
        let (removed, _) = (one.await.expect("no panic"), two.await.expect("no panic"));
        assert!(removed.is_ok(), "round {round}: {removed:?}");
        let left = room.world.store.of_user(zoe.id).await.expect("reads");
        assert!(left.iter().all(|token| token.organisation.is_none()), "round {round}: {}", left.len());
    }
}

#[tokio::test]
async fn everybody_may_leave_but_the_last_owner() {
    let room = Room::new().await;
    let (zoe, max) = (room.person(Some(MemberRole::Member)).await, room.person(Some(MemberRole::Member)).await);
    let session = room.session(&zoe).await;
    assert_eq!(code(remove(&room, &session, &max.member()).await), Some(Code::Forbidden), "not for others");
    let (_, bound) = room.token(zoe.id, Some(room.organisation), &[], None).await;
    let bound_session = room.session_on(&room.engine, &bound).await.expect("a member");
    remove(&room, &bound_session, &zoe.member()).await.expect("leaves");
    assert_eq!(room.last_record().await, format!("iam.member.delete success 204 - {}", zoe.member()));
    assert_eq!(code(room.session_on(&room.engine, &zoe.token).await), Some(Code::OrganisationDenied));

    let owner = room.session(&room.owner).await;
    assert_eq!(code(remove(&room, &owner, &room.owner.member()).await), Some(Code::LastOwner));
    let second = room.person(Some(MemberRole::Owner)).await;
    remove(&room, &owner, &room.owner.member()).await.expect("leaves");
    let session = room.session(&second).await;
    let leave = room.engine.remove_member(&session, &second.member()).await.expect("allowed");
    assert_eq!(code(leave.run().await), Some(Code::LastOwner));
}
