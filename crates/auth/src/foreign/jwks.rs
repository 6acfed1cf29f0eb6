use super::fetcher::MAX_JWKS_LEN;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The most keys of a set.
const MAX_KEYS: usize = 64;

const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

/// A public key, and what it may verify.
pub(super) struct VerifyingKey {
    id: Option<String>,
    algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

impl VerifyingKey {
    /// `None` for a key that verifies nothing that is taken.
    fn read(value: Value) -> Option<Self> {
        if is_secret(&value) {
            return None;
        }
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let purpose = jwk.common.public_key_use.as_ref();
        let operations = jwk.common.key_operations.as_ref();
        let verifies = purpose.is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
            && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !verifies {
            return None;
        }
        let fitting = fitting(&jwk.algorithm)?;
        // Many issuers leave `alg` out; what their RSA keys sign with is RS256.
        let algorithm = match jwk.common.key_algorithm {
            None => *fitting.first()?,
            Some(named) => Algorithm::try_from(named).ok().filter(|named| fitting.contains(named))?,
        };
        Some(Self { algorithm, decoding: DecodingKey::from_jwk(&jwk).ok()?, id: jwk.common.key_id })
    }
}

/// Whether a key holds a secret part: a symmetric or a private one.
fn is_secret(key: &Value) -> bool {
    key.get("d").is_some() || key.get("k").is_some()
}

/// The algorithms that a key of this type can verify; `None` for a type or size that isn't taken.
fn fitting(parameters: &AlgorithmParameters) -> Option<&'static [Algorithm]> {
    let len = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok().map(|bytes| bytes.len());
    match parameters {
        AlgorithmParameters::RSA(key) => {
            len(&key.e)?;
            matches!(len(&key.n)?, 256..=1024).then_some(RSA)
        }
        AlgorithmParameters::EllipticCurve(key) => {
            let (algorithms, size): (&[_], _) = match key.curve {
                EllipticCurve::P256 => (&[Algorithm::ES256], 32),
                EllipticCurve::P384 => (&[Algorithm::ES384], 48),
                _ => return None,
            };
            (len(&key.x)? == size && len(&key.y)? == size).then_some(algorithms)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (len(&key.x)? == 32).then_some(&[Algorithm::EdDSA])
        }
        _ => None,
    }
}

/// The keys of an issuer (RFC 7517 section 5) that verify signatures.
pub(super) struct KeySet {
    keys: Vec<VerifyingKey>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

fn read(json: &[u8]) -> Result<Vec<Value>, &'static str> {
    if json.len() > MAX_JWKS_LEN {
        return Err("has at most 256 KiB");
    }
    let set: Set = serde_json::from_slice(json).map_err(|_| "is no JWK set: an object with a list `keys`")?;
    if set.keys.len() > MAX_KEYS { Err("has at most 64 keys") } else { Ok(set.keys) }
}

