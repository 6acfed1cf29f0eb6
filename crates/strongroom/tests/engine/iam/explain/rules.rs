use super::{of, on, supposed};
use crate::iam::support::House;
use crate::support::code;
use strongroom::Code;
use strongroom::domain::audit::Action;
use strongroom::domain::directory::{BoundTo, MemberRole};
use strongroom::domain::iam::Difference;
use strongroom::domain::id::{ServiceAccountId, UserId};
use strongroom::domain::port::IdGenerator;
use strongroom::domain::principal::Principal;
use strongroom::domain::tenancy::Gates;
use strongroom::iam::explain::{Source, Stage, Supposed};

#[tokio::test]
async fn the_way_of_a_rule_is_told() {
    let house = House::new().await;
    let key = house.key("app").await;
    house.secret("/app/db", &key, None).await;
    let zoe = house.member("Zoë", MemberRole::Member).await;
    let team = house.team("Backend", &[zoe]).await;
    let role = house.role("Readers", &[("secret", &["/app/*"], &["read"])]).await;
    let binding = house.bind(&role, BoundTo::Team(team), &[]).await;
    let explained = house.explained(zoe, on(Action::SecretRead, "/app/db")).await;
    assert!(explained.allowed && explained.stage == Stage::Iam && explained.unchecked.is_none(), "{explained:?}");
    let by = explained.allowed_by.expect("a rule");
    assert_eq!(by.rule, role.rules[0].id);
    let Source::Bound(bound) = by.source else { panic!("{by:?}") };
    assert_eq!(bound.role, (role.id, "Readers".to_owned()));
    assert_eq!(bound.binding.0, binding);
    assert_eq!(bound.team, Some((team, "Backend".to_owned())));
    let rule = by.rule;
    assert_eq!(
        explained.message,
        format!(
            "You may do `secret.read` on `/app/db`: the rule {rule} of the role `Readers` ({}) allows it, bound by {binding} through the team `Backend` ({team}).",
            role.id
        )
    );
    assert_eq!(house.last_record().await, ("iam.explain", "success", 200));
    let records = house.records().await;
    let resource = records.last().and_then(|record| record.resource.clone()).expect("of something");
    assert_eq!((resource.kind.as_str(), resource.identity.as_str()), ("secret", "/app/db"));

    let owner = house.explained(zoe, of(zoe, supposed(Action::IamRoleList))).await;
    assert!(!owner.allowed);
    let owner = house.explained(house.owner, supposed(Action::IamRoleList)).await;
    assert!(owner.allowed && matches!(owner.allowed_by.as_ref().expect("a rule").source, Source::Owner(_)));
    assert_eq!(owner.message, "You may do `iam.role.list`: owners may do everything.");
}

#[tokio::test]
async fn what_came_near_is_told() {
    let house = House::new().await;
    let zoe = house.member_with("Zoë", &[("secret", &["/app/staging/*"], &["getSecretValue"])]).await;
    let explained = house.explained(house.owner, of(zoe, on(Action::SecretValueRead, "/app/prod/db"))).await;
    assert!(!explained.allowed && explained.stage == Stage::Iam);
    assert_eq!(
        explained.message,
        format!("`{zoe}` may not do `secret.value.read` on `/app/prod/db`. No rule allows it.")
    );
    assert_eq!(
        explained.remedy.as_deref(),
        Some(
            "A rule on `secret` with the permission `getSecretValue` and the identity `/app/prod/db` is needed, in a role that is bound to the principal or to one of their teams."
        )
    );
    let [near] = &explained.near[..] else { panic!("{:?}", explained.near) };
    assert_eq!(near.miss.difference, Difference::Identities(vec!["/app/staging/*".to_owned()]));
    assert_eq!((near.by.role.1.as_str(), near.by.team.as_ref()), ("role of Zoë", None));

    let create = house.explained(house.owner, of(zoe, supposed(Action::IamTeamCreate))).await;
    assert!(create.remedy.expect("told").contains("for all resources of the type"));
    assert_eq!(create.needed.expect("told").identity, None);
}

#[tokio::test]
async fn rules_apply_where_they_are_bound() {
    let house = House::new().await;
    let web = house.project("Web").await;
    let zoe = house.member("Zoë", MemberRole::Member).await;
    let role = house.role("Web", &[("secret", &[], &["read"])]).await;
    house.bind(&role, BoundTo::User(zoe), &["web"]).await;
    let in_project = |project: &str| Supposed { project: Some(project.to_owned()), ..on(Action::SecretRead, "/a") };
    let inside = house.explained(zoe, in_project("web")).await;
    assert_eq!((inside.allowed, inside.stage), (false, Stage::Existence), "{inside:?}");
    assert!(house.explained(zoe, in_project(&web.id.to_string())).await.allowed_by.is_some());
    let outside = house.explained(zoe, on(Action::SecretRead, "/a")).await;
    assert_eq!((outside.allowed, outside.stage), (false, Stage::Iam));
    assert_eq!(outside.near[0].miss.difference, Difference::Projects(vec!["web".to_owned()]));
    let unknown = house.explained(zoe, in_project("none")).await;
    assert_eq!((unknown.allowed, unknown.stage), (false, Stage::Project));
}

