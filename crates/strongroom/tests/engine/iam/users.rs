use super::room::{Room, code, show};
use strongroom::Code;
use strongroom::domain::directory::{BoundTo, Expiry, Login, MemberRole, ObjectKind, Scopes, User};
use strongroom::domain::id::{RuleId, UserId};
use strongroom::iam::personal_tokens::NewPersonalToken;
use strongroom::iam::users::NewUser;

fn new(name: &str, email: &str) -> NewUser {
    NewUser { name: name.to_owned(), email: email.to_owned() }
}

fn token(name: &str) -> NewPersonalToken {
    NewPersonalToken { name: name.to_owned(), ..NewPersonalToken::default() }
}

#[tokio::test]
async fn owners_make_users_who_are_members() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let create = async |user| room.engine.create_user(&owner).await.expect("allowed").run(user).await;
    let user = create(new("Zoë", "zoe@example.com")).await.expect("creates");
    assert_eq!((user.name.as_str(), user.email.as_str(), user.login.as_ref()), ("Zoë", "zoe@example.com", None));
    let members = room.engine.list_members(&owner).await.expect("lists");
    let member = members.iter().find(|view| view.user.id == user.id).expect("a member");
    assert_eq!(member.member.role, MemberRole::Member);
    assert_eq!(room.engine.get_user(&owner, &user.id.to_string()).await.ok(), Some(user));
    create(new("No address", "")).await.expect("creates");
    assert_eq!(room.engine.list_users(&owner).await.expect("lists").len(), 3);
    for bad in [new("", "a@b"), new("a", "a"), new("a", "@b"), new("a", "a@"), new("a", "a b@c"), new("a\n", "a@b")] {
        assert_eq!(code(create(bad.clone()).await), Some(Code::InvalidRequest), "{bad:?}");
    }
}

#[tokio::test]
async fn nobody_else_makes_users() {
    let room = Room::new().await;
    let admin = room.member_with("*", &[], &["*"]).await;
    let session = room.session(&admin).await;
    assert_eq!(code(room.engine.create_user(&session).await), Some(Code::Forbidden));
    assert_eq!(room.last_record().await, "iam.user.create denied 403 forbidden ");
    let own = admin.id.to_string();
    assert_eq!(code(room.engine.issue_user_token(&session, &own).await), Some(Code::Forbidden));
    let nobody = room.person(Some(MemberRole::Member)).await;
    assert_eq!(code(room.engine.create_user(&room.session(&nobody).await).await), Some(Code::Forbidden));

    // An owner who is made a member meanwhile is refused in the second step.
    let second = room.person(Some(MemberRole::Owner)).await;
    room.bind(BoundTo::User(second.id), "*", &[], &["*"]).await;
    let session = room.session(&second).await;
    let create = room.engine.create_user(&session).await.expect("allowed yet");
    let issue = room.engine.issue_user_token(&session, &own).await.expect("allowed yet");
    let owner = room.session(&room.owner).await;
    let demote = room.engine.update_member(&owner, &second.member()).await.expect("allowed");
    demote.run(MemberRole::Member).await.expect("changes");
    assert_eq!(code(create.run(new("a", "")).await), Some(Code::Forbidden));
    assert_eq!(code(issue.run(token("a")).await), Some(Code::Forbidden));
    assert_eq!(room.objects(ObjectKind::OrganisationMember).await.len(), 4);
}

