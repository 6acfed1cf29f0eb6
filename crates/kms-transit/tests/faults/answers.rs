//! Servers that don't answer, or with what is no answer.

use crate::case::{AAD, Case, LEFT_ALONE, OPERATIONS, assert_asked, assert_kind, secret, spec, version};
use crate::double::{Double, Fault, kms};
use core::time::Duration;
use std::sync::Arc;
use strongroom_crypto::OsEntropy;
use strongroom_domain::kms::{KeyType, KeyVersionNumber};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::time::Timestamp;
use strongroom_kms_transit::TransitKms;
use strongroom_testkit::ManualClock;
use tokio::task::JoinSet;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_and_says_what_to_configure() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let case = Case::new().await;
        case.double.plan("/v1/", usize::MAX, Fault::Redirect(status));
        for (name, answer) in case.every_operation().await {
            let text = assert_asked(answer, &format!("{name}, {status}"));
            assert!(text.contains("redirect, and none is followed: configure the address"), "{name}, {status}: {text}");
        }
        assert_eq!(case.double.count("elsewhere"), 0, "{status}");
    }
}
