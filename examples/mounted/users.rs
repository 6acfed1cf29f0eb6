//! The program's own users, as the engine is told of them.

use async_trait::async_trait;
use std::sync::Arc;
use strongroom::domain::iam::{Grants, Rule};
use strongroom::domain::id::{CredentialId, OrganisationId, RuleId, UserId};
use strongroom::domain::port::{AuthenticateError, Authenticated, Authenticator, Credential, IdGenerator};
use strongroom::domain::principal::{Caller, CredentialScopes, Membership, Principal, Reach, Token};
use strongroom::domain::time::Timestamp;
use strongroom_crypto::hmac_sha256;
use strongroom_system::SystemIds;
use uuid::Uuid;

/// Two users, each with one token. A program of one's own would look into its sessions or its directory here.
pub(crate) struct Users(Vec<(Digest, Arc<Caller>)>);

type Digest = [u8; 32];

impl Users {
    /// The owner may do everything; the reader may list, read and reveal what is below `/shared`, and use keys for that.
    pub(crate) fn new(organisation: OrganisationId, owner: &str, reader: &str) -> Self {
        let everything = vec![Rule::everything(RuleId::new(SystemIds.next()))];
        let shared =
            vec![rule("secret", "/shared/*", &["list", "read", "getSecretValue"]), rule("kms_key", "*", &["decrypt"])];
        // A user keeps one identity for good: policies name it, and the audit log.
        let user = |id: u128, token: &str, rules: Vec<Rule>| {
            let id = Uuid::from_u128(id);
            let grants = Arc::new(Grants::compile(rules));
            let reach = Reach::Given(vec![Membership { organisation, grants }]);
            let (user, credential) = (Principal::User(UserId::new(id)), CredentialId::new(id));
            (digest(token.as_bytes()), Arc::new(Caller::new(user, credential, CredentialScopes::ALL, reach)))
        };
        Self(vec![user(1, owner, everything), user(2, reader, shared)])
    }
}

#[async_trait]
impl Authenticator for Users {
    async fn authenticate(&self, credential: &Credential, _: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let Credential::Token(token) = credential else { return Err(AuthenticateError::Refused) };
        let shown = digest(token.expose());
        let known = self.0.iter().find(|(digest, _)| *digest == shown);
        known.map(|(_, caller)| Authenticated::Caller(Arc::clone(caller))).ok_or(AuthenticateError::Refused)
    }

    fn forget(&self, _: &Token) {}
}

/// Tokens are kept and compared as digests, so that how long a comparison takes tells nothing about a token.
fn digest(token: &[u8]) -> Digest {
    hmac_sha256(b"tokens of the example", token)
}

fn rule(resource: &str, which: &str, permissions: &[&str]) -> Rule {
    Rule {
        id: RuleId::new(SystemIds.next()),
        resources: vec![resource.to_owned()],
        resource_identities: vec![which.to_owned()],
        permissions: permissions.iter().map(|&permission| permission.to_owned()).collect(),
        note: String::new(),
    }
}
