//! Tokens: where they come from, and what they may do.

use crate::case::{AAD, Case, assert_kind, secret};
use crate::double::{Double, Fault};
use strongroom_domain::port::{Kms, KmsErrorKind};

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
