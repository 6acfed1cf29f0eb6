use crate::{Error, Sensitive};
use core::error::Error as StdError;
use core::time::Duration;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The largest subject token that is read, in bytes: the server takes no longer one.
const MAX_SUBJECT_LEN: u64 = 16 * 1024;

/// What a client proves with who it is.
#[derive(Clone)]
#[non_exhaustive]
pub enum Credentials {
    /// A token as it is: a personal access token, an operator's token, or one that was issued elsewhere.
    Token(Sensitive),
    /// An access credential of a service account. Access tokens are had for it, and renewed before they end.
    ServiceAccount {
        /// Its public part.
        access_key: String,
        /// Its secret part.
        access_secret: Sensitive,
    },
    /// A token of another issuer, such as that of a Kubernetes pod, which is exchanged for access tokens of a service account.
    Exchange {
        /// Where the other issuer's token is had, each time anew.
        subject: SubjectSource,
        /// The organisation, by identity or slug.
        organisation: String,
        /// The service account, by identity or slug.
        service_account: String,
        /// How long an access token shall be good for, 1 minute to 24 hours; `None` for an hour.
        lifetime: Option<Duration>,
    },
}

type Ask = dyn Fn() -> Result<Sensitive, Box<dyn StdError + Send + Sync>> + Send + Sync;

/// Where a token is had that is to be exchanged. It is asked for each exchange, since such tokens are short-lived.
#[derive(Clone)]
pub struct SubjectSource(Arc<Ask>);

impl SubjectSource {
    /// A file that something keeps up to date, such as a projected token of Kubernetes. Space around the token doesn't count.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self::ask(move || {
            // With room from the start, so that no copy is left behind by growing.
            let mut text = Zeroizing::new(String::with_capacity(MAX_SUBJECT_LEN as usize + 1));
            std::fs::File::open(&path)?.take(MAX_SUBJECT_LEN + 1).read_to_string(&mut text)?;
            Ok(Sensitive::from(text.trim()))
        })
    }

    /// A function that gives the token. It must not take long: the call waits for it.
    pub fn ask(ask: impl Fn() -> Result<Sensitive, Box<dyn StdError + Send + Sync>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub(crate) fn token(&self) -> Result<Sensitive, Error> {
        #[derive(Debug, thiserror::Error)]
        #[error("{0}")]
        struct Unread(#[source] Box<dyn StdError + Send + Sync>);
        let token = (self.0)().map_err(|error| {
            Error::bad_input("the token that is to be exchanged can't be read").because(Unread(error))
        })?;
        if token.expose().is_empty() || token.expose().len() as u64 > MAX_SUBJECT_LEN {
            return Err(Error::bad_input("the token that is to be exchanged is empty, or longer than 16 KiB"));
        }
        Ok(token)
    }
}
