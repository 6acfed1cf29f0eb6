//! Known answers, and what must not open.

use super::{AeadError, open, seal};
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use strongroom_domain::envelope::Nonce;
use strongroom_domain::kms::KeyType;
use strongroom_domain::value::SecretBytes;

struct Vector {
    key: &'static str,
    nonce: &'static str,
    plain: &'static str,
    aad: &'static str,
    /// Ciphertext, then tag.
    sealed: [&'static str; 2],
}

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).expect("hex")
}

fn known_answers(key_type: KeyType, vectors: &[Vector]) {
    for vector in vectors {
        let (key, plain, aad) = (hex(vector.key), hex(vector.plain), hex(vector.aad));
        let nonce: Nonce = hex(vector.nonce).try_into().expect("12 bytes");
        let sealed = seal(key_type, &key, &nonce, &aad, &SecretBytes::copy_of(&plain)).expect("seals");
        assert_eq!(HEXLOWER.encode(&sealed), vector.sealed.concat());
        assert_eq!(open(key_type, &key, &nonce, &aad, &sealed).expect("opens").expose(), plain);
    }
}

const GCM_PLAIN: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de\
    657ba637b39";
const GCM_AAD: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";

/// Test cases 1, 2 and 4 of the GCM specification that NIST SP 800-38D adopts, then NIST's CAVP.
#[test]
fn aes_128_gcm() {
    known_answers(
        KeyType::Aes128Gcm96,
        &[
            Vector {
                key: "00000000000000000000000000000000",
                nonce: "000000000000000000000000",
                plain: "",
                aad: "",
                sealed: ["", "58e2fccefa7e3061367f1d57a4e7455a"],
            },
            Vector {
                key: "00000000000000000000000000000000",
                nonce: "000000000000000000000000",
                plain: "00000000000000000000000000000000",
                aad: "",
                sealed: ["0388dace60b6a392f328c2b971b2fe78", "ab6e47d42cec13bdf53a67b21257bddf"],
            },
            Vector {
                key: "feffe9928665731c6d6a8f9467308308",
                nonce: "cafebabefacedbaddecaf888",
                plain: GCM_PLAIN,
                aad: GCM_AAD,
                sealed: [
                    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973\
                d58e091",
                    "5bc94fbc3221a5db94fae95ae7121a47",
                ],
            },
            Vector {
                key: "fe0121f42e599f88ff02a985403e19bb",
                nonce: "3bb9eb7724cbe1943d43de21",
                plain: "fd331ca8646091c29f21e5f0a1",
                aad: "2662d895035b6519f3510eae0faa3900ad23cfdf",
                sealed: ["59fe29b07b0de8d869efbbd9b4", "d24c3e9c1c73c0af1097e26061c857de"],
            },
            Vector {
                key: "d4a22488f8dd1d5c6c19a7d6ca17964c",
                nonce: "f3d5837f22ac1a0425e0d1d5",
                plain: "7b43016a16896497fb457be6d2a54122",
                aad: "f1c5d424b83f96c6ad8cb28ca0d20e475e023b5a",
                sealed: ["c2bd67eef5e95cac27e3b06e3031d0a8", "f23eacf9d1cdf8737726c58648826e9c"],
            },
            Vector {
                key: "fedc7155192d00b23cdd98750db9ebba",
                nonce: "a76b74f55c1a1756a08338b1",
                plain: "6831435b8857daf1c513b148820d13b5a72cc490bda79a98a6f520d8763c39d1",
                aad: "2ad206c4176e7e552aa08836886816fafa77e759",
                sealed: [
                    "15823805da89a1923bfc1d6f87784d56bad1128b4dffdbdeefbb2fa562c35e68",
                    "d23dc455ced49887c717e8eabeec2984",
                ],
            },
        ],
    );
}

/// Test cases 13, 14 and 16 of the GCM specification, then NIST's CAVP.
#[test]
fn aes_256_gcm() {
    known_answers(
        KeyType::Aes256Gcm96,
        &[
            Vector {
                key: "0000000000000000000000000000000000000000000000000000000000000000",
                nonce: "000000000000000000000000",
                plain: "",
                aad: "",
                sealed: ["", "530f8afbc74536b9a963b4f1c4cb738b"],
            },
            Vector {
                key: "0000000000000000000000000000000000000000000000000000000000000000",
                nonce: "000000000000000000000000",
                plain: "00000000000000000000000000000000",
                aad: "",
                sealed: ["cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"],
            },
            Vector {
                key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
                nonce: "cafebabefacedbaddecaf888",
                plain: GCM_PLAIN,
                aad: GCM_AAD,
                sealed: [
                    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0ab\
                cc9f662",
                    "76fc6ece0f4e1768cddf8853bb2d551b",
                ],
            },
            Vector {
                key: "69b458f2644af9020463b40ee503cdf083d693815e2659051ae0d039e606a970",
                nonce: "8d1da8ab5f91ccd09205944b",
                plain: "f3e0e09224256bf21a83a5de8d",
                aad: "036ad5e5494ef817a8af2f5828784a4bfedd1653",
                sealed: ["c0a62d77e6031bfdc6b13ae217", "a794a9aaee48cd92e47761bf1baff0af"],
            },
            Vector {
                key: "83688deb4af8007f9b713b47cfa6c73e35ea7a3aa4ecdb414dded03bf7a0fd3a",
                nonce: "0b459724904e010a46901cf3",
                plain: "33d893a2114ce06fc15d55e454cf90c3",
                aad: "794a14ccd178c8ebfd1379dc704c5e208f9d8424",
                sealed: ["cc66bee423e3fcd4c0865715e9586696", "0fb291bd3dba94a1dfd8b286cfb97ac5"],
            },
            Vector {
                key: "5853c020946b35f2c58ec427152b840420c40029636adcbb027471378cfdde0f",
                nonce: "eec313dd07cc1b3e6b068a47",
                plain: "ce7458e56aef9061cb0c42ec2315565e6168f5a6249ffd31610b6d17ab64935e",
                aad: "1389b522c24a774181700553f0246bbabdd38d6f",
                sealed: [
                    "eadc3b8766a77ded1a58cb727eca2a9790496c298654cda78febf0da16b6903b",
                    "3d49a5b32fde7eafcce90079217ffb57",
                ],
            },
        ],
    );
}

