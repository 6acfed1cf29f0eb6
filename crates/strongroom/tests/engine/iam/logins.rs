//! Users who log in through an issuer that the operator trusts.

use super::support::House;
use crate::support::bytes;
use async_lock::Barrier;
use async_trait::async_trait;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use strongroom::domain::audit::{Action, Outcome, RequestInfo};
use strongroom::domain::directory::{Login, ObjectKind};
use strongroom::domain::id::RequestId;
use strongroom::domain::port::{
    AuthenticateError, Authenticated, Authenticator, CommitError, Committer, Credential, DirectoryReader, IdGenerator,
    ObjectQuery, ObjectSelector, UserLogin,
};
use strongroom::domain::principal::Token;
use strongroom::domain::time::Timestamp;
use strongroom::domain::unit::Unit;

/// Vouches for everybody.
struct Issuer;

#[async_trait]
impl Authenticator for Issuer {
    async fn authenticate(&self, _: &Credential, at: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let login = Login { issuer: "https://login.example".to_owned(), subject: "zoe".to_owned() };
        let (name, email) = ("Zoë".to_owned(), "zoe@example.test".to_owned());
        Ok(Authenticated::Login(UserLogin { login, name, email, expires_at: at.plus_seconds(60) }))
    }

    fn forget(&self, _: &Token) {}
}

#[tokio::test]
async fn the_first_login_is_recorded_and_no_other() {
    let house = House::with(|ports| ports.authenticator = Arc::new(Issuer)).await;
    let before = house.records().await.len();
    let request = RequestId::new(house.ids.next());
    let login = async |request| {
        let request = Arc::new(RequestInfo::embedded(request));
        house.engine.authenticate(Some(&Credential::Token(bytes(b"jwt"))), request).await.expect("vouched for")
    };
    let call = login(request).await;
    let principal = call.caller().principal;
    assert_eq!(login(RequestId::new(house.ids.next())).await.caller().principal, principal);
    let records = house.records().await.split_off(before);
    assert_eq!(records.len(), 1, "{records:?}");
    let record = &records[0];
    assert_eq!((record.action, record.outcome, record.status), (Action::IamUserCreate, Outcome::Success, 201));
    assert_eq!((record.organisation, record.principal), (None, Some(principal)));
    assert_eq!(record.credential, Some(call.caller().credential));
    assert_eq!(record.resource.as_ref().map(|it| it.identity.clone()), Some(principal.to_string()));
    assert_eq!(record.request.as_ref().map(|it| it.id), Some(request));
    assert!(!call.has_record(), "what the call is about has none yet");
}

/// A store that applies the first two units once both have come.
struct Together {
    store: Arc<dyn Committer>,
    commits: AtomicU32,
    both: Barrier,
}

#[async_trait]
impl Committer for Together {
    async fn commit(&self, unit: Unit) -> Result<(), CommitError> {
        if self.commits.fetch_add(1, Ordering::SeqCst) < 2 {
            self.both.wait().await;
        }
        self.store.commit(unit).await
    }
}

#[tokio::test]
async fn two_first_logins_at_once_make_one_user() {
    let mut together = None;
    let house = House::with(|ports| {
        let (store, commits) = (Arc::clone(&ports.committer), AtomicU32::new(0));
        let both = Arc::new(Together { store, commits, both: Barrier::new(2) });
        together = Some(Arc::clone(&both));
        (ports.authenticator, ports.committer) = (Arc::new(Issuer), both);
    })
    .await;
    let before = house.records().await.len();
    let login = async || {
        let request = Arc::new(RequestInfo::embedded(RequestId::new(house.ids.next())));
        house.engine.authenticate(Some(&Credential::Token(bytes(b"jwt"))), request).await.expect("vouched for")
    };
    let (one, other) = tokio::join!(login(), login());
    assert_eq!(together.expect("made").commits.load(Ordering::SeqCst), 2, "neither knew of the other");
    assert_eq!(one.caller().principal, other.caller().principal);
    let records = house.records().await.split_off(before);
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0].principal, Some(one.caller().principal));
    let query = ObjectQuery { kind: ObjectKind::User, organisation: None, which: ObjectSelector::All };
    let users = house.store.objects(&query).await.expect("reads");
    let named = |user: &&strongroom::domain::directory::DirectoryObject| user.handle().contains("zoe");
    assert_eq!(users.iter().filter(named).count(), 1, "{users:?}");
}
