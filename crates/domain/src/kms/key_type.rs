use core::fmt;

/// What a key is and can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// AES-128-GCM with 96-bit nonces.
    Aes128Gcm96,
    /// AES-256-GCM with 96-bit nonces: the default.
    #[default]
    Aes256Gcm96,
    /// ChaCha20-Poly1305 (RFC 8439).
    ChaCha20Poly1305,
    /// RSA with a modulus of 2048 bits: OAEP and PSS (RFC 8017).
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits.
    Rsa4096,
    /// ECDSA over P-256 (FIPS 186-5).
    EcdsaP256,
    /// ECDSA over P-384.
    EcdsaP384,
    /// ECDSA over P-521.
    EcdsaP521,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// HMAC-SHA-256 (RFC 2104) under its short name.
    Hmac,
    /// HMAC-SHA-256.
    HmacSha256,
    /// HMAC-SHA-512.
    HmacSha512,
}

impl KeyType {
    /// Every type.
    pub const ALL: [Self; 13] = [
        Self::Aes128Gcm96,
        Self::Aes256Gcm96,
        Self::ChaCha20Poly1305,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::EcdsaP521,
        Self::Ed25519,
        Self::Hmac,
        Self::HmacSha256,
        Self::HmacSha512,
    ];

    /// The name on the wire and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes128Gcm96 => "aes128-gcm96",
            Self::Aes256Gcm96 => "aes256-gcm96",
            Self::ChaCha20Poly1305 => "chacha20-poly1305",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::EcdsaP521 => "ecdsa-p521",
            Self::Ed25519 => "ed25519",
            Self::Hmac => "hmac",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key_type| key_type.as_str() == name)
    }

    /// Whether its keys are used with one secret that both sides know, for encryption with associated data.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Aes128Gcm96 | Self::Aes256Gcm96 | Self::ChaCha20Poly1305)
    }

    /// Whether its keys are RSA keys.
    #[must_use]
    pub const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }

    /// Whether its keys can wrap the data keys of secrets: only those that bind associated data.
    #[must_use]
    pub const fn wraps_data_keys(self) -> bool {
        self.is_symmetric()
    }

    /// Whether its keys encrypt and decrypt.
    #[must_use]
    pub const fn encrypts(self) -> bool {
        self.is_symmetric() || self.is_rsa()
    }

    /// Whether its keys sign and verify.
    #[must_use]
    pub const fn signs(self) -> bool {
        self.is_rsa() || matches!(self, Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 | Self::Ed25519)
    }

    /// Whether its keys make and verify HMACs.
    #[must_use]
    pub const fn authenticates(self) -> bool {
        matches!(self, Self::Hmac | Self::HmacSha256 | Self::HmacSha512)
    }

    /// Whether its keys have a public part.
    #[must_use]
    pub const fn has_public_key(self) -> bool {
        self.signs()
    }

    /// Whether material made elsewhere can become a key of this type.
    #[must_use]
    pub const fn is_importable(self) -> bool {
        !self.authenticates()
    }

    /// The length of the key material, in bytes, where it is plain bytes; `None` where it is a PKCS#8 document (RFC 5958).
    #[must_use]
    pub const fn material_len(self) -> Option<usize> {
        match self {
            Self::Aes128Gcm96 => Some(16),
            Self::Aes256Gcm96 | Self::ChaCha20Poly1305 | Self::Hmac | Self::HmacSha256 => Some(32),
            Self::HmacSha512 => Some(64),
            Self::Rsa2048
            | Self::Rsa3072
            | Self::Rsa4096
            | Self::EcdsaP256
            | Self::EcdsaP384
            | Self::EcdsaP521
            | Self::Ed25519 => None,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::KeyType;

    #[test]
    fn every_type_has_a_name_and_a_use() {
        for key_type in KeyType::ALL {
            assert_eq!(KeyType::from_name(key_type.as_str()), Some(key_type));
            assert!(key_type.encrypts() || key_type.signs() || key_type.authenticates(), "{key_type}");
            assert_eq!(key_type.has_public_key(), key_type.material_len().is_none(), "{key_type}");
        }
        assert_eq!(KeyType::from_name("AES256-GCM96"), None);
        assert_eq!(KeyType::default(), KeyType::Aes256Gcm96);
    }
}
