//! What keys do.

use super::answers::Header::NoStore;
use super::operation::Operation;
use serde_json::json;
use strongroom_api::{
    CreatedHmac, Decrypt, Decrypted, Encrypt, Encrypted, ExportKey, ExportedKey, Hmac, Sign, Signed, Verified, Verify,
    VerifyHmac,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("POST /v1/kms/{region}/keys/{id}/encrypt", "encrypt", "Encrypts")
            .about("Up to 65,535 bytes; less with RSA. Permission `encrypt` or `update`.")
            .project()
            .takes::<Encrypt>(json!({"plaintext": "aGVsbG8="}))
            .gives::<Encrypted>(200, "The ciphertext.")
            .example(200, json!({"ciphertext": "thalassa:v1:AgXmY0Rzdw==", "keyVersion": "1"})),
        Operation::new("POST /v1/kms/{region}/keys/{id}/decrypt", "decrypt", "Decrypts")
            .about("Permission `decrypt` or `update`.")
            .project()
            .takes::<Decrypt>(json!({"ciphertext": "thalassa:v1:AgXmY0Rzdw=="}))
            .gives::<Decrypted>(200, "The plaintext.")
            .example(200, json!({"plaintext": "aGVsbG8=", "keyVersion": "1"}))
            .with(200, &[NoStore]),
        Operation::new("POST /v1/kms/{region}/keys/{id}/sign", "sign", "Signs")
            .about("Permission `sign` or `update`.")
            .project()
            .takes::<Sign>(json!({"input": "aGVsbG8=", "hashAlgorithm": "sha256"}))
            .gives::<Signed>(200, "The signature.")
            .example(200, json!({"signature": "thalassa:v1:MEUCIQDk", "keyVersion": "1"})),
        Operation::new("POST /v1/kms/{region}/keys/{id}/verify", "verify", "Verifies a signature")
            .about("Permission `verify` or `update`.")
            .project()
            .takes::<Verify>(json!({"input": "aGVsbG8=", "signature": "thalassa:v1:MEUCIQDk"}))
            .gives::<Verified>(200, "Whether it holds.")
            .example(200, json!({"valid": true})),
        Operation::new("POST /v1/kms/{region}/keys/{id}/hmac", "hmac", "Makes an HMAC")
            .about("Permission `hmac` or `update`.")
            .project()
            .takes::<Hmac>(json!({"input": "aGVsbG8="}))
            .gives::<CreatedHmac>(200, "The HMAC.")
            .example(200, json!({"hmac": "thalassa:v1:4Fs1XQ==", "keyVersion": "1"})),
        Operation::new("POST /v1/kms/{region}/keys/{id}/verify-hmac", "verifyHmac", "Verifies an HMAC")
            .about("Permission `verify-hmac` or `update`.")
            .project()
            .takes::<VerifyHmac>(json!({"input": "aGVsbG8=", "hmac": "thalassa:v1:4Fs1XQ=="}))
            .gives::<Verified>(200, "Whether it holds.")
            .example(200, json!({"valid": true, "keyVersion": "1"})),
        Operation::new("POST /v1/kms/{region}/keys/{id}/export", "exportKey", "Gives out a key's material")
            .about("Of keys that were created with `exportAllowed`. Permission `export` or `update`.")
            .project()
            .may_take::<ExportKey>(json!({"keyVersion": "1"}))
            .gives::<ExportedKey>(200, "The material.")
            .with(200, &[NoStore]),
    ]
}
