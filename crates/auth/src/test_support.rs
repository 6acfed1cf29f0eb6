//! Keys that sign, and doubles of ports.

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaPublicKeyComponents,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use strongroom_domain::port::Clock;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;

use crate::foreign::{FetchError, JwksFetcher};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const START: i64 = 1_800_000_000 * SECOND;

pub(crate) fn micros(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

/// A time so many seconds after the start, as a token writes it.
pub(crate) fn numeric_date(seconds: i64) -> i64 {
    START / SECOND + seconds
}

pub(crate) enum TestKey {
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

impl TestKey {
    pub(crate) fn ed25519(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a key"))
    }

    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"))
    }

    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    pub(crate) fn p384() -> Self {
        Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key"))
    }

    pub(crate) fn jwk(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let curve = |pair: &EcdsaKeyPair, name: &str| {
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            json!({"kty": "EC", "crv": name, "kid": id, "x": text(x), "y": text(y)})
        };
        match self {
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": text(pair.public_key().as_ref())})
            }
            Self::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "kid": id, "n": text(&public.n), "e": text(&public.e)})
            }
            Self::P256(pair) => curve(pair, "P-256"),
            Self::P384(pair) => curve(pair, "P-384"),
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) | Self::P384(pair) => pair.sign(&random, message).expect("signs").as_ref().to_vec(),
            Self::Rsa(pair) => {
                let padding: &dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).expect("signs");
                signature
            }
        }
    }

    /// A token under this header, which names the algorithm.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> SecretBytes {
        let algorithm = header["alg"].as_str().unwrap_or_default().to_owned();
        token_of(header, claims, |message| self.sign(&algorithm, message))
    }
}

pub(crate) fn token_of(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> SecretBytes {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = BASE64URL_NOPAD.encode(&sign(message.as_bytes()));
    SecretBytes::copy_of(format!("{message}.{signature}").as_bytes())
}

/// A clock that stands still until it is moved. Waiting never ends, unless it ends at once.
pub(crate) struct TestClock {
    now: Mutex<Timestamp>,
    pub(crate) waits_end: AtomicBool,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self { now: Mutex::new(micros(START)), waits_end: AtomicBool::new(false) }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        let mut now = self.now.lock().expect("lock");
        *now = now.plus_seconds(seconds);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().expect("lock")
    }

    async fn sleep(&self, _: Duration) {
        if !self.waits_end.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

/// Documents by URL. Counts what is fetched; a fetch can be held until the gate opens.
#[derive(Default)]
pub(crate) struct Documents {
    by_url: Mutex<HashMap<String, String>>,
    fetches: AtomicU32,
    held: Mutex<Option<String>>,
    gate: tokio::sync::Notify,
}

impl Documents {
    pub(crate) fn put(&self, url: &str, document: &Value) {
        self.by_url.lock().expect("lock").insert(url.to_owned(), document.to_string());
    }

    pub(crate) fn clear(&self) {
        self.by_url.lock().expect("lock").clear();
    }

    pub(crate) fn fetches(&self) -> u32 {
        self.fetches.load(Ordering::SeqCst)
    }

    /// Holds fetches of URLs that begin so.
    pub(crate) fn hold(&self, url: &str) {
        *self.held.lock().expect("lock") = Some(url.to_owned());
    }

    /// Lets held fetches go on: all that wait, or one that comes.
    pub(crate) fn release(&self) {
        *self.held.lock().expect("lock") = None;
        self.gate.notify_waiters();
        self.gate.notify_one();
    }
}

#[async_trait]
impl JwksFetcher for Documents {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let held = self.held.lock().expect("lock").as_deref().is_some_and(|held| url.starts_with(held));
        if held {
            self.gate.notified().await;
        }
        let document = self.by_url.lock().expect("lock").get(url).cloned();
        document.map(String::into_bytes).ok_or_else(|| FetchError("is not there".to_owned()))
    }
}
