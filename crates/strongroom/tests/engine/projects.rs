//! Projects: the objects, and calls inside them.

mod races;

use crate::iam::support::{House, REGION};
use crate::support::{bytes, code, path};
use async_trait::async_trait;
use std::sync::Arc;
use strongroom::domain::audit::Action;
use strongroom::domain::directory::{BoundTo, MemberRole};
use strongroom::domain::id::{CredentialId, ProjectId, UserId};
use strongroom::domain::kms::Key;
use strongroom::domain::metadata::Metadata;
use strongroom::domain::port::{AuthenticateError, Authenticated, Authenticator, Committer, Credential};
use strongroom::domain::principal::{Caller, CredentialScopes, Principal, Reach, Token};
use strongroom::domain::tenancy::Gates;
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::{Change, Unit};
use strongroom::domain::value::SecretValue;
use strongroom::domain::version::VersionSelector;
use strongroom::iam::NamedPatch;
use strongroom::iam::projects::{NewProject, Parent, ProjectUpdate, ProjectView};
use strongroom::kms::CreateKeyInput;
use strongroom::secret::CreateInput;
use strongroom::{Code, Engine, Error, Service, Session, Target};

fn new(name: &str, parent: Option<ProjectId>) -> NewProject {
    NewProject { name: name.to_owned(), metadata: Metadata::default(), parent }
}

async fn create(house: &House, user: UserId, name: &str, parent: Option<ProjectId>) -> Result<ProjectView, Error> {
    house.engine.create_project(&house.by(user).await).await?.run(new(name, parent)).await
}

async fn place(house: &House, user: UserId, name: &str, parent: Parent) -> Result<ProjectView, Error> {
    let update = ProjectUpdate { parent, ..ProjectUpdate::default() };
    house.engine.update_project(&house.by(user).await, name).await?.run(update).await
}

async fn delete(house: &House, user: UserId, name: &str) -> Result<(), Error> {
    house.engine.delete_project(&house.by(user).await, name).await?.run().await
}

async fn names(house: &House, user: UserId) -> Result<Vec<String>, Error> {
    let projects = house.engine.list_projects(&house.by(user).await).await?;
    Ok(projects.into_iter().map(|view| view.project.named.slug).collect())
}

async fn set_gates(house: &House, gates: Gates) {
    let organisation = house.organisation().await;
    let revision = organisation.revision.next();
    let changes = vec![Change::ReplaceOrganisation(strongroom::domain::tenancy::Organisation {
        gates,
        revision,
        ..organisation
    })];
    house.store.commit(Unit { changes, ..Unit::default() }).await.expect("replaces");
}

async fn key(house: &House, session: &Session, name: &str) -> Result<Arc<Key>, Error> {
    house.engine.create_key(session).await?.run(CreateKeyInput::named(name)).await
}

async fn secret(engine: &Engine, session: &Session, at: &str, key: &Key) -> Result<(), Error> {
    let input = CreateInput::string(key, bytes(at.as_bytes()));
    engine.create(session, path(at)).await?.run(input, None).await.map(drop)
}

async fn reveal(house: &House, session: &Session, at: &str) -> Result<Vec<u8>, Error> {
    let revealed = house.engine.reveal(session, path(at)).await?.run(VersionSelector::Current).await?;
    match revealed.value {
        SecretValue::String(bytes) => Ok(bytes.expose().to_vec()),
        SecretValue::KeyValue(_) => panic!("a string was stored"),
    }
}

#[tokio::test]
async fn the_life_of_a_project() {
    let house = House::new().await;
    let top = create(&house, house.owner, "Web Shop", None).await.expect("creates").project;
    assert_eq!((top.named.slug.as_str(), top.parent), ("web-shop", None));
    assert_eq!(house.last_record().await, ("iam.project.create", "success", 201));
    let below = create(&house, house.owner, "Payments", Some(top.id)).await.expect("creates");
    assert_eq!(below.parent.as_ref(), Some(&top));

    let session = house.by(house.owner).await;
    for name in [below.project.id.to_string(), "payments".to_owned()] {
        let found = house.engine.get_project(&session, &name).await.expect("is there");
        assert_eq!((&found.project, &found.parent), (&below.project, &below.parent));
    }
    assert_eq!(names(&house, house.owner).await.ok(), Some(vec!["web-shop".to_owned(), "payments".to_owned()]));
    // Its slug is what bindings name: it stays.
    let named = NamedPatch { name: Some("Billing".to_owned()), ..NamedPatch::default() };
    let update = ProjectUpdate { named, parent: Parent::None };
    let operation = house.engine.update_project(&session, "payments").await.expect("allowed");
    let updated = operation.run(update).await.expect("updates");
    assert_eq!((updated.project.named.slug.as_str(), updated.project.named.object_version), ("payments", 2));
    assert!(updated.parent.is_none() && updated.project.parent.is_none() && updated.project.named.updated_at.is_some());
    // What is that way already stays untouched.
    let again = place(&house, house.owner, "payments", Parent::None).await.expect("updates");
    assert_eq!(again.project, updated.project);

    assert_eq!(code(create(&house, house.owner, "web  shop", None).await), Some(Code::ObjectExists));
    assert_eq!(code(create(&house, house.owner, " ", None).await), Some(Code::InvalidRequest));
    delete(&house, house.owner, "payments").await.expect("deletes");
    assert_eq!(house.last_record().await, ("iam.project.delete", "success", 204));
    assert_eq!(code(delete(&house, house.owner, "payments").await), Some(Code::ObjectNotFound));
}

