use super::support::House;
use crate::support::code;
use strongroom::domain::directory::{BoundTo, MemberRole, ORG_ADMIN};
use strongroom::domain::id::{ServiceAccountId, TeamId, UserId};
use strongroom::domain::metadata::Metadata;
use strongroom::iam::bindings::{BindingView, BoundView, NewBinding};
use strongroom::{Code, Error};
use uuid::Uuid;

async fn bind(house: &House, by: UserId, role: &str, to: BoundTo, projects: &[&str]) -> Result<BindingView, Error> {
    let session = house.by(by).await;
    let new = NewBinding {
        name: "binding".to_owned(),
        metadata: Metadata::default(),
        to,
        projects: projects.iter().map(|it| (*it).to_owned()).collect(),
    };
    house.engine.create_binding(&session, role).await?.run(new).await
}

#[tokio::test]
async fn a_binding_gives_and_its_end_takes() {
    let house = House::new().await;
    let user = house.member("user", MemberRole::Member).await;
    let session = house.by(user).await;
    assert_eq!(code(house.engine.list_roles(&session).await), Some(Code::Forbidden));
    let bound = bind(&house, house.owner, ORG_ADMIN, BoundTo::User(user), &[]).await.expect("an owner may");
    assert!(matches!(&bound.to, Some(BoundView::User(it)) if it.id == user));
    // The session was made before; the yes is read anew.
    assert!(house.engine.list_roles(&session).await.is_ok());
    let owner = house.by(house.owner).await;
    let listed = house.engine.list_bindings(&owner, ORG_ADMIN).await.expect("may");
    assert_eq!(listed.iter().map(|view| view.binding.id).collect::<Vec<_>>(), [bound.binding.id]);
    let id = bound.binding.id.to_string();
    // Under another role there is no such binding.
    house.role("other", &[]).await;
    let elsewhere = house.engine.delete_binding(&owner, "other", &id).await.expect("may").run().await;
    assert_eq!(code(elsewhere), Some(Code::ObjectNotFound));
    house.engine.delete_binding(&owner, ORG_ADMIN, &id).await.expect("may").run().await.expect("taken");
    let session = house.by(user).await;
    assert_eq!(code(house.engine.list_roles(&session).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn roles_are_bound_to_those_of_the_organisation_only() {
    let house = House::new().await;
    let (stranger, team) = (house.user("stranger").await, house.team("team", &[]).await);
    let account = house.service_account("ci").await;
    let nobody = Uuid::from_u128(u128::MAX);
    for (to, there) in [
        (BoundTo::Team(team), true),
        (BoundTo::ServiceAccount(account), true),
        (BoundTo::User(stranger), false),
        (BoundTo::User(UserId::new(nobody)), false),
        (BoundTo::Team(TeamId::new(nobody)), false),
        (BoundTo::ServiceAccount(ServiceAccountId::new(nobody)), false),
    ] {
        let outcome = bind(&house, house.owner, "secrets:ReadAccess", to, &[]).await;
        assert_eq!(code(outcome), (!there).then_some(Code::ObjectNotFound), "{to}");
    }
    let bad = bind(&house, house.owner, "secrets:ReadAccess", BoundTo::Team(team), &[""]).await;
    assert_eq!(code(bad), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn nobody_binds_a_role_that_gives_more_than_they_hold() {
    let house = House::new().await;
    let rules: &[(&str, &[&str], &[&str])] =
        &[("organisation_role", &[], &["*"]), ("secret", &["/app/*"], &["read", "list"])];
    let admin = house.member_with("admin", rules).await;
    house.role("less", &[("secret", &["/app/x/*"], &["read"])]).await;
    house.role("more", &[("secret", &["/app/x/*"], &["read"]), ("secret", &["/other"], &["read"])]).await;
    let to = BoundTo::User(admin);
    assert_eq!(code(bind(&house, admin, "less", to, &[]).await), None);
    for role in ["more", ORG_ADMIN, "secrets:FullAccess"] {
        assert_eq!(code(bind(&house, admin, role, to, &[]).await), Some(Code::Escalation), "{role}");
        // Nor in one project only.
        assert_eq!(code(bind(&house, admin, role, to, &["web"]).await), Some(Code::Escalation), "{role}");
    }
}

#[tokio::test]
async fn whoever_holds_in_a_project_gives_in_that_project() {
    let house = House::new().await;
    let admin = house.member_with("admin", &[("organisation_role", &[], &["*"])]).await;
    let role = house.role("app", &[("secret", &["/app/*"], &["read"])]).await;
    house.bind(&role, BoundTo::User(admin), &["web"]).await;
    let to = BoundTo::User(house.member("user", MemberRole::Member).await);
    assert_eq!(code(bind(&house, admin, "app", to, &["web"]).await), None);
    for projects in [&[][..], &["web", "other"], &["other"]] {
        assert_eq!(code(bind(&house, admin, "app", to, projects).await), Some(Code::Escalation), "{projects:?}");
    }
}
