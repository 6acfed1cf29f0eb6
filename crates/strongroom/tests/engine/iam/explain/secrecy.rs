//! Whom the rules deny, or who may not read, hears nothing of what is there.

use super::{map, of, on, policy, supposed, text};
use crate::iam::support::House;
use strongroom::domain::audit::Action;
use strongroom::domain::document::Document;
use strongroom::iam::explain::{Stage, Supposed};

const ON_SECRETS: [Action; 8] = [
    Action::SecretCreate,
    Action::SecretRead,
    Action::SecretValueRead,
    Action::SecretValueWrite,
    Action::SecretPolicyUpdate,
    Action::SecretMetadataUpdate,
    Action::SecretVersionDestroy,
    Action::SecretDelete,
];

#[tokio::test]
async fn a_path_that_is_denied_is_explained_alike_whether_it_is_there() {
    let house = House::new().await;
    let key = house.key("app").await;
    let zoe = house.member_with("Zoë", &[("secret", &["/app/staging/*"], &["*"]), ("secret", &[], &["list"])]).await;
    // An administrator who may not read secrets either.
    let admin = house.member_with("Admin", &[("organisation_role", &[], &["*"])]).await;
    let allowed = house.member_with("Allowed", &[("secret", &[], &["*"]), ("kms_key", &[], &["*"])]).await;
    let ask = async || {
        let mut answers = Vec::new();
        for action in ON_SECRETS {
            for (asker, who) in [(zoe, zoe), (admin, zoe), (admin, allowed)] {
                let asked = Supposed { key: Some(key.spec.id), ..of(who, on(action, "/app/prod/db")) };
                let explained = house.explained(asker, asked).await;
                assert_eq!(explained.stage, Stage::Iam, "{explained:?}");
                assert_eq!((explained.allowed, explained.unchecked.is_some()), (who == allowed, who == allowed));
                answers.push(explained);
            }
        }
        answers
    };
    let missing = ask().await;
    let deny = map(&[
        ("type", text("ip")),
        ("effect", text("deny")),
        ("cidrs", Document::List(vec![text("0.0.0.0/0"), text("::/0")])),
    ]);
    house.secret("/app/prod/db", &key, policy(vec![deny])).await;
    assert_eq!(ask().await, missing);
    let owner = house.owning().await;
    house.engine.switch(&owner, "app", false).await.expect("allowed").run().await.expect("disables");
    assert_eq!(ask().await, missing);
}

#[tokio::test]
async fn a_key_that_is_denied_is_explained_alike_whether_it_is_there() {
    let house = House::new().await;
    let key = house.key("app").await;
    let unknown = strongroom::domain::id::KeyId::new(strongroom::domain::port::IdGenerator::next(house.ids.as_ref()));
    // A rule that names the key by its slug doesn't tell which identity that is.
    let zoe = house.member_with("Zoë", &[("kms_key", &["app"], &["sign"]), ("kms_key", &["other"], &["*"])]).await;
    for action in [Action::KmsRead, Action::KmsEncrypt, Action::KmsDecrypt, Action::KmsRotate, Action::KmsDisable] {
        let mut told = Vec::new();
        for id in [key.spec.id, unknown] {
            let explained = house.explained(zoe, Supposed { key: Some(id), ..supposed(action) }).await;
            assert_eq!((explained.allowed, explained.stage), (false, Stage::Iam));
            told.push(format!("{explained:?}").replace(&id.to_string(), "it"));
        }
        assert_eq!(told[0], told[1], "{}", action.as_str());
    }
}
