use super::room::{Room, code};
use super::teams::team;
use strongroom::Code;
use strongroom::domain::directory::{BoundTo, MemberRole, ObjectKind, TeamRole};
use strongroom::domain::id::UserId;
use strongroom::iam::team_members::NewTeamMember;
use uuid::Uuid;

const fn as_member(user: UserId) -> NewTeamMember {
    NewTeamMember { user, role: TeamRole::Member }
}

#[tokio::test]
async fn members_come_and_go_by_either_identity() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let made = team(&room, &owner, "a").await.team;
    let (zoe, max) = (room.person(Some(MemberRole::Member)).await, room.person(Some(MemberRole::Member)).await);
    let add = async |new| room.engine.add_team_member(&owner, "a").await.expect("allowed").run(new).await;
    let added = add(NewTeamMember { user: zoe.id, role: TeamRole::Admin }).await.expect("adds");
    assert_eq!((added.member.role, added.user.id), (TeamRole::Admin, zoe.id));
    assert_eq!(added.member.created_at, added.member.updated_at);
    assert!(room.last_record().await.ends_with(&format!(" {}/{}", made.id, zoe.id)));
    add(as_member(max.id)).await.expect("adds");
    assert_eq!(code(add(as_member(zoe.id)).await), Some(Code::ObjectExists));
    let shown = room.engine.get_team(&owner, "a").await.expect("found").members;
    assert_eq!(shown.iter().map(|view| view.user.id).collect::<Vec<_>>(), [zoe.id, max.id]);

    let remove =
        async |part: &str| room.engine.remove_team_member(&owner, "a", part).await.expect("allowed").run().await;
    remove(&added.member.id.to_string()).await.expect("by the membership");
    remove(&max.id.to_string()).await.expect("by the user");
    for part in [zoe.id.to_string().as_str(), &added.member.id.to_string(), "nobody", ""] {
        assert_eq!(code(remove(part).await), Some(Code::ObjectNotFound), "{part}");
    }
    assert!(room.objects(ObjectKind::TeamMember).await.is_empty());
}

#[tokio::test]
async fn only_members_of_the_organisation_are_added() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    team(&room, &owner, "a").await;
    let stranger = room.person(None).await;
    for user in [stranger.id, UserId::new(Uuid::from_u128(5))] {
        let add = room.engine.add_team_member(&owner, "a").await.expect("allowed");
        assert_eq!(code(add.run(as_member(user)).await), Some(Code::ObjectNotFound));
    }
    let add = room.engine.add_team_member(&owner, "missing").await.expect("allowed");
    assert_eq!(code(add.run(as_member(room.owner.id)).await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn whoever_adds_a_member_holds_what_the_team_gives() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let made = team(&room, &owner, "a").await.team;
    let lead = room.member_with("team", &[], &["update"]).await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let session = room.session(&lead).await;
    let add =
        async |user| room.engine.add_team_member(&session, "a").await.expect("allowed").run(as_member(user)).await;
    add(zoe.id).await.expect("a team without roles gives nothing");

    room.bind(BoundTo::Team(made.id), "secret", &["/app/*"], &["read"]).await;
    for user in [lead.id, room.owner.id] {
        assert_eq!(code(add(user).await), Some(Code::Escalation), "for oneself or another");
    }
    assert!(room.last_record().await.starts_with("iam.team_member.create failure 400 escalation"));
    room.bind(BoundTo::User(lead.id), "secret", &["/app/prod/*"], &["*"]).await;
    assert_eq!(code(add(lead.id).await), Some(Code::Escalation), "holds less");
    room.bind(BoundTo::User(lead.id), "secret", &["/*"], &["read"]).await;
    add(lead.id).await.expect("holds more");
    let remove = room.engine.remove_team_member(&session, "a", &zoe.id.to_string()).await.expect("allowed");
    remove.run().await.expect("taking away needs no more");
}
