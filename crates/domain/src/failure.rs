//! How ports fail: a kind to decide on, a context to read, a cause to print once at the edge.

use core::error::Error;
use core::fmt;

/// What went wrong in an adapter.
#[derive(Debug)]
pub struct Failure<K> {
    kind: K,
    context: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl<K> Failure<K> {
    /// `context` says what the adapter was doing, in its own words, without a value, key or token.
    pub fn new(kind: K, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What to decide on.
    pub const fn kind(&self) -> &K {
        &self.kind
    }

    /// What the adapter was doing.
    pub fn context(&self) -> &str {
        &self.context
    }
}

impl<K> fmt::Display for Failure<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl<K: fmt::Debug> Error for Failure<K> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
