//! What the engine does, request by request.

use super::keys::{Derivation, Key, Refused, hash_of, type_of};
use super::{Heeded, State};
use data_encoding::BASE64;
use serde_json::{Map, Value, json};
use strongroom_crypto::{OsEntropy, key_ops};
use strongroom_domain::kms::{KeyType, SignInput};
use strongroom_domain::port::{Entropy, OaepHash};
use strongroom_domain::value::SecretBytes;

/// The fixture of the answer, and the members of its `data`.
type Answer = (&'static str, Vec<(&'static str, Value)>);
type Outcome = Result<Answer, Refused>;

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_default()
}

fn bytes(body: &Value, name: &str) -> Vec<u8> {
    BASE64.decode(text(body, name).as_bytes()).expect("base64")
}

fn number(body: &Value, name: &str) -> u32 {
    body[name].as_u64().and_then(|number| u32::try_from(number).ok()).expect("a number")
}

fn prefixed(version: u32, bytes: &[u8]) -> Value {
    json!(format!("vault:v{version}:{}", BASE64.encode(bytes)))
}

/// The version and bytes of a ciphertext, signature or HMAC.
fn split(text: &str) -> (u32, Vec<u8>) {
    let (version, code) = text.strip_prefix("vault:v").and_then(|rest| rest.split_once(':')).expect("a prefix");
    (version.parse().expect("a version"), BASE64.decode(code.as_bytes()).expect("base64"))
}

/// The members of an answer, with what another key would give.
pub(super) fn of_another_key(data: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let random = |len| {
        let mut bytes = vec![0; len];
        OsEntropy.fill(&mut bytes).expect("fills");
        bytes
    };
    let other = |(name, value): (&'static str, Value)| match (name, value.as_str()) {
        ("ciphertext", Some(text)) => {
            let (version, sealed) = split(text);
            (name, prefixed(version, &random(sealed.len())))
        }
        ("plaintext", Some(text)) => {
            let plain = BASE64.decode(text.as_bytes()).expect("base64");
            (name, json!(BASE64.encode(&random(plain.len()))))
        }
        _ => (name, value),
    };
    data.into_iter().map(other).collect()
}

impl Heeded {
    /// What a key is made with.
    fn derivation(self, body: &Value) -> Option<Derivation> {
        (self.derivation && body["derived"] == true).then_some(Derivation::Hkdf)
    }

    /// The context and the associated data of a request.
    fn inputs(self, body: &Value) -> (Vec<u8>, Vec<u8>) {
        let context = bytes(body, "context");
        // A server that passes over it takes the same for all.
        let context = if self.derivation || context.is_empty() { context } else { vec![0] };
        (context, if self.associated_data { bytes(body, "associated_data") } else { Vec::new() })
    }
}

impl State {
    pub(super) fn operate(&mut self, method: &str, path: &str, body: Option<&Value>, heeded: Heeded) -> Answer {
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let nothing = json!({});
        let body = body.unwrap_or(&nothing);
        let outcome = match (method, parts.as_slice()) {
            ("GET", ["transit", "wrapping_key"]) => Ok(self.wrapping()),
            ("POST", ["transit", "keys", name]) => self.create(name, body, heeded),
            ("GET", ["transit", "keys", name]) => self.read(name),
            ("DELETE", ["transit", "keys", name]) => self.delete(name),
            ("POST", ["transit", "keys", name, "rotate"]) => self.rotate(name),
            ("POST", ["transit", "keys", name, "config"]) => self.config(name, body),
            ("POST", ["transit", "keys", name, "trim"]) => self.trim(name, body),
            ("POST", ["transit", "keys", name, "import"]) => self.import(name, body, heeded),
            ("POST", ["transit", "encrypt", name]) => self.encrypt(name, body, heeded),
            ("POST", ["transit", "decrypt", name]) => self.decrypt(name, body, heeded),
            ("POST", ["transit", "sign", name]) => self.sign(name, body),
            ("POST", ["transit", "hmac", name]) => self.hmac(name, body),
            ("POST", ["transit", "verify", name]) if body.get("hmac").is_some() => self.verify_hmac(name, body),
            ("POST", ["transit", "verify", name]) => self.verify(name, body),
            ("GET", ["transit", "export", kind, name, version]) => self.export(kind, name, version),
            _ => panic!("no such path in the API: {method} {path}"),
        };
        outcome.unwrap_or_else(|refused| (refused, Vec::new()))
    }

