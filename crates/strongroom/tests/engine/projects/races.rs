//! Projects that go, or get something, in the midst of another change.

use super::{delete, key, secret};
use crate::iam::support::House;
use crate::support::{code, path};
use async_trait::async_trait;
use core::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use strongroom::domain::directory::Project;
use strongroom::domain::kms::Key;
use strongroom::domain::path::SecretPath;
use strongroom::domain::port::{CommitError, Committer, SecretReader, TenancyReader};
use strongroom::domain::scope::Scope;
use strongroom::domain::unit::{Change, Unit};
use strongroom::kms::CreateKeyInput;
use strongroom::{Code, Engine, Ports};

type Interlude = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store where, just before the first unit of a kind is applied, somebody else does something.
struct Between {
    store: Arc<dyn Committer>,
    before: fn(&Change) -> bool,
    interlude: Mutex<Option<Interlude>>,
}

#[async_trait]
impl Committer for Between {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        let interlude = match unit.changes.iter().any(self.before) {
            true => self.interlude.lock().expect("no panic").take(),
            false => None,
        };
        if let Some(interlude) = interlude {
            interlude.await;
        }
        self.store.commit(unit).await
    }
}

/// A house with a project and a key in it, and a node whose commits can be overtaken.
async fn overtaken(before: fn(&Change) -> bool) -> (Arc<House>, Project, Arc<Key>, Arc<Engine>, Arc<Between>) {
    let ports: OnceLock<Ports> = OnceLock::new();
    let house = Arc::new(House::with(|it| assert!(ports.set(it.clone()).is_ok())).await);
    let project = house.project("a").await;
    let whole = house.secrets(house.owner, None).await.expect("enters");
    let key = key(&house, &whole, "k").await.expect("creates");
    let between = Arc::new(Between { store: house.store.clone(), before, interlude: Mutex::default() });
    let ports = Ports { committer: between.clone(), ..ports.into_inner().expect("set") };
    let engine = Arc::new(Engine::new(ports, strongroom::Limits::default()));
    (house, project, key, engine, between)
}

async fn secrets_of(house: &House, project: &Project) -> usize {
    let region = house.store.regions().await.expect("reads")[0].id;
    let scope = Scope { organisation: house.id, region, project: Some(project.id) };
    house.store.list(&scope, "/", None, 10).await.expect("reads").len()
}

#[tokio::test]
async fn a_secret_is_not_made_in_a_project_that_goes_meanwhile() {
    let is_insert = |change: &Change| matches!(change, Change::InsertSecret { .. } | Change::InsertKey(_));
    let (house, project, key, engine, between) = overtaken(is_insert).await;
    let session = house.secrets(house.owner, Some("a")).await.expect("enters");
    let other = Arc::clone(&house);
    let deletion = async move { delete(&other, other.owner, "a").await.expect("it is empty") };
    *between.interlude.lock().expect("no panic") = Some(Box::pin(deletion));
    assert_eq!(code(secret(&engine, &session, "/s", &key).await), Some(Code::ProjectNotFound));
    assert_eq!(secrets_of(&house, &project).await, 0);
    // The same for a key.
    let made = engine.create_key(&session).await.expect("allowed").run(CreateKeyInput::named("k")).await;
    assert_eq!(code(made), Some(Code::ProjectNotFound));
}

#[tokio::test]
async fn a_change_elsewhere_in_the_organisation_keeps_no_secret_from_being_made() {
    let is_insert = |change: &Change| matches!(change, Change::InsertSecret { .. });
    let (house, project, key, engine, between) = overtaken(is_insert).await;
    let session = house.secrets(house.owner, Some("a")).await.expect("enters");
    let other = Arc::clone(&house);
    *between.interlude.lock().expect("no panic") = Some(Box::pin(async move {
        other.project("unrelated").await;
    }));
    secret(&engine, &session, "/s", &key).await.expect("tried again");
    assert_eq!(secrets_of(&house, &project).await, 1);
}

#[tokio::test]
async fn a_project_does_not_go_when_a_secret_comes_meanwhile() {
    let is_delete = |change: &Change| matches!(change, Change::DeleteObject { .. });
    let (house, project, key, engine, between) = overtaken(is_delete).await;
    let other = Arc::clone(&house);
    *between.interlude.lock().expect("no panic") = Some(Box::pin(async move {
        let session = other.secrets(other.owner, Some("a")).await.expect("enters");
        secret(&other.engine, &session, "/s", &key).await.expect("the project is there");
    }));
    let session = house.by(house.owner).await;
    let deleted = engine.delete_project(&session, "a").await.expect("allowed").run().await;
    assert_eq!(code(deleted), Some(Code::InUse));
    assert_eq!(secrets_of(&house, &project).await, 1);
    let session = house.secrets(house.owner, Some("a")).await.expect("it is still there");
    let at: SecretPath = path("/s");
    assert!(house.engine.describe(&session, at).await.expect("allowed").run(None).await.is_ok());
}
