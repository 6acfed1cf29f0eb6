use async_trait::async_trait;

/// The largest JWK set or discovery document that is taken, in bytes.
pub const MAX_JWKS_LEN: usize = 256 * 1024;

/// Where keys may be fetched from. By default only over HTTPS, from public addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchRules {
    /// Whether loopback, link-local, private and other addresses that aren't public are allowed: for issuers inside the operator's own
    /// network. Whoever may set up providers can then have this server call any address there.
    pub private_addresses: bool,
    /// Whether HTTP without TLS is allowed: for tests. Whoever is on the way can then make up keys.
    pub plain_http: bool,
}

/// A document could not be fetched. The text says why, for whoever sets the issuer up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Gets documents from where issuers publish them.
#[async_trait]
pub trait JwksFetcher: Send + Sync {
    /// The document at this URL.
    ///
    /// - Goes where the rules that it was made with allow, and nowhere else: the address that is checked is the one that is connected
    ///   to.
    /// - Takes status 200 only, and follows no redirect.
    /// - Takes at most [`MAX_JWKS_LEN`] bytes.
    /// - May take as long as it wants: the caller has a deadline.
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError>;
}
