use super::{Case, caller, is_refused, is_unavailable};
use crate::access_credential::{IssuedAccessCredential, issue_access_credential, verify_secret};
use crate::test_support::{SECOND, START, micros};
use std::sync::atomic::Ordering;
use strongroom_crypto::OsEntropy;
use strongroom_domain::directory::{AccessCredential, Expiry, Scopes};
use strongroom_domain::id::{CredentialId, OrganisationId, ServiceAccountId};
use strongroom_domain::port::{AuthenticateError, Authenticated, Credential};
use strongroom_domain::principal::{CredentialScopes, Principal, Reach};
use strongroom_domain::value::SecretBytes;
use uuid::Uuid;

fn stored(issued: &IssuedAccessCredential, number: u128) -> AccessCredential {
    AccessCredential {
        id: CredentialId::new(Uuid::from_u128(number)),
        organisation: OrganisationId::new(Uuid::from_u128(number + 1)),
        service_account: ServiceAccountId::new(Uuid::from_u128(number + 2)),
        name: String::new(),
        description: String::new(),
        access_key: issued.access_key.clone(),
        digest: issued.digest,
        digest_key_version: issued.digest_key_version,
        scopes: Scopes::new(vec!["api:write".to_owned(), "kubernetes".to_owned()]).expect("known"),
        expires: None,
        created_at: micros(START),
    }
}

impl Case {
    fn issue(&self) -> IssuedAccessCredential {
        issue_access_credential(&OsEntropy, &*self.digest).expect("there is randomness")
    }

    fn store_credentials(&self, credentials: Vec<AccessCredential>) {
        *self.store.credentials.lock().expect("lock") = credentials;
    }

    async fn basic(&self, key: &str, secret: &[u8], at: i64) -> Result<Authenticated, AuthenticateError> {
        let secret = SecretBytes::copy_of(secret);
        self.show(Credential::AccessKey { key: key.to_owned(), secret }, at).await
    }
}

#[tokio::test]
async fn an_access_key_gives_its_service_account() {
    let case = Case::new();
    let (issued, other) = (case.issue(), case.issue());
    // Another organisation may hold the same key.
    let twin = AccessCredential { access_key: issued.access_key.clone(), ..stored(&other, 20) };
    case.store_credentials(vec![twin, stored(&issued, 10)]);
    let found = caller(case.basic(&issued.access_key, issued.access_secret.expose(), START).await);
    assert_eq!(found.principal, Principal::ServiceAccount(ServiceAccountId::new(Uuid::from_u128(12))));
    assert_eq!(found.credential, CredentialId::new(Uuid::from_u128(10)));
    assert_eq!(found.scopes, CredentialScopes { read: false, write: true });
    assert!(matches!(found.reach, Reach::Only(only) if only == OrganisationId::new(Uuid::from_u128(11))));
    assert_eq!(found.subject.service_account, Some(found.principal.to_string()));
}

#[tokio::test]
async fn wrong_pairs_are_refused() {
    let case = Case::new();
    let (issued, other) = (case.issue(), case.issue());
    case.store_credentials(vec![stored(&issued, 10), stored(&other, 20)]);
    let (key, secret) = (issued.access_key.as_str(), issued.access_secret.expose());
    assert!(case.basic(key, secret, START).await.is_ok());
    assert!(is_refused(&case.basic(key, other.access_secret.expose(), START).await));
    assert!(is_refused(&case.basic(&other.access_key, secret, START).await));
    assert!(is_refused(&case.basic(key, &secret[1..], START).await));
    assert!(is_refused(&case.basic(key, b"", START).await));
    assert!(is_refused(&case.basic(key, &issued.digest, START).await));
    assert!(is_refused(&case.basic(&key.to_lowercase(), secret, START).await));
    assert!(is_refused(&case.basic("", secret, START).await));
    // The secret alone is no token.
    assert!(is_refused(&case.token(secret, START).await));
    let reads = case.reads();
    assert!(is_refused(&case.basic(&"k".repeat(129), secret, START).await));
    assert!(is_refused(&case.basic(key, &[b's'; 257], START).await));
    assert_eq!(case.reads(), reads, "nothing that long was ever issued");
}

#[tokio::test]
async fn a_credential_ends_and_goes() {
    let case = Case::new();
    let issued = case.issue();
    let end = START + SECOND / 2;
    let expires = Some(Expiry { at: micros(end), text: micros(end).to_rfc3339() });
    case.store_credentials(vec![AccessCredential { expires, ..stored(&issued, 10) }]);
    let (key, secret) = (issued.access_key.as_str(), issued.access_secret.expose());
    assert!(case.basic(key, secret, end - 1).await.is_ok());
    assert!(is_refused(&case.basic(key, secret, end).await));

    case.store_credentials(vec![stored(&issued, 10)]);
    assert!(case.basic(key, secret, end).await.is_ok());
    case.store_credentials(Vec::new());
    let reads = case.reads();
    assert!(case.basic(key, secret, end + SECOND - 1).await.is_ok(), "a yes may be that old");
    assert_eq!(case.reads(), reads);
    assert!(is_refused(&case.basic(key, secret, end + SECOND).await));
    case.store.down.store(true, Ordering::SeqCst);
    assert!(is_unavailable(&case.basic(key, secret, end + SECOND).await));
}

#[test]
fn secrets_are_verified_for_the_token_endpoint() {
    let case = Case::new();
    let (issued, other) = (case.issue(), case.issue());
    let credential = stored(&issued, 10);
    assert!(verify_secret(&*case.digest, &credential, &issued.access_secret));
    assert!(!verify_secret(&*case.digest, &credential, &other.access_secret));
    assert!(!verify_secret(&*case.digest, &credential, &SecretBytes::copy_of(b"")));
}