    fn wrapping(&mut self) -> Answer {
        let public = key_ops::wrapping_public_key(self.wrapping_key().expose()).expect("has one");
        ("wrapping-key", vec![("public_key", json!(public.to_text()))])
    }

    fn create(&mut self, name: &str, body: &Value, heeded: Heeded) -> Outcome {
        let key_size = body["key_size"].as_u64().map_or(0, |size| usize::try_from(size).expect("fits"));
        let key_type = type_of(text(body, "type"), key_size).expect("a type of the API");
        let exportable = body["exportable"] == true;
        if !self.keys.contains_key(name) {
            let material = key_ops::generate(key_type, &OsEntropy).expect("makes material");
            let mut key = Key::new(key_type, key_size, exportable, material);
            key.derivation = heeded.derivation(body);
            self.keys.insert(name.to_owned(), key);
        }
        let fixture = match key_type {
            key_type if key_type.authenticates() => "create-key-hmac",
            key_type if key_type.has_public_key() => "create-key-with-public-keys",
            _ => "create-key",
        };
        Ok((fixture, Vec::new()))
    }

    fn read(&self, name: &str) -> Outcome {
        let key = self.keys.get(name).ok_or("read-key-not-found")?;
        let visible = key.versions.iter().filter(|(version, _)| **version >= key.min_decryption);
        let mut data = vec![
            ("name", json!(name)),
            ("type", json!(key.remote_type())),
            ("latest_version", json!(key.latest)),
            ("exportable", json!(key.exportable)),
            ("imported_key", json!(key.imported)),
            ("deletion_allowed", json!(key.deletion_allowed)),
            ("min_available_version", json!(key.min_available)),
            ("min_decryption_version", json!(key.min_decryption)),
            ("min_encryption_version", json!(key.min_encryption)),
        ];
        if key.key_type.authenticates() {
            data.push(("key_size", json!(key.key_size)));
            return Ok(("read-key-hmac", data));
        }
        let is_public = key.key_type.has_public_key();
        let keys: Map<String, Value> = visible
            .map(|(version, material)| {
                let shown = if is_public {
                    json!({"creation_time": "2015-09-22T19:50:12Z", "name": "", "public_key": key.public_text(material)})
                } else {
                    json!(1_442_851_412)
                };
                (version.to_string(), shown)
            })
            .collect();
        data.push(("keys", Value::Object(keys)));
        let fixture = match key.derivation {
            _ if is_public => "read-key-with-public-keys",
            None => "read-key-not-derived",
            Some(Derivation::Hkdf) => "read-key",
            Some(Derivation::Counter) => "read-key-counter",
        };
        Ok((fixture, data))
    }

    fn delete(&mut self, name: &str) -> Outcome {
        let key = self.keys.get(name).ok_or("delete-key-not-found")?;
        if !key.deletion_allowed {
            return Err("delete-key-not-allowed");
        }
        self.keys.remove(name);
        Ok(("delete-key", Vec::new()))
    }

    fn rotate(&mut self, name: &str) -> Outcome {
        let key = self.keys.get_mut(name).ok_or("rotate-key-not-found")?;
        let material = key_ops::generate(key.key_type, &OsEntropy).expect("makes material");
        key.latest += 1;
        key.versions.insert(key.latest, material);
        key.imported = false;
        Ok(("rotate-key", vec![("name", json!(name)), ("latest_version", json!(key.latest))]))
    }

