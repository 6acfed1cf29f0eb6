use super::support::House;
use crate::support::code;
use strongroom::Code;
use strongroom::domain::directory::{BoundTo, MemberRole, ORG_ADMIN, Role};
use strongroom::domain::id::UserId;
use strongroom::domain::metadata::Metadata;
use strongroom::iam::roles::{NewRole, NewRule};

fn rule(resource: &str, identities: &[&str], permissions: &[&str]) -> NewRule {
    let owned = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect();
    NewRule {
        resources: vec![resource.to_owned()],
        resource_identities: owned(identities),
        permissions: owned(permissions),
        note: String::new(),
    }
}

async fn create(house: &House, by: UserId, name: &str) -> Result<Role, strongroom::Error> {
    let session = house.by(by).await;
    let new = NewRole { name: name.to_owned(), metadata: Metadata::default() };
    house.engine.create_role(&session).await?.run(new).await
}

async fn add(house: &House, by: UserId, role: &str, rule: NewRule) -> Result<(), strongroom::Error> {
    let session = house.by(by).await;
    house.engine.add_rule(&session, role).await?.run(rule).await.map(drop)
}

#[tokio::test]
async fn a_role_lives_from_its_creation_to_its_end() {
    let house = House::new().await;
    let role = create(&house, house.owner, "Prod Readers").await.expect("an owner may");
    assert_eq!((role.named.slug.as_str(), role.read_only), ("prod-readers", false));
    assert_eq!(house.last_record().await, ("iam.role.create", "success", 201));
    let again = create(&house, house.owner, "prod readers").await.expect("names may repeat");
    assert_eq!(again.named.slug, "prod-readers-2");
    add(&house, house.owner, "prod-readers", rule("secret", &["/app/*"], &["read"])).await.expect("added");
    let session = house.by(house.owner).await;
    let read = house.engine.get_role(&session, &role.id.to_string()).await.expect("there");
    assert_eq!((read.rules.len(), read.named.object_version), (1, 2));
    let rule = read.rules.first().expect("one").id.to_string();
    let delete = house.engine.delete_rule(&session, "prod-readers", &rule).await.expect("may");
    delete.run().await.expect("removed");
    let again = house.engine.delete_rule(&session, "prod-readers", &rule).await.expect("may").run().await;
    assert_eq!(code(again), Some(Code::ObjectNotFound));
    house.engine.delete_role(&session, "prod-readers").await.expect("may").run().await.expect("deleted");
    assert_eq!(code(house.engine.get_role(&session, "prod-readers").await), Some(Code::ObjectNotFound));
    assert_eq!(house.last_record().await, ("iam.role.read", "failure", 404));
}

#[tokio::test]
async fn deleting_a_role_takes_its_bindings_along() {
    let house = House::new().await;
    let user = house.member_with("reader", &[("organisation_role", &[], &["list", "read"])]).await;
    let session = house.by(user).await;
    assert!(house.engine.list_roles(&session).await.is_ok());
    let owner = house.by(house.owner).await;
    house.engine.delete_role(&owner, "role-of-reader").await.expect("may").run().await.expect("deleted");
    let session = house.by(user).await;
    assert_eq!(code(house.engine.list_roles(&session).await), Some(Code::Forbidden));
    assert_eq!(house.last_record().await, ("iam.role.list", "denied", 403));
}

#[tokio::test]
async fn built_in_roles_stay_as_they_are() {
    let house = House::new().await;
    let session = house.by(house.owner).await;
    let changed = add(&house, house.owner, ORG_ADMIN, rule("secret", &[], &["read"])).await;
    assert_eq!(code(changed), Some(Code::ReadOnly));
    let deleted = house.engine.delete_role(&session, ORG_ADMIN).await.expect("may").run().await;
    assert_eq!(code(deleted), Some(Code::ReadOnly));
    let admin = house.engine.get_role(&session, ORG_ADMIN).await.expect("there");
    let rule = admin.rules.first().expect("one").id.to_string();
    let emptied = house.engine.delete_rule(&session, ORG_ADMIN, &rule).await.expect("may").run().await;
    assert_eq!(code(emptied), Some(Code::ReadOnly));
}

