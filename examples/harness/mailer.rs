//! The service under test: it sends mails, and needs a password for that.

use std::sync::Arc;
use strongroom::domain::path::SecretPath;
use strongroom::domain::value::SecretValue;
use strongroom::domain::version::VersionSelector;
use strongroom::{Code, Engine, Error, Session};
use strongroom_crypto::hmac_sha256;

/// Sends mails with the password at a path.
pub(crate) struct Mailer {
    engine: Arc<Engine>,
    session: Session,
    password: SecretPath,
}

/// What the mail server was shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Which version of the password was used.
    pub(crate) version: u64,
    pub(crate) authentication: [u8; 32],
}

/// Why a mail was not sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MailError {
    NotConfigured,
    NotAllowed,
    TryLater,
}

impl From<Error> for MailError {
    fn from(error: Error) -> Self {
        match error.code() {
            Code::SecretNotFound | Code::NoActiveVersion => Self::NotConfigured,
            Code::Forbidden | Code::AccessPolicyDenied | Code::KeyForbidden => Self::NotAllowed,
            _ => Self::TryLater,
        }
    }
}

impl Mailer {
    pub(crate) fn new(engine: Arc<Engine>, session: Session, password: SecretPath) -> Self {
        Self { engine, session, password }
    }

    /// Takes the password for this one mail; it is not kept.
    pub(crate) async fn send(&self, mail: &str) -> Result<Sent, MailError> {
        let reveal = self.engine.reveal(&self.session, self.password.clone()).await?;
        let revealed = reveal.run(VersionSelector::Current).await?;
        let SecretValue::String(password) = &revealed.value else { return Err(MailError::NotConfigured) };
        Ok(Sent { version: revealed.version.get(), authentication: authentication(password.expose(), mail) })
    }
}

/// How a mail shows that its sender knows the password.
pub(crate) fn authentication(password: &[u8], mail: &str) -> [u8; 32] {
    hmac_sha256(password, mail.as_bytes())
}
