//! Where a PostgreSQL database is, perhaps with a password.

use core::convert::Infallible;
use core::fmt;
use core::str::FromStr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A URL as it was given. Not looked at before the store is opened, so that no message about command line or configuration shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DatabaseUrl(Arc<Zeroizing<String>>);

impl DatabaseUrl {
    pub(crate) fn new(text: &str) -> Self {
        Self(Arc::new(Zeroizing::new(text.to_owned())))
    }

    /// The text, with the password if there is one in it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

#[cfg(test)]
mod tests {
    use super::DatabaseUrl;

    #[test]
    fn it_does_not_show() {
        let url: DatabaseUrl = "postgres://u:hidden@h/d".parse().expect("any text");
        assert_eq!(url.expose(), "postgres://u:hidden@h/d");
        assert!(!format!("{url:?}").contains("hidden"));
    }
}