#[tokio::test]
async fn the_tree_has_no_rings_and_no_strangers() {
    let house = House::new().await;
    let owner = house.owner;
    let mut above = None;
    let mut ids = Vec::new();
    for n in 0..16 {
        let made = create(&house, owner, &format!("p{n}"), above).await.expect("creates");
        above = Some(made.project.id);
        ids.push(made.project.id);
    }
    assert_eq!(code(create(&house, owner, "too deep", above).await), Some(Code::InvalidRequest));
    for n in [0, 1, 15] {
        assert_eq!(code(place(&house, owner, "p0", Parent::Below(ids[n])).await), Some(Code::InvalidRequest), "{n}");
    }
    place(&house, owner, "p15", Parent::Below(ids[0])).await.expect("moves up");
    let unknown = Parent::Below(ProjectId::new(uuid::Uuid::from_u128(77)));
    assert_eq!(code(place(&house, owner, "p15", unknown).await), Some(Code::ObjectNotFound));
    let error = delete(&house, owner, "p0").await.expect_err("has projects below");
    assert_eq!((error.code(), error.to_string().contains("2 projects below it")), (Code::InUse, true), "{error}");
}

#[tokio::test]
async fn rules_guard_projects_and_making_one_gives_nothing() {
    let house = House::new().await;
    house.project("a").await;
    let b = house.project("b").await;
    let nobody = house.member("nobody", MemberRole::Member).await;
    assert_eq!(code(names(&house, nobody).await), Some(Code::Forbidden));
    assert_eq!(house.last_record().await, ("iam.project.list", "denied", 403));
    // Byte for byte the same, whether it is there or not.
    let session = house.by(nobody).await;
    let [there, missing] =
        [house.engine.get_project(&session, "a").await, house.engine.get_project(&session, "x").await]
            .map(|outcome| outcome.expect_err("denied").to_string());
    assert_eq!(there, missing);
    assert_eq!(code(create(&house, nobody, "c", None).await), Some(Code::Forbidden));

    let id = b.id.to_string();
    let limited = house.member_with("limited", &[("project", &[&id], &["read", "list", "update"])]).await;
    assert_eq!(names(&house, limited).await.ok(), Some(vec!["b".to_owned()]));
    assert!(place(&house, limited, "b", Parent::None).await.is_ok());
    assert_eq!(code(delete(&house, limited, "b").await), Some(Code::Forbidden));
    assert_eq!(code(place(&house, limited, "a", Parent::None).await), Some(Code::Forbidden));

    let maker = house.member_with("maker", &[("project", &[], &["create"])]).await;
    create(&house, maker, "mine", None).await.expect("creates");
    let session = house.secrets(maker, Some("mine")).await.expect("enters");
    assert_eq!(code(house.engine.create(&session, path("/a")).await.map(drop)), Some(Code::Forbidden));
    assert_eq!(code(house.engine.get_project(&house.by(maker).await, "mine").await), Some(Code::Forbidden));
}

