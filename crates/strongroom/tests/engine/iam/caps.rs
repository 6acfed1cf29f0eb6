//! How much one organisation may ask of the memory that all share.

use super::support::House;
use super::workloads::shop::{ISSUER, Shop, federated, provider};
use crate::support::{START, code, path};
use strongroom::domain::directory::{
    AccessCredential, Binding, BoundTo, DirectoryObject, FederatedIdentity, IdentityProvider, MemberRole, Named, Role,
    Scopes, TeamMember, TeamRole,
};
use strongroom::domain::iam::Rule;
use strongroom::domain::id::{BindingId, CredentialId, FederatedIdentityId, ProviderId, RuleId, TeamMemberId, UserId};
use strongroom::domain::metadata::Metadata;
use strongroom::domain::port::IdGenerator;
use strongroom::iam::access_credentials::NewAccessCredential;
use strongroom::iam::bindings::NewBinding;
use strongroom::iam::identity_providers::NewIdentityProvider;
use strongroom::iam::roles::NewRule;
use strongroom::iam::team_members::NewTeamMember;
use strongroom::{Code, Error};

fn named(n: usize) -> Named {
    Named::new(format!("n{n}"), format!("n{n}"), Metadata::default(), START)
}

async fn put_many<T: Into<DirectoryObject>>(house: &House, many: usize, make: impl Fn(usize) -> T) {
    house.put((0..many).map(|n| make(n).into()).collect::<Vec<_>>()).await;
}

fn is_full<T>(outcome: Result<T, Error>, what: &str) -> bool {
    outcome.is_err_and(|error| {
        let text = error.to_string();
        error.code() == Code::InvalidRequest && text.contains(what) && text.contains("the most allowed")
    })
}

async fn bind(house: &House, role: &Role, to: BoundTo, projects: Vec<String>) -> Result<(), Error> {
    let owner = house.by(house.owner).await;
    let new = NewBinding { name: "one more".to_owned(), metadata: Metadata::default(), to, projects };
    house.engine.create_binding(&owner, &role.id.to_string()).await?.run(new).await.map(drop)
}

#[tokio::test]
async fn bindings() {
    let house = House::new().await;
    let (full, free) = (house.role("full", &[]).await, house.role("free", &[]).await);
    let user = BoundTo::User(house.member("user", MemberRole::Member).await);
    let other = BoundTo::User(house.member("other", MemberRole::Member).await);
    let binding = |n| Binding {
        id: BindingId::new(house.ids.next()),
        organisation: house.id,
        role: full.id,
        named: named(n),
        to: user,
        projects: Vec::new(),
    };
    put_many(&house, 999, binding).await;
    bind(&house, &full, user, Vec::new()).await.expect("the thousandth");
    assert!(is_full(bind(&house, &full, other, Vec::new()).await, "The role has 1000 bindings"));
    assert!(is_full(bind(&house, &free, user, Vec::new()).await, "bound has 1000 bindings"));
    let projects = |many: usize| (0..many).map(|n| format!("p{n}")).collect::<Vec<_>>();
    bind(&house, &free, other, projects(100)).await.expect("a hundred");
    assert_eq!(code(bind(&house, &free, other, projects(101)).await), Some(Code::InvalidRequest));
}

#[tokio::test]
async fn rules_of_a_role() {
    let house = House::new().await;
    let mut role = house.role("large", &[]).await;
    let entry = |n: usize| format!("/{n:01000}");
    let rule = |rule: usize| Rule {
        id: RuleId::new(house.ids.next()),
        resources: vec!["secret".to_owned()],
        resource_identities: (0..100).map(|n| entry(100 * rule + n)).collect(),
        permissions: vec!["read".to_owned()],
        note: String::new(),
    };
    role.rules = (0..10).map(rule).collect();
    house.put([role.into()]).await;
    let owner = house.by(house.owner).await;
    let add = async |many| {
        let resource_identities = (0..many).map(entry).collect();
        let new = NewRule { resource_identities, ..NewRule::default() };
        house.engine.add_rule(&owner, "large").await?.run(new).await
    };
    assert_eq!(code(add(30).await), Some(Code::InvalidRequest));
    assert!(add(10).await.is_ok());
}

