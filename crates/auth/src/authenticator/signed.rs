use super::MAX_KNOWN;
use crate::access_tokens::{AccessTokens, VerifiedAccessToken};
use crate::foreign::{ForeignTokenVerifier, Keys};
use crate::jwt;
use quick_cache::sync::Cache;
use std::sync::Arc;
use strongroom_domain::directory::Login;
use strongroom_domain::document::Document;
use strongroom_domain::port::{
    AuthenticateError, Authenticated, ForeignClaims, ForeignTokenError, KeyedDigest, ReadError, ReadErrorKind,
    TokenIssuer, UserLogin,
};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;

/// How long a login that was verified serves without its issuer's keys.
const MAX_LOGIN_AGE_MICROS: u64 = 60_000_000;
/// The longest issuer, in bytes.
const MAX_ISSUER_LEN: usize = 1_024;
/// The longest subject, in bytes (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT_LEN: usize = 255;
/// How much of a name or address is taken, in characters.
const MAX_TEXT_CHARS: usize = 255;

/// An issuer that the operator trusts with logins of users.
#[derive(Clone, Debug)]
pub struct LoginIssuer {
    /// The issuer, compared exactly with `iss`.
    pub issuer: String,
    /// What its tokens must name in `aud`.
    pub audience: String,
    /// Where its keys are; `None` for where its discovery document says.
    pub jwks_uri: Option<String>,
}

/// A token that was verified.
enum Known {
    Access(VerifiedAccessToken),
    Login { login: UserLogin, verified_at: Timestamp },
}

/// Signed tokens: ours, and logins.
pub(super) struct SignedTokens {
    access_tokens: Arc<AccessTokens>,
    foreign_tokens: Arc<ForeignTokenVerifier>,
    logins: Vec<LoginIssuer>,
    digest: Arc<dyn KeyedDigest>,
    /// By the digest of the whole token. Only tokens that were right.
    known: Cache<[u8; 32], Arc<Known>>,
}

impl SignedTokens {
    pub(super) fn new(
        access_tokens: Arc<AccessTokens>,
        foreign_tokens: Arc<ForeignTokenVerifier>,
        logins: Vec<LoginIssuer>,
        digest: Arc<dyn KeyedDigest>,
    ) -> Self {
        Self { access_tokens, foreign_tokens, logins, digest, known: Cache::new(MAX_KNOWN) }
    }

    pub(super) async fn find(&self, token: &SecretBytes, at: Timestamp) -> Result<Authenticated, AuthenticateError> {
        let digest = self.digest.digest(token.expose());
        match self.known.get(&digest).as_deref() {
            Some(Known::Access(token)) if at < token.expires_at && self.access_tokens.knows(&token.key) => {
                return Ok(Authenticated::Caller(Arc::clone(&token.caller)));
            }
            Some(Known::Login { login, verified_at })
                if at < login.expires_at
                    && at >= *verified_at
                    && at.micros_since(*verified_at) < MAX_LOGIN_AGE_MICROS =>
            {
                return Ok(Authenticated::Login(login.clone()));
            }
            _ => {}
        }
        let issuer = jwt::unverified_issuer(token.expose()).ok_or(AuthenticateError::Refused)?;
        let (known, authenticated) = if issuer == self.access_tokens.issuer() {
            let token = self.access_tokens.verify(token.expose(), at).await?;
            let caller = Arc::clone(&token.caller);
            (Known::Access(token), Authenticated::Caller(caller))
        } else {
            let login = self.login(&issuer, token, at).await?;
            (Known::Login { login: login.clone(), verified_at: at }, Authenticated::Login(login))
        };
        self.known.insert(digest, Arc::new(known));
        Ok(authenticated)
    }

    async fn login(&self, issuer: &str, token: &SecretBytes, at: Timestamp) -> Result<UserLogin, AuthenticateError> {
        if issuer.len() > MAX_ISSUER_LEN {
            return Err(AuthenticateError::Refused);
        }
        let trusted = || self.logins.iter().filter(|login| login.issuer == issuer);
        let keys = trusted().next().ok_or(AuthenticateError::Refused)?;
        let keys = Keys { issuer, jwks_uri: keys.jwks_uri.as_deref(), local_jwks: None, organisation: None };
        let claims = self.foreign_tokens.verify_by(keys, token, at).await.map_err(|error| match error {
            ForeignTokenError::Refused(_) => AuthenticateError::Refused,
            ForeignTokenError::Unavailable(text) => {
                AuthenticateError::unavailable(ReadError::new(ReadErrorKind::Unavailable, text))
            }
        })?;
        if !trusted().any(|login| claims.audiences.contains(&login.audience)) {
            return Err(AuthenticateError::Refused);
        }
        // They are kept, and shown to others.
        if claims.subject.len() > MAX_SUBJECT_LEN || claims.subject.contains(char::is_control) {
            return Err(AuthenticateError::Refused);
        }
        let name = Some(text(&claims, "name")).filter(|name| !name.is_empty());
        Ok(UserLogin {
            name: name.unwrap_or_else(|| text(&claims, "preferred_username")),
            email: if is_unverified(&claims) { String::new() } else { text(&claims, "email") },
            expires_at: claims.expires_at,
            login: Login { issuer: issuer.to_owned(), subject: claims.subject },
        })
    }
}

fn claim<'a>(claims: &'a ForeignClaims, name: &str) -> Option<&'a Document> {
    claims.claims.iter().find(|(member, _)| member == name).map(|(_, value)| value)
}

/// What can be shown of a claim that is a text; nothing of another.
fn text(claims: &ForeignClaims, name: &str) -> String {
    let Some(Document::Text(text)) = claim(claims, name) else { return String::new() };
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT_CHARS).collect()
}

/// Whether the issuer says that the address may be another's. Some say so in words.
fn is_unverified(claims: &ForeignClaims) -> bool {
    match claim(claims, "email_verified") {
        Some(Document::Bool(verified)) => !verified,
        Some(Document::Text(verified)) => verified == "false",
        _ => false,
    }
}