#[tokio::test]
async fn gates_and_regions_come_first() {
    let house = House::new().await;
    let read = on(Action::SecretRead, "/a");
    let elsewhere = Supposed { region: Some("none".to_owned()), ..read.clone() };
    let explained = house.explained(house.owner, elsewhere).await;
    assert_eq!((explained.allowed, explained.stage), (false, Stage::Region));
    for (gates, gate, call) in [
        (Gates { secrets: false, ..Gates::default() }, "secrets", read.clone()),
        (Gates { kms: false, ..Gates::default() }, "kms", read.clone()),
        (Gates { kms: false, ..Gates::default() }, "kms", supposed(Action::KmsList)),
        (Gates { projects: false, ..Gates::default() }, "projects", supposed(Action::IamProjectList)),
        (Gates { projects: false, ..Gates::default() }, "projects", Supposed { project: Some("x".to_owned()), ..read }),
    ] {
        house.set_gates(gates).await;
        let explained = house.explained(house.owner, call).await;
        assert_eq!((explained.allowed, explained.stage), (false, Stage::Gate), "{gate}");
        assert_eq!(explained.gate.as_deref(), Some(gate));
        assert!(explained.remedy.expect("told").contains(gate));
        // What stands behind no gate goes on.
        assert!(house.explained(house.owner, supposed(Action::IamTeamList)).await.allowed);
    }
}

#[tokio::test]
async fn who_is_nobody_here_is_told_alike() {
    let house = House::new().await;
    let stranger = house.user("Stranger").await;
    let nobody = UserId::new(house.ids.next());
    let mut messages = Vec::new();
    for user in [stranger, nobody] {
        let explained = house.explained(house.owner, of(user, on(Action::SecretRead, "/a"))).await;
        assert_eq!((explained.allowed, explained.stage), (false, Stage::Membership));
        messages.push(explained.message.replace(&user.to_string(), "them"));
    }
    assert_eq!(messages[0], messages[1]);
    let account = Principal::ServiceAccount(ServiceAccountId::new(house.ids.next()));
    let explained =
        house.explained(house.owner, Supposed { principal: Some(account), ..supposed(Action::SecretList) }).await;
    assert_eq!(explained.stage, Stage::Membership);
}

#[tokio::test]
async fn only_administrators_ask_about_others() {
    let house = House::new().await;
    let zoe = house.member_with("Zoë", &[("organisation_role", &["some"], &["*"]), ("team", &[], &["*"])]).await;
    let call = || of(house.owner, supposed(Action::IamRoleList));
    assert_eq!(code(house.explain(zoe, call()).await), Some(Code::Forbidden));
    assert_eq!(house.last_record().await, ("iam.explain", "denied", 403));
    let nobody = UserId::new(house.ids.next());
    assert_eq!(code(house.explain(zoe, of(nobody, supposed(Action::IamRoleList))).await), Some(Code::Forbidden));
    assert!(house.explain(zoe, of(zoe, supposed(Action::IamRoleList))).await.is_ok());
    let admin = house.member_with("Admin", &[("organisation_role", &[], &["update"])]).await;
    assert!(house.explained(admin, call()).await.allowed);
    let empty = house.member_with("Empty", &[("organisation_role", &[""], &["update"])]).await;
    assert_eq!(code(house.explain(empty, call()).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn a_question_names_what_it_needs() {
    let house = House::new().await;
    let ask = async |supposed| code(house.explain(house.owner, supposed).await);
    assert_eq!(ask(supposed(Action::SecretRead)).await, Some(Code::InvalidRequest));
    assert_eq!(ask(Supposed { region: None, ..on(Action::SecretRead, "/a") }).await, Some(Code::InvalidRequest));
    assert_eq!(ask(supposed(Action::KmsRead)).await, Some(Code::InvalidRequest));
    assert_eq!(ask(supposed(Action::IamTeamRead)).await, Some(Code::InvalidRequest));
    assert_eq!(ask(supposed(Action::IamUserCreate)).await, Some(Code::InvalidRequest));
    assert_eq!(ask(supposed(Action::SystemInit)).await, Some(Code::InvalidRequest));
    let by_slug = Supposed { object: Some("readers".to_owned()), ..supposed(Action::IamRoleRead) };
    assert_eq!(ask(by_slug).await, Some(Code::ObjectNotFound));
    assert_eq!(house.last_record().await, ("iam.explain", "failure", 404));
}

#[tokio::test]
async fn leaving_takes_no_rule() {
    let house = House::new().await;
    let zoe = house.member("Zoë", MemberRole::Member).await;
    let max = house.member("Max", MemberRole::Member).await;
    let owner = house.by(house.owner).await;
    let members = house.engine.list_members(&owner).await.expect("lists");
    for (user, expected) in [(zoe, true), (max, false)] {
        let member = members.iter().find(|view| view.user.id == user).expect("a member").member.id.to_string();
        let asked = Supposed { object: Some(member.clone()), ..supposed(Action::IamMemberDelete) };
        let explained = house.explained(zoe, asked.clone()).await;
        assert_eq!((explained.allowed, explained.stage), (expected, Stage::Iam), "{explained:?}");
        assert_eq!(house.explained(house.owner, of(zoe, asked)).await.allowed, expected);
        if expected {
            assert_eq!(explained.message, format!("You may do `iam.member.delete` on `{member}`."));
        }
    }
}
