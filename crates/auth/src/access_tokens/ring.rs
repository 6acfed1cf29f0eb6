use super::failed;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, OctetKeyPairParameters, OctetKeyPairType, ThumbprintHash,
};
use strongroom_crypto::{Ed25519Signer, open_instance_key};
use strongroom_domain::port::{RootKey, TokenIssuerError, TokenKey};
use strongroom_domain::root_key::{InstanceKeyPurpose, SealedInstanceKey};

/// How many keys verify tokens.
const MAX_KEYS: usize = 3;

/// A key that tokens are verified with.
pub(super) struct RingKey {
    version: u32,
    pub(super) token_key: TokenKey,
    pub(super) decoding: DecodingKey,
}

/// The keys of access tokens, newest first.
pub(super) struct Ring {
    keys: Vec<RingKey>,
    /// Of the first key.
    signer: Option<Ed25519Signer>,
}

impl Ring {
    /// Opens the newest keys. All of them, since a public key that stands beside a sealed one proves nothing by itself.
    pub(super) fn open(root: &dyn RootKey, sealed: &[SealedInstanceKey]) -> Result<Self, TokenIssuerError> {
        let mut sealed: Vec<_> = sealed.iter().filter(|key| signs_tokens(key)).collect();
        sealed.sort_by_key(|key| std::cmp::Reverse(key.version));
        let mut ring = Self { keys: Vec::new(), signer: None };
        for stored in sealed.into_iter().take(MAX_KEYS) {
            let seed = open_instance_key(root, stored).map_err(|error| TokenIssuerError {
                context: "a key of access tokens cannot be opened",
                source: Some(error.into()),
            })?;
            let signer = Ed25519Signer::from_seed(&seed).map_err(|error| TokenIssuerError {
                context: "a key of access tokens is damaged",
                source: Some(error.into()),
            })?;
            let public = signer.public_key();
            let token_key = TokenKey { id: thumbprint(&public)?, public };
            let decoding = DecodingKey::from_ed_der(&public);
            ring.keys.push(RingKey { version: stored.version, token_key, decoding });
            ring.signer.get_or_insert(signer);
        }
        Ok(ring)
    }

    pub(super) fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    pub(super) fn key(&self, id: &str) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.token_key.id == id)
    }

    pub(super) fn signer(&self) -> Option<(&RingKey, &Ed25519Signer)> {
        Some((self.keys.first()?, self.signer.as_ref()?))
    }

    /// 0 when there is none.
    pub(super) fn newest_version(&self) -> u32 {
        self.keys.first().map_or(0, |key| key.version)
    }
}

fn signs_tokens(key: &SealedInstanceKey) -> bool {
    key.purpose == InstanceKeyPurpose::TokenSigning
}

/// The newest version among stored keys; 0 when there is none.
pub(super) fn newest_version(sealed: &[SealedInstanceKey]) -> u32 {
    sealed.iter().filter(|key| signs_tokens(key)).map(|key| key.version).max().unwrap_or(0)
}

/// The thumbprint of a key (RFC 7638), which names it.
pub(super) fn thumbprint(public: &[u8; 32]) -> Result<String, TokenIssuerError> {
    let parameters = OctetKeyPairParameters {
        key_type: OctetKeyPairType::OctetKeyPair,
        curve: EllipticCurve::Ed25519,
        x: data_encoding::BASE64URL_NOPAD.encode(public),
    };
    let jwk = Jwk { common: CommonParameters::default(), algorithm: AlgorithmParameters::OctetKeyPair(parameters) };
    jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| failed("a key of access tokens has no thumbprint"))
}
