use super::keys::{hex, message};
use crate::key_ops::hmac_key::mac_under;
use crate::key_ops::{check_import, public_key, sign};
use data_encoding::HEXLOWER;
use strongroom_domain::kms::{HashAlgorithm, KeyType, PublicKey};
use strongroom_domain::value::SecretBytes;

const LONG_MESSAGE: &[u8] =
    b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be \
                              hashed before being used by the HMAC algorithm.";

/// RFC 4231, test cases 1 to 4, 6 and 7.
#[test]
fn hmac() {
    let counted: Vec<u8> = (1..=25).collect();
    let cases: [(&[u8], &[u8], &str, &str); 6] = [
        (
            &[0x0b; 20][..],
            &b"Hi There"[..],
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61\
             f1702e696c203a126854",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a\
             6b4b636e070a38bce737",
        ),
        (
            &[0xaa; 20],
            &[0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8\
             942674278859e13292fb",
        ),
        (
            &counted,
            &[0xcd; 50],
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c\
             4f2de2adebeb10a298dd",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f\
             0aec8b915a985d786598",
        ),
        (
            &[0xaa; 131],
            LONG_MESSAGE,
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0\
             446065c97440fa8c6a58",
        ),
    ];
    for (key, message, sha256, sha512) in cases {
        assert_eq!(HEXLOWER.encode(&mac_under(HashAlgorithm::Sha256, key, message)), sha256);
        assert_eq!(HEXLOWER.encode(&mac_under(HashAlgorithm::Sha512, key, message)), sha512);
    }
}

/// RFC 8032 section 7.1, tests 1 to 3; then the key of RFC 8410 section 10.3. All in the form of the latter.
#[test]
fn ed25519() {
    let document = |seed: &str| SecretBytes::copy_of(&hex(&format!("302e020100300506032b657004220420{seed}")));
    for (seed, public, bytes, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f059\
             5bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4\
             302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e971\
             6ed28dc027beceea1ec40a",
        ),
    ] {
        let material = check_import(KeyType::Ed25519, &document(seed)).expect("comes in");
        let expected: [u8; 32] = hex(public).try_into().expect("32 bytes");
        let public = public_key(KeyType::Ed25519, material.expose()).expect("has one");
        assert_eq!(public, PublicKey::Ed25519(expected));
        for hash in HashAlgorithm::ALL {
            let signed = sign(KeyType::Ed25519, material.expose(), &message(hash, &hex(bytes))).expect("signs");
            assert_eq!(HEXLOWER.encode(&signed), signature);
        }
    }
    let material = document("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");
    let public = public_key(KeyType::Ed25519, material.expose()).expect("has one");
    assert_eq!(public.to_text(), "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
}
