//! Known values around identities: a token for somebody else, tokens of another issuer, and all that leads to what they may do.

use crate::canary::Canaries;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use strongroom_crypto::Ed25519Signer;
use strongroom_tests::{Answer, Client};

const ISSUER: &str = "https://canary.example.com/";

/// 2100: no test waits for it.
pub(crate) const ISSUED_UNTIL: u64 = 4_102_444_800;

/// All that an administrator does with identities, and what those do who become one.
pub(crate) fn identities(client: &Client, canaries: &mut Canaries) {
    let user = person(client, canaries);
    let team = team(client, canaries, &user);
    let account = create(client, canaries, "/v1/service-accounts", &json!({"name": "Canary's robot"}));
    let role = role(client, canaries, &team, &account);
    exchange(client, canaries, &account);
    for (method, target, body) in [
        ("PUT", format!("/v1/teams/{team}"), json!({"name": "Singers"})),
        ("PUT", format!("/v1/service-accounts/{account}"), json!({"name": "Canary's drone"})),
    ] {
        canaries.keep(200, client.request(method, target).json(&body).send());
    }
    for list in ["/v1/teams", "/v1/users", "/v1/memberships", "/v1/service-accounts", "/v1/iam/roles"] {
        canaries.keep(200, client.get(list));
    }
    for target in [
        format!("/v1/iam/roles/{role}"),
        format!("/v1/teams/{team}/members/{user}"),
        format!("/v1/teams/{team}"),
        format!("/v1/service-accounts/{account}"),
    ] {
        canaries.keep(204, client.delete(target));
    }
}

/// A user, and a token that another one makes for them; gives their identity.
fn person(client: &Client, canaries: &mut Canaries) -> String {
    let user = json!({"name": "Bob", "email": "bob@example.com"});
    let user = text(&canaries.keep(201, client.post("/v1/users", &user)).json(), "subject");
    let tokens = format!("/v1/users/{user}/personal-access-tokens");
    let made = client.post(&tokens, &json!({"name": "from an administrator"})).ok(201);
    let token = text(&made, "token");
    canaries.needles.add("a token for somebody else", token.as_bytes());
    let theirs = Client { token: Some(token), ..client.clone() };
    assert_eq!(text(&canaries.keep(200, theirs.get("/v1/me")).json(), "identity"), user);
    canaries.keep(403, theirs.post(&tokens, &json!({"name": "from a member"})));
    let word = canaries.word("a token's name of another type");
    canaries.keep(400, client.post(&tokens, &json!({"name": [word]})));
    canaries.keep(200, client.get(&tokens));
    canaries.keep(204, client.delete(format!("{tokens}/{}", text(&made, "identity"))));
    canaries.keep(401, theirs.get("/v1/me"));
    user
}

fn team(client: &Client, canaries: &mut Canaries, user: &str) -> String {
    let team = create(client, canaries, "/v1/teams", &json!({"name": "Canaries"}));
    let member = json!({"userIdentity": user, "role": "MEMBER"});
    canaries.keep(201, client.post(format!("/v1/teams/{team}/members"), &member));
    canaries.keep(200, client.get(format!("/v1/teams/{team}")));
    team
}

/// A role that may do everything with secrets, bound to both.
fn role(client: &Client, canaries: &mut Canaries, team: &str, account: &str) -> String {
    let role = create(client, canaries, "/v1/iam/roles", &json!({"name": "Canary"}));
    let rule = json!({"resources": ["secret", "kms_key"], "resourceIdentities": [], "permissions": ["*"]});
    create(client, canaries, &format!("/v1/iam/roles/{role}/rules"), &rule);
    let bindings = format!("/v1/iam/roles/{role}/bindings");
    for (to, identity) in [("teamIdentity", team), ("serviceAccountIdentity", account)] {
        create(client, canaries, &bindings, &json!({"name": to, to: identity}));
    }
    canaries.keep(200, client.get(bindings));
    role
}

