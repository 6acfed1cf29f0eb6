use strongroom_client::{Client, ErrorKind};

#[test]
fn addresses_that_are_taken() {
    for address in [
        "https://strongroom.example.com",
        "https://10.0.0.1:8200/",
        "https://proxy.example.com/strongroom/",
        "http://127.0.0.1:8200",
        "http://127.8.8.8:8200",
        "http://localhost:8200",
        "http://[::1]:8200",
        "http://[::ffff:127.0.0.1]:8200",
    ] {
        assert!(Client::builder(address).build().is_ok(), "{address}");
    }
}

#[test]
fn addresses_that_are_not() {
    for address in [
        "",
        "strongroom.example.com",
        "localhost:8200",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "https://",
        "https://user@strongroom.example.com",
        "https://user:hunter2@strongroom.example.com",
        "https://strongroom.example.com/?a=b",
        "https://strongroom.example.com/#a",
        "http://strongroom.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://localhost.example.com",
        "http://[::]:8200",
    ] {
        let error = Client::builder(address).build().err().unwrap_or_else(|| panic!("{address} is taken"));
        assert_eq!(error.kind(), &ErrorKind::BadInput, "{address}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    assert!(Client::builder("http://10.0.0.1").allow_plain_http().build().is_ok());
}

#[test]
fn other_settings_that_are_not_taken() {
    let builder = || Client::builder("https://strongroom.example.com");
    for builder in [
        builder().organisation("a\nb"),
        builder().project("a\0b"),
        builder().user_agent("a\r\nAuthorization: x"),
        builder().ca_certificate("nothing"),
        builder().ca_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        assert_eq!(builder.build().err().expect("refused").kind(), &ErrorKind::BadInput);
    }
}
