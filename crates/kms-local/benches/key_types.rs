//! What the software KMS adds: `cargo bench -p strongroom-kms-local --bench key_types`.
//!
//! Each line: the key type, what is done with 32 bytes (a data key, or a digest to be signed), microseconds for one bare call, microseconds
//! through [`LocalKms`], and the ratio. Medians of 21 rounds, in which the two take turns. Bare is, for encryption, aws-lc-rs with a key that
//! is ready; for signatures and HMACs `key_ops` with the material at hand, which has a key of the library made of it for each call.
//!
//! Through the KMS the material is opened under the root key first and made a key of the library; a symmetric message gets a key of its own,
//! derived; RSA is handed to a thread for blocking work.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]
#![expect(clippy::expect_used, reason = "its own inputs are legal")]

use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey};
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use strongroom_crypto::{OsEntropy, key_ops};
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{HashAlgorithm, KeySpec, KeyType, KeyVersion, KeyVersionNumber, SignInput};
use strongroom_domain::port::Kms;
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_local::LocalKms;
use strongroom_root_key::SoftwareRootKey;
use tokio::runtime::Runtime;
use uuid::Uuid;

const ROUNDS: usize = 21;
/// How long a round is to take, for each of the two.
const ROUND: Duration = Duration::from_millis(20);
const AAD: &[u8] = &[9; 200];
static PLAIN: [u8; 32] = [7; 32];

/// One key, in the KMS and bare.
struct Bench {
    runtime: Runtime,
    kms: LocalKms,
    spec: KeySpec,
    version: KeyVersion,
    material: SecretBytes,
}

impl Bench {
    fn new(key_type: KeyType) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("starts");
        let root = SoftwareRootKey::from_bytes(&[1; 32], Arc::new(OsEntropy)).expect("derives");
        let kms = LocalKms::new(Arc::new(root), Arc::new(OsEntropy));
        let nil = Uuid::nil();
        let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
        let spec = KeySpec { id: KeyId::new(nil), scope, key_type, export_allowed: true };
        let handle = runtime.block_on(kms.create(&spec)).expect("creates");
        let version = KeyVersion { number: KeyVersionNumber::FIRST, handle, created_at: Timestamp::EPOCH };
        let material = runtime.block_on(kms.export(&spec, &version)).expect("exports");
        Self { runtime, kms, spec, version, material }
    }

    /// Prints a line. The KMS does its calls one after the other on the runtime, as a request would.
    fn report(&self, what: &str, bare: impl Fn(), kms: impl AsyncFn()) {
        let through = |calls| self.runtime.block_on(async { timed_async(calls, &kms).await });
        let (bare_calls, kms_calls) = (calls_in_a_round(|calls| timed(calls, &bare)), calls_in_a_round(through));
        let (mut bare_rounds, mut kms_rounds) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bare_rounds.push(microseconds(timed(bare_calls, &bare), bare_calls));
            kms_rounds.push(microseconds(through(kms_calls), kms_calls));
        }
        let (bare, kms) = (median(bare_rounds), median(kms_rounds));
        let key_type = self.spec.key_type.as_str();
        println!("{key_type:<18} {what:<10} {bare:>10.2} µs {kms:>10.2} µs {:>6.2}", kms / bare);
    }
}

fn timed(calls: u32, call: &impl Fn()) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed()
}

async fn timed_async(calls: u32, call: &impl AsyncFn()) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        call().await;
    }
    start.elapsed()
}

fn calls_in_a_round(run: impl Fn(u32) -> Duration) -> u32 {
    let mut calls = 1;
    while calls < 1 << 20 && run(calls) < ROUND {
        calls *= 2;
    }
    calls
}

fn microseconds(time: Duration, calls: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(calls)
}

fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_unstable_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// The library alone, with a key that is ready: encrypting and decrypting once.
type Bare = (Box<dyn Fn()>, Box<dyn Fn()>);

fn bare_symmetric(algorithm: &'static aead::Algorithm, material: &[u8], plain: &'static [u8]) -> Bare {
    let key = || LessSafeKey::new(UnboundKey::new(algorithm, material).expect("a key"));
    let nonce = || Nonce::assume_unique_for_key([1; aead::NONCE_LEN]);
    let (encrypting, decrypting) = (key(), key());
    let mut sealed = plain.to_vec();
    encrypting.seal_in_place_append_tag(nonce(), Aad::from(AAD), &mut sealed).expect("encrypts");
    let encrypt = move || {
        let mut buffer = plain.to_vec();
        encrypting.seal_in_place_append_tag(nonce(), Aad::from(AAD), &mut buffer).expect("encrypts");
        drop(black_box(buffer));
    };
    let decrypt = move || {
        let mut buffer = sealed.clone();
        black_box(decrypting.open_in_place(nonce(), Aad::from(AAD), &mut buffer).expect("decrypts"));
    };
    (Box::new(encrypt), Box::new(decrypt))
}

