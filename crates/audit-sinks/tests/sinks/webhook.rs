use crate::receiver::{Answer, Received, Receiver};
use crate::records::{assert_checkpoint, assert_records, checkpoint, name, stream};
use core::time::Duration;
use data_encoding::HEXLOWER;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use strongroom_audit_sinks::{HttpCheckpointSink, HttpOptions, HttpOptionsError, SIGNATURE_HEADER, WebhookSink};
use strongroom_crypto::hmac_sha256;
use strongroom_domain::port::{AuditSink, CheckpointSink};
use strongroom_domain::time::Timestamp;
use strongroom_domain::value::SecretBytes;
use strongroom_testkit::ManualClock;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

const SECRET: &[u8] = b"the secret of the tests";
const SECONDS: i64 = 1_700_000_000;

fn sink(options: &HttpOptions) -> WebhookSink {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(SECONDS * 1_000_000 + 999_999)));
    WebhookSink::new(name(), options, SecretBytes::copy_of(SECRET), clock).expect("options")
}

/// The lines of a request's records, after its signature was checked as the documentation says.
fn lines((headers, body): &Received) -> Vec<Vec<u8>> {
    let header = headers.get(SIGNATURE_HEADER).expect("a signature").to_str().expect("text");
    let (time, digest) = header.split_once(',').expect("two parts");
    assert_eq!(time, format!("t={SECONDS}"));
    let signed = [format!("{SECONDS}.").as_bytes(), body].concat();
    assert_eq!(digest, format!("v1={}", HEXLOWER.encode(&hmac_sha256(SECRET, &signed))));
    assert_eq!(headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let records = body["records"].as_array().expect("records");
    assert_eq!(body.as_object().expect("an object").len(), 1);
    records.iter().map(|record| serde_json::to_vec(record).expect("JSON")).collect()
}

fn told(error: &dyn Error) -> String {
    let cause = error.source().map(told).unwrap_or_default();
    format!("{error}: {cause}")
}

#[tokio::test]
async fn a_batch_is_one_signed_request() {
    let receiver = Receiver::start(&[Answer::Status(202), Answer::Status(204)], usize::MAX).await;
    let sink = sink(&HttpOptions::new(receiver.url()));
    let records = stream(9);
    sink.deliver(&records[..5]).await.expect("takes them");
    sink.deliver(&records[5..]).await.expect("takes them");
    sink.deliver(&[]).await.expect("sends nothing");
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_records(&lines(&requests[0]), &records[..5]);
    assert_records(&lines(&requests[1]), &records[5..]);
}

#[tokio::test]
async fn what_was_not_answered_with_2xx_was_not_taken() {
    let answers =
        [Answer::Status(500), Answer::Redirect, Answer::Status(400), Answer::Status(401), Answer::Status(304)];
    let receiver = Receiver::start(&answers, usize::MAX).await;
    let sink = sink(&HttpOptions::new(receiver.url()));
    let records = stream(2);
    for status in [500, 307, 400, 401, 304] {
        let error = sink.deliver(&records).await.expect_err("is refused");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    // The redirect was not followed.
    assert_eq!(receiver.requests().len(), answers.len());
    sink.deliver(&records).await.expect("takes them");
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up_and_one_that_talks_is_not_listened_to() {
    let receiver = Receiver::start(&[Answer::Never, Answer::Long(10_000_000)], usize::MAX).await;
    let mut options = HttpOptions::new(receiver.url());
    options.timeout = Duration::from_millis(200);
    let error = sink(&options).deliver(&stream(1)).await.expect_err("hangs");
    assert!(told(&error).contains("too long"), "{error}");
    options.timeout = Duration::from_secs(60);
    sink(&options).deliver(&stream(1)).await.expect("takes it");
}

#[tokio::test]
async fn a_batch_that_is_too_large_goes_in_parts_in_order() {
    let records = stream(16);
    let receiver = Receiver::start(&[], 5_000).await;
    sink(&HttpOptions::new(receiver.url())).deliver(&records).await.expect("takes them");
    let taken: Vec<_> = receiver.requests().iter().filter(|(_, body)| body.len() <= 5_000).flat_map(lines).collect();
    assert_records(&taken, &records);

    let receiver = Receiver::start(&[], 50).await;
    let error = sink(&HttpOptions::new(receiver.url())).deliver(&records).await.expect_err("not even one fits");
    assert!(error.to_string().contains("too large"), "{error}");
    assert_eq!(receiver.requests().len(), 5);
}

#[tokio::test]
async fn nobody_there_is_an_error_without_the_url() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let error = sink(&HttpOptions::new(format!("http://{address}/hidden"))).deliver(&stream(1)).await;
    let error = told(&error.expect_err("nobody listens"));
    assert!(error.contains("cannot be reached") && !error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn checkpoints_are_sent_one_by_one() {
    let receiver = Receiver::start(&[Answer::Status(200), Answer::Status(503)], usize::MAX).await;
    let sink = HttpCheckpointSink::new(&HttpOptions::new(receiver.url())).expect("options");
    let checkpoints = [checkpoint(1), checkpoint(2)];
    sink.publish(&checkpoints[0]).await.expect("takes it");
    assert!(sink.publish(&checkpoints[1]).await.is_err());
    sink.publish(&checkpoints[1]).await.expect("takes it");
    let requests = receiver.requests();
    for ((_, body), number) in requests.iter().zip([0, 1, 1]) {
        assert_checkpoint(body, &checkpoints[number]);
    }
    assert_eq!(requests.len(), 3);
}

/// A receiver with a certificate of an authority of its own; and the authority.
async fn tls_receiver() -> (Receiver, NamedTempFile) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).expect("signs");
    let issuer = Issuer::from_params(&params, &authority_key);
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = certificate.signed_by(&key, &issuer).expect("signs");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let receiver = Receiver::at(listener.local_addr().expect("an address"), &[], usize::MAX);
    let served = receiver.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, receiver) = (acceptor.clone(), served.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    receiver.serve(stream).await;
                }
            });
        }
    });
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(authority.pem().as_bytes()).expect("writes");
    (receiver, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_certificate_is_checked() {
    let (receiver, authority) = tls_receiver().await;
    let url = |host: &str| format!("https://{host}:{}/audit", receiver.address.port());
    let options = HttpOptions { ca_file: Some(authority.path().to_owned()), ..HttpOptions::new(url("localhost")) };
    let records = stream(2);
    sink(&options).deliver(&records).await.expect("takes them");
    assert_records(&lines(&receiver.requests()[0]), &records);
    // The name is another, or nobody we know vouches for it.
    let other = HttpOptions { url: url("127.0.0.1"), ..options.clone() };
    assert!(sink(&other).deliver(&records).await.is_err());
    let (_, stranger) = tls_receiver().await;
    let unknown = HttpOptions { ca_file: Some(stranger.path().to_owned()), ..options };
    assert!(sink(&unknown).deliver(&records).await.is_err());
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn options_that_cannot_be_used_are_refused() {
    let refused = |options: &HttpOptions| HttpCheckpointSink::new(options).err().expect("refused");
    assert!(matches!(refused(&HttpOptions::new("http://audit.example.com")), HttpOptionsError::Url(_)));
    let empty = NamedTempFile::new().expect("a file");
    for path in [empty.path().to_owned(), "/nowhere".into()] {
        let options = HttpOptions { ca_file: Some(path), ..HttpOptions::new("https://audit.example.com") };
        assert!(matches!(refused(&options), HttpOptionsError::CaFile { .. }));
    }
}
