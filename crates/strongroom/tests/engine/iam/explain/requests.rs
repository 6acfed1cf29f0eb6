use super::{map, on, policy, text};
use crate::iam::support::House;
use crate::support::{code, path};
use strongroom::domain::audit::Action;
use strongroom::domain::directory::BoundTo;
use strongroom::domain::document::Document;
use strongroom::domain::iam::Permission;
use strongroom::domain::id::{RequestId, UserId};
use strongroom::domain::port::IdGenerator;
use strongroom::domain::tenancy::Gates;
use strongroom::domain::version::VersionSelector;
use strongroom::iam::explain::{Explain, Explained, Stage};
use strongroom::secret::SecretPatch;
use strongroom::{Code, Error, Service, Target};

impl House {
    async fn of_request(&self, asker: UserId, request: &str) -> Result<Explained, Error> {
        self.engine.explain(&self.by(asker).await, Explain::Request(request.to_owned())).await
    }

    /// The request of the last record.
    async fn last_request(&self) -> String {
        let records = self.records().await;
        records.last().and_then(|record| record.request.as_ref()).expect("of a request").id.to_string()
    }

    /// A reveal that is refused, and its request.
    async fn refused_reveal(&self, user: UserId, at: &str) -> String {
        let session = self.secrets(user, None).await.expect("a member");
        let refused = match self.engine.reveal(&session, path(at)).await {
            Ok(reveal) => reveal.run(VersionSelector::Current).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(refused.is_err());
        self.last_request().await
    }
}

#[tokio::test]
async fn a_denied_call_is_explained_as_it_was_and_as_it_is_now() {
    let house = House::new().await;
    let key = house.key("app").await;
    house.secret("/app/db", &key, None).await;
    let zoe = house.member_with("Zoë", &[("secret", &["/app/*"], &["read"])]).await;
    let request = house.refused_reveal(zoe, "/app/db").await;
    let then = house.records().await.last().expect("a record").at;
    let explained = house.of_request(zoe, &request).await.expect("one's own");
    assert_eq!((explained.allowed, explained.stage), (false, Stage::Iam));
    let logged = explained.logged.expect("what the log says");
    assert_eq!(
        (logged.request.to_string(), logged.at, logged.decided_by.as_deref()),
        (request.clone(), then, Some("forbidden"))
    );
    assert!(explained.message.contains("denied by `forbidden`. Now: You may not do"), "{}", explained.message);
    assert_eq!(explained.near.len(), 1);

    let role = house.role("More", &[("secret", &[], &["getSecretValue"]), ("kms_key", &[], &["decrypt"])]).await;
    house.bind(&role, BoundTo::User(zoe), &[]).await;
    let now = house.of_request(zoe, &request).await.expect("one's own");
    assert!(now.allowed && now.logged.is_some(), "{now:?}");
}

#[tokio::test]
async fn a_maximum_that_wants_delete_is_explained() {
    let house = House::new().await;
    let key = house.key("app").await;
    house.secret("/app/db", &key, None).await;
    let zoe = house.member_with("Zoë", &[("secret", &["/app/*"], &["read", "update"])]).await;
    let session = house.secrets(zoe, None).await.expect("a member");
    let patch = house.engine.patch(&session, path("/app/db")).await.expect("allowed");
    let wanted = SecretPatch { max_active_versions: Some(Some(2)), ..SecretPatch::default() };
    assert_eq!(code(patch.run(wanted).await), Some(Code::Forbidden));
    let request = house.last_request().await;
    let explained = house.of_request(zoe, &request).await.expect("one's own");
    assert_eq!((explained.allowed, explained.stage), (false, Stage::Iam));
    assert_eq!(explained.needed.expect("told").any_of, [Permission::Delete]);
    assert!(explained.message.contains("`maxActiveVersions` also needs `delete`"), "{}", explained.message);
    let plain = house.explained(zoe, on(Action::SecretMetadataUpdate, "/app/db")).await;
    assert!(plain.allowed && plain.unchecked.expect("told").contains("also needs `delete`"));
    let role = house.role("More", &[("secret", &[], &["delete"])]).await;
    house.bind(&role, BoundTo::User(zoe), &[]).await;
    assert!(house.of_request(zoe, &request).await.expect("one's own").allowed);
}

#[tokio::test]
async fn the_calls_of_others_are_for_administrators() {
    let house = House::new().await;
    let zoe = house.member_with("Zoë", &[]).await;
    let other = house.member_with("Other", &[("organisation_role", &["x"], &["*"])]).await;
    let admin = house.member_with("Admin", &[("organisation_role", &[], &["update"])]).await;
    let request = house.refused_reveal(zoe, "/app/db").await;
    let unknown = RequestId::new(house.ids.next()).to_string();
    let mut told = Vec::new();
    for asked in [request.as_str(), unknown.as_str(), "no request"] {
        let error = house.of_request(other, asked).await.expect_err("not theirs");
        told.push((error.code(), error.to_string()));
        assert_eq!(house.last_record().await, ("iam.explain", "failure", 404));
    }
    assert!(told.iter().all(|it| *it == told[0] && it.0 == Code::ObjectNotFound), "{told:?}");
    for asker in [zoe, admin, house.owner] {
        let explained = house.of_request(asker, &request).await.expect("theirs to ask");
        assert_eq!(explained.principal.to_string(), zoe.to_string());
    }
    assert_eq!(code(house.of_request(house.owner, &unknown).await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn calls_that_were_stopped_before_the_rules() {
    let house = House::new().await;
    let action = Action::SecretRead;
    let target = Target { action, resource: Some((strongroom::domain::audit::ResourceKind::Secret, "/app/db")) };
    house.set_gates(Gates { secrets: false, ..Gates::default() }).await;
    let session = house.by(house.owner).await;
    let refused = house.engine.enter(session, Service::Secrets, super::REGION, None, target).await;
    assert_eq!(code(refused.map(drop)), Some(Code::FeatureDisabled));
    let request = house.last_request().await;
    let explained = house.of_request(house.owner, &request).await.expect("one's own");
    assert_eq!((explained.stage, explained.gate.as_deref()), (Stage::Gate, Some("secrets")));
    assert_eq!(explained.logged.expect("logged").decided_by.as_deref(), Some("gate secrets"));
    house.set_gates(Gates::default()).await;
    let now = house.of_request(house.owner, &request).await.expect("one's own");
    assert!(now.allowed && now.unchecked.is_some(), "the log doesn't tell the region: {now:?}");
}

#[tokio::test]
async fn what_a_policy_and_a_key_denied_is_explained() {
    let house = House::new().await;
    let key = house.key("app").await;
    let nobody = map(&[
        ("type", text("ip")),
        ("effect", text("deny")),
        ("cidrs", Document::List(vec![text("0.0.0.0/0"), text("::/0")])),
    ]);
    house.secret("/app/db", &key, policy(vec![nobody])).await;
    let zoe = house.member_with("Zoë", &[("secret", &[], &["*"]), ("kms_key", &["app"], &["encrypt"])]).await;
    let request = house.refused_reveal(zoe, "/app/db").await;
    let explained = house.of_request(zoe, &request).await.expect("one's own");
    assert_eq!((explained.stage, explained.policy_entry.as_deref()), (Stage::AccessPolicy, Some("conditions[0]")));
    assert_eq!(explained.logged.expect("logged").decided_by.as_deref(), Some("accessPolicy conditions[0]"));

    let session = house.secrets(zoe, None).await.expect("a member");
    assert_eq!(code(house.engine.decrypt(&session, "app").await.map(drop)), Some(Code::KeyNotFound));
    let request = house.last_request().await;
    let explained = house.of_request(zoe, &request).await.expect("one's own");
    assert_eq!((explained.allowed, explained.stage), (false, Stage::Iam));
    let users = house.engine.create_user(&house.by(zoe).await).await.map(drop);
    assert_eq!(code(users), Some(Code::Forbidden));
    let error = house.of_request(zoe, &house.last_request().await).await.expect_err("takes more than one permission");
    assert!(error.code() == Code::InvalidRequest && error.to_string().contains("`forbidden`"), "{error}");
}
