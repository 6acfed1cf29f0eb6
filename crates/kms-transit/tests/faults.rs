//! Servers that fail: each operation ends within its time, with the right kind of error, and tells nothing that is secret.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod double;

use core::time::Duration;
use double::{Double, Fault, TOKEN, kms};
use std::error::Error;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{KeyHandle, KeySpec, KeyType, KeyVersion, KeyVersionNumber, SignInput};
use strongroom_domain::port::{Kms, KmsError, KmsErrorKind};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_transit::{TransitKms, TransitOptions};
use strongroom_testkit::ManualClock;
use tokio::task::JoinSet;
use uuid::Uuid;

const SECRET: &[u8] = b"the plaintext that nobody may read";
const AAD: &[u8] = b"additional data";

fn spec(id: u128, key_type: KeyType) -> KeySpec {
    let nil = Uuid::nil();
    let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
    KeySpec { id: KeyId::new(Uuid::from_u128(id)), scope, key_type, export_allowed: false }
}

const fn version(number: KeyVersionNumber, handle: KeyHandle) -> KeyVersion {
    KeyVersion { number, handle, created_at: Timestamp::EPOCH }
}

fn secret() -> SecretBytes {
    SecretBytes::copy_of(SECRET)
}

fn input() -> SignInput {
    SignInput { hash: Default::default(), prehashed: false, bytes: SECRET.to_vec() }
}

