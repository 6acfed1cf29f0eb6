//! Access policies that name those whom the directory knows.

use super::support::{House, REGION};
use crate::support::{bytes, code, path};
use strongroom::domain::directory::{BoundTo, MemberRole, ObjectKind, TeamMember};
use strongroom::domain::document::Document;
use strongroom::domain::id::UserId;
use strongroom::domain::policy::AccessPolicy;
use strongroom::domain::port::{DirectoryReader, ObjectQuery, ObjectSelector};
use strongroom::domain::version::VersionSelector;
use strongroom::kms::CreateKeyInput;
use strongroom::secret::CreateInput;
use strongroom::{Code, Service, Target};

fn allow(principal: &str) -> AccessPolicy {
    let text = |text: &str| Document::Text(text.to_owned());
    let statement = Document::Map(vec![
        ("effect".to_owned(), text("Allow")),
        ("actions".to_owned(), Document::List(vec![text("getSecretValue")])),
        ("principals".to_owned(), Document::List(vec![text(principal)])),
    ]);
    let document = Document::Map(vec![("statements".to_owned(), Document::List(vec![statement]))]);
    AccessPolicy::parse(document).expect("valid").expect("not empty")
}

async fn set(house: &House, policy: AccessPolicy) {
    let session = house.secrets(house.owner, None).await.expect("an owner");
    let operation = house.engine.set_policy(&session, path("/a")).await.expect("may");
    operation.run(Some(policy)).await.expect("set");
}

async fn reveal(house: &House, user: UserId) -> Option<Code> {
    let session = house.secrets(user, None).await.expect("a member");
    match house.engine.reveal(&session, path("/a")).await {
        Ok(operation) => code(operation.run(VersionSelector::Current).await),
        Err(error) => Some(error.code()),
    }
}

#[tokio::test]
async fn statements_meet_users_and_teams() {
    let house = House::new().await;
    let (ada, bob) = (house.member("ada", MemberRole::Member).await, house.member("bob", MemberRole::Member).await);
    let role = house.role("reader", &[("secret", &["/a"], &["getSecretValue"]), ("kms_key", &[], &["decrypt"])]).await;
    for user in [ada, bob] {
        house.bind(&role, BoundTo::User(user), &[]).await;
    }
    let team = house.team("Ops", &[ada]).await;
    let session = house.secrets(house.owner, None).await.expect("an owner");
    let target = Target { action: strongroom::domain::audit::Action::KmsCreate, resource: None };
    let of_keys = house.engine.enter(house.by(house.owner).await, Service::Kms, REGION, None, target).await;
    let of_keys = of_keys.expect("an owner");
    let key = house.engine.create_key(&of_keys).await.expect("may").run(CreateKeyInput::named("key")).await;
    let input = CreateInput::string(&key.expect("made"), bytes(b"value"));
    house.engine.create(&session, path("/a")).await.expect("may").run(input, None).await.expect("made");

    for named in [format!("team:{team}"), "team:ops".to_owned(), format!("user:{ada}"), ada.to_string()] {
        set(&house, allow(&named)).await;
        assert_eq!(
            (reveal(&house, ada).await, reveal(&house, bob).await),
            (None, Some(Code::AccessPolicyDenied)),
            "{named}"
        );
    }
    // Whoever leaves the team is met no more, and at once on the node that was told.
    set(&house, allow("team:ops")).await;
    let query = ObjectQuery {
        kind: ObjectKind::TeamMember,
        organisation: Some(house.id),
        which: ObjectSelector::About(vec![ada.uuid()]),
    };
    let found = house.store.objects(&query).await.expect("readable").pop().expect("there");
    let member = TeamMember::try_from(found).expect("a membership").id.to_string();
    let owner = house.by(house.owner).await;
    let removal = house.engine.remove_team_member(&owner, &team.to_string(), &member).await.expect("may");
    removal.run().await.expect("removed");
    assert_eq!(reveal(&house, ada).await, Some(Code::AccessPolicyDenied));
}
