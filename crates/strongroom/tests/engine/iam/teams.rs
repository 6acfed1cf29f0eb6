use super::room::{Room, code};
use std::collections::BTreeMap;
use strongroom::domain::directory::{BoundTo, MemberRole, ObjectKind, TeamRole};
use strongroom::domain::metadata::Metadata;
use strongroom::iam::NamedPatch;
use strongroom::iam::team_members::NewTeamMember;
use strongroom::iam::teams::{NewTeam, TeamView};
use strongroom::{Code, OrganisationSession};

pub(super) async fn team(room: &Room, session: &OrganisationSession, name: &str) -> TeamView {
    let new = NewTeam { name: name.to_owned(), metadata: Metadata::default() };
    room.engine.create_team(session).await.expect("allowed").run(new).await.expect("creates")
}

#[tokio::test]
async fn a_team_is_made_without_members_found_by_both_names_and_keeps_its_slug() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let made = team(&room, &owner, "On Call").await;
    assert_eq!((made.team.named.slug.as_str(), made.members.len()), ("on-call", 0));
    assert_eq!(team(&room, &owner, "on call").await.team.named.slug, "on-call-2");
    for name in [made.team.id.to_string().as_str(), "on-call"] {
        let found = room.engine.get_team(&owner, name).await.expect("found");
        assert_eq!(found.team, made.team, "{name}");
    }
    let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
    let patch = NamedPatch { name: Some("Night".to_owned()), labels: Some(labels.clone()), ..NamedPatch::default() };
    let update = async |patch| room.engine.update_team(&owner, "on-call").await.expect("allowed").run(patch).await;
    let changed = update(patch.clone()).await.expect("changes").team;
    assert_eq!((changed.named.name.as_str(), changed.named.slug.as_str()), ("Night", "on-call"));
    assert_eq!((changed.named.metadata.labels(), changed.named.object_version), (&labels, 2));
    assert_eq!(update(patch).await.expect("nothing to do").team, changed);
    assert_eq!(update(NamedPatch::default()).await.expect("nothing to do").team, changed);
    let bad = NamedPatch { name: Some(" ".to_owned()), ..NamedPatch::default() };
    assert_eq!(code(update(bad).await), Some(Code::InvalidRequest));
    assert_eq!(room.engine.list_teams(&owner).await.expect("lists").len(), 2);
    let bad = NewTeam { name: "\n".to_owned(), metadata: Metadata::default() };
    let created = room.engine.create_team(&owner).await.expect("allowed").run(bad).await;
    assert_eq!(code(created), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn a_deleted_team_takes_its_members_and_bindings_along() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let (made, other) = (team(&room, &owner, "a").await.team, team(&room, &owner, "b").await.team);
    let zoe = room.person(Some(MemberRole::Member)).await;
    for team in [&made, &other] {
        room.bind(BoundTo::Team(team.id), "team", &[], &["list"]).await;
        let add = room.engine.add_team_member(&owner, &team.id.to_string()).await.expect("allowed");
        add.run(NewTeamMember { user: zoe.id, role: TeamRole::Member }).await.expect("adds");
    }
    room.engine.delete_team(&owner, "a").await.expect("allowed").run().await.expect("deletes");
    assert_eq!(room.last_record().await, format!("iam.team.delete success 204 {} {}", rule_of(&room), made.id));
    for kind in [ObjectKind::Team, ObjectKind::TeamMember, ObjectKind::Binding] {
        assert_eq!(room.objects(kind).await.len(), 1, "{kind:?}: what is of the other team stays");
    }
    let deleted = room.engine.delete_team(&owner, "a").await.expect("allowed").run().await;
    assert_eq!(code(deleted), Some(Code::ObjectNotFound));
    assert_eq!(code(room.engine.get_team(&owner, "a").await), Some(Code::ObjectNotFound));
}

/// The rule that lets the owner do everything.
fn rule_of(room: &Room) -> String {
    strongroom::domain::id::RuleId::new(room.owner.member.expect("a member").uuid()).to_string()
}

#[tokio::test]
async fn rules_say_who_may_do_what_with_which_team() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let (a, b) = (team(&room, &owner, "a").await.team, team(&room, &owner, "b").await.team);
    let reader = room.member_with("team", &["a"], &["list", "read"]).await;
    let reader = room.session(&reader).await;
    let engine = &room.engine;
    let listed = engine.list_teams(&reader).await.expect("may list");
    assert_eq!(listed.iter().map(|view| view.team.id).collect::<Vec<_>>(), [a.id]);
    assert!(engine.get_team(&reader, &a.id.to_string()).await.is_ok());
    for name in [b.id.to_string().as_str(), "b", "missing"] {
        assert_eq!(code(engine.get_team(&reader, name).await), Some(Code::Forbidden), "{name}");
    }
    assert_eq!(room.last_record().await, "iam.team.read denied 403 forbidden missing");
    let nobody = room.person(Some(MemberRole::Member)).await;
    let nobody = room.session(&nobody).await;
    for session in [&reader, &nobody] {
        assert_eq!(code(engine.create_team(session).await), Some(Code::Forbidden));
        assert_eq!(code(engine.update_team(session, "a").await), Some(Code::Forbidden));
        assert_eq!(code(engine.delete_team(session, "a").await), Some(Code::Forbidden));
        assert_eq!(code(engine.add_team_member(session, "a").await), Some(Code::Forbidden));
        assert_eq!(code(engine.remove_team_member(session, "a", "x").await), Some(Code::Forbidden));
    }
    assert_eq!(code(engine.list_teams(&nobody).await), Some(Code::Forbidden));
    let stranger = room.person(None).await;
    let entered = room.session_on(engine, &stranger.token).await;
    assert_eq!(code(entered), Some(Code::OrganisationDenied));
}

#[tokio::test]
async fn a_permission_that_is_gone_by_then_is_missed_also_in_the_second_step() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    team(&room, &owner, "a").await;
    let person = room.member_with("team", &[], &["*"]).await;
    let session = room.session(&person).await;
    let delete = room.engine.delete_team(&session, "a").await.expect("allowed yet");
    let other = room.another_node();
    let on_other = room.session_on(&other, &room.owner.token).await.expect("a member");
    other.remove_member(&on_other, &person.member()).await.expect("allowed").run().await.expect("removes");
    assert_eq!(code(delete.run().await), Some(Code::OrganisationDenied));
    assert_eq!(room.objects(ObjectKind::Team).await.len(), 1);
}
