//! What is wrong with a body by itself is told before whether the object is there.

use super::support::House;
use super::workloads::shop::Shop;
use crate::support::code;
use strongroom::Code;
use strongroom::domain::metadata::Metadata;
use strongroom::iam::NamedPatch;
use strongroom::iam::access_credentials::NewAccessCredential;
use strongroom::iam::bindings::NewBinding;
use strongroom::iam::federated_identities::FederatedIdentityPatch;
use strongroom::iam::identity_providers::IdentityProviderPatch;
use strongroom::iam::projects::{Parent, ProjectUpdate};
use strongroom::iam::roles::NewRule;

#[tokio::test]
async fn a_bad_body_is_refused_whether_the_object_is_there_or_not() {
    let shop = Shop::new().await;
    let (owner, engine) = (shop.owner().await, &shop.engine);
    let long = "x".repeat(2_000);
    for (bad, expected) in [
        (NamedPatch { name: Some(" ".to_owned()), ..Default::default() }, Code::InvalidRequest),
        (NamedPatch { description: Some(long.clone()), ..Default::default() }, Code::InvalidRequest),
        (NamedPatch::default(), Code::ObjectNotFound),
    ] {
        let named = || bad.clone();
        let identity = FederatedIdentityPatch { named: named(), ..Default::default() };
        let provider = IdentityProviderPatch { named: named(), ..Default::default() };
        let project = ProjectUpdate { named: named(), parent: Parent::None };
        let outcomes = [
            code(engine.update_team(&owner, "none").await.expect("may").run(named()).await),
            code(engine.update_service_account(&owner, "none").await.expect("may").run(named()).await),
            code(engine.update_federated_identity(&owner, "none").await.expect("may").run(identity).await),
            code(engine.update_identity_provider(&owner, "none").await.expect("may").run(provider).await),
            code(engine.update_project(&owner, "none").await.expect("may").run(project).await),
        ];
        assert_eq!(outcomes, [Some(expected); 5], "{bad:?}");
    }
    let identity = FederatedIdentityPatch { audiences: Some(vec![String::new()]), ..Default::default() };
    let update = engine.update_federated_identity(&owner, "none").await.expect("may");
    assert_eq!(code(update.run(identity).await), Some(Code::InvalidRequest));
    let key = NewAccessCredential { description: long, ..Default::default() };
    let create = engine.create_access_credential(&owner, "none").await.expect("may");
    assert_eq!(code(create.run(key).await), Some(Code::InvalidRequest));
    let rule = NewRule { permissions: vec!["x".repeat(2_000)], ..NewRule::default() };
    assert_eq!(code(engine.add_rule(&owner, "none").await.expect("may").run(rule).await), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn who_may_not_hears_nothing_of_the_body() {
    let house = House::new().await;
    let session = house.by(house.member_with("reader", &[("team", &["a"], &["read"])]).await).await;
    assert_eq!(code(house.engine.update_team(&session, "none").await), Some(Code::Forbidden));
    assert_eq!(code(house.engine.create_binding(&session, "none").await), Some(Code::Forbidden));
}

#[tokio::test]
async fn a_binding_of_a_bad_name_is_refused_before_its_role_is_looked_for() {
    let house = House::new().await;
    let to = strongroom::domain::directory::BoundTo::User(house.owner);
    let new = NewBinding { name: String::new(), metadata: Metadata::default(), to, projects: Vec::new() };
    let session = house.by(house.owner).await;
    let create = house.engine.create_binding(&session, "none").await.expect("may");
    assert_eq!(code(create.run(new).await), Some(Code::InvalidRequest));
}