#[tokio::test]
async fn scopes_are_apart() {
    let house = House::new().await;
    let (a, b) = (house.project("a").await, house.project("b").await);
    let enter = async |project: Option<&str>| house.secrets(house.owner, project).await.expect("enters");
    let (whole, in_a, in_b) = (enter(None).await, enter(Some("a")).await, enter(Some(&b.id.to_string())).await);
    assert_eq!((in_a.scope().project, in_b.scope().project, whole.scope().project), (Some(a.id), Some(b.id), None));
    let (of_all, of_a) =
        (key(&house, &whole, "k").await.expect("creates"), key(&house, &in_a, "k").await.expect("creates"));
    // One path, one name, three scopes.
    secret(&house.engine, &whole, "/s", &of_all).await.expect("creates");
    secret(&house.engine, &in_a, "/s", &of_a).await.expect("creates");
    secret(&house.engine, &in_b, "/s", &of_all).await.expect("a key of the organisation serves a project");
    assert_eq!(code(secret(&house.engine, &whole, "/t", &of_a).await), Some(Code::KeyNotFound), "not the reverse");
    assert_eq!(code(secret(&house.engine, &in_b, "/t", &of_a).await), Some(Code::KeyNotFound), "nor another's");
    for session in [&whole, &in_a, &in_b] {
        assert_eq!(reveal(&house, session, "/s").await.ok().as_deref(), Some(b"/s".as_slice()));
    }
    house.engine.delete(&in_a, path("/s")).await.expect("allowed").run().await.expect("deletes");
    assert_eq!(code(reveal(&house, &in_a, "/s").await), Some(Code::SecretNotFound));
    assert!(reveal(&house, &whole, "/s").await.is_ok() && reveal(&house, &in_b, "/s").await.is_ok());
    // A key of the organisation is not to be had as one of the project.
    let name = of_all.spec.id.to_string();
    assert_eq!(code(house.engine.key(&in_b, &name).await.map(drop)), Some(Code::KeyNotFound));
    assert_eq!(code(house.engine.key(&whole, &of_a.spec.id.to_string()).await.map(drop)), Some(Code::KeyNotFound));

    let session = house.by(house.owner).await;
    let counts = async |project| house.engine.summary(&session, project).await.expect("sums").regions[0].counts.active;
    assert_eq!((counts(None).await, counts(Some("a")).await, counts(Some("b")).await), (1, 1, 0));
}

#[tokio::test]
async fn a_binding_for_projects_holds_there_and_nowhere_else() {
    let house = House::new().await;
    let (a, b) = (house.project("a").await, house.project("b").await);
    let role = house.role("everything", &[("*", &[], &["*"])]).await;
    for named in ["a".to_owned(), a.id.to_string()] {
        let user = house.member(&format!("for {named}"), MemberRole::Member).await;
        house.bind(&role, BoundTo::User(user), &[&named]).await;
        let may = async |project: Option<&str>| {
            let session = house.secrets(user, project).await.expect("enters");
            house.engine.create(&session, path("/x")).await.map(drop)
        };
        assert!(may(Some("a")).await.is_ok() && may(Some(&a.id.to_string())).await.is_ok(), "{named}");
        for elsewhere in [None, Some("b"), Some(b.id.to_string().as_str())] {
            assert_eq!(code(may(elsewhere).await), Some(Code::Forbidden), "{named} in {elsewhere:?}");
        }
        // Nor for what is the organisation's: the projects themselves, roles.
        assert_eq!(code(names(&house, user).await), Some(Code::Forbidden));
    }
}

#[tokio::test]
async fn what_a_call_must_be_for_a_project() {
    let house = House::new().await;
    house.project("a").await;
    let outcome = async |project| code(house.secrets(house.owner, project).await);
    assert_eq!(outcome(Some("nowhere")).await, Some(Code::ProjectNotFound));
    assert_eq!(outcome(Some("a")).await, None);
    set_gates(&house, Gates { projects: false, ..Gates::default() }).await;
    house.clock.advance(core::time::Duration::from_secs(2));
    assert_eq!(outcome(Some("a")).await, Some(Code::FeatureDisabled));
    assert_eq!(outcome(Some("nowhere")).await, Some(Code::FeatureDisabled), "the gate comes first");
    assert_eq!(outcome(None).await, None);
    let session = house.by(house.owner).await;
    let target = Target { action: Action::IamProjectList, resource: None };
    let refused = house.engine.enter_projects(session.clone(), target).await;
    assert_eq!(code(refused.map(drop)), Some(Code::FeatureDisabled));
    assert_eq!(house.last_record().await, ("iam.project.list", "denied", 403));
    // A gate that closes on the way.
    assert_eq!(code(create(&house, house.owner, "b", None).await), Some(Code::FeatureDisabled));
    set_gates(&house, Gates::default()).await;
    assert!(house.engine.enter_projects(session, target).await.is_ok(), "no refusal out of a cache");
}

/// Everybody is the user of the token's first word, bound to the project of its second.
struct Bound;

#[async_trait]
impl Authenticator for Bound {
    async fn authenticate(&self, credential: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let Credential::Token(token) = credential else { return Err(AuthenticateError::Refused) };
        let text = core::str::from_utf8(token.expose()).map_err(|_| AuthenticateError::Refused)?;
        let (user, project) = text.split_once(' ').ok_or(AuthenticateError::Refused)?;
        let user: UserId = user.parse().map_err(|_| AuthenticateError::Refused)?;
        let credential = CredentialId::new(user.uuid());
        let caller = Caller::new(Principal::User(user), credential, CredentialScopes::ALL, Reach::Memberships);
        Ok(Authenticated::Caller(Arc::new(Caller { project: Some(project.to_owned()), ..caller })))
    }

