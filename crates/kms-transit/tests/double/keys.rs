//! Keys as the Transit engine keeps them.

use data_encoding::BASE64;
use std::collections::BTreeMap;
use strongroom_crypto::{OsEntropy, hmac_sha256, key_ops, open, seal};
use strongroom_domain::kms::{HashAlgorithm, KeyType, PublicKey, SignInput};
use strongroom_domain::port::Entropy;
use strongroom_domain::value::SecretBytes;

/// How the keys of single messages come of a key's material and a context.
#[derive(Clone, Copy)]
pub(crate) enum Derivation {
    /// HKDF-SHA256 without salt, the context as info.
    Hkdf,
    /// HMAC-SHA256 in counter mode: of keys that servers of an earlier state import.
    Counter,
}

pub(crate) struct Key {
    /// One of ours that is like it.
    pub(crate) key_type: KeyType,
    pub(crate) derivation: Option<Derivation>,
    pub(crate) key_size: usize,
    pub(crate) exportable: bool,
    pub(crate) imported: bool,
    pub(crate) deletion_allowed: bool,
    pub(crate) latest: u32,
    pub(crate) min_available: u32,
    pub(crate) min_decryption: u32,
    pub(crate) min_encryption: u32,
    pub(crate) versions: BTreeMap<u32, SecretBytes>,
}

/// A refusal: the name of its fixture.
pub(crate) type Refused = &'static str;

pub(crate) fn type_of(name: &str, key_size: usize) -> Option<KeyType> {
    match (name, key_size) {
        ("hmac", 32) => Some(KeyType::Hmac),
        ("hmac", 64) => Some(KeyType::HmacSha512),
        (name, 0) => KeyType::from_name(name).filter(|key_type| !key_type.authenticates()),
        _ => None,
    }
}

pub(crate) fn hash_of(name: &str) -> HashAlgorithm {
    HashAlgorithm::parse(name).unwrap_or_else(|| panic!("no hash {name}"))
}

impl Key {
    pub(crate) fn new(key_type: KeyType, key_size: usize, exportable: bool, material: SecretBytes) -> Self {
        Self {
            key_type,
            derivation: None,
            key_size,
            exportable,
            imported: false,
            deletion_allowed: false,
            latest: 1,
            min_available: 0,
            min_decryption: 1,
            min_encryption: 0,
            versions: BTreeMap::from([(1, material)]),
        }
    }

