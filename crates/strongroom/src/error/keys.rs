//! What goes wrong with keys, as callers hear it.

use super::{Code, Error, sentence};
use strongroom_domain::kms::{KeyStateError, RotationError};
use strongroom_domain::port::{ImportKeyError, ImportKeyErrorKind, KmsError, KmsErrorKind};

impl From<KmsError> for Error {
    fn from(error: KmsError) -> Self {
        match error.kind() {
            KmsErrorKind::Unavailable => {
                Self::new(Code::KmsUnavailable, "The region's KMS cannot be reached; try again shortly.")
            }
            KmsErrorKind::NotAuthentic => {
                Self::new(Code::Internal, "The KMS key does not open what is stored under it; tell the operator.")
            }
            KmsErrorKind::BadHandle => Self::new(
                Code::KeyUnusable,
                "The KMS cannot use the material of this key, which was lost or damaged; tell the operator.",
            ),
            KmsErrorKind::OtherKms => Self::new(
                Code::KmsNotConfigured,
                "The key is kept by another KMS than this server has for its region; tell the operator that the server's configuration lacks \
                 the section `[regions.<region>]` which names that KMS.",
            ),
            KmsErrorKind::TooLong => {
                Self::new(Code::InvalidRequest, "The plaintext is longer than a key of this type takes.")
            }
            KmsErrorKind::BadMaterial => Self::new(
                Code::BadKeyMaterial,
                "The key material is not one of the key's type, or too weak to be used.",
            ),
            KmsErrorKind::Unsupported => {
                Self::new(Code::UnsupportedOperation, "The region's KMS cannot do this with keys of this type.")
            }
        }
        .because(error)
    }
}

impl From<ImportKeyError> for Error {
    fn from(error: ImportKeyError) -> Self {
        match error.kind() {
            ImportKeyErrorKind::Unavailable => {
                Self::new(Code::KmsUnavailable, "The wrapping key cannot be used right now; try again shortly.")
            }
            ImportKeyErrorKind::Damaged => {
                Self::new(Code::Internal, "The stored wrapping key is damaged; tell the operator.")
            }
            // One text for every cause, so that none can be told from another.
            ImportKeyErrorKind::NotAuthentic => Self::new(
                Code::BadKeyMaterial,
                "`importKeyMaterial` cannot be unwrapped. It wants base64 of 512 bytes, RSA-OAEP with the hash `hashFunction` over a fresh AES-256 key under the present wrapping key (GET …/wrapping-key), followed by AES-KWP (RFC 5649) of the material under that AES key.",
            ),
        }
        .because(error)
    }
}

impl From<RotationError> for Error {
    fn from(error: RotationError) -> Self {
        Self::new(Code::InvalidRequest, sentence(&error))
    }
}

impl From<KeyStateError> for Error {
    fn from(error: KeyStateError) -> Self {
        let code = match error {
            KeyStateError::Disabled => Code::KeyUnusable,
            KeyStateError::PendingDeletion => Code::KeyPendingDeletion,
            KeyStateError::FixedMaterial | KeyStateError::TooManyVersions => Code::UnsupportedOperation,
            KeyStateError::Retired { .. } => Code::KeyVersionRetired,
            KeyStateError::NoSuchVersion(_) => Code::KeyVersionNotFound,
        };
        Self::new(code, sentence(&error))
    }
}
