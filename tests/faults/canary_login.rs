//! Known values around logins: an issuer that the operator trusts with users, who show its tokens as they are.

use crate::canary::Canaries;
use crate::canary_identities::{ISSUED_UNTIL, needle};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer as Authority, KeyPair};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strongroom_crypto::Ed25519Signer;
use strongroom_tests::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

const ISSUER: &str = "https://login.example.com/";

/// Gives its keys to whoever asks, over TLS, as long as it lives.
pub(crate) struct LoginIssuer {
    address: SocketAddr,
    /// The authority of its certificate.
    pub(crate) authority: PathBuf,
    _runtime: Runtime,
}

impl LoginIssuer {
    /// `folder`: where the authority's certificate goes.
    pub(crate) fn start(folder: &Path) -> Self {
        let authority_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = folder.join("login-authority.pem");
        std::fs::write(&authority, params.self_signed(&authority_key).unwrap().pem()).unwrap();
        let by = Authority::from_params(&params, &authority_key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &by).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut asked = Vec::new();
                    while !asked.ends_with(b"\r\n\r\n") && stream.read_buf(&mut asked).await.is_ok_and(|len| len > 0) {}
                    let keys = keys();
                    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{keys}", keys.len());
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { address, authority, _runtime: runtime }
    }

    /// What a server needs to take its tokens.
    pub(crate) fn settings(&self) -> String {
        format!(
            "[iam]\nprivate_issuers = true\n[iam.logins.people]\nissuer = \"{ISSUER}\"\naudience = \"canaries\"\n\
             jwks_uri = \"https://localhost:{}/keys\"\n",
            self.address.port()
        )
    }
}

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32]).expect("a key")
}

fn keys() -> String {
    let public = URL_SAFE_NO_PAD.encode(signer(9).public_key());
    json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "login", "x": public}]})
        .to_string()
}

/// Somebody who logs in, and those who can't.
pub(crate) fn logins(client: &Client, canaries: &mut Canaries) {
    let mut token = |name: &str, by: u8, claims: Value| {
        let mut all = json!({"iss": ISSUER, "sub": "lou", "aud": "canaries", "exp": ISSUED_UNTIL, "name": "Lou",
            "email": "lou@example.com", "jti": canaries.word(&format!("the number of {name}"))});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "login", "typ": "JWT"})), part(&all));
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signer(by).sign(message.as_bytes())));
        needle(canaries, name, &token);
        token
    };
    let right = token("a login", 9, json!({}));
    let wrong = [
        token("a login of another key", 8, json!({})),
        token("a login that is over", 9, json!({"exp": 1_500_000_000})),
        token("a login for others", 9, json!({"aud": "sparrows"})),
        token("a login of nobody", 9, json!({"sub": ""})),
        token("a login of another issuer", 9, json!({"iss": "https://other.example.com/"})),
        right[..right.len() - 9].to_owned(),
    ];
    let with = |token: &str| Client { token: Some(token.to_owned()), organisation: None, ..client.clone() };
    let me = canaries.keep(200, with(&right).get("/v1/me")).json();
    let user = me["identity"].as_str().unwrap();
    let theirs = Client { organisation: client.organisation.clone(), ..with(&right) };
    canaries.keep(403, theirs.reveal("/c/a", None));
    let member = json!({"userIdentity": user, "role": "OWNER"});
    canaries.keep(201, client.post("/v1/memberships", &member));
    let value = canaries.value("a value of who logged in");
    let new = json!({"path": "/c/login", "kmsKeyIdentity": client.kms_key, "secretString": value});
    canaries.keep(201, theirs.post(client.secrets(), &new));
    assert_eq!(theirs.reveal("/c/login", None).ok(200)["secretString"], value);
    canaries.keep(200, theirs.get("/v1/me"));
    for token in &wrong {
        canaries.keep(401, with(token).get("/v1/me"));
        let value = canaries.value("from one who is not logged in");
        canaries.keep(401, with(token).post(client.secrets(), &json!({"path": "/c/none", "secretString": value})));
    }
}
