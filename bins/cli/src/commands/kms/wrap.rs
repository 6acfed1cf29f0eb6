//! The way of key material to the server: RSA-OAEP over an ephemeral AES-256 key, then the material under AES-KWP (RFC 5649) with it.

use super::data::of_pem;
use crate::commands::generator::{self, Encoding};
use crate::failure::Failure;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
    OaepPublicEncryptingKey, PublicEncryptingKey,
};
use clap::ValueEnum;
use strongroom_client::Plain;
use zeroize::Zeroizing;

/// How much longer AES-KWP may make its input.
const KWP_OVERHEAD: usize = 15;

/// The hash of RSA-OAEP, for its label and MGF1 alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OaepHash {
    Sha256,
    Sha384,
    Sha512,
    Sha1,
}

impl OaepHash {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha1 => "sha1",
        }
    }

    const fn algorithm(self) -> &'static OaepAlgorithm {
        match self {
            Self::Sha256 => &OAEP_SHA256_MGF1SHA256,
            Self::Sha384 => &OAEP_SHA384_MGF1SHA384,
            Self::Sha512 => &OAEP_SHA512_MGF1SHA512,
            Self::Sha1 => &OAEP_SHA1_MGF1SHA1,
        }
    }
}

/// Wraps material under a wrapping key, an RSA public key in PEM.
pub(super) fn wrap(wrapping_key: &str, material: &Plain, hash: OaepHash) -> Result<Plain, Failure> {
    let bad_key = || {
        Failure::failed("the server's wrapping key is no RSA public key in PEM")
            .hint("`strongroom kms wrapping-key` shows it; is it a Strongroom server of this release?")
    };
    let der = of_pem(wrapping_key, "PUBLIC KEY").ok_or_else(bad_key)?;
    let key = PublicEncryptingKey::from_der(&der).and_then(|key| Ok(OaepPublicEncryptingKey::new(key)?));
    let key = key.map_err(|error| bad_key().because(error))?;

    let refused = |_| Failure::failed("the key material cannot be wrapped").hint("is it too long to be a key?");
    let ephemeral = generator::named(32, Encoding::Raw)?;
    let mut wrapped = Zeroizing::new(vec![0; key.ciphertext_size()]);
    key.encrypt(hash.algorithm(), ephemeral.expose(), &mut wrapped, None).map_err(refused)?;
    let kek = AesKek::new(&AES_256, ephemeral.expose()).map_err(refused)?;
    let mut sealed = Zeroizing::new(vec![0; material.len() + KWP_OVERHEAD]);
    let sealed = kek.wrap_with_padding(material.expose(), &mut sealed).map_err(refused)?;
    wrapped.extend_from_slice(sealed);
    Ok(Plain::new(wrapped))
}
