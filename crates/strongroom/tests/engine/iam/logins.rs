//! Users who log in through an issuer that the operator trusts.

use super::support::House;
use crate::support::bytes;
use async_trait::async_trait;
use std::sync::Arc;
use strongroom::domain::audit::{Action, Outcome, RequestInfo};
use strongroom::domain::directory::Login;
use strongroom::domain::id::RequestId;
use strongroom::domain::port::{AuthenticateError, Authenticated, Authenticator, Credential, IdGenerator, UserLogin};
use strongroom::domain::principal::Token;
use strongroom::domain::time::Timestamp;

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