    fn config(&mut self, name: &str, body: &Value) -> Outcome {
        let key = self.keys.get_mut(name).ok_or("config-key-not-found")?;
        if body["deletion_allowed"] == true {
            key.deletion_allowed = true;
            return Ok(("config-deletion", Vec::new()));
        }
        let (decryption, encryption) = (number(body, "min_decryption_version"), number(body, "min_encryption_version"));
        assert!(decryption <= encryption && encryption <= key.latest, "refused by the server");
        (key.min_decryption, key.min_encryption) = (decryption, encryption);
        Ok(("config-bounds", Vec::new()))
    }

    fn trim(&mut self, name: &str, body: &Value) -> Outcome {
        let key = self.keys.get_mut(name).ok_or("trim-bounds-too-low")?;
        let to = number(body, "min_available_version");
        if to > key.min_encryption || to > key.min_decryption {
            return Err("trim-bounds-too-low");
        }
        key.min_available = to;
        key.versions.retain(|version, _| *version >= to);
        Ok(("trim-key", vec![("min_available_version", json!(to))]))
    }

    fn import(&mut self, name: &str, body: &Value, heeded: Heeded) -> Outcome {
        if self.keys.contains_key(name) {
            return Err("import-key-exists");
        }
        assert_eq!((text(body, "hash_function"), &body["allow_rotation"]), ("SHA256", &json!(true)));
        let key_type = type_of(text(body, "type"), 0).expect("a type of the API");
        let wrapped = bytes(body, "ciphertext");
        let derivation = if self.imports_by_counter { Derivation::Counter } else { Derivation::Hkdf };
        let material =
            key_ops::unwrap_import(self.wrapping_key().expose(), OaepHash::Sha256, &wrapped).expect("unwraps");
        let material = key_ops::check_import(key_type, &material).map_err(|_| "import-key-wrong-size")?;
        let mut key = Key::new(key_type, 0, body["exportable"] == true, material);
        key.imported = true;
        key.derivation = heeded.derivation(body).map(|_| derivation);
        self.keys.insert(name.to_owned(), key);
        Ok(("import-key", Vec::new()))
    }

    fn encrypt(&mut self, name: &str, body: &Value, heeded: Heeded) -> Outcome {
        if self.may_create && !self.keys.contains_key(name) {
            // Then the server makes a key that is missing.
            let key_type = type_of(text(body, "type"), 0).ok_or("encrypt-unknown-type")?;
            let material = key_ops::generate(key_type, &OsEntropy).expect("makes material");
            self.keys.insert(name.to_owned(), Key::new(key_type, 0, false, material));
        }
        let key = self.keys.get(name).ok_or("encrypt-key-not-found")?;
        let names_version = body.get("key_version").is_some();
        let version = if names_version { number(body, "key_version") } else { key.latest };
        let material = key.to_make(version, "encrypt-version-too-new", "encrypt-version-too-old")?;
        let (context, aad) = heeded.inputs(body);
        let sealed = key.encrypt(material, &context, &aad, &SecretBytes::copy_of(&bytes(body, "plaintext")));
        let fixture = match key.key_type {
            _ if !names_version => "encrypt-least",
            key_type if key_type.is_rsa() => "encrypt-rsa",
            _ => "encrypt",
        };
        Ok((fixture, vec![("ciphertext", prefixed(version, &sealed)), ("key_version", json!(version))]))
    }

    fn decrypt(&self, name: &str, body: &Value, heeded: Heeded) -> Outcome {
        let key = self.keys.get(name).ok_or("decrypt-key-not-found")?;
        let (version, sealed) = split(text(body, "ciphertext"));
        let material = key.to_check(version, "decrypt-version-too-new", "decrypt-version-too-old")?;
        let (context, aad) = heeded.inputs(body);
        let plain = key.decrypt(material, &context, &aad, &sealed)?;
        let fixture = match key.key_type {
            key_type if key_type.is_rsa() => "decrypt-rsa",
            _ if body.get("context").is_none() => "decrypt-least",
            _ => "decrypt",
        };
        Ok((fixture, vec![("plaintext", json!(BASE64.encode(plain.expose())))]))
    }

