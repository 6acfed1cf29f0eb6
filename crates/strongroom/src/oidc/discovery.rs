use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::port::TokenKey;

/// What others need to know of our access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The issuer that tokens name: the installation's public URL.
    pub issuer: String,
    /// The keys that verify tokens, newest first.
    pub keys: Vec<TokenKey>,
}

impl Engine {
    /// Who issues access tokens, and the keys that verify them. Open to everybody; leaves no record.
    ///
    /// # Errors
    /// [`Code::NoCredentials`](crate::Code::NoCredentials).
    pub fn discovery(&self) -> Result<Discovery, Error> {
        let issuer = &self.credentials()?.issuer;
        Ok(Discovery { issuer: issuer.issuer().to_owned(), keys: issuer.keys() })
    }
}