impl KeySet {
    /// Reads a set. Keys that can't be used are left out; at least one must be left.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let keys: Vec<_> = read(json)?.into_iter().filter_map(VerifyingKey::read).collect();
        if keys.is_empty() {
            return Err("has no key that verifies signatures: RSA from 2048 bits, P-256, P-384, Ed25519".to_owned());
        }
        Ok(Self { keys })
    }

    /// Checks a set that is given by hand, which must not hold secret parts.
    pub(super) fn check(json: &[u8]) -> Result<(), String> {
        if read(json)?.iter().any(is_secret) {
            return Err("must hold public keys only; make new keys, since these are known now".to_owned());
        }
        Self::parse(json).map(|_| ())
    }

    /// Whether a token that names this key, or none, can be of this set.
    pub(super) fn has(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.keys.iter().any(|key| key.id.as_deref() == Some(id)))
    }

    /// The keys that may have signed a token under this algorithm: those of that name; else those without any.
    pub(super) fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<&VerifyingKey> {
        let named = self.has(id);
        let fits = |key: &&VerifyingKey| {
            let right = match id {
                Some(_) if named => key.id.as_deref() == id,
                Some(_) => key.id.is_none(),
                None => true,
            };
            right && key.algorithm == algorithm
        };
        self.keys.iter().filter(fits).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{KeySet, VerifyingKey};
    use jsonwebtoken::Algorithm;
    use serde_json::{Value, json};

    fn ed25519(id: &str) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    }

    fn rsa(bytes: usize) -> Value {
        json!({"kty": "RSA", "n": data_encoding::BASE64URL_NOPAD.encode(&vec![0xff; bytes]), "e": "AQAB"})
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    fn algorithm(key: Value) -> Option<Algorithm> {
        VerifyingKey::read(key).map(|key| key.algorithm)
    }

    #[test]
    fn each_key_has_one_algorithm() {
        assert_eq!(algorithm(ed25519("a")), Some(Algorithm::EdDSA));
        assert_eq!(algorithm(with(ed25519("a"), "alg", json!("EdDSA"))), Some(Algorithm::EdDSA));
        assert_eq!(algorithm(rsa(256)), Some(Algorithm::RS256), "also when it does not say so");
        assert_eq!(algorithm(with(rsa(256), "alg", json!("PS384"))), Some(Algorithm::PS384));
        let p256 = json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        });
        assert_eq!(algorithm(p256.clone()), Some(Algorithm::ES256));
        let unusable = [
            with(p256.clone(), "alg", json!("ES384")),
            with(p256.clone(), "alg", json!("HS256")),
            with(p256.clone(), "alg", json!("none")),
            with(p256.clone(), "crv", json!("P-384")),
            with(p256.clone(), "crv", json!("P-521")),
            with(p256.clone(), "crv", json!("secp256k1")),
            with(p256, "y", json!("AA")),
            with(rsa(256), "alg", json!("HS256")),
            with(rsa(256), "alg", json!("RSA-OAEP")),
            with(rsa(256), "use", json!("enc")),
            with(rsa(256), "key_ops", json!(["encrypt"])),
            with(rsa(256), "d", json!("AA")),
            rsa(128),
            rsa(2048),
            with(ed25519("a"), "crv", json!("X25519")),
            with(ed25519("a"), "crv", json!("P-256")),
            with(ed25519("a"), "x", json!("AA")),
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            json!({"kty": "oct", "k": "c2VjcmV0", "alg": "RS256"}),
            json!({"kty": "AKP"}),
            json!({}),
            json!(1),
        ];
        for key in unusable {
            assert_eq!(algorithm(key.clone()), None, "{key}");
        }
    }

    #[test]
    fn sets_are_bounded_and_hold_something_to_use() {
        let parse = |value: Value| KeySet::parse(value.to_string().as_bytes());
        assert!(parse(json!({"keys": [json!({"kty": "AKP"}), ed25519("a")]})).is_ok());
        assert!(parse(json!({"keys": vec![ed25519("a"); 64]})).is_ok());
        for refused in [
            json!({"keys": vec![ed25519("a"); 65]}),
            json!({"keys": []}),
            json!({"keys": [json!({"kty": "oct", "k": "c2VjcmV0"})]}),
            json!({}),
            json!([]),
        ] {
            assert!(parse(refused.clone()).is_err(), "{refused}");
        }
        let huge = json!({"keys": [ed25519("a")], "x": "x".repeat(256 * 1024)});
        assert!(parse(huge).is_err());
        assert!(KeySet::parse(b"").is_err());
        assert!(KeySet::parse(&[b'['; 100_000]).is_err());

        let check = |value: Value| KeySet::check(value.to_string().as_bytes());
        assert!(check(json!({"keys": [ed25519("a")]})).is_ok());
        assert!(check(json!({"keys": [ed25519("a"), with(ed25519("b"), "d", json!("AA"))]})).is_err());
    }

    #[test]
    fn keys_are_found_by_name_and_algorithm() {
        let unnamed = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let set = json!({"keys": [ed25519("a"), ed25519("b"), with(rsa(256), "kid", json!("b")), unnamed]});
        let set = KeySet::parse(set.to_string().as_bytes()).expect("a set");
        let count = |id, algorithm| set.candidates(id, algorithm).len();
        assert_eq!(count(Some("a"), Algorithm::EdDSA), 1);
        assert_eq!(count(Some("a"), Algorithm::RS256), 0);
        assert_eq!(count(Some("b"), Algorithm::RS256), 1);
        assert_eq!(count(Some("c"), Algorithm::EdDSA), 1);
        assert_eq!(count(None, Algorithm::EdDSA), 3);
        assert!(set.has(Some("a")) && set.has(None) && !set.has(Some("c")));
    }
}