    fn input(body: &Value) -> SignInput {
        SignInput {
            hash: hash_of(text(body, "hash_algorithm")),
            prehashed: body["prehashed"] == true,
            bytes: SecretBytes::copy_of(&bytes(body, "input")),
        }
    }

    fn sign(&self, name: &str, body: &Value) -> Outcome {
        let key = self.keys.get(name).ok_or("sign-key-not-found")?;
        let version = number(body, "key_version");
        let material = key.to_make(version, "sign-version-too-new", "sign-version-too-new")?;
        let signature = key.sign(material, &Self::input(body));
        let fixture = match key.key_type {
            KeyType::Ed25519 => "sign-ed25519",
            key_type if key_type.is_rsa() => "sign-rsa",
            _ => "sign-ecdsa",
        };
        Ok((fixture, vec![("signature", prefixed(version, &signature)), ("key_version", json!(version))]))
    }

    fn verify(&self, name: &str, body: &Value) -> Outcome {
        let key = self.keys.get(name).ok_or("verify-key-not-found")?;
        let (version, signature) = split(text(body, "signature"));
        let material = key.to_check(version, "verify-version-too-new", "decrypt-version-too-old")?;
        let valid = key.verify(material, &Self::input(body), &signature)?;
        let fixture = match key.key_type {
            KeyType::Ed25519 => "verify-ed25519",
            key_type if key_type.is_rsa() => "verify-rsa",
            _ => "verify-ecdsa",
        };
        Ok((fixture, vec![("valid", json!(valid))]))
    }

    fn hmac(&self, name: &str, body: &Value) -> Outcome {
        let key = self.keys.get(name).ok_or("hmac-key-not-found")?;
        let version = number(body, "key_version");
        let material = key.to_make(version, "hmac-version-not-found", "hmac-version-not-found")?;
        let mac = key_ops::mac(key.key_type, material.expose(), &bytes(body, "input")).expect("makes an HMAC");
        assert_eq!(hash_of(text(body, "algorithm")).digest_len(), mac.len());
        Ok(("hmac", vec![("hmac", prefixed(version, &mac))]))
    }

    fn verify_hmac(&self, name: &str, body: &Value) -> Outcome {
        let key = self.keys.get(name).ok_or("verify-hmac-key-not-found")?;
        let (version, mac) = split(text(body, "hmac"));
        let material = key.to_check(version, "verify-hmac-version-too-new", "decrypt-version-too-old")?;
        let valid = key_ops::verify_mac(key.key_type, material.expose(), &bytes(body, "input"), &mac);
        Ok(("verify-hmac", vec![("valid", json!(valid.expect("verifies")))]))
    }

    fn export(&self, kind: &str, name: &str, version: &str) -> Outcome {
        let key = self.keys.get(name).ok_or("export-key-not-found")?;
        if !key.exportable {
            return Err("export-not-allowed");
        }
        let material = version.parse().ok().and_then(|version: u32| key.versions.get(&version));
        let material = material.ok_or("export-version-not-found")?;
        let fixture = match kind {
            "encryption-key" if key.key_type.encrypts() => "export-encryption-key",
            "signing-key" if key.key_type.signs() => "export-signing-key",
            "hmac-key" if key.key_type.authenticates() => "export-hmac-key",
            _ => panic!("keys of type {} are not exported as {kind}", key.key_type),
        };
        let keys = json!({version: key.exported(material)});
        Ok((fixture, vec![("name", json!(name)), ("type", json!(key.remote_type())), ("keys", keys)]))
    }
}