/// Tokens of an issuer whose key is known: one that is taken, and those that are not.
fn exchange(client: &Client, canaries: &mut Canaries, account: &str) {
    let issuer = signer(7);
    let key = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "one",
        "x": URL_SAFE_NO_PAD.encode(issuer.public_key())});
    let (providers, all) = ("/v1/federated-identity-providers", "/v1/federated-identities");
    let provider = json!({"name": "CI", "providerIssuer": ISSUER, "localJwks": {"keys": [key]}});
    let provider = create(client, canaries, providers, &provider);
    let identity = json!({"name": "main", "serviceAccountIdentity": account, "providerIdentity": provider,
        "providerSubject": "canary", "trustedAudiences": ["strongroom"], "allowedScopes": [],
        "conditions": {"environment": ["production"]}});
    let identity = create(client, canaries, all, &identity);
    let organisation = text(&client.get("/v1/me").ok(200)["organisations"][0], "identity");
    let ask = |token: &str| {
        let kind = "urn:ietf:params:oauth";
        let form = format!(
            "grant_type={kind}:grant-type:token-exchange&subject_token={token}&subject_token_type={kind}:token-type:jwt\
             &organisation_id={organisation}&service_account_id={account}"
        );
        let request = client.request("POST", "/oidc/token").without("Authorization").without("X-Organisation-Identity");
        request.header("Content-Type", "application/x-www-form-urlencoded").body(form).send()
    };

    let token = subject_token(canaries, "an external token", &issuer, &json!({}));
    let issued = ask(&token).ok(200);
    let issued = text(&issued, "access_token");
    needle(canaries, "an access token for an external one", &issued);
    let as_account = Client { token: Some(issued), ..client.clone() };
    canaries.keep(200, as_account.get(format!("{}?pathPrefix=/", client.secrets())));
    let value = canaries.value("a value of who came from elsewhere");
    let new = json!({"path": "/c/elsewhere", "kmsKeyIdentity": client.kms_key, "secretString": value});
    canaries.keep(201, as_account.post(client.secrets(), &new));
    assert_eq!(as_account.reveal("/c/elsewhere", None).ok(200)["secretString"], value);

    for (name, by, claims) in [
        ("an external token of another key", 8, json!({})),
        ("an external token that is over", 7, json!({"exp": 1_500_000_000})),
        ("an external token of another subject", 7, json!({"sub": "sparrow"})),
        ("an external token for others", 7, json!({"aud": "others"})),
        ("an external token of another issuer", 7, json!({"iss": "https://other.example.com/"})),
        ("an external token that misses a condition", 7, json!({"environment": "test"})),
    ] {
        let token = subject_token(canaries, name, &signer(by), &claims);
        refused(canaries, ask(&token));
    }
    refused(canaries, ask(&token[..token.len() - 9]));

    canaries.keep(200, client.get(format!("{providers}/{provider}")));
    canaries.keep(200, client.get(format!("{all}/{identity}")));
    canaries.keep(200, client.put(format!("{all}/{identity}"), &json!({"status": "revoked"})));
    refused(canaries, ask(&token));
    canaries.keep(401, as_account.describe("/c/a"));
    canaries.keep(200, client.put(format!("{providers}/{provider}"), &json!({"status": "inactive"})));
    canaries.keep(204, client.delete(format!("{all}/{identity}")));
    canaries.keep(204, client.delete(format!("{providers}/{provider}")));
}

#[track_caller]
fn refused(canaries: &mut Canaries, answer: Answer) {
    assert_eq!(canaries.keep(400, answer).json()["error"], "invalid_grant");
}

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(&[seed; 32]).expect("a key")
}

/// A token of the issuer with these claims in place of the usual ones. Nothing of it may be left but what an administrator entered too.
fn subject_token(canaries: &mut Canaries, name: &str, by: &Ed25519Signer, claims: &Value) -> String {
    let mut all = json!({"iss": ISSUER, "sub": "canary", "aud": "strongroom", "exp": ISSUED_UNTIL, "environment": "production",
        "jti": canaries.word(&format!("the number of {name}"))});
    for (claim, value) in claims.as_object().expect("an object") {
        all[claim] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "one", "typ": "JWT"})), part(&all));
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(by.sign(message.as_bytes())));
    needle(canaries, name, &token);
    token
}

/// A JWT: the whole, what it says and its signature.
pub(crate) fn needle(canaries: &mut Canaries, name: &str, token: &str) {
    canaries.needles.add(name, token.as_bytes());
    let mut parts = token.split('.').skip(1);
    for part in ["the claims", "the signature"] {
        let text = parts.next().unwrap_or_else(|| panic!("{name} has no {part}"));
        canaries.needles.add(&format!("{part} of {name}"), text.as_bytes());
    }
}

/// Creates an object whose answer may be seen by anybody; gives its identity.
#[track_caller]
fn create(client: &Client, canaries: &mut Canaries, collection: &str, body: &Value) -> String {
    text(&canaries.keep(201, client.post(collection, body)).json(), "identity")
}

fn text(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {answer}")).to_owned()
}