fn bare_rsa(material: &[u8], plain: &'static [u8]) -> Bare {
    let pair = PrivateDecryptingKey::from_pkcs8(material).expect("a key");
    let public = OaepPublicEncryptingKey::new(pair.public_key()).expect("a key");
    let private = OaepPrivateDecryptingKey::new(pair).expect("a key");
    let mut sealed = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, plain, &mut sealed, None).expect("encrypts");
    let encrypt = move || {
        let mut buffer = vec![0; public.ciphertext_size()];
        black_box(public.encrypt(&OAEP_SHA256_MGF1SHA256, plain, &mut buffer, None).expect("encrypts"));
    };
    let decrypt = move || {
        let mut buffer = vec![0; private.min_output_size()];
        black_box(private.decrypt(&OAEP_SHA256_MGF1SHA256, &sealed, &mut buffer, None).expect("decrypts"));
    };
    (Box::new(encrypt), Box::new(decrypt))
}

fn encryption(bench: &Bench) {
    let (key_type, material) = (bench.spec.key_type, bench.material.expose());
    let (bare_encrypt, bare_decrypt) = match key_type {
        KeyType::Aes128Gcm96 => bare_symmetric(&aead::AES_128_GCM, material, &PLAIN),
        KeyType::Aes256Gcm96 => bare_symmetric(&aead::AES_256_GCM, material, &PLAIN),
        KeyType::ChaCha20Poly1305 => bare_symmetric(&aead::CHACHA20_POLY1305, material, &PLAIN),
        _ => bare_rsa(material, &PLAIN),
    };
    let plain = SecretBytes::copy_of(&PLAIN);
    let ciphertext = key_ops::encrypt(key_type, material, &OsEntropy, AAD, &plain).expect("encrypts");
    bench.report("encrypt", bare_encrypt, async || {
        let encrypted = bench.kms.encrypt(&bench.spec, &bench.version, AAD, &plain).await;
        drop(black_box(encrypted.expect("encrypts")));
    });
    bench.report("decrypt", bare_decrypt, async || {
        let opened = bench.kms.decrypt(&bench.spec, &bench.version, AAD, &ciphertext).await;
        drop(black_box(opened.expect("decrypts")));
    });
}

fn signatures(bench: &Bench) {
    let (key_type, material) = (bench.spec.key_type, bench.material.expose());
    let input = SignInput {
        hash: HashAlgorithm::Sha256,
        prehashed: key_type != KeyType::Ed25519,
        bytes: SecretBytes::copy_of(&vec![7; HashAlgorithm::Sha256.digest_len()]),
    };
    let signature = key_ops::sign(key_type, material, &input).expect("signs");
    bench.report(
        "sign",
        || drop(black_box(key_ops::sign(key_type, material, &input).expect("signs"))),
        async || drop(black_box(bench.kms.sign(&bench.spec, &bench.version, &input).await.expect("signs"))),
    );
    bench.report(
        "verify",
        || assert!(key_ops::verify(key_type, material, &input, &signature).expect("verifies")),
        async || {
            let valid = bench.kms.verify(&bench.spec, &bench.version, &input, &signature).await;
            assert!(valid.expect("verifies"));
        },
    );
}

fn macs(bench: &Bench) {
    let (key_type, material) = (bench.spec.key_type, bench.material.expose());
    let message = [7; 32];
    bench.report(
        "hmac",
        || drop(black_box(key_ops::mac(key_type, material, &message).expect("authenticates"))),
        async || drop(black_box(bench.kms.mac(&bench.spec, &bench.version, &message).await.expect("authenticates"))),
    );
}

fn main() {
    println!("{:<18} {:<10} {:>13} {:>13} {:>6}", "key type", "operation", "bare", "through KMS", "ratio");
    for key_type in KeyType::ALL {
        let bench = Bench::new(key_type);
        if key_type.encrypts() {
            encryption(&bench);
        }
        if key_type.signs() {
            signatures(&bench);
        }
        if key_type.authenticates() {
            macs(&bench);
        }
    }
}