#[tokio::test]
async fn users_are_seen_by_whom_rules_let_see_their_membership() {
    let room = Room::new().await;
    let (zoe, stranger) = (room.person(Some(MemberRole::Member)).await, room.person(None).await);
    let reader = room.member_with("organisation_member", &[&zoe.member()], &["list", "read"]).await;
    let (reader, owner) = (room.session(&reader).await, room.session(&room.owner).await);
    let get = async |session, id: UserId| room.engine.get_user(session, &id.to_string()).await;
    assert_eq!(get(&reader, zoe.id).await.expect("may").id, zoe.id);
    for id in [room.owner.id, stranger.id] {
        assert_eq!(code(get(&reader, id).await), Some(Code::Forbidden));
    }
    assert_eq!(room.last_record().await, format!("iam.user.read denied 403 forbidden {}", stranger.id));
    assert_eq!(code(get(&owner, stranger.id).await), Some(Code::ObjectNotFound));
    assert_eq!(code(room.engine.get_user(&owner, "zoe").await), Some(Code::ObjectNotFound));
    let listed = room.engine.list_users(&reader).await.expect("may");
    assert_eq!(listed.iter().map(|user| user.id).collect::<Vec<_>>(), [zoe.id]);
    let nobody = room.session(&zoe).await;
    assert_eq!(code(room.engine.list_users(&nobody).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn an_owner_hands_a_first_token_out_that_acts_in_their_organisation_only() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let create = room.engine.create_user(&owner).await.expect("allowed");
    let zoe = create.run(new("Zoë", "")).await.expect("creates").id;
    let issue =
        async |user: &str, new| room.engine.issue_user_token(&owner, user).await.expect("allowed").run(new).await;
    let issued = issue(&zoe.to_string(), token("first")).await.expect("makes");
    assert_eq!(issued.token.organisation, Some(room.organisation));
    let record = format!("{zoe}/{}", issued.token.id);
    assert!(room.last_record().await.ends_with(&record));
    let records = room.world.records().await;
    let principal = records.last().and_then(|record| record.principal);
    assert_eq!(principal, Some(strongroom::domain::principal::Principal::User(room.owner.id)), "the owner made it");

    let elsewhere = room.organisation("elsewhere").await;
    room.join(zoe, elsewhere, MemberRole::Owner).await;
    let session = room.session_on(&room.engine, &issued.secret).await.expect("acts here");
    assert_eq!(session.caller().credential, issued.token.id);
    let call = room.identified(&room.engine, &show(&issued.secret)).await.expect("stands");
    let target = strongroom::Target { action: strongroom::domain::audit::Action::AuthFailure, resource: None };
    let entered = room.engine.enter_organisation(call, Some("elsewhere"), strongroom::Needs::Read, target).await;
    assert_eq!(code(entered), Some(Code::OrganisationDenied), "and nowhere else");

    // What she makes with it reaches no further, and she sees and deletes no other tokens of hers with it.
    let (foreign, _) = room.token(zoe, Some(elsewhere), &[], None).await;
    let identity = room.identity(&show(&issued.secret)).await.expect("stands");
    let own =
        room.engine.create_personal_token(&identity).await.expect("a user").run(token("own")).await.expect("makes");
    assert_eq!(own.token.organisation, Some(room.organisation));
    let seen = room.engine.list_personal_tokens(&identity).await.expect("lists");
    assert_eq!(seen.iter().map(|token| token.id).collect::<Vec<_>>(), [issued.token.id, own.token.id]);
    let delete = room.engine.delete_personal_token(&identity, &foreign.to_string()).await.expect("a user");
    assert_eq!(code(delete.run().await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn tokens_are_handed_to_members_who_log_in_nowhere() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let issue =
        async |user: &str, new| room.engine.issue_user_token(&owner, user).await.expect("allowed").run(new).await;
    let stranger = room.person(None).await;
    for user in [stranger.id.to_string().as_str(), "zoe"] {
        assert_eq!(code(issue(user, token("a")).await), Some(Code::ObjectNotFound), "{user}");
    }
    let login = Login { issuer: "https://login.example".to_owned(), subject: "zoe".to_owned() };
    let id = UserId::new(room.id());
    let created_at = crate::support::START;
    room.put(User { id, login: Some(login), name: "Zoë".to_owned(), email: String::new(), created_at }).await;
    room.join(id, room.organisation, MemberRole::Member).await;
    assert_eq!(code(issue(&id.to_string(), token("a")).await), Some(Code::InvalidRequest));

    // An owner's limited token gives no more than it has, but what lasts: a token of recovery must.
    let end = Expiry::parse("2030-01-01T00:00:00Z".to_owned()).expect("RFC 3339");
    let (_, limited) = room.token(room.owner.id, None, &["api:write"], Some(end.clone())).await;
    let session = room.session_on(&room.engine, &limited).await.expect("a member");
    let zoe = room.person(Some(MemberRole::Member)).await;
    let scopes = |list: &[&str]| Scopes::new(list.iter().map(|it| (*it).to_owned()).collect()).expect("known");
    for (scopes, expires, expected) in [
        (Scopes::default(), Some(end.clone()), Some(Code::Escalation)),
        (scopes(&["api:write"]), None, None),
        (scopes(&["api:write"]), Some(end.clone()), None),
    ] {
        let new = NewPersonalToken { name: "a".to_owned(), scopes, expires };
        let issue = room.engine.issue_user_token(&session, &zoe.id.to_string()).await.expect("allowed");
        assert_eq!(code(issue.run(new.clone()).await), expected, "{new:?}");
    }
}

#[tokio::test]
async fn owners_see_and_delete_the_tokens_of_their_organisation() {
    let room = Room::new().await;
    let owner = room.session(&room.owner).await;
    let zoe = room.person(Some(MemberRole::Member)).await;
    let elsewhere = room.organisation("elsewhere").await;
    room.join(zoe.id, elsewhere, MemberRole::Member).await;
    let (foreign, _) = room.token(zoe.id, Some(elsewhere), &[], None).await;
    let user = zoe.id.to_string();
    let issued = room.engine.issue_user_token(&owner, &user).await.expect("allowed").run(token("a")).await;
    let issued = issued.expect("issues");
    // What she makes with it can be told apart no more, and is taken away alike.
    let identity = room.identity(&show(&issued.secret)).await.expect("stands");
    let made = room.engine.create_personal_token(&identity).await.expect("a user").run(token("b")).await;
    let made = made.expect("makes");
    let list = async || -> Vec<_> {
        let tokens = room.engine.list_user_tokens(&owner, &user).await.expect("lists");
        tokens.iter().map(|token| token.id).collect()
    };
    assert_eq!(list().await, [issued.token.id, made.token.id], "none of hers that isn't bound here");
    let delete = async |user: &str, token: &str| {
        room.engine.delete_user_token(&owner, user, token).await.expect("allowed").run().await
    };
    delete(&user, &issued.token.id.to_string()).await.expect("deletes");
    // An owner's rule has the identifier of the membership.
    let rule = RuleId::new(room.owner.member.expect("a member").uuid());
    assert_eq!(
        room.last_record().await,
        format!("iam.personal_token.delete success 204 {rule} {user}/{}", issued.token.id)
    );
    assert_eq!(code(room.identified(&room.engine, &show(&issued.secret)).await), Some(Code::Unauthenticated));
    assert_eq!(list().await, [made.token.id]);
    let unbound = room.identified(&room.engine, &show(&zoe.token)).await.expect("stands").caller().credential;
    let (own, stranger) = (room.owner.id.to_string(), room.person(None).await.id.to_string());
    for (user, token) in [
        (user.as_str(), foreign),
        (&user, unbound),
        (&user, issued.token.id),
        (&own, made.token.id),
        (&stranger, made.token.id),
    ] {
        assert_eq!(code(delete(user, &token.to_string()).await), Some(Code::ObjectNotFound), "{user} {token}");
    }
    assert_eq!(code(room.engine.list_user_tokens(&owner, &stranger).await), Some(Code::ObjectNotFound));
    for person in [&zoe, &room.member_with("*", &[], &["*"]).await] {
        let session = room.session(person).await;
        assert_eq!(code(room.engine.list_user_tokens(&session, &user).await), Some(Code::Forbidden));
        let token = made.token.id.to_string();
        assert_eq!(code(room.engine.delete_user_token(&session, &user, &token).await), Some(Code::Forbidden));
    }
}
