//! What the adapter asks the server for, and how it reaches it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod double;

use double::{Double, kms};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::io::Write;
use std::sync::Arc;
use strongroom_domain::id::{KeyId, OrganisationId, RegionId};
use strongroom_domain::kms::{KeySpec, KeyType, KeyVersion, KeyVersionNumber, SignInput};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::scope::Scope;
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_kms_transit::TransitKms;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};
use uuid::Uuid;

fn spec(id: u128, key_type: KeyType) -> KeySpec {
    let nil = Uuid::nil();
    let scope = Scope { organisation: OrganisationId::new(nil), region: RegionId::new(nil), project: None };
    KeySpec { id: KeyId::new(Uuid::from_u128(id)), scope, key_type, export_allowed: false }
}

/// A key with so many versions.
async fn key(kms: &TransitKms, spec: &KeySpec, count: usize) -> Vec<KeyVersion> {
    let handle = kms.create(spec).await.expect("creates");
    let mut versions = vec![KeyVersion { number: KeyVersionNumber::FIRST, handle, created_at: Timestamp::EPOCH }];
    while versions.len() < count {
        let latest = &versions[versions.len() - 1];
        let number = latest.number.next();
        let handle = kms.rotate(spec, latest, number).await.expect("rotates");
        versions.push(KeyVersion { number, handle, created_at: Timestamp::EPOCH });
    }
    versions
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_makes_something_names_the_version() {
    let double = Double::start().await;
    let kms = double.kms();
    let (aes, ecdsa, hmac) = (spec(1, KeyType::default()), spec(2, KeyType::EcdsaP256), spec(3, KeyType::HmacSha512));
    let input = SignInput { hash: Default::default(), prehashed: false, bytes: SecretBytes::copy_of(b"message") };
    for (spec, made) in [(&aes, "/encrypt/"), (&ecdsa, "/sign/"), (&hmac, "/hmac/")] {
        let versions = key(&kms, spec, 3).await;
        for version in &versions {
            match spec.key_type {
                KeyType::EcdsaP256 => drop(kms.sign(spec, version, &input).await.expect("signs")),
                KeyType::HmacSha512 => drop(kms.mac(spec, version, b"message").await.expect("makes an HMAC")),
                _ => drop(kms.encrypt(spec, version, b"", &SecretBytes::copy_of(b"a")).await.expect("encrypts")),
            }
        }
        let requests = double.requests();
        let asked: Vec<_> =
            requests.iter().filter(|(line, _)| line.contains(made) && !line.contains("probe")).collect();
        let numbers: Vec<_> =
            asked.iter().map(|(_, body)| body.as_ref().expect("a body")["key_version"].clone()).collect();
        assert_eq!(numbers, [1, 2, 3], "{made}");
    }
    let sizes: Vec<_> =
        double.requests().iter().filter_map(|(_, body)| body.as_ref()?.get("key_size").cloned()).collect();
    assert_eq!(sizes, [64]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_rotate_at_once_get_the_same_version() {
    let double = Double::start().await;
    let [one, other] = [Arc::new(double.kms()), Arc::new(double.kms())];
    let spec = spec(1, KeyType::default());
    let first = key(&one, &spec, 1).await.remove(0);
    let next = first.number.next();
    let (one, other) = tokio::join!(one.rotate(&spec, &first, next), other.rotate(&spec, &first, next));
    assert!(one.expect("rotates") == other.expect("rotates"));
    // If both asked, the server has a version more: it is the next one.
    let kms = double.kms();
    let versions = key(&kms, &spec, 4).await;
    let name = double.key_names().remove(0);
    assert_eq!(double.versions(&name), Some((1, 4)));
    assert_eq!(versions.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_taken_back_leaves_the_key_whole() {
    let double = Double::start().await;
    let kms = double.kms();
    let spec = spec(1, KeyType::default());
    let versions = key(&kms, &spec, 2).await;
    let name = double.key_names().remove(0);
    kms.erase(&versions[1].handle).await.expect("is taken back");
    assert_eq!(double.versions(&name), Some((1, 2)));
    let sealed = kms.encrypt(&spec, &versions[0], b"", &SecretBytes::copy_of(b"a")).await.expect("encrypts");
    assert!(kms.decrypt(&spec, &versions[0], b"", &sealed).await.is_ok());
    let again = kms.rotate(&spec, &versions[0], versions[1].number).await.expect("rotates");
    assert!(again == versions[1].handle);
    assert_eq!(double.count("/rotate"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_all_versions_in_rising_order_erases_the_key() {
    let double = Double::start().await;
    let kms = double.kms();
    for (id, key_type) in [(1, KeyType::default()), (2, KeyType::Hmac), (3, KeyType::EcdsaP256)] {
        let spec = spec(id, key_type);
        let versions = key(&kms, &spec, 3).await;
        let name = double.key_names().remove(0);
        for (done, version) in versions.iter().enumerate() {
            // Each is erased more than once, as after a crash.
            for version in &versions[..done] {
                kms.erase(&version.handle).await.expect("is done already");
            }
            kms.erase(&version.handle).await.expect("erases");
            let oldest = u32::try_from(done).expect("fits") + 2;
            assert_eq!(double.versions(&name), (oldest <= 3).then_some((oldest, 3)), "{key_type}");
        }
        for version in &versions {
            kms.erase(&version.handle).await.expect("is done already");
        }
        assert_eq!(double.key_names(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_this_mount_and_prefix_is_not_touched() {
    let double = Double::start().await;
    let mut options = double.options();
    options.key_prefix = "other-".to_owned();
    let other = kms(&options);
    let spec = spec(1, KeyType::default());
    let version = key(&other, &spec, 1).await.remove(0);
    let kms = double.kms();
    let asked = double.requests().len();
    for answer in [
        kms.erase(&version.handle).await.err(),
        kms.encrypt(&spec, &version, b"", &SecretBytes::copy_of(b"a")).await.err(),
        kms.reseal(&spec, &version).await.err(),
    ] {
        assert_eq!(answer.map(|error| *error.kind()), Some(KmsErrorKind::BadHandle));
    }
    assert_eq!(double.requests().len(), asked);
    assert!(double.key_names()[0].starts_with("other-00000000000000000000000000000001-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_goes_with_every_request() {
    let double = Double::start().await;
    double.want_namespace("teams/security");
    assert!(double.kms().check().await.is_err());
    let mut options = double.options();
    options.namespace = Some("teams/security".to_owned());
    kms(&options).check().await.expect("works");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_cost_one_request_each() {
    let double = Double::start().await;
    let kms = double.kms();
    kms.check().await.expect("works");
    let asked = double.requests().len();
    for _ in 0..10 {
        kms.check().await.expect("works");
    }
    assert_eq!(double.requests().len(), asked + 10);
}

/// A certificate authority, and a server configuration with a certificate of it for this name.
fn tls(name: &str) -> (NamedTempFile, Arc<ServerConfig>) {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().expect("a key");
    let ca = params.self_signed(&ca_key).expect("a certificate");
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(ca.pem().as_bytes()).expect("is written");
    let server_key = KeyPair::generate().expect("a key");
    let issuer = Issuer::new(params, ca_key);
    let certificate = CertificateParams::new([name.to_owned()]).expect("parameters");
    let certificate = certificate.signed_by(&server_key, &issuer).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a configuration");
    (file, Arc::new(config))
}

/// A double behind TLS, and its port.
async fn start_tls(config: Arc<ServerConfig>) -> (Double, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    let double = Double::at(address);
    let served = double.clone();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(config);
        while let Ok((stream, _)) = listener.accept().await {
            let (served, acceptor) = (served.clone(), acceptor.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    served.serve(stream).await;
                }
            });
        }
    });
    (double, address.port())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_must_prove_its_name_to_a_trusted_authority() {
    let (ca, config) = tls("localhost");
    let (other_ca, other_config) = tls("elsewhere.example");
    for (config, authority, trusted) in [
        (&config, Some(&ca), true),
        // Those of the operating system don't know it.
        (&config, None, false),
        (&config, Some(&other_ca), false),
        // Its certificate is for another name.
        (&other_config, Some(&other_ca), false),
    ] {
        let (double, port) = start_tls(Arc::clone(config)).await;
        let mut options = double.options();
        options.address = format!("https://localhost:{port}");
        options.ca_file = authority.map(|file| file.path().to_owned());
        assert_eq!(kms(&options).check().await.is_ok(), trusted);
        assert_eq!(double.requests().is_empty(), !trusted, "the token goes to nobody else");
    }
}
