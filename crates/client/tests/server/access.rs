use crate::Fixture;
use strongroom_client::api::{
    Explain, Json, NewBinding, NewFederatedIdentity, NewIdentityProvider, NewNamed, NewPersonalAccessToken, NewProject,
    NewRule, NewTeamMember, NewUser, UpdateFederatedIdentity, UpdateIdentityProvider, UpdateNamed,
    UpdateOrganisationMember,
};
use strongroom_client::{Credentials, Filter, Sensitive};

fn named(name: &str) -> NewNamed {
    NewNamed { name: name.to_owned(), ..NewNamed::default() }
}

#[tokio::test]
async fn a_person_gets_a_role_through_a_team() {
    let fixture = Fixture::start();
    let iam = fixture.client.iam();
    fixture.fill(&["/app/a", "/other"]).await;
    let role = iam.roles().create(&named("Readers")).await.expect("a role").named;
    let one = |text: &str| Some(vec![text.to_owned()]);
    let rule = NewRule {
        resources: one("secret"),
        resource_identities: one("/app/*"),
        permissions: one("*"),
        ..NewRule::default()
    };
    let rule = iam.rules(&role.slug).create(&rule).await.expect("a rule");
    assert_eq!(iam.roles().get(&role.slug).await.expect("a role").rules, core::slice::from_ref(&rule));
    let team = iam.teams().create(&named("Backend")).await.expect("a team").named;
    let change = UpdateNamed { description: Some("All of it".to_owned()), ..UpdateNamed::default() };
    assert_eq!(iam.teams().update(&team.slug, &change).await.expect("changed").named.description, "All of it");
    let user = NewUser { name: "Ada".to_owned(), email: None };
    let user = iam.users().create(&user).await.expect("a user").identity;
    assert_eq!(iam.users().get(&user).await.expect("a user").user.name, "Ada");
    assert_eq!(iam.users().list(&Filter::all()).await.expect("users").len(), 2);
    let member = NewTeamMember { user_identity: user.clone(), role: None };
    iam.team_members(&team.slug).create(&member).await.expect("a member");
    let binding = NewBinding { name: "b".to_owned(), team_identity: Some(team.identity), ..NewBinding::default() };
    let binding = iam.bindings(&role.slug).create(&binding).await.expect("a binding").named;
    assert_eq!(iam.bindings(&role.slug).list().await.expect("bindings").len(), 1);

    let token = NewPersonalAccessToken { name: "cli".to_owned(), ..NewPersonalAccessToken::default() };
    let issued = iam.user_tokens(&user).create(&token).await.expect("a token");
    let token = Credentials::Token(Sensitive::from(issued.token.as_str()));
    let theirs = fixture.builder().credentials(token).build().expect("a client");
    let secrets = theirs.secrets(&fixture.env().region);
    assert_eq!(theirs.me().get().await.expect("me").identity, user);
    secrets.describe("/app/a").await.expect("allowed");
    let error = secrets.describe("/other").await.expect_err("denied");
    assert!(error.is_denied());

    let question = Explain {
        principal: Some(user.clone()),
        operation: Some("secret.read".to_owned()),
        path: Some("/other".to_owned()),
        region: Some(fixture.env().region.clone()),
        ..Explain::default()
    };
    assert!(!iam.explain(&question).await.expect("an explanation").allowed);
    iam.bindings(&role.slug).delete(&binding.identity).await.expect("gone");
    iam.rules(&role.slug).delete(&rule.identity).await.expect("gone");
    iam.roles().delete(&role.slug).await.expect("gone");
    iam.team_members(&team.slug).delete(&user).await.expect("gone");
    iam.teams().delete(&team.slug).await.expect("gone");
    assert!(iam.teams().list(&Filter::all()).await.expect("teams").is_empty());
    let tokens = iam.user_tokens(&user).list().await.expect("tokens");
    iam.user_tokens(&user).delete(&tokens[0].identity).await.expect("gone");
    assert!(theirs.me().get().await.expect_err("the token is gone").is_unauthenticated());
    let memberships = iam.memberships().list(&Filter::all()).await.expect("members");
    let membership = memberships.iter().find(|member| member.user.subject == user).expect("a membership");
    let owner = UpdateOrganisationMember { role: "OWNER".to_owned() };
    assert_eq!(iam.memberships().update(&membership.identity, &owner).await.expect("changed").role, "OWNER");
    iam.memberships().delete(&membership.identity).await.expect("gone");
}