    pub(crate) fn remote_type(&self) -> &'static str {
        if self.key_type.authenticates() { "hmac" } else { self.key_type.as_str() }
    }

    /// The material to make something under.
    pub(crate) fn to_make(&self, version: u32, too_new: Refused, too_old: Refused) -> Result<&SecretBytes, Refused> {
        if version > self.latest {
            return Err(too_new);
        }
        if version < self.min_encryption {
            return Err(too_old);
        }
        self.versions.get(&version).ok_or(too_old)
    }

    /// The material to open or verify something under.
    pub(crate) fn to_check(&self, version: u32, too_new: Refused, too_old: Refused) -> Result<&SecretBytes, Refused> {
        if version > self.latest {
            return Err(too_new);
        }
        if version < self.min_decryption {
            return Err(too_old);
        }
        self.versions.get(&version).ok_or(too_old)
    }

    /// The key that encrypts in a context.
    fn message_key(&self, material: &SecretBytes, context: &[u8]) -> Vec<u8> {
        let material = material.expose();
        let Some(derivation) = self.derivation else { return material.to_vec() };
        assert!(!context.is_empty(), "refused by the server: missing 'context' for key derivation");
        let derived = match derivation {
            Derivation::Hkdf => hmac_sha256(&hmac_sha256(&[0; 32], material), &[context, &[1]].concat()),
            Derivation::Counter => panic!("no such key is ever used"),
        };
        derived[..material.len()].to_vec()
    }

    pub(crate) fn encrypt(&self, material: &SecretBytes, context: &[u8], aad: &[u8], plain: &SecretBytes) -> Vec<u8> {
        if self.key_type.is_rsa() {
            let entropy: &dyn Entropy = &OsEntropy;
            return key_ops::encrypt(self.key_type, material.expose(), entropy, &[], plain).expect("encrypts");
        }
        let mut nonce = [0; 12];
        OsEntropy.fill(&mut nonce).expect("fills");
        let key = self.message_key(material, context);
        let sealed = seal(self.key_type, &key, &nonce, aad, plain).expect("seals");
        [&nonce[..], &sealed].concat()
    }

    pub(crate) fn decrypt(
        &self,
        material: &SecretBytes,
        context: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, Refused> {
        if self.key_type.is_rsa() {
            return key_ops::decrypt(self.key_type, material.expose(), &[], ciphertext)
                .map_err(|_| "decrypt-rsa-not-authentic");
        }
        let (nonce, sealed) = ciphertext.split_first_chunk().ok_or("decrypt-not-authentic")?;
        let key = self.message_key(material, context);
        open(self.key_type, &key, nonce, aad, sealed).map_err(|_| match self.key_type {
            KeyType::ChaCha20Poly1305 => "decrypt-not-authentic-chacha20",
            _ => "decrypt-not-authentic",
        })
    }

    pub(crate) fn sign(&self, material: &SecretBytes, input: &SignInput) -> Vec<u8> {
        key_ops::sign(self.key_type, material.expose(), input).expect("signs")
    }

    pub(crate) fn verify(&self, material: &SecretBytes, input: &SignInput, signature: &[u8]) -> Result<bool, Refused> {
        let is_ecdsa = matches!(self.key_type, KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521);
        if is_ecdsa && !is_sequence(signature) {
            return Err("verify-no-signature");
        }
        Ok(key_ops::verify(self.key_type, material.expose(), input, signature).expect("verifies"))
    }

    /// What the server shows of a version's public key.
    pub(crate) fn public_text(&self, material: &SecretBytes) -> String {
        match key_ops::public_key(self.key_type, material.expose()).expect("has one") {
            PublicKey::Ed25519(bytes) => BASE64.encode(&bytes),
            spki @ PublicKey::Spki(_) => spki.to_text(),
        }
    }

    /// What the server exports of a version: the older form of each algorithm, as PEM, or plain bytes.
    pub(crate) fn exported(&self, material: &SecretBytes) -> String {
        let material = material.expose();
        let pem = |label: &str, der: &[u8]| {
            let code = BASE64.encode(der);
            let lines: Vec<&str> =
                code.as_bytes().chunks(64).map(|line| core::str::from_utf8(line).expect("text")).collect();
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
        };
        match self.key_type {
            KeyType::Rsa2048 | KeyType::Rsa3072 | KeyType::Rsa4096 => pem("RSA PRIVATE KEY", inner_key(material)),
            KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521 => pem("EC PRIVATE KEY", inner_key(material)),
            KeyType::Ed25519 => {
                let seed = &inner_key(material)[2..34];
                let public = key_ops::public_key(self.key_type, material).expect("has one");
                let PublicKey::Ed25519(public) = public else { panic!("another kind of public key") };
                BASE64.encode(&[seed, &public].concat())
            }
            _ => BASE64.encode(material),
        }
    }
}

/// The key in a PKCS#8 document: the octet string behind version and algorithm.
fn inner_key(pkcs8: &[u8]) -> &[u8] {
    let mut rest = element(pkcs8).0;
    for _ in 0..2 {
        rest = element(rest).1;
    }
    element(rest).0
}

/// The content of the first element, and what stands behind it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (len, start) = match der[1] {
        0x81 => (usize::from(der[2]), 3),
        0x82 => (usize::from(der[2]) << 8 | usize::from(der[3]), 4),
        short => (usize::from(short), 2),
    };
    (&der[start..start + len], &der[start + len..])
}

/// Whether these bytes can be an ASN.1 sequence and nothing else.
fn is_sequence(bytes: &[u8]) -> bool {
    match bytes {
        [0x30, len @ 0..=0x7f, rest @ ..] => rest.len() == usize::from(*len),
        [0x30, 0x81, len, rest @ ..] => rest.len() == usize::from(*len),
        _ => false,
    }
}
