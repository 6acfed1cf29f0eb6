mod access_key;
mod opaque;
mod signed;

use super::{AuthenticatorPorts, LoginIssuer, StoreAuthenticator};
use crate::access_tokens::AccessTokens;
use crate::access_tokens::tests::Installation;
use crate::foreign::{FetchRules, ForeignTokenVerifier};
use crate::test_support::{Documents, TestClock, micros};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use strongroom_crypto::HmacSha256Digest;
use strongroom_domain::directory::DirectoryObject;
use strongroom_domain::directory::{AccessCredential, ObjectKind};
use strongroom_domain::failure::Failure;
use strongroom_domain::id::UserId;
use strongroom_domain::port::{
    AuthenticateError, Authenticated, Authenticator, Credential, DirectoryReader, KeyedDigest, ObjectQuery,
    ObjectSelector, ReadError, ReadErrorKind, TokenReader,
};
use strongroom_domain::principal::{Caller, Token};
use strongroom_domain::value::SecretBytes;

/// What a store knows, in maps. It counts its reads, and can be out of reach.
#[derive(Default)]
struct Store {
    tokens: Mutex<HashMap<[u8; 32], Token>>,
    credentials: Mutex<Vec<AccessCredential>>,
    reads: AtomicU32,
    down: AtomicBool,
}

impl Store {
    fn read(&self) -> Result<(), ReadError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(Failure::new(ReadErrorKind::Unavailable, "reading"));
        }
        Ok(())
    }
}

#[async_trait]
impl TokenReader for Store {
    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<Token>, ReadError> {
        self.read()?;
        let found = self.tokens.lock().expect("lock").get(digest).cloned();
        // What happens meanwhile happens after the read.
        tokio::task::yield_now().await;
        Ok(found)
    }

    async fn of_user(&self, _: UserId) -> Result<Vec<Token>, ReadError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl DirectoryReader for Store {
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<DirectoryObject>, ReadError> {
        self.read()?;
        assert_eq!((query.kind, query.organisation), (ObjectKind::AccessCredential, None));
        let ObjectSelector::Handle(handle) = &query.which else { panic!("by handle") };
        let credentials = self.credentials.lock().expect("lock");
        Ok(credentials.iter().filter(|it| it.access_key == *handle).cloned().map(DirectoryObject::from).collect())
    }
}

struct Case {
    store: Arc<Store>,
    documents: Arc<Documents>,
    digest: Arc<dyn KeyedDigest>,
    installation: Installation,
    access_tokens: Arc<AccessTokens>,
    authenticator: Arc<StoreAuthenticator>,
}

impl Case {
    fn new() -> Self {
        Self::trusting(Vec::new())
    }

    fn trusting(logins: Vec<LoginIssuer>) -> Self {
        let store = Arc::new(Store::default());
        let documents = Arc::new(Documents::default());
        let digest: Arc<dyn KeyedDigest> = Arc::new(HmacSha256Digest::new(&SecretBytes::copy_of(&[7; 32]), 1));
        let installation = Installation::new();
        let access_tokens = Arc::new(installation.node());
        installation.rotate(&access_tokens);
        let clock = Arc::new(TestClock::new());
        let foreign_tokens = ForeignTokenVerifier::new(documents.clone(), clock, FetchRules::default());
        let authenticator = StoreAuthenticator::new(AuthenticatorPorts {
            tokens: store.clone(),
            directory: store.clone(),
            digest: Arc::clone(&digest),
            access_tokens: Arc::clone(&access_tokens),
            foreign_tokens: Arc::new(foreign_tokens),
            logins,
        });
        Self { store, documents, digest, installation, access_tokens, authenticator: Arc::new(authenticator) }
    }

    async fn show(&self, credential: Credential, at: i64) -> Result<Authenticated, AuthenticateError> {
        self.authenticator.authenticate(&credential, micros(at)).await
    }

    async fn token(&self, token: &[u8], at: i64) -> Result<Authenticated, AuthenticateError> {
        self.show(Credential::Token(SecretBytes::copy_of(token)), at).await
    }

    fn reads(&self) -> u32 {
        self.store.reads.load(Ordering::SeqCst)
    }
}

fn caller(answer: Result<Authenticated, AuthenticateError>) -> Arc<Caller> {
    match answer {
        Ok(Authenticated::Caller(caller)) => caller,
        Ok(Authenticated::Login(_)) => panic!("a login"),
        Err(error) => panic!("{error}"),
    }
}

fn is_refused(answer: &Result<Authenticated, AuthenticateError>) -> bool {
    matches!(answer, Err(AuthenticateError::Refused))
}

fn is_unavailable(answer: &Result<Authenticated, AuthenticateError>) -> bool {
    matches!(answer, Err(AuthenticateError::Unavailable(_)))
}