/// The whole text of an error, with its causes and as `Debug` shows it.
fn told(error: &KmsError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

#[track_caller]
fn assert_kind<T>(answer: Result<T, KmsError>, kind: KmsErrorKind, what: &str) -> String {
    let Err(error) = answer else { panic!("{what}: it succeeded") };
    let text = told(&error);
    assert_eq!(*error.kind(), kind, "{what}: {text}");
    for hidden in [TOKEN, "the plaintext", &data_encoding::BASE64.encode(SECRET)[..40]] {
        assert!(!text.contains(hidden), "{what}: {text}");
    }
    text
}

/// Each operation that asks the server about a key that is there.
const OPERATIONS: [&str; 12] = [
    "create",
    "import",
    "rotate",
    "encrypt",
    "decrypt",
    "sign",
    "verify",
    "mac",
    "verify_mac",
    "public_key",
    "erase",
    "check",
];
/// What an error says when the server wasn't asked, as it failed before.
const LEFT_ALONE: &str = "is not asked again";
/// How much longer than its time an operation may take on a busy machine: less than the tries that it has left then.
const SLACK: Duration = Duration::from_secs(3);

/// A key of each use.
struct Case {
    double: Double,
    kms: TransitKms,
    symmetric: (KeySpec, KeyVersion),
    signing: (KeySpec, KeyVersion),
    hmac: (KeySpec, KeyVersion),
    sealed: Vec<u8>,
}

impl Case {
    async fn new() -> Self {
        let double = Double::start().await;
        let kms = double.kms();
        let mut keys = Vec::new();
        for (id, key_type) in [(1, KeyType::default()), (2, KeyType::EcdsaP256), (3, KeyType::Hmac)] {
            let spec = spec(id, key_type);
            let handle = kms.create(&spec).await.expect("creates");
            keys.push((spec, version(KeyVersionNumber::FIRST, handle)));
        }
        let [symmetric, signing, hmac] = keys.try_into().expect("three");
        let sealed = kms.encrypt(&symmetric.0, &symmetric.1, AAD, &secret()).await.expect("encrypts");
        Self { double, kms, symmetric, signing, hmac, sealed }
    }

    /// Does one of [`OPERATIONS`].
    async fn operate(&self, kms: &TransitKms, name: &str) -> Result<(), KmsError> {
        let (spec, version) = &self.symmetric;
        let next = version.number.next();
        let (signing, hmac) = (&self.signing, &self.hmac);
        match name {
            "create" => kms.create(&self::spec(9, KeyType::default())).await.map(drop),
            "import" => {
                let material = SecretBytes::copy_of(&[1; 32]);
                kms.import(&self::spec(8, KeyType::default()), &material).await.map(drop)
            }
            "rotate" => kms.rotate(spec, version, next).await.map(drop),
            "encrypt" => kms.encrypt(spec, version, AAD, &secret()).await.map(drop),
            "decrypt" => kms.decrypt(spec, version, AAD, &self.sealed).await.map(drop),
            "sign" => kms.sign(&signing.0, &signing.1, &input()).await.map(drop),
            "verify" => kms.verify(&signing.0, &signing.1, &input(), &[7; 70]).await.map(drop),
            "mac" => kms.mac(&hmac.0, &hmac.1, SECRET).await.map(drop),
            "verify_mac" => kms.verify_mac(&hmac.0, &hmac.1, SECRET, &[7; 32]).await.map(drop),
            "public_key" => kms.public_key(&signing.0, &signing.1).await.map(drop),
            "erase" => kms.erase(&version.handle).await,
            "check" => kms.check().await,
            name => panic!("no operation: {name}"),
        }
    }

    /// Does each operation with the case's KMS, and sees that the server was asked for it.
    async fn every_operation(&self) -> Vec<(&'static str, Result<(), KmsError>)> {
        let mut answers = Vec::new();
        for name in OPERATIONS {
            let before = self.double.requests().len();
            answers.push((name, self.operate(&self.kms, name).await));
            assert!(self.double.requests().len() > before, "{name}: nothing was asked");
        }
        answers
    }

    /// Does an operation while every request meets the fault. It is the first failure that its KMS sees, as the server proved itself to it before.
    async fn assert_unavailable(&self, options: &TransitOptions, name: &str, fault: &Fault, what: &str) {
        let kms = kms(options);
        self.double.clear_plans();
        kms.check().await.expect("works");
        self.double.plan("/v1/", usize::MAX, fault.clone());
        let before = self.double.requests().len();
        let answer = tokio::time::timeout(options.timeout + SLACK, self.operate(&kms, name)).await;
        let answer = answer.unwrap_or_else(|_| panic!("{name}, {what}: it does not end in its time"));
        assert_asked(answer, &format!("{name}, {what}"));
        assert!(self.double.requests().len() > before, "{name}, {what}: nothing was asked");
    }
}

/// That the server is unavailable, by its own fault and not because it is left alone.
#[track_caller]
fn assert_asked(answer: Result<(), KmsError>, what: &str) -> String {
    let text = assert_kind(answer, KmsErrorKind::Unavailable, what);
    assert!(!text.contains(LEFT_ALONE), "{what}: {text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_none_are_unavailable() {
    let large = format!(r#"{{"data":{{"name":"{}"}}}}"#, "a".repeat(5 << 20));
    let mut faults = JoinSet::new();
    for (what, fault) in [
        ("an internal error", Fault::Answer("internal-error")),
        ("sealed", Fault::Answer("sealed")),
        ("too many requests", Fault::Answer("too-many-requests")),
        ("closed connections", Fault::Close),
        ("no JSON", Fault::Raw(200, b"<html>welcome</html>".to_vec())),
        ("another JSON", Fault::Raw(200, br#"{"data":{"ciphertext":7}}"#.to_vec())),
        ("a list", Fault::Raw(200, b"[]".to_vec())),
        ("an error page", Fault::Raw(502, b"<html>bad gateway</html>".to_vec())),
        ("a page that is not found", Fault::Raw(404, b"not found".to_vec())),
        ("a refusal of somebody else", Fault::Raw(400, b"bad request".to_vec())),
        ("a redirect", Fault::Raw(307, Vec::new())),
        ("no such mount", Fault::Answer("no-such-mount")),
        ("too large", Fault::Raw(200, large.into_bytes())),
    ] {
        faults.spawn(async move {
            let case = Case::new().await;
            for name in OPERATIONS {
                case.assert_unavailable(&case.double.options(), name, &fault, what).await;
            }
        });
    }
    faults.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up_in_time() {
    let mut operations = JoinSet::new();
    for name in OPERATIONS {
        operations.spawn(async move {
            let case = Case::new().await;
            let mut options = case.double.options();
            options.timeout = Duration::from_secs(4);
            case.assert_unavailable(&options, name, &Fault::Hang, "a server that hangs").await;
        });
    }
    operations.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_cut_by_the_end_of_its_time_counts_as_a_failure() {
    let case = Case::new().await;
    let mut options = case.double.options();
    options.timeout = Duration::from_secs(2);
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000_000)));
    let kms = TransitKms::new(&options, clock, Arc::new(OsEntropy)).expect("good options");
    case.double.plan("/v1/", usize::MAX, Fault::Hang);
    let before = case.double.requests().len();
    // Each sends a second request after half of its time, and has no time to wait for its answer.
    for _ in 0..2 {
        assert_asked(case.operate(&kms, "mac").await, "hangs");
    }
    assert_eq!(case.double.requests().len(), before + 4);
    let text = assert_kind(case.operate(&kms, "mac").await, KmsErrorKind::Unavailable, "left alone");
    assert!(text.contains(LEFT_ALONE), "{text}");
    assert_eq!(case.double.requests().len(), before + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_unavailable() {
    let case = Case::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let mut options = case.double.options();
    options.address = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    for name in OPERATIONS {
        let text = assert_asked(case.operate(&kms(&options), name).await, name);
        assert!(text.contains("cannot be connected to"), "{name}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_a_bad_handle() {
    let case = Case::new().await;
    case.kms.check().await.expect("works");
    case.double.lose_keys();
    for (name, answer) in case.every_operation().await {
        match name {
            "create" | "import" | "erase" | "check" => {
                answer.unwrap_or_else(|error| panic!("{name}: {}", told(&error)));
            }

            name => drop(assert_kind(answer, KmsErrorKind::BadHandle, name)),
        }
    }
    let made = case.double.key_names();
    assert_eq!(made.len(), 2, "only those of create and import are there: {made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_is_not_made_anew_by_encrypting() {
    let case = Case::new().await;
    case.double.lose_keys();
    case.double.let_create();
    let (spec, version) = &case.symmetric;
    assert_kind(case.kms.encrypt(spec, version, AAD, &secret()).await, KmsErrorKind::BadHandle, "encrypt");
    assert_eq!(case.double.key_names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_taken_out_of_use_is_a_bad_handle() {
    let case = Case::new().await;
    let (spec, first) = &case.symmetric;
    let handle = case.kms.rotate(spec, first, first.number.next()).await.expect("rotates");
    let second = version(first.number.next(), handle);
    let name = case.double.key_names().into_iter().find(|name| case.double.versions(name) == Some((1, 2))).expect("it");
    case.double.set_min_decryption(&name, 2);
    assert_kind(case.kms.decrypt(spec, first, AAD, &case.sealed).await, KmsErrorKind::BadHandle, "decrypt");
    assert!(case.kms.encrypt(spec, &second, AAD, &secret()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_key_or_version_is_unavailable() {
    let case = Case::new().await;
    let (spec, version) = &case.symmetric;
    let (signing, hmac) = (&case.signing, &case.hmac);
    let other = |part: &str, from: &str, to: &str| {
        case.double.clear_plans();
        case.double.plan(part, usize::MAX, Fault::Replace(from.to_owned(), to.to_owned()));
    };
    let unavailable = KmsErrorKind::Unavailable;
    other("/encrypt/", "vault:v1:", "vault:v2:");
    assert_kind(case.kms.encrypt(spec, version, AAD, &secret()).await, unavailable, "encrypt");
    other("/encrypt/", "vault:v1:", "vault:v1");
    assert_kind(case.kms.encrypt(spec, version, AAD, &secret()).await, unavailable, "encrypt, cut");
    other("/sign/", "vault:v1:", "vault:v12:");
    assert_kind(case.kms.sign(&signing.0, &signing.1, &input()).await, unavailable, "sign");
    other("/hmac/", "vault:v1:", "vault:v3:");
    assert_kind(case.kms.mac(&hmac.0, &hmac.1, SECRET).await, unavailable, "mac");
    other("GET /v1/transit/keys/", r#""name":"strongroom-"#, r#""name":"otherroom-"#);
    assert_kind(case.kms.rotate(spec, version, version.number.next()).await, unavailable, "rotate");
    assert_kind(case.kms.public_key(&signing.0, &signing.1).await, unavailable, "public key");
    assert_kind(case.kms.create(&self::spec(20, KeyType::default())).await, unavailable, "create");
    other("GET /v1/transit/keys/", r#""type":"aes256-gcm96""#, r#""type":"aes128-gcm96""#);
    assert_kind(case.kms.create(&self::spec(21, KeyType::default())).await, unavailable, "create, another type");
    other("GET /v1/transit/keys/", r#""exportable":false"#, r#""exportable":true"#);
    assert_kind(case.kms.create(&self::spec(22, KeyType::default())).await, unavailable, "create, exportable");
    assert_eq!(case.double.count("/rotate"), 0, "nothing is done on the word of such a server");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_length_is_unavailable() {
    let case = Case::new().await;
    let kms = &case.kms;
    let mut keys = Vec::new();
    for (id, key_type) in [(40, KeyType::Rsa2048), (41, KeyType::Ed25519), (42, KeyType::default())] {
        let spec = spec(id, key_type);
        let handle = kms.create(&spec).await.expect("creates");
        keys.push((spec, version(KeyVersionNumber::FIRST, handle)));
    }
    let [rsa, ed25519, other] = keys.try_into().expect("three");
    let longer = SecretBytes::copy_of(&[SECRET, b"!"].concat());
    let longer = kms.encrypt(&other.0, &other.1, AAD, &longer).await.expect("encrypts");
    let by_rsa = kms.encrypt(&rsa.0, &rsa.1, AAD, &secret()).await.expect("encrypts");
    let by_ed25519 = kms.sign(&ed25519.0, &ed25519.1, &input()).await.expect("signs");
    let mac = kms.mac(&case.hmac.0, &case.hmac.1, SECRET).await.expect("an HMAC");
    let wrong: [&[u8]; 7] = [&[0; 3], &case.sealed, &longer, &by_rsa, &by_ed25519, &mac, &[7; 104]];
    for (operation, member, key, len) in [
        ("encrypt", "ciphertext", &case.symmetric, case.sealed.len()),
        ("encrypt", "ciphertext", &rsa, 256),
        ("sign", "signature", &rsa, 256),
        ("sign", "signature", &ed25519, 64),
        ("sign", "signature", &case.signing, 72),
        ("hmac", "hmac", &case.hmac, 32),
    ] {
        for bytes in wrong {
            let body = format!(r#"{{"data":{{"{member}":"vault:v1:{}"}}}}"#, data_encoding::BASE64.encode(bytes));
            case.double.clear_plans();
            case.double.plan(&format!("/{operation}/"), usize::MAX, Fault::Raw(200, body.into_bytes()));
            let answer = match operation {
                "encrypt" => kms.encrypt(&key.0, &key.1, AAD, &secret()).await,
                "sign" => kms.sign(&key.0, &key.1, &input()).await,
                _ => kms.mac(&key.0, &key.1, SECRET).await,
            };
            let what = format!("{operation}, {} instead of {len} bytes", bytes.len());
            // Those of the right length show that nothing else is refused here.
            let ecdsa_too = key.0.key_type == KeyType::EcdsaP256 && (54..=72).contains(&bytes.len());
            if bytes.len() == len || ecdsa_too {
                assert!(answer.is_ok(), "{what}");
            } else {
                let text = assert_kind(answer, KmsErrorKind::Unavailable, &what);
                assert!(text.contains("another length"), "{what}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_data_of_another_key_is_unavailable() {
    let double = Double::start().await;
    let kms = double.kms();
    let exportable = |id, key_type| KeySpec { export_allowed: true, ..spec(id, key_type) };
    for (id, key_type, from, to) in [
        (1, KeyType::default(), r#""name":"strongroom-"#, r#""name":"otherroom-"#),
        (2, KeyType::default(), r#""type":"aes256-gcm96""#, r#""type":"aes128-gcm96""#),
        (3, KeyType::default(), r#""keys":{"1""#, r#""keys":{"2""#),
        (4, KeyType::EcdsaP256, "BEGIN EC PRIVATE", "BEGIN RSA PRIVATE"),
    ] {
        let spec = exportable(id, key_type);
        let version = version(KeyVersionNumber::FIRST, kms.create(&spec).await.expect("creates"));
        assert!(kms.export(&spec, &version).await.is_ok(), "{key_type}");
        double.plan("/export/", 1, Fault::Replace(from.to_owned(), to.to_owned()));
        assert_kind(kms.export(&spec, &version).await, KmsErrorKind::Unavailable, from);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_material_than_was_imported_is_unavailable() {
    for (key_type, material) in [
        (KeyType::Aes128Gcm96, SecretBytes::copy_of(&[5; 16])),
        (KeyType::Ed25519, strongroom_crypto::key_ops::generate(KeyType::Ed25519, &OsEntropy).expect("made")),
    ] {
        let double = Double::start().await;
        let kms = double.kms();
        // A key of the same name that somebody made before.
        double.plan("/import", 1, Fault::Answer("import-key-exists"));
        let spec = spec(1, key_type);
        kms.create(&spec).await.expect("creates");
        assert_kind(kms.import(&spec, &material).await, KmsErrorKind::Unavailable, key_type.as_str());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_says_of_material_is_told() {
    let double = Double::start().await;
    let kms = double.kms();
    double.plan("/import", 1, Fault::Answer("import-key-wrong-size"));
    let answer = kms.import(&spec(1, KeyType::default()), &SecretBytes::copy_of(&[1; 32])).await;
    assert_kind(answer, KmsErrorKind::BadMaterial, "material that the server refuses");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_associated_data_is_not_used() {
    let double = Double::start().await;
    double.plan("crypt/", usize::MAX, Fault::NoAssociatedData);
    let kms = double.kms();
    let text = assert_kind(kms.check().await, KmsErrorKind::Unsupported, "check");
    assert!(text.contains("associated_data"), "{text}");
    for key_type in [KeyType::Aes128Gcm96, KeyType::Aes256Gcm96, KeyType::ChaCha20Poly1305] {
        assert_kind(kms.create(&spec(1, key_type)).await, KmsErrorKind::Unavailable, "create");
        let material = SecretBytes::copy_of(&[1; 16]);
        if key_type == KeyType::Aes128Gcm96 {
            assert_kind(kms.import(&spec(1, key_type), &material).await, KmsErrorKind::Unavailable, "import");
        }
    }
    assert_eq!(double.key_names(), [""; 0], "no key was made");
    // A key that was made while the server was another.
    let good = Double::start().await;
    let key = spec(2, KeyType::default());
    let handle = good.kms().create(&key).await.expect("creates");
    let answer = kms.encrypt(&key, &version(KeyVersionNumber::FIRST, handle), AAD, &secret()).await;
    assert_kind(answer, KmsErrorKind::Unavailable, "encrypt");
    assert!(!double.requests().iter().any(|(line, body)| {
        line.contains("/encrypt/")
            && body.as_ref().is_some_and(|body| body["plaintext"] == data_encoding::BASE64.encode(SECRET))
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_is_read_again_from_its_file() {
    let case = Case::new().await;
    case.double.accept_only("hvs.the-next-token");
    let (spec, version) = &case.symmetric;
    let text = assert_kind(
        case.kms.encrypt(spec, version, AAD, &secret()).await,
        KmsErrorKind::Unavailable,
        "an expired token",
    );
    assert!(text.contains("`update` on `transit/encrypt/strongroom-*`"), "{text}");
    std::fs::write(case.double.token_file().path(), "hvs.the-next-token\n").expect("is written");
    case.kms.encrypt(spec, version, AAD, &secret()).await.expect("encrypts");
    case.kms.check().await.expect("works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_request_names_the_policy_that_it_needs() {
    let case = Case::new().await;
    case.double.plan("/v1/", usize::MAX, Fault::Answer("permission-denied"));
    for (name, answer) in case.every_operation().await {
        let error = answer.expect_err(name);
        let context = error.context();
        let needed = match name {
            "create" | "import" | "rotate" | "public_key" | "erase" => "on `transit/",
            "encrypt" => "`update` on `transit/encrypt/strongroom-*`",
            "decrypt" | "check" => "`update` on `transit/decrypt/strongroom-*`",
            "sign" => "`update` on `transit/sign/strongroom-*`",
            "mac" => "`update` on `transit/hmac/strongroom-*`",
            _ => "`update` on `transit/verify/strongroom-*`",
        };
        assert!(context.contains(needed), "{name}: {context}");
        assert_kind(Err::<(), _>(error), KmsErrorKind::Unavailable, name);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_that_everybody_reads_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let double = Double::start().await;
    let set = |mode| std::fs::set_permissions(double.token_file().path(), std::fs::Permissions::from_mode(mode));
    for (mode, taken) in [(0o644, false), (0o602, false), (0o640, true), (0o400, true)] {
        set(mode).expect("is set");
        assert_eq!(double.kms().check().await.is_ok(), taken, "{mode:o}");
    }
    set(0o600).expect("is set");
    for text in ["", "two words", "a\nb", &"a".repeat(20_000)] {
        std::fs::write(double.token_file().path(), text).expect("is written");
        let told = assert_kind(double.kms().check().await, KmsErrorKind::Unavailable, "a token that is none");
        assert!(told.contains("token"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_safe_is_tried_again() {
    let case = Case::new().await;
    let (spec, version) = &case.symmetric;
    for fault in [
        Fault::Answer("internal-error"),
        Fault::Answer("sealed"),
        Fault::Answer("too-many-requests"),
        Fault::Close,
        Fault::LoseAnswer,
        Fault::Raw(200, b"<html>".to_vec()),
    ] {
        case.double.plan("/v1/", 2, fault.clone());
        let sealed = case.kms.encrypt(spec, version, AAD, &secret()).await;
        let sealed = sealed.unwrap_or_else(|error| panic!("{fault:?}: {}", told(&error)));
        case.double.plan("/v1/", 1, fault.clone());
        let opened = case.kms.decrypt(spec, version, AAD, &sealed).await.expect("decrypts");
        assert_eq!(opened.expose(), SECRET, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_not_tried_again() {
    let case = Case::new().await;
    let (spec, version) = &case.symmetric;
    let before = case.double.count("/decrypt/");
    for _ in 0..20 {
        let answer = case.kms.decrypt(spec, version, b"another", &case.sealed).await;
        assert_kind(answer, KmsErrorKind::NotAuthentic, "another AAD");
    }
    assert_eq!(case.double.count("/decrypt/"), before + 20);
    // RSA: the server calls it an internal error. It must not count as one: anybody could have the server left alone so.
    let rsa = self::spec(5, KeyType::Rsa2048);
    let rsa_version = self::version(KeyVersionNumber::FIRST, case.kms.create(&rsa).await.expect("creates"));
    let before = case.double.count("/decrypt/");
    for _ in 0..20 {
        let answer = case.kms.decrypt(&rsa, &rsa_version, AAD, &[7; 256]).await;
        assert_kind(answer, KmsErrorKind::NotAuthentic, "RSA");
    }
    assert_eq!(case.double.count("/decrypt/"), before + 20);
    case.kms.encrypt(spec, version, AAD, &secret()).await.expect("is not left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_make_no_second_key_or_version() {
    let case = Case::new().await;
    for part in ["POST /v1/transit/keys/", "/import", "/rotate"] {
        case.double.plan(part, 1, Fault::LoseAnswer);
    }
    let (spec, version) = &case.symmetric;
    let made = case.kms.create(&self::spec(30, KeyType::default())).await;
    assert!(made.is_ok());
    let imported = case.kms.import(&self::spec(31, KeyType::default()), &SecretBytes::copy_of(&[3; 32])).await;
    assert!(imported.is_ok());
    let rotated = case.kms.rotate(spec, version, version.number.next()).await.expect("rotates");
    let versions: Vec<_> = case.double.key_names().iter().filter_map(|name| case.double.versions(name)).collect();
    assert_eq!(versions.iter().filter(|versions| **versions == (1, 2)).count(), 1, "{versions:?}");
    assert_eq!(versions.iter().filter(|versions| **versions == (1, 1)).count(), versions.len() - 1, "{versions:?}");
    let second = self::version(version.number.next(), rotated);
    case.kms.encrypt(spec, &second, AAD, &secret()).await.expect("encrypts");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_asked_for_until_the_version_is_there() {
    for (fault, times, done, versions) in [
        (Fault::Answer("internal-error"), 2, true, (1, 2)),
        (Fault::Answer("internal-error"), 3, false, (1, 1)),
        (Fault::Close, 2, true, (1, 2)),
        // What was lost is the answer, so that it is asked for once.
        (Fault::LoseAnswer, 3, true, (1, 2)),
    ] {
        let double = Double::start().await;
        let kms = double.kms();
        let spec = spec(1, KeyType::default());
        let first = version(KeyVersionNumber::FIRST, kms.create(&spec).await.expect("creates"));
        double.plan("/rotate", times, fault.clone());
        let answer = kms.rotate(&spec, &first, first.number.next()).await;
        assert_eq!(answer.is_ok(), done, "{fault:?}, {times} times");
        assert_eq!(double.versions(&double.key_names()[0]), Some(versions), "{fault:?}, {times} times");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_left_alone_for_a_while() {
    let double = Double::start().await;
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_000_000_000)));
    let kms = TransitKms::new(&double.options(), clock.clone(), Arc::new(OsEntropy)).expect("good options");
    let spec = spec(1, KeyType::default());
    let version = version(KeyVersionNumber::FIRST, kms.create(&spec).await.expect("creates"));
    double.plan("/v1/", usize::MAX, Fault::Answer("sealed"));
    for _ in 0..2 {
        assert_kind(kms.encrypt(&spec, &version, AAD, &secret()).await, KmsErrorKind::Unavailable, "sealed");
    }
    let asked = double.requests().len();
    for _ in 0..50 {
        let text = assert_kind(kms.check().await, KmsErrorKind::Unavailable, "left alone");
        assert!(text.contains(LEFT_ALONE), "{text}");
    }
    assert_eq!(double.requests().len(), asked, "nothing was asked");
    clock.advance(Duration::from_secs(5));
    assert_kind(kms.encrypt(&spec, &version, AAD, &secret()).await, KmsErrorKind::Unavailable, "still sealed");
    assert_eq!(double.requests().len(), asked + 1, "one tried");
    double.clear_plans();
    assert_kind(kms.check().await, KmsErrorKind::Unavailable, "left alone again");
    clock.advance(Duration::from_secs(5));
    kms.check().await.expect("works again");
    kms.encrypt(&spec, &version, AAD, &secret()).await.expect("encrypts");
}
