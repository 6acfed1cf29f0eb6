use crate::double::{Double, Reply};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::sync::Arc;
use strongroom_client::{Client, ErrorKind, Filter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server with TLS for `localhost`: its address, and its certificate in PEM.
async fn start() -> (String, String, Double) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("a configuration")));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let port = listener.local_addr().expect("an address").port();
    let double = Double::answering([Reply::json(200, "[]")]).await;
    let served = double.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, served) = (acceptor.clone(), served.clone());
            tokio::spawn(async move {
                // A client that doesn't trust it hangs up.
                if let Ok(stream) = acceptor.accept(stream).await {
                    served.serve(stream).await;
                }
            });
        }
    });
    (format!("https://localhost:{port}"), cert.pem(), double)
}

#[tokio::test]
async fn a_named_authority_is_trusted() {
    let (address, pem, double) = start().await;
    let client = Client::builder(&address).ca_certificate(pem).build().expect("a client");
    assert!(client.regions().list(&Filter::all()).await.expect("an answer").is_empty());
    assert_eq!(double.count(), 1);
}

#[tokio::test]
async fn any_other_is_not_and_hears_nothing() {
    let (address, _, double) = start().await;
    let (_, other, _) = start().await;
    for builder in [Client::builder(&address), Client::builder(&address).ca_certificate(other)] {
        let error = builder.build().expect("a client").secrets("r").describe("/a").await.expect_err("not trusted");
        assert_eq!((error.kind(), double.count()), (&ErrorKind::Tls, 0), "{error:?}");
        assert!(error.to_string().contains("authority"), "{error}");
    }
}

#[tokio::test]
async fn another_name_is_not_trusted() {
    let (address, pem, double) = start().await;
    let address = address.replace("localhost", "127.0.0.1");
    let client = Client::builder(address).ca_certificate(pem).build().expect("a client");
    let error = client.regions().list(&Filter::all()).await.expect_err("not trusted");
    assert_eq!((error.kind(), double.count()), (&ErrorKind::Tls, 0));
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    let client = Client::builder(format!("https://{address}")).build().expect("a client");
    let error = client.regions().list(&Filter::all()).await.expect_err("no TLS");
    assert_eq!(error.kind(), &ErrorKind::Tls, "{error:?}");
    assert!(error.to_string().contains("http://"), "{error}");
}
