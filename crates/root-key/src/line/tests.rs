use super::{Line, LineKind, Unsealing};
use crate::PassphraseCost;
use crate::error::{LineProblem, UnsealError};
use proptest::prelude::*;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::port::Entropy;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

const DIGITS: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn problem(text: &str) -> Option<LineProblem> {
    Line::parse(text.as_bytes()).err()
}

#[test]
fn plain_lines_have_one_form() {
    let line = Line::parse(format!("strongroom-root-key-v1:{DIGITS}").as_bytes()).expect("reads");
    assert_eq!(line.kind(), LineKind::Plain);
    let upper = DIGITS.to_uppercase();
    for bad in [
        String::new(),
        DIGITS.to_owned(),
        format!("strongroom-root-key-v1:{}", &DIGITS[1..]),
        format!("strongroom-root-key-v1:{}", &DIGITS[2..]),
        format!("strongroom-root-key-v1:{DIGITS}0"),
        format!("strongroom-root-key-v1:{DIGITS}\r"),
        format!("strongroom-root-key-v1:{upper}"),
        format!("strongroom-root-key-v1: {}", &DIGITS[1..]),
        format!("STRONGROOM-root-key-v1:{DIGITS}"),
        format!(" strongroom-root-key-v1:{DIGITS}"),
    ] {
        assert_eq!(problem(&bad), Some(LineProblem::Format), "{bad}");
    }
    for unknown in ["strongroom-root-key-v2:", "strongroom-root-key-hsm-v1:", "strongroom-root-key-passphrase-v2:"] {
        assert_eq!(problem(&format!("{unknown}{DIGITS}")), Some(LineProblem::UnknownVersion), "{unknown}");
    }
}

#[test]
fn lines_of_a_passphrase_have_one_form() {
    let salt = "00112233445566778899aabbccddeeff";
    let sealed = "ab".repeat(61);
    let line = |cost: &str, salt: &str, sealed: &str| {
        problem(&format!("strongroom-root-key-passphrase-v1:{cost}:{salt}:{sealed}"))
    };
    let cost = "m=65536,t=3,p=1";
    assert_eq!(line(cost, salt, &sealed), None);
    assert_eq!(line("m=4194304,t=3,p=1", salt, &sealed), Some(LineProblem::Cost));
    for (cost, salt, sealed) in [
        ("", salt, &sealed[..]),
        ("m=65536", salt, &sealed),
        (cost, &salt[2..], &sealed),
        (cost, &salt.to_uppercase(), &sealed),
        (cost, "", &sealed),
        (cost, salt, &sealed[2..]),
        (cost, salt, &sealed[1..]),
        (cost, salt, ""),
        (cost, salt, &format!("{sealed}:")),
        (cost, salt, &format!("{sealed}00")),
        (cost, salt, &sealed.to_uppercase()),
        (cost, salt, "ä"),
    ] {
        assert_eq!(line(cost, salt, sealed), Some(LineProblem::Format), "{cost}:{salt}:{sealed}");
    }
    assert_eq!(problem("strongroom-root-key-passphrase-v1:"), Some(LineProblem::Format));
}

#[test]
fn lines_of_a_transit_server_have_one_form() {
    let line = |rest: &str| problem(&format!("strongroom-root-key-transit-v1:{rest}"));
    for good in ["transit:root:vault:v1:abc+/=", "team/a/transit:root-2_x.y:vault:v12:YQ=="] {
        assert_eq!(line(good), None, "{good}");
    }
    for bad in [
        "",
        "transit",
        "transit:root",
        "transit:root:",
        ":root:vault:v1:abc",
        "transit::vault:v1:abc",
        "../sys:root:vault:v1:abc",
        "transit/../../sys:root:vault:v1:abc",
        "transit/:root:vault:v1:abc",
        "transit:a/b:vault:v1:abc",
        "transit:..:vault:v1:abc",
        "transit:ro ot:vault:v1:abc",
        "transit:root?x:vault:v1:abc",
        "transit:root:vault:v1:a\"bc",
        "transit:root:vault:v1:a bc",
        "transit:root:vault:v1:ä",
    ] {
        assert_eq!(line(bad), Some(LineProblem::Format), "{bad}");
    }
    let long = format!("transit:root:vault:v1:{}", "a".repeat(1_024));
    assert_eq!(line(&long), Some(LineProblem::Format));
}

#[tokio::test]
async fn what_opens_a_line_must_be_there() {
    let nothing = Unsealing::default();
    let passphrase =
        format!("strongroom-root-key-passphrase-v1:m=8192,t=1,p=1:{}:{}", "00".repeat(16), "ab".repeat(61));
    let line = Line::parse(passphrase.as_bytes()).expect("reads");
    assert!(matches!(line.open(&nothing).await, Err(UnsealError::NoPassphrase)));
    let line = Line::parse(b"strongroom-root-key-transit-v1:transit:root:vault:v1:abc").expect("reads");
    assert!(matches!(line.open(&nothing).await, Err(UnsealError::NoTransit)));
    let key = Zeroizing::new([1; 32]);
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    for (kind, is_plain) in [(LineKind::Plain, true), (LineKind::Passphrase, false), (LineKind::Transit, false)] {
        assert_eq!(Line::write(kind, &key, &nothing, &entropy).await.is_ok(), is_plain, "{}", kind.as_str());
    }
}

#[tokio::test]
async fn what_is_written_is_read_and_opened_again() {
    let with = Unsealing {
        passphrase: Some(Arc::new(SecretBytes::copy_of(b"correct horse"))),
        cost: PassphraseCost::new(8 * 1024, 1, 1).expect("in bounds"),
        ..Unsealing::default()
    };
    let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
    let key = Zeroizing::new([0xa5; 32]);
    for kind in [LineKind::Plain, LineKind::Passphrase] {
        let text = Line::write(kind, &key, &with, &entropy).await.expect("writes");
        let shown = String::from_utf8_lossy(&text).contains(&"a5".repeat(32));
        assert_eq!(shown, kind == LineKind::Plain);
        let line = Line::parse(&text).expect("reads");
        assert_eq!(line.kind(), kind);
        assert_eq!(*line.open(&with).await.expect("opens"), [0xa5; 32]);
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in prop::collection::vec(any::<u8>(), 0..200), kind in 0..4_usize) {
        let prefix = [
            "",
            "strongroom-root-key-v1:",
            "strongroom-root-key-passphrase-v1:m=8192,t=1,p=1:",
            "strongroom-root-key-transit-v1:",
        ][kind];
        let text = [prefix.as_bytes(), &text].concat();
        // What is read is only ever a Transit line: the others have fixed lengths of digits.
        if let Ok(line) = Line::parse(&text) {
            prop_assert_eq!(line.kind(), LineKind::Transit);
        }
    }

    #[test]
    fn every_key_is_read_as_it_was_written(bytes: [u8; 32]) {
        let text = format!("strongroom-root-key-v1:{}", data_encoding::HEXLOWER.encode(&bytes));
        let Ok(Line::Plain(read)) = Line::parse(text.as_bytes()) else { panic!("plain") };
        prop_assert_eq!(*read, bytes);
    }
}