#[tokio::test]
async fn ones_own_tokens_and_projects() {
    let fixture = Fixture::start();
    let me = fixture.client.me();
    assert_eq!(me.memberships().await.expect("memberships").len(), 1);
    let before = me.tokens().await.expect("tokens").len();
    let token = NewPersonalAccessToken { name: "more".to_owned(), ..NewPersonalAccessToken::default() };
    let issued = me.create_token(&token).await.expect("a token");
    assert!(issued.token.as_str().starts_with("tc_pat_"));
    assert_eq!(me.tokens().await.expect("tokens").len(), before + 1);
    me.delete_token(&issued.described.identity).await.expect("gone");

    let projects = fixture.client.projects();
    let project = |name: &str| NewProject { name: name.to_owned(), ..NewProject::default() };
    let made = projects.create(&project("Web shop")).await.expect("a project").named;
    let inside = fixture.client.in_project(Some(&made.slug)).expect("a client").secrets(&fixture.env().region);
    let secret = strongroom_client::NewSecret::new("/only/there", &fixture.env().kms_key, crate::text("x"));
    inside.create(&secret).await.expect("a secret");
    assert!(fixture.secrets().describe("/only/there").await.expect_err("another scope").is_not_found());
    let error = projects.delete(&made.slug).await.expect_err("it has a secret");
    assert_eq!(error.code(), Some("in_use"));
    inside.delete("/only/there").await.expect("gone");
    assert_eq!(projects.update(&made.slug, &project("Shop")).await.expect("changed").named.name, "Shop");
    assert_eq!(projects.get(&made.slug).await.expect("a project").named.identity, made.identity);
    projects.delete(&made.slug).await.expect("gone");
    assert!(projects.list(&Filter::all()).await.expect("projects").is_empty());
}

#[tokio::test]
async fn foreign_identities() {
    let fixture = Fixture::start();
    let iam = fixture.client.iam();
    let account = iam.service_accounts().create(&named("Backend")).await.expect("a service account").named;
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    let keys: Json = serde_json::from_str(keys).expect("JSON");
    let provider = NewIdentityProvider {
        name: "Cluster".to_owned(),
        description: None,
        labels: None,
        annotations: None,
        provider_issuer: "https://cluster.example.com".to_owned(),
        provider_jwks_uri: None,
        local_jwks: Some(keys),
        status: None,
    };
    let provider = iam.identity_providers().create(&provider).await.expect("a provider");
    assert_eq!(iam.identity_providers().list(&Filter::all()).await.expect("providers").len(), 1);
    let change = UpdateIdentityProvider { description: Some("x".to_owned()), ..UpdateIdentityProvider::default() };
    assert_eq!(iam.identity_providers().update(&provider.identity, &change).await.expect("changed").description, "x");
    let identity = NewFederatedIdentity {
        name: "Pods".to_owned(),
        description: None,
        labels: None,
        annotations: None,
        service_account_identity: account.identity.clone(),
        provider_identity: provider.identity.clone(),
        provider_subject: "system:serviceaccount:shop:*".to_owned(),
        trusted_audiences: Some(vec!["strongroom".to_owned()]),
        audience_match_mode: None,
        allowed_scopes: None,
        status: None,
        expires_at: None,
        conditions: None,
    };
    let identity = iam.federated_identities().create(&identity).await.expect("an identity").named;
    let change = UpdateFederatedIdentity { status: Some("inactive".to_owned()), ..UpdateFederatedIdentity::default() };
    assert_eq!(iam.federated_identities().update(&identity.slug, &change).await.expect("changed").status, "inactive");
    assert_eq!(iam.federated_identities().get(&identity.slug).await.expect("there").named.identity, identity.identity);
    assert_eq!(iam.federated_identities().list(&Filter::slug(&identity.slug)).await.expect("a list").len(), 1);
    iam.federated_identities().delete(&identity.slug).await.expect("gone");
    iam.identity_providers().delete(&provider.identity).await.expect("gone");
    assert!(iam.identity_providers().get(&provider.identity).await.expect_err("gone").is_not_found());
    iam.service_accounts().delete(&account.slug).await.expect("gone");
}
