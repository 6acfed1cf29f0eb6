//! Why somebody may do something, or may not.

mod beyond;
mod requests;
mod rules;
mod secrecy;
mod table;

use crate::iam::support::{House, REGION};
use crate::support::path;
use std::sync::Arc;
use strongroom::domain::audit::Action;
use strongroom::domain::document::Document;
use strongroom::domain::id::UserId;
use strongroom::domain::kms::Key;
use strongroom::domain::policy::AccessPolicy;
use strongroom::domain::port::Committer;
use strongroom::domain::principal::Principal;
use strongroom::domain::tenancy::Gates;
use strongroom::domain::unit::{Change, Unit};
use strongroom::iam::explain::{Explain, Explained, Supposed};
use strongroom::kms::CreateKeyInput;
use strongroom::secret::CreateInput;
use strongroom::{Error, Session};

/// A call of one's own, in the region.
fn supposed(operation: Action) -> Supposed {
    let region = Some(REGION.to_owned());
    Supposed {
        principal: None,
        operation,
        path: None,
        key: None,
        object: None,
        region,
        project: None,
        client: None,
        at: None,
    }
}

fn on(operation: Action, at: &str) -> Supposed {
    Supposed { path: Some(path(at)), ..supposed(operation) }
}

fn of(user: UserId, supposed: Supposed) -> Supposed {
    Supposed { principal: Some(Principal::User(user)), ..supposed }
}

impl House {
    async fn explain(&self, asker: UserId, supposed: Supposed) -> Result<Explained, Error> {
        self.engine.explain(&self.by(asker).await, Explain::Call(supposed)).await
    }

    async fn explained(&self, asker: UserId, supposed: Supposed) -> Explained {
        self.explain(asker, supposed).await.expect("explains")
    }

    /// The owner's session.
    async fn owning(&self) -> Session {
        self.secrets(self.owner, None).await.expect("the owner")
    }

    async fn key(&self, name: &str) -> Arc<Key> {
        let owner = self.owning().await;
        self.engine.create_key(&owner).await.expect("allowed").run(CreateKeyInput::named(name)).await.expect("creates")
    }

    async fn secret(&self, at: &str, key: &Key, policy: Option<AccessPolicy>) {
        let owner = self.owning().await;
        let input = CreateInput { policy, ..CreateInput::string(key, crate::support::bytes(b"x")) };
        self.engine.create(&owner, path(at)).await.expect("allowed").run(input, None).await.expect("creates");
    }

    async fn set_gates(&self, gates: Gates) {
        let known = self.organisation().await;
        let revision = known.revision.next();
        let changed = strongroom::domain::tenancy::Organisation { gates, revision, ..known };
        let changes = vec![Change::ReplaceOrganisation(changed)];
        self.store.commit(Unit { changes, ..Unit::default() }).await.expect("replaces");
    }
}

fn text(text: &str) -> Document {
    Document::Text(text.to_owned())
}

fn map(members: &[(&str, Document)]) -> Document {
    Document::Map(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn policy(conditions: Vec<Document>) -> Option<AccessPolicy> {
    AccessPolicy::parse(map(&[("conditions", Document::List(conditions))])).expect("legal")
}