#[tokio::test]
async fn credentials_and_federation() {
    let shop = Shop::new().await;
    let (account, issuer) = (shop.service_account("app").await, shop.provider(ISSUER).await);
    let credential = |n| AccessCredential {
        id: CredentialId::new(shop.ids.next()),
        organisation: shop.id,
        service_account: account,
        name: String::new(),
        description: String::new(),
        access_key: format!("key-{n}"),
        digest: [0; 32],
        digest_key_version: 1,
        scopes: Scopes::default(),
        expires: None,
        created_at: START,
    };
    let owner = shop.owner().await;
    let make =
        async || shop.engine.create_access_credential(&owner, "app").await?.run(NewAccessCredential::default()).await;
    put_many(&shop, 99, credential).await;
    make().await.expect("the hundredth");
    assert!(is_full(make().await, "The service account has 100 access credentials"));

    let new = federated(account, issuer);
    let identity = |n| FederatedIdentity {
        id: FederatedIdentityId::new(shop.ids.next()),
        organisation: shop.id,
        named: named(n),
        service_account: account,
        provider: issuer,
        subject: new.subject.clone(),
        audiences: Vec::new(),
        audience_match: new.audience_match,
        scopes: Scopes::default(),
        status: new.status,
        expires: None,
        conditions: Vec::new(),
    };
    put_many(&shop, 999, identity).await;
    shop.federate(new.clone()).await;
    let more = shop.engine.create_federated_identity(&owner).await.expect("may").run(new.clone()).await;
    assert!(is_full(more, "The provider has 1000 federated identities"));

    let NewIdentityProvider { status, .. } = provider(ISSUER);
    let known = |n| IdentityProvider {
        id: ProviderId::new(shop.ids.next()),
        organisation: shop.id,
        named: named(n),
        issuer: format!("https://{n}.example"),
        jwks_uri: None,
        local_jwks: None,
        status,
        created_by: None,
    };
    put_many(&shop, 98, known).await;
    shop.provider("https://hundredth.example").await;
    let more =
        shop.engine.create_identity_provider(&owner).await.expect("may").run(provider("https://x.example")).await;
    assert!(is_full(more, "The organisation has 100 identity providers"));
}

#[tokio::test]
async fn members_of_a_team() {
    let house = House::new().await;
    let team = house.team("team", &[]).await;
    let users: Vec<UserId> =
        vec![house.member("a", MemberRole::Member).await, house.member("b", MemberRole::Member).await];
    let member = |_| TeamMember {
        id: TeamMemberId::new(house.ids.next()),
        organisation: house.id,
        team,
        user: UserId::new(house.ids.next()),
        role: TeamRole::Member,
        created_at: START,
        updated_at: START,
    };
    put_many(&house, 9_999, member).await;
    let owner = house.by(house.owner).await;
    let add = async |user| {
        let new = NewTeamMember { user, role: TeamRole::Member };
        house.engine.add_team_member(&owner, "team").await?.run(new).await
    };
    add(users[0]).await.expect("the ten thousandth");
    assert!(is_full(add(users[1]).await, "The team has 10000 members"));
}

/// Whoever makes many large roles for one principal makes it fail, not the server.
#[tokio::test]
async fn what_is_bound_to_one_principal_is_bounded() {
    let house = House::new().await;
    let user = house.member("user", MemberRole::Member).await;
    let large = "x".repeat(1_000);
    let permissions = [large.as_str()];
    let rules: Vec<(&str, &[&str], &[&str])> = vec![("secret", &["/a"], &permissions); 900];
    for number in 0..20 {
        let role = house.role(&format!("role {number}"), &rules).await;
        house.bind(&role, BoundTo::User(user), &[]).await;
        house.bind(&role, BoundTo::User(house.owner), &[]).await;
    }
    let refused = house.call(&user.to_string()).await.err().expect("too much");
    assert_eq!(refused.code(), Code::Forbidden);
    assert!(refused.to_string().contains("16 MiB"), "{refused}");
    // Owners hold everything anyway, and mend it.
    assert!(house.call(&house.owner.to_string()).await.is_ok());
}

/// A slug that somebody chose like an identity opens and takes nothing of what that identity names.
#[tokio::test]
async fn a_project_named_like_another_s_identity_is_not_that_one() {
    let house = House::new().await;
    let meant = house.project("meant").await;
    let user = house.member("user", MemberRole::Member).await;
    let role = house.role("reader", &[("secret", &["/a"], &["read"])]).await;
    house.bind(&role, BoundTo::User(user), &[&meant.id.to_string()]).await;
    let mut like = house.project("other").await;
    like.named.slug = meant.id.to_string();
    house.put([like.clone().into()]).await;
    let read = async |project: &str| {
        let session = house.secrets(user, Some(project)).await.expect("a member");
        house.engine.describe(&session, path("/a")).await.map(drop)
    };
    assert_eq!(code(read(&like.id.to_string()).await), Some(Code::Forbidden));
    assert!(read(&meant.id.to_string()).await.is_ok());
    let owner = house.by(house.owner).await;
    house.engine.delete_project(&owner, &like.id.to_string()).await.expect("may").run().await.expect("deleted");
    assert!(read(&meant.id.to_string()).await.is_ok(), "its bindings stay");
    // Nor does it take the place of one that is gone, for a client or a token that names that one.
    house.put([like.into()]).await;
    house.engine.delete_project(&owner, &meant.id.to_string()).await.expect("may").run().await.expect("deleted");
    let gone = house.secrets(user, Some(&meant.id.to_string())).await.err().expect("not there");
    assert_eq!(gone.code(), Code::ProjectNotFound);
}
