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
}

impl KeyType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Aes128Gcm96, Self::Aes256Gcm96, Self::ChaCha20Poly1305];

    /// The name on the wire and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes128Gcm96 => "aes128-gcm96",
            Self::Aes256Gcm96 => "aes256-gcm96",
            Self::ChaCha20Poly1305 => "chacha20-poly1305",
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key_type| key_type.as_str() == name)
    }

    /// Whether keys of this type encrypt and decrypt, and so can wrap the data keys of secrets.
    #[must_use]
    pub const fn encrypts(self) -> bool {
        matches!(self, Self::Aes128Gcm96 | Self::Aes256Gcm96 | Self::ChaCha20Poly1305)
    }

    /// The length of the key material, in bytes.
    #[must_use]
    pub const fn material_len(self) -> usize {
        match self {
            Self::Aes128Gcm96 => 16,
            Self::Aes256Gcm96 | Self::ChaCha20Poly1305 => 32,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