#[tokio::test]
async fn nobody_puts_into_a_role_what_they_lack() {
    let house = House::new().await;
    let rules: &[(&str, &[&str], &[&str])] =
        &[("organisation_role", &[], &["*"]), ("secret", &["/app/prod/*"], &["read", "getSecretValue"])];
    let admin = house.member_with("admin", rules).await;
    create(&house, admin, "mine").await.expect("may create roles");
    for (given, allowed) in [
        (rule("secret", &["/app/prod/*"], &["read"]), true),
        (rule("secret", &["/app/prod/db/*", "/app/prod/x"], &["getSecretValue", "read"]), true),
        (rule("secret", &["/app/prod/*"], &["putSecretValue"]), false),
        (rule("secret", &["/app/prod-evil"], &["read"]), false),
        (rule("secret", &["/app/*"], &["read"]), false),
        (rule("secret", &[], &["read"]), false),
        (rule("secret", &["*"], &["read"]), false),
        (rule("*", &["/app/prod/*"], &["read"]), false),
        (rule("secret", &["/app/prod/*"], &["*"]), false),
        (rule("kms_key", &[], &["decrypt"]), false),
        (rule("organisation_role", &[], &["update"]), true),
        (rule("dns_zone", &[], &["read"]), false),
    ] {
        let outcome = add(&house, admin, "mine", given.clone()).await;
        assert_eq!(code(outcome), (!allowed).then_some(Code::Escalation), "{given:?}");
    }
    assert_eq!(house.last_record().await, ("iam.rule.create", "failure", 400));
    // Owners hold everything.
    add(&house, house.owner, "mine", rule("*", &[], &["*"])).await.expect("an owner may");
}

#[tokio::test]
async fn roles_are_guarded_by_name_and_absence_tells_nothing() {
    let house = House::new().await;
    let role = house.role("visible", &[]).await;
    house.role("hidden", &[]).await;
    let user = house.member_with("narrow", &[("organisation_role", &["visible"], &["read", "list", "delete"])]).await;
    let session = house.by(user).await;
    let listed = house.engine.list_roles(&session).await.expect("may list");
    assert_eq!(listed.iter().map(|role| role.named.slug.as_str()).collect::<Vec<_>>(), ["visible"]);
    assert!(house.engine.get_role(&session, "visible").await.is_ok());
    // By identity too: the rule names the slug of the same role.
    assert!(house.engine.get_role(&session, &role.id.to_string()).await.is_ok());
    let refusals = [
        house.engine.get_role(&session, "hidden").await,
        house.engine.get_role(&session, "missing").await,
        house.engine.get_role(&session, "no identity at all / at all").await,
    ];
    let mut texts = refusals.into_iter().map(|refusal| refusal.expect_err("refused").to_string());
    let first = texts.next().expect("three");
    assert!(first.contains("not allowed `read`"), "{first}");
    assert!(texts.all(|text| text == first));
    // What the rule covers and isn't there.
    house.engine.delete_role(&session, "visible").await.expect("may").run().await.expect("deleted");
    assert_eq!(code(house.engine.get_role(&session, "visible").await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn two_administrators_cannot_pass_the_guard_together() {
    let house = House::new().await;
    let rules: &[(&str, &[&str], &[&str])] = &[("organisation_role", &[], &["*"]), ("secret", &[], &["read"])];
    let admin = house.member("admin", MemberRole::Member).await;
    let role = house.role("own", rules).await;
    let binding = house.bind(&role, BoundTo::User(admin), &[]).await;
    create(&house, admin, "mine").await.expect("may");
    let session = house.by(admin).await;
    let operation = house.engine.add_rule(&session, "mine").await.expect("may, at this moment");
    // Their role is taken away between the two steps.
    let owner = house.by(house.owner).await;
    let taken = house.engine.delete_binding(&owner, "own", &binding.to_string()).await.expect("may");
    taken.run().await.expect("taken away");
    assert_eq!(code(operation.run(rule("secret", &["/x"], &["read"])).await), Some(Code::Forbidden));
}

#[tokio::test]
async fn rules_are_bounded() {
    let house = House::new().await;
    house.role("large", &[]).await;
    let long = "x".repeat(1_025);
    let many = vec!["/a"; 1_001];
    for bad in [rule("secret", &[&long], &["read"]), rule("secret", &many, &["read"])] {
        assert_eq!(code(add(&house, house.owner, "large", bad).await), Some(Code::InvalidRequest));
    }
    let note = NewRule { note: "n".repeat(1_025), ..NewRule::default() };
    assert_eq!(code(add(&house, house.owner, "large", note).await), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn a_slug_that_became_free_is_taken_again() {
    let house = House::new().await;
    for slug in ["a", "a-2", "a-3", "a-4"] {
        assert_eq!(create(&house, house.owner, "a").await.expect("may").named.slug, slug);
    }
    let session = house.by(house.owner).await;
    house.engine.delete_role(&session, "a-3").await.expect("may").run().await.expect("deleted");
    assert_eq!(create(&house, house.owner, "a").await.expect("may").named.slug, "a-3");
    for _ in 5..=70 {
        create(&house, house.owner, "a").await.expect("a slug is found");
    }
    assert!(house.engine.get_role(&session, "a-70").await.is_ok());
}
