//! Known values in every use of a KMS key, and every kind of credential: what goes in, what comes out, and what opens doors.

use crate::canary::Canaries;
use serde_json::{Value, json};
use strongroom_crypto::OsEntropy;
use strongroom_crypto::key_ops::wrap_import;
use strongroom_domain::port::OaepHash;
use strongroom_domain::value::SecretBytes;
use strongroom_tests::{Answer, Client, base64, unbase64};

/// What stands behind `thalassa:v<n>:`.
fn code(answer: &Value, member: &str) -> Vec<u8> {
    let text = answer[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {answer}"));
    unbase64(text.rsplit(':').next().unwrap_or_default())
}

/// Every use of every kind of key.
pub(crate) fn keys(client: &Client, canaries: &mut Canaries) {
    for key_type in ["aes256-gcm96", "chacha20-poly1305", "rsa-2048"] {
        let key = Key::create(client, key_type);
        let plaintext = canaries.value(&format!("a plaintext for {key_type}"));
        let encrypted = key.post("encrypt", &json!({"plaintext": plaintext})).ok(200);
        canaries.needles.add(&format!("a ciphertext of {key_type}"), &code(&encrypted, "ciphertext"));
        let decrypted = key.post("decrypt", &json!({"ciphertext": encrypted["ciphertext"]})).ok(200);
        assert_eq!(decrypted["plaintext"], plaintext);
        key.finish(canaries);
    }
    for (key_type, made, verify) in [
        ("ed25519", "sign", "verify"),
        ("ecdsa-p256", "sign", "verify"),
        ("rsa-2048", "sign", "verify"),
        ("hmac", "hmac", "verify-hmac"),
    ] {
        let key = Key::create(client, key_type);
        let proof = if made == "sign" { "signature" } else { "hmac" };
        let input = canaries.value(&format!("an input for {key_type}"));
        let answer = key.post(made, &json!({"input": input})).ok(200);
        canaries.needles.add(&format!("a proof of {key_type}"), &code(&answer, proof));
        for proof_text in [answer[proof].clone(), json!("thalassa:v1:AAAA"), json!(canaries.word("no proof"))] {
            let body = json!({"input": canaries.value("another input")});
            canaries.keep(200, key.post(verify, &with(body, proof, &proof_text)));
            canaries.keep(200, key.post(verify, &with(json!({"input": input}), proof, &proof_text)));
        }
        // What fails, each time with a value.
        let input = canaries.value(&format!("an input under a version of {key_type} that isn't there"));
        canaries.keep(400, key.post(made, &json!({"input": input, "keyVersion": "99"})));
        let what = if made == "sign" { "hmac" } else { "sign" };
        let input = canaries.value(&format!("an input for what {key_type} can't do"));
        canaries.keep(400, key.post(what, &json!({"input": input})));
        key.finish(canaries);
    }
    import(client, canaries);
}

fn with(mut body: Value, member: &str, value: &Value) -> Value {
    body[member] = value.clone();
    body
}

/// Material from elsewhere: taken in, and refused.
fn import(client: &Client, canaries: &mut Canaries) {
    let wrapping = client.get(format!("/v1/kms/{}/wrapping-key", client.region)).ok(200);
    let pem = wrapping["publicKey"].as_str().expect("a key");
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let mut material = canaries.word("imported material").into_bytes();
    material.resize(32, b'#');
    let wrapped = wrap_import(&unbase64(&der), OaepHash::Sha256, &OsEntropy, &SecretBytes::copy_of(&material));
    let wrapped = base64(wrapped.expect("it can be wrapped"));
    let create = |name: &str, material: String| {
        client.post(client.keys(), &json!({"name": name, "exportAllowed": true, "importKeyMaterial": material}))
    };
    canaries.keep(201, create("imported", wrapped));
    let exported = client.post_empty(format!("{}/export", client.key("imported"))).ok(200);
    assert_eq!(exported["keyMaterial"], base64(&material));
    let material = canaries.value("material that isn't wrapped");
    canaries.keep(400, create("plain", material));
}

/// A key whose material may be given out.
struct Key<'a> {
    client: &'a Client,
    key_type: &'static str,
    url: String,
}

impl<'a> Key<'a> {
    fn create(client: &'a Client, key_type: &'static str) -> Self {
        let body = json!({"name": format!("canary {key_type} {}", client.kms_key), "keyType": key_type, "exportAllowed": true});
        let made = client.post(client.keys(), &body).ok(201);
        let url = client.key(made["identity"].as_str().expect("an identity"));
        Self { client, key_type, url }
    }

