use strongroom_domain::port::{EntropyError, KmsError, KmsErrorKind};

/// What the server said no to, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no key of that name.
    KeyGone,
    /// The key has no such version any more, or yet.
    VersionGone,
    /// The ciphertext doesn't open.
    NotAuthentic,
    /// The signature or HMAC isn't even one.
    BadSignature,
    /// The key may not be exported.
    NotExportable,
    /// There is a key of that name already.
    Exists,
    /// The material isn't one of the key's type.
    BadMaterial,
    /// The server has no such key type.
    UnknownType,
    /// The plaintext is longer than the key takes.
    TooLong,
    /// Anything else.
    Other,
}

/// A request to the server that led to nothing. Says nothing of what was sent or answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the Transit server cannot be connected to, or its certificate is not trusted")]
    Unreachable(#[source] reqwest::Error),
    #[error("the connection to the Transit server broke")]
    Broken(#[source] reqwest::Error),
    #[error("the Transit server did not answer in time")]
    TimedOut,
    #[error("the Transit server has failed several times in a row, and is not asked again for some seconds")]
    Resting,
    #[error("the Transit server answers with status {0}")]
    Status(u16),
    #[error("the Transit server answers with a redirect, and none is followed: configure the address that it names")]
    Redirect,
    #[error("the Transit server's answer is not one of the Transit API")]
    Garbage,
    #[error("the Transit server's answer is larger than any of the Transit API")]
    TooLarge,
    #[error("the Transit server answers for another key or version than it was asked for")]
    OtherKey,
    #[error("the Transit server's answer has another length than the key makes")]
    OtherLength,
    #[error("the Transit server has a key of this name with other properties or material")]
    OtherProperties,
    #[error("the Transit server does not authenticate `associated_data`; OpenBao and Vault from 1.13 do")]
    IgnoresAssociatedData,
    #[error("the Transit server does not derive keys from `context`, though it says that the key is `derived`")]
    IgnoresContext,
    #[error(
        "the Transit server's key of this name is not `derived`: others made it, or the server passes over `derived`"
    )]
    NotDerived,
    #[error("the Transit server derives message keys of this key by another function than `hkdf_sha256`")]
    OtherDerivation,
    #[error("nothing is mounted at `{0}` of the Transit server, or not in this namespace")]
    NoMount(String),
    #[error("the Transit server refuses the token; its policy needs `{capability}` on `{path}`")]
    Denied { capability: &'static str, path: String },
    #[error("the Transit server refuses the request with status {status}")]
    Refused { status: u16, refusal: Refusal },
    #[error("the token file {0}")]
    Token(String),
    #[error("the request could not be built")]
    Request,
    #[error("a context could not be drawn")]
    Entropy(#[source] EntropyError),
}

impl CallError {
    /// Whether the same request may be answered a moment later.
    pub(crate) const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken(_) | Self::TimedOut | Self::Garbage => true,
            // 412: a node that hasn't seen an earlier write yet. 429: too many requests. 472 to 474: a node that can't serve.
            Self::Status(status) => *status >= 500 || matches!(*status, 412 | 429 | 472..=474),
            _ => false,
        }
    }

    /// Whether it tells that the server doesn't work, rather than that it doesn't want to.
    pub(crate) const fn is_failure(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken(_) | Self::TimedOut | Self::Garbage | Self::TooLarge => true,
            Self::Status(status) => *status >= 500,
            _ => false,
        }
    }

    /// Whether there is no key of that name.
    pub(crate) const fn is_key_gone(&self) -> bool {
        matches!(self, Self::Refused { refusal: Refusal::KeyGone, .. })
    }

    const fn kind(&self) -> KmsErrorKind {
        let Self::Refused { refusal, .. } = self else { return KmsErrorKind::Unavailable };
        match refusal {
            Refusal::KeyGone | Refusal::VersionGone | Refusal::NotExportable => KmsErrorKind::BadHandle,
            Refusal::NotAuthentic => KmsErrorKind::NotAuthentic,
            Refusal::BadMaterial => KmsErrorKind::BadMaterial,
            Refusal::UnknownType => KmsErrorKind::Unsupported,
            Refusal::TooLong => KmsErrorKind::TooLong,
            Refusal::BadSignature | Refusal::Exists | Refusal::Other => KmsErrorKind::Unavailable,
        }
    }

    /// What callers get. `doing` says what was tried.
    pub(crate) fn told(self, doing: &str) -> KmsError {
        let context = match &self {
            Self::Denied { .. } => format!("{doing}: {self}"),
            _ => doing.to_owned(),
        };
        KmsError::new(self.kind(), context).because(self)
    }
}

/// Why an operation ended: the server, or what was to be said before it was asked.
pub(crate) enum Failed {
    Call(CallError),
    Kms(KmsError),
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<KmsError> for Failed {
    fn from(error: KmsError) -> Self {
        Self::Kms(error)
    }
}

impl Failed {
    /// An answer that needs no server.
    pub(crate) fn with(kind: KmsErrorKind, context: &str) -> Self {
        Self::Kms(KmsError::new(kind, context))
    }

    /// The key's type has no such operation.
    pub(crate) fn unsupported() -> Self {
        Self::with(KmsErrorKind::Unsupported, "keys of this type have no such operation")
    }

    /// What callers get. `doing` says what was tried.
    pub(crate) fn told(self, doing: &str) -> KmsError {
        match self {
            Self::Call(error) => error.told(doing),
            Self::Kms(error) => error,
        }
    }
}