    fn forget(&self, _: &Token) {}
}

#[tokio::test]
async fn a_credential_of_one_project_names_no_other() {
    let house = House::with(|ports| ports.authenticator = Arc::new(Bound)).await;
    let (a, b) = (house.project("a").await, house.project("b").await);
    let enter = async |bound: &str, named: Option<&str>| {
        let session = house.call(&format!("{} {bound}", house.owner)).await.expect("a member");
        let target = Target { action: Action::SecretRead, resource: None };
        house.engine.enter(session, Service::Secrets, REGION, named, target).await
    };
    let id = a.id.to_string();
    for bound in ["a", &id] {
        for named in [None, Some("a"), Some(id.as_str())] {
            let session = enter(bound, named).await.expect("enters");
            assert_eq!(session.scope().project, Some(a.id));
        }
        for named in ["b", &b.id.to_string(), "nowhere"] {
            assert_eq!(code(enter(bound, Some(named)).await), Some(Code::ProjectDenied), "{bound} {named}");
        }
    }
    assert_eq!(code(enter("nowhere", None).await), Some(Code::ProjectNotFound));
    let session = house.call(&format!("{} a", house.owner)).await.expect("a member");
    assert_eq!(code(house.engine.summary(&session, Some("b")).await), Some(Code::ProjectDenied));
    set_gates(&house, Gates { projects: false, ..Gates::default() }).await;
    house.clock.advance(core::time::Duration::from_secs(2));
    assert_eq!(code(enter("a", None).await), Some(Code::FeatureDisabled));
}

#[tokio::test]
async fn a_project_that_holds_something_stays() {
    let house = House::new().await;
    house.project("a").await;
    let session = house.secrets(house.owner, Some("a")).await.expect("enters");
    let whole = house.secrets(house.owner, None).await.expect("enters");
    let of_all = key(&house, &whole, "k").await.expect("creates");
    let in_use = async || {
        let error = delete(&house, house.owner, "a").await.expect_err("in use");
        (error.code(), error.to_string())
    };
    secret(&house.engine, &session, "/s", &of_all).await.expect("creates");
    assert_eq!(in_use().await, (Code::InUse, "The project has 1 secret; delete or move them first.".to_owned()));
    assert_eq!(house.last_record().await, ("iam.project.delete", "failure", 400));
    key(&house, &session, "k").await.expect("creates");
    assert_eq!(in_use().await.1, "The project has 1 secret and 1 KMS key; delete or move them first.");
    house.engine.delete(&session, path("/s")).await.expect("allowed").run().await.expect("deletes");
    assert_eq!(in_use().await.1, "The project has 1 KMS key; delete or move them first.");
}

#[tokio::test]
async fn bindings_forget_a_project_that_is_deleted() {
    let house = House::new().await;
    let project = house.project("web").await;
    house.project("api").await;
    let role = house.role("reader", &[("secret", &[], &["read"])]).await;
    let mut members = Vec::new();
    let identity = project.id.to_string();
    for (n, projects) in
        [&["web"][..], &[&identity], &["web", &identity], &["api", "web"], &["api"], &[]].iter().enumerate()
    {
        let user = house.member(&format!("m{n}"), MemberRole::Member).await;
        members.push((user, house.bind(&role, BoundTo::User(user), projects).await));
    }
    delete(&house, house.owner, "web").await.expect("it is empty");
    let owner = house.by(house.owner).await;
    let left = house.engine.list_bindings(&owner, "reader").await.expect("may");
    let left: Vec<_> = left.into_iter().map(|view| (view.binding.id, view.binding.projects)).collect();
    let text = |list: &[&str]| list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let mut expected: Vec<_> = [(3, text(&["api"])), (4, text(&["api"])), (5, text(&[]))]
        .map(|(n, projects): (usize, _)| (members[n].1, projects))
        .into();
    expected.sort();
    let mut sorted = left;
    sorted.sort();
    assert_eq!(sorted, expected);
    // Another project of this slug is nobody's who was bound to the first.
    create(&house, house.owner, "web", None).await.expect("the slug is free");
    for (n, allowed) in [(0, false), (1, false), (2, false), (3, false), (5, true)] {
        let session = house.secrets(members[n].0, Some("web")).await.expect("a member");
        let outcome = house.engine.describe(&session, path("/s")).await;
        assert_eq!(code(outcome), (!allowed).then_some(Code::Forbidden), "{n}");
    }
}