    fn post(&self, what: &str, body: &Value) -> Answer {
        self.client.post(format!("{}/{what}", self.url), body)
    }

    /// Rotates it, takes its material out, and deletes it, so that its name is free.
    fn finish(&self, canaries: &mut Canaries) {
        canaries.keep(200, self.client.post_empty(format!("{}/rotate", self.url)));
        for version in ["1", "2"] {
            let exported = self.post("export", &json!({"keyVersion": version})).ok(200);
            canaries
                .needles
                .add(&format!("the material of {} {version}", self.key_type), &code(&exported, "keyMaterial"));
        }
        let others = [("rewrap", 200), ("retire", 200), ("disable", 200), ("enable", 200)];
        for (what, status) in others {
            canaries.keep(status, self.client.post_empty(format!("{}/{what}", self.url)));
        }
        canaries.keep(200, self.client.get(&self.url));
        canaries.keep(200, self.client.get(format!("{}/inventory", self.url)));
        canaries.keep(200, self.client.delete(&self.url));
    }
}

/// Every credential that the API gives out, used and refused.
pub(crate) fn credentials(client: &Client, canaries: &mut Canaries) {
    let made = client.post("/v1/me/personal-access-tokens", &json!({"name": "canary"})).ok(201);
    let token = text(&made, "token");
    canaries.needles.add("a personal access token", token.as_bytes());
    let as_token = Client { token: Some(token.clone()), ..client.clone() };
    canaries.keep(200, as_token.get("/v1/me"));
    canaries.keep(204, client.delete(format!("/v1/me/personal-access-tokens/{}", text(&made, "identity"))));
    canaries.keep(401, as_token.get("/v1/me"));

    let account = text(&client.post("/v1/service-accounts", &json!({"name": "canary"})).ok(201), "identity");
    let all = format!("/v1/service-accounts/{account}/access-credentials");
    let made = client.post(&all, &json!({"name": ""})).ok(201);
    let (key, secret) = (text(&made, "accessKey"), text(&made, "accessSecret"));
    canaries.needles.add("an access secret", secret.as_bytes());
    let post_form = |form: String| {
        let request = client.request("POST", "/oidc/token").without("Authorization").without("X-Organisation-Identity");
        request.header("Content-Type", "application/x-www-form-urlencoded").body(form).send()
    };
    let grant = "grant_type=client_credentials";
    let issued = post_form(format!("client_id={key}&client_secret={secret}&{grant}")).ok(200);
    let access_token = text(&issued, "access_token");
    canaries.needles.add("an access token", access_token.as_bytes());
    let basic = format!("Basic {}", base64(format!("{key}:{secret}")));
    let as_account = Client { token: Some(access_token.clone()), ..client.clone() };
    canaries.keep(200, as_account.get("/v1/me"));
    canaries.keep(200, client.request("GET", "/v1/me").header("Authorization", &basic).send());
    for forged in [access_token.clone() + "x", access_token.replacen('.', ".x", 1)] {
        canaries.keep(401, client.request("GET", "/v1/me").header("Authorization", &format!("Bearer {forged}")).send());
    }
    let word = canaries.word("a wrong access secret");
    canaries.keep(401, post_form(format!("client_id={key}&client_secret={word}&{grant}")));
    canaries.keep(401, post_form(format!("client_id=nobody&client_secret={word}&{grant}")));
    let word = canaries.word("no subject token");
    let exchange = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
    let subject = format!("subject_token={word}&subject_token_type=urn:ietf:params:oauth:token-type:jwt");
    let named = format!("organisation_id={}&service_account_id={account}", "dev");
    let refused = post_form(format!("{exchange}&{subject}&{named}"));
    canaries.keep(400, refused);
    canaries.keep(204, client.delete(format!("{all}/{}", text(&made, "identity"))));
    canaries.keep(401, post_form(format!("client_id={key}&client_secret={secret}&{grant}")));
}

/// The whole audit log, as its readers get it.
pub(crate) fn audit(client: &Client, canaries: &mut Canaries) {
    for page in 1.. {
        let answer = client.get(format!("/v1/audit?limit=1000&page={page}&includeSystemServices=true"));
        let answer = canaries.keep(200, answer).json();
        assert!(page > 1 || !answer["items"].as_array().expect("items").is_empty(), "{answer}");
        if answer["page"].as_u64() >= answer["totalPages"].as_u64() {
            break;
        }
    }
    canaries.keep(200, client.get("/v1/audit/export"));
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {answer}")).to_owned()
}
