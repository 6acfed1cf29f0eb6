//! What encrypts and decrypts, and which ciphertexts don't.

use super::{AAD, PLAIN, TestKey, assert_fails, ok};
use std::collections::HashSet;
use std::sync::Arc;
use strongroom_domain::envelope::public_aad;
use strongroom_domain::kms::{KeyType, MAX_PLAINTEXT_LEN};
use strongroom_domain::port::{Kms, KmsErrorKind};
use strongroom_domain::value::SecretBytes;

/// `encrypt`: encrypting twice gives different ciphertexts.
pub async fn encrypting_twice_differs(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let mut seen = HashSet::new();
        for _ in 0..32 {
            assert!(seen.insert(key.encrypt(&*kms).await), "{key_type}");
        }
    }
}

/// `encrypt`: a ciphertext, like a handle, shows nothing of the plaintext.
pub async fn ciphertexts_do_not_show_the_plaintext(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        for shown in [ciphertext.as_slice(), key.latest().handle.as_bytes()] {
            assert!(!shown.windows(8).any(|window| PLAIN.windows(8).any(|part| part == window)), "{key_type}");
        }
    }
}

/// `decrypt`: gives the plaintext back under the same spec, version and AAD.
pub async fn what_was_encrypted_decrypts(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        for len in [0, 1, 15, 16, 17, 32, 4_096, MAX_PLAINTEXT_LEN] {
            // Bytes of every value.
            let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
            for aad in [&b""[..], AAD, &public_aad(&key.spec.scope, key.spec.id, key.latest().number)] {
                let plain = SecretBytes::copy_of(&bytes);
                let ciphertext = ok(kms.encrypt(&key.spec, key.latest(), aad, &plain).await);
                let opened = ok(kms.decrypt(&key.spec, key.latest(), aad, &ciphertext).await);
                assert_eq!(opened.expose(), bytes, "{key_type}, {len} bytes");
            }
        }
    }
}

/// `encrypt`: the AAD is authenticated with the plaintext; `decrypt`: another AAD is `NotAuthentic`.
pub async fn another_aad_is_not_authentic(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        let mut flipped = AAD.to_vec();
        flipped[3] ^= 1;
        let longer = [AAD, b"\0"].concat();
        for aad in [&b""[..], &AAD[1..], &AAD[..AAD.len() - 1], &flipped, &longer] {
            let answer = kms.decrypt(&key.spec, key.latest(), aad, &ciphertext).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (key_type, aad));
        }
    }
}

/// `decrypt`: a ciphertext that was cut, extended or flipped is `NotAuthentic`.
pub async fn a_changed_ciphertext_is_not_authentic(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, key_type).await;
        let ciphertext = key.encrypt(&*kms).await;
        let mut changed: Vec<Vec<u8>> = (0..ciphertext.len()).map(|len| ciphertext[..len].to_vec()).collect();
        changed.extend((1..ciphertext.len()).map(|from| ciphertext[from..].to_vec()));
        changed.extend([0, 1, 255].map(|byte| [&ciphertext[..], &[byte]].concat()));
        changed.push([&ciphertext[..], &ciphertext[..]].concat());
        changed.extend((0..ciphertext.len() * 8).map(|bit| {
            let mut flipped = ciphertext.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            flipped
        }));
        for bytes in changed {
            let answer = kms.decrypt(&key.spec, key.latest(), AAD, &bytes).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (key_type, bytes));
        }
    }
}

/// `decrypt`: a ciphertext of another key, of the same type or another, is `NotAuthentic`.
pub async fn a_ciphertext_of_another_key_is_not_authentic(kms: Arc<dyn Kms>) {
    for ours in KeyType::ALL {
        let key = TestKey::create(&*kms, 1, ours).await;
        for theirs in KeyType::ALL {
            let ciphertext = TestKey::create(&*kms, 2, theirs).await.encrypt(&*kms).await;
            let answer = kms.decrypt(&key.spec, key.latest(), AAD, &ciphertext).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (ours, theirs));
        }
    }
}

/// `decrypt`: a ciphertext of another version of the key, earlier or later, is `NotAuthentic`.
pub async fn a_ciphertext_of_another_version_is_not_authentic(kms: Arc<dyn Kms>) {
    for key_type in KeyType::ALL {
        let mut key = TestKey::create(&*kms, 1, key_type).await;
        let first = key.encrypt(&*kms).await;
        key.rotate(&*kms).await;
        let second = key.encrypt(&*kms).await;
        for (version, ciphertext) in [(&key.versions[0], second), (&key.versions[1], first)] {
            let answer = kms.decrypt(&key.spec, version, AAD, &ciphertext).await;
            assert_fails(answer, KmsErrorKind::NotAuthentic, (key_type, version.number));
        }
    }
}