/// RFC 8439 section 2.8.2.
#[test]
fn chacha20_poly1305() {
    known_answers(
        KeyType::ChaCha20Poly1305,
        &[Vector {
            key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
            nonce: "070000004041424344454647",
            plain: "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f66\
            66657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c6420626520\
            69742e",
            aad: "50515253c0c1c2c3c4c5c6c7",
            sealed: [
                "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29\
            05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b\
            6116",
                "1ae10b594f09e26a7e902ecbd0600691",
            ],
        }],
    );
}

const SYMMETRIC: [KeyType; 3] = [KeyType::Aes128Gcm96, KeyType::Aes256Gcm96, KeyType::ChaCha20Poly1305];

fn len_of(key_type: KeyType) -> usize {
    key_type.material_len().expect("plain bytes")
}

fn key_type() -> impl Strategy<Value = KeyType> {
    prop::sample::select(SYMMETRIC.to_vec())
}

proptest! {
    #[test]
    fn round_trips(key_type in key_type(), key: [u8; 32], nonce: Nonce, aad: Vec<u8>, plain: Vec<u8>) {
        let key = &key[..len_of(key_type)];
        let sealed = seal(key_type, key, &nonce, &aad, &SecretBytes::copy_of(&plain)).expect("seals");
        prop_assert_eq!(sealed.len(), plain.len() + 16);
        let opened = open(key_type, key, &nonce, &aad, &sealed).expect("opens");
        prop_assert_eq!(opened.expose(), &plain[..]);
    }

    #[test]
    fn whatever_differs_is_not_authentic(
        key_type in key_type(), mut key: [u8; 32], mut nonce: Nonce, mut aad in prop::collection::vec(any::<u8>(), 1..40),
        plain in prop::collection::vec(any::<u8>(), 0..80), at: prop::sample::Index, bit in 0..8u32, more: u8,
    ) {
        let len = len_of(key_type);
        let sealed = seal(key_type, &key[..len], &nonce, &aad, &SecretBytes::copy_of(&plain)).expect("seals");
        let bit = 1 << bit;

        let mut other = sealed.clone();
        other[at.index(sealed.len())] ^= bit;
        prop_assert_eq!(open(key_type, &key[..len], &nonce, &aad, &other).err(), Some(AeadError::NotAuthentic));
        let cut = &sealed[..at.index(sealed.len())];
        prop_assert_eq!(open(key_type, &key[..len], &nonce, &aad, cut).err(), Some(AeadError::NotAuthentic));
        let mut longer = sealed.clone();
        longer.push(more);
        prop_assert_eq!(open(key_type, &key[..len], &nonce, &aad, &longer).err(), Some(AeadError::NotAuthentic));

        let place = at.index(aad.len());
        aad[place] ^= bit;
        prop_assert_eq!(open(key_type, &key[..len], &nonce, &aad, &sealed).err(), Some(AeadError::NotAuthentic));
        aad[place] ^= bit;
        nonce[at.index(12)] ^= bit;
        prop_assert_eq!(open(key_type, &key[..len], &nonce, &aad, &sealed).err(), Some(AeadError::NotAuthentic));
        nonce[at.index(12)] ^= bit;
        key[at.index(len)] ^= bit;
        prop_assert_eq!(open(key_type, &key[..len], &nonce, &aad, &sealed).err(), Some(AeadError::NotAuthentic));
        key[at.index(len)] ^= bit;
        prop_assert!(open(key_type, &key[..len], &nonce, &aad, &sealed).is_ok());
    }
}

#[test]
fn material_of_another_length_is_refused() {
    let plain = SecretBytes::copy_of(b"plaintext");
    for key_type in SYMMETRIC {
        for len in (0..40).filter(|len| *len != len_of(key_type)) {
            let key = vec![1; len];
            assert_eq!(seal(key_type, &key, &[0; 12], b"", &plain).err(), Some(AeadError::MaterialLength));
            assert_eq!(open(key_type, &key, &[0; 12], b"", &[0; 32]).err(), Some(AeadError::MaterialLength));
        }
    }
}

#[test]
fn other_key_types_are_no_aead() {
    let plain = SecretBytes::copy_of(b"plaintext");
    let others: Vec<KeyType> = KeyType::ALL.into_iter().filter(|key_type| !key_type.is_symmetric()).collect();
    assert_eq!(others.len(), 10);
    for key_type in others {
        assert_eq!(seal(key_type, &[1; 32], &[0; 12], b"", &plain).err(), Some(AeadError::Unsupported), "{key_type}");
        assert_eq!(open(key_type, &[1; 32], &[0; 12], b"", &[0; 32]).err(), Some(AeadError::Unsupported), "{key_type}");
    }
}
