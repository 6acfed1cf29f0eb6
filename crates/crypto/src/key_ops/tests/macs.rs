use super::keys::{material, types};
use crate::key_ops::{mac, verify_mac};
use proptest::prelude::*;
use strongroom_domain::kms::KeyType;

fn verifies(key_type: KeyType, key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    verify_mac(key_type, key, message, tag).expect("is an HMAC key")
}

#[test]
fn no_byte_may_differ_be_missing_or_more() {
    let lengths = [(KeyType::Hmac, 32), (KeyType::HmacSha256, 32), (KeyType::HmacSha512, 64)];
    assert_eq!(types(KeyType::authenticates), lengths.map(|(key_type, _)| key_type));
    for (key_type, len) in lengths {
        let key = material(key_type);
        let tag = mac(key_type, key, b"message").expect("is an HMAC key");
        assert_eq!(tag.len(), len);
        assert!(verifies(key_type, key, b"message", &tag));
        for at in 0..len {
            let mut flipped = tag.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(!verifies(key_type, key, b"message", &flipped), "{key_type}, byte {at}");
            assert!(!verifies(key_type, key, b"message", &tag[..at]), "{key_type}, cut to {at}");
        }
        assert!(!verifies(key_type, key, b"message", &[&tag[..], &[0]].concat()));
        assert!(!verifies(key_type, key, b"messag", &tag));
        assert!(!verifies(key_type, key, b"message\0", &tag));
    }
}

proptest! {
    #[test]
    fn another_key_or_message_has_another(
        key_type in prop::sample::select(types(KeyType::authenticates)), mut key: [u8; 64], message: Vec<u8>, other: Vec<u8>,
        at: prop::sample::Index,
    ) {
        let len = key_type.material_len().expect("plain bytes");
        let tag = mac(key_type, &key[..len], &message).expect("is an HMAC key");
        prop_assert_eq!(&tag, &mac(key_type, &key[..len], &message).expect("is an HMAC key"));
        prop_assert!(verifies(key_type, &key[..len], &message, &tag));
        prop_assert_eq!(verifies(key_type, &key[..len], &other, &tag), message == other);
        key[at.index(len)] ^= 1;
        prop_assert!(!verifies(key_type, &key[..len], &message, &tag));
    }
}
