//! RFC 6979 appendices A.2.5 to A.2.7: on three curves the signatures of two messages with each hash.

use super::keys::{hex, message};
use crate::key_ops::{check_import, sign, verify};
use strongroom_domain::kms::{HashAlgorithm, KeyType};
use strongroom_domain::value::SecretBytes;

/// Type, private key as PKCS#8, and by hash the signatures of both messages in DER.
type Vectors = (KeyType, &'static str, [[&'static str; 2]; 3]);

const MESSAGES: [&[u8]; 2] = [b"sample", b"test"];

#[test]
fn the_signatures_of_the_rfc_verify() {
    let mut verified = 0;
    for (key_type, document, by_hash) in vectors() {
        let material = check_import(key_type, &SecretBytes::copy_of(&hex(document))).expect("comes in");
        for (hash, signatures) in HashAlgorithm::ALL.into_iter().zip(by_hash) {
            for (bytes, signature) in MESSAGES.into_iter().zip(signatures) {
                let verifies = |hash, bytes: &[u8]| {
                    verify(key_type, material.expose(), &message(hash, bytes), &hex(signature)).expect("verifies")
                };
                assert!(verifies(hash, bytes), "{key_type} {hash}");
                assert!(!verifies(hash, b"other"), "{key_type} {hash}");
                for other in HashAlgorithm::ALL.into_iter().filter(|other| *other != hash) {
                    assert!(!verifies(other, bytes), "{key_type} {hash} as {other}");
                }
                verified += 1;
            }
            // The library verifies every pair of curve and hash, but doesn't sign with all of them.
            let input = message(hash, b"sample");
            let signature = sign(key_type, material.expose(), &input).expect("signs");
            assert!(verify(key_type, material.expose(), &input, &signature).expect("verifies"), "{key_type} {hash}");
        }
    }
    assert_eq!(verified, 18);
}

const fn vectors() -> [Vectors; 3] {
    [
        (
            KeyType::EcdsaP256,
            "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420c9afa9d845ba75166b5c215767b1d6934e50c3\
             db36e89b127b8a622b120f6721",
            [
                [
                    "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1b6e2\
                     9f65f3e900dbb9aff4064dc4ab2f843acda8",
                    "3045022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d383670220019f4113742a2b14bd25926b49c649\
                     155f267e60d3814b4c0cc84250e46f0083",
                ],
                [
                    "304402200eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef771902204861f0491e6998b9455193e34e7b0d28\
                     4ddd7149a74b95b9261f13abde940954",
                    "304602210083910e8b48bb0c74244ebdf7f07a1c5413d61472bd941ef3920e623fbccebeb60221008ddbec54cf8cd5874883841d7121\
                     42a56a8d0f218f5003cb0296b6b509619f2c",
                ],
                [
                    "30450221008496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f0002202362ab1adbe2b8adf9cb9edab740ea\
                     6049c028114f2460f96554f61fae3302fe",
                    "30440220461d93f31b6540894788fd206c07cfa0cc35f46fa3c91816fff1040ad1581a04022039af9f15de0db8d97e72719c74820d30\
                     4ce5226e32dedae67519e840d1194e55",
                ],
            ],
        ),
        (
            KeyType::EcdsaP384,
            "304e020100301006072a8648ce3d020106052b810400220437303502010104306b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf2\
             97ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
            [
                [
                    "3065023021b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33bde1e888e63355d92fa2b3c36d8fb2cd0231\
                     00f3aa443fb107745bf4bd77cb3891674632068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0",
                    "306402306d6defac9ab64dabafe36c6bf510352a4cc27001263638e5b16d9bb51d451559f918eedaf2293be5b475cc8f0188636b0230\
                     2d46f3becbcc523d5f1a1256bf0c9b024d879ba9e838144c8ba6baeb4b53b47d51ab373f9845c0514eefb14024787265",
                ],
                [
                    "306602310094edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4602\
                     310099ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
                    "30660231008203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db02\
                     3100ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5",
                ],
                [
                    "3065023100ed0959d5880ab2d869ae7f6c2915c6d60f96507f9cb3e047c0046861da4a799cfe30f35cc900056d7c99cd788243370902\
                     30512c8cceee3890a84058ce1e22dbc2198f42323ce8aca9135329f03c068e5112dc7cc3ef3446defceb01a45c2667fdd5",
                    "3066023100a0d5d090c9980faf3c2ce57b7ae951d31977dd11c775d314af55f76c676447d06fb6495cd21b4b6e340fc236584fb27702\
                     3100976984e59b4c77b0e8e4460dca3d9f20e07b9bb1f63beefaf576f6b2e8b224634a2092cd3792e0159ad9cee37659c736",
                ],
            ],
        ),
        (
            KeyType::EcdsaP521,
            "3060020100301006072a8648ce3d020106052b8104002304493047020101044200fad06daa62ba3b25d2fb40133da757205de67f5bb0\
             018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
            [
                [
                    "308187024201511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b3526012659d16876e25c7c1e57648f23b73564d67f6\
                     1c6f14d527d54972810421e7d87589e1a702414a171143a83163d6df460aaf61522695f207a58b95c0644d87e52aa1a347916e4f7a72\
                     930b1bc06dbe22ce3f58264afd23704cbb63b29b931f7de6c9d949a7ecfc",
                    "30818702410e871c4a14f993c6c7369501900c4bc1e9c7b0b4ba44e04868b30b41d8071042eb28c4c250411d0ce08cd197e4188ea487\
                     6f279f90b3d8d74a3c76e6f1e4656aa8024200cd52dbaa33b063c3a6cd8058a1fb0a46a4754b034fcc644766ca14da8ca5ca9fde00e8\
                     8c1ad60ccba759025299079d7a427ec3cc5b619bfbc828e7769bcd694e86",
                ],
                [
                    "308188024201ea842a0e17d2de4f92c15315c63ddf72685c18195c2bb95e572b9c5136ca4b4b576ad712a52be9730627d16054ba40cc\
                     0b8d3ff035b12ae75168397f5d50c67451024201f21a3cee066e1961025fb048bd5fe2b7924d0cd797babe0a83b66f1e35eeaf5fde14\
                     3fa85dc394a7dee766523393784484bdf3e00114a1c857cde1aa203db65d61",
                    "3081880242014bee21a18b6d8b3c93fab08d43e739707953244fdbe924fa926d76669e7ac8c89df62ed8975c2d8397a65a49dcc09f6b\
                     0ac62272741924d479354d74ff6075578c02420133330865c067a0eaf72362a65e2d7bc4e461e8c8995c3b6226a21bd1aa78f0ed94fe\
                     536a0dca35534f0cd1510c41525d163fe9d74d134881e35141ed5e8e95b979",
                ],
                [
                    "308187024200c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b5349\
                     31d7d4e8455cc91f9b15bf05ec36e377fa0241617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623ea\
                     a63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
                    "3081880242013e99020abf5cee7525d16b69b229652ab6bdf2affcaef38773b4b7d08725f10cdb93482fdcc54edcee91eca4166b2a7c\
                     6265ef0ce2bd7051b7cef945babd47ee6d024201fbd0013c674aa79cb39849527916ce301c66ea7ce8b80682786ad60f98f7e78a19ca\
                     69eff5c57400e3b3a0ad66ce0978214d13baf4e9ac60752f7b155e2de4dce3",
                ],
            ],
        ),
    ]
}
