//! A token of another issuer in the environment, as pipelines have it.
#![expect(clippy::unwrap_used, reason = "its callers are tests")]

use crate::between::{Between, Deal};
use crate::support::{Home, Run, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const ISSUER: &str = "https://ci.example";

/// A token of an issuer whose key lies in the KMS.
fn issued(home: &Home, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(&json!({"alg": "EdDSA", "kid": "one", "typ": "JWT"}));
    let signed = format!("{head}.{}", part(claims));
    let signature = home.feed(&["kms", "sign", "issuer"], &signed);
    let signature = strongroom_tests::unbase64(signature.trim().rsplit(':').next().unwrap());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_token_of_another_issuer_is_exchanged() {
    let home = Home::new();
    home.feed(&["put", "/app/x"], "value");
    home.ok(&["kms", "create", "issuer", "--type", "ed25519"]);
    let public = strongroom_tests::unbase64(home.ok(&["kms", "public-key", "issuer"]).trim());
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "one", "alg": "EdDSA", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(public)});
    let keys = json!({"keys": [key]}).to_string();
    let create = ["iam", "providers", "create", "ci", "--issuer", ISSUER, "--jwks", "-", "--json"];
    let provider: Value = serde_json::from_str(&home.feed(&create, keys)).unwrap();
    let account = home.json(&["iam", "service-accounts", "create", "pipeline"]);
    let account = account["identity"].as_str().unwrap();
    let provider = ["--provider", provider["identity"].as_str().unwrap()];
    let create = ["iam", "federated-identities", "create", "main", "--service-account", "pipeline"];
    home.ok(&[&create[..], &provider, &["--subject", "main", "--audience", "strongroom"]].concat());
    for line in [
        "roles create readers",
        "rules create readers --resource secret --permission read,getSecretValue --identity /app/*",
        "rules create readers --resource kms_key --permission decrypt",
        "bindings create readers --service-account pipeline",
    ] {
        home.ok(&["iam"].into_iter().chain(line.split(' ')).collect::<Vec<_>>());
    }

    let claims = |subject: &str| json!({"iss": ISSUER, "sub": subject, "aud": "strongroom", "iat": 1_700_000_000, "exp": 4_000_000_000_u64});
    let token = issued(&home, &claims("main"));
    let file = home.path("token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let env = home.server.dev_env();
    let run = |arguments: &[&str]| -> Run {
        home.bare(arguments)
            .env("THALASSA_API_ENDPOINT", &env.address)
            .env("THALASSA_ORGANISATION_ID", &env.organisation)
            .env("THALASSA_SERVICE_ACCOUNT_ID", account)
    };
    for (variable, value) in [("THALASSA_SUBJECT_TOKEN_FILE", text(&file)), ("THALASSA_SUBJECT_ID_TOKEN", &token)] {
        for (lifetime, asked) in
            [("", None), ("600", Some("access_token_lifetime=600")), ("10m", Some("access_token_lifetime=600"))]
        {
            let between = Between::stand(home.server.address(), move |passing| {
                let is_wrong = passing.line.ends_with("/oidc/token")
                    && (passing.says("access_token_lifetime") != asked.is_some()
                        || !asked.is_none_or(|asked| passing.says(asked)));
                if is_wrong { Deal::refuse(400, "another_lifetime") } else { Deal::Forward }
            });
            let with = |arguments: &[&str]| {
                let run = run(arguments).env(variable, value).env("THALASSA_ACCESS_TOKEN_LIFETIME", lifetime);
                run.env("THALASSA_API_ENDPOINT", &between.address)
            };
            let status: Value = serde_json::from_str(&with(&["status", "--json"]).ok()).unwrap();
            let who = (&status["me"]["identity"], &status["credentials"]["source"]);
            assert_eq!(who, (&json!(account), &json!(variable)));
            assert_eq!(with(&["get", "/app/x"]).ok(), "value");
            with(&["put", "/app/x"]).input("other").fails(4);
            assert!(between.count("POST", "/oidc/token") >= 3);
        }
    }
    // Nobody else's.
    let other = issued(&home, &claims("other"));
    let said = run(&["get", "/app/x"]).env("THALASSA_SUBJECT_ID_TOKEN", &other).run();
    assert!(said.code != Some(0) && said.stdout.is_empty() && !said.stderr.contains(&other), "{said:?}");
    let said = run(&["get", "/app/x"]).env("THALASSA_SUBJECT_TOKEN_FILE", "/nowhere/token").run();
    assert!(said.code != Some(0) && said.stderr.contains("can't be read"), "{said:?}");
}
