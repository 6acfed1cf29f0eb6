//! Flags that reach the server, each seen in what becomes of it.

use crate::support::{Home, text};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;
use strongroom_tests::wait_for;

const LATER: &str = "2099-01-01T00:00:00Z";

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn what_is_said_of_an_object_is_what_it_has() {
    let home = Home::new();
    let identity = |line: &str| home.json(&words(line))["identity"].as_str().unwrap_or_default().to_owned();
    identity("iam roles create readers");
    let (team, project) = (identity("iam teams create people"), identity("iam projects create shop"));
    let user = identity("iam users create Ada");
    identity("iam service-accounts create ci");
    identity(&format!("iam credentials create ci --expires {LATER}"));
    let provider = identity("iam providers create p --issuer https://ci.example --jwks-uri https://ci.example/jwks");
    home.feed(&["put", "/x", "--annotation", "a=1", "--annotation", "b=2"], "v");
    let federated = format!("iam federated-identities create f --service-account ci --provider {provider} --subject s");
    for (line, place, wanted) in [
        ("iam bindings create readers --team people", "/team/identity", json!(team)),
        (&format!("iam bindings create readers --user {user}"), "/user/subject", json!(user)),
        ("iam bindings create readers --team people --scope shop", "/scopes", json!(["shop"])),
        ("iam projects create below --parent shop", "/parentProject/identity", json!(project)),
        ("iam projects update below --parent=", "/parentProject", Value::Null),
        (&format!("iam tokens create t --expires {LATER}"), "/expiresAt", json!(LATER)),
        ("iam credentials ls ci", "/0/expiresAt", json!(LATER)),
        (&format!("{federated} --audience x --audience-match all"), "/audienceMatchMode", json!("all")),
        (&format!("{federated} --audience x --expires {LATER}"), "/expiresAt", json!(LATER)),
        (&format!("{federated} --audience x --scope api:read"), "/allowedScopes", json!(["api:read"])),
        ("patch /x --remove-annotation a", "/annotations", json!({"b": "2"})),
    ] {
        let made = home.json(&words(line));
        assert_eq!(made.pointer(place).unwrap_or(&Value::Null), &wanted, "{line}: {made}");
    }
}

#[test]
fn keys_work_with_the_version_and_the_hash_that_are_said() {
    let home = Home::new();
    let json = |line: &str, input: &[u8]| -> Value {
        let printed = home.feed(&[words(line), vec!["--json"]].concat(), input);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{line}: {error}: {printed}"))
    };
    for line in ["signs --type ecdsa-p256", "macs --type hmac", "seals --exportable"] {
        json(&format!("kms create {line}"), b"");
    }
    let first = home.command(&words("kms export seals")).run().stdout;
    for key in ["signs", "macs", "seals"] {
        json(&format!("kms rotate {key}"), b"");
    }
    for (line, version) in [
        ("kms sign signs", "2"),
        ("kms sign signs --version 1", "1"),
        ("kms hmac macs", "2"),
        ("kms hmac macs --version 1", "1"),
        ("kms encrypt seals", "2"),
        ("kms encrypt seals --version 1", "1"),
    ] {
        assert_eq!(json(line, b"message")["keyVersion"], version, "{line}");
    }
    assert_eq!(home.command(&words("kms export seals --version 1")).run().stdout, first);
    assert_ne!(home.command(&words("kms export seals")).run().stdout, first);
    let public = json("kms public-key signs", b"");
    for (version, text) in public["keys"].as_object().into_iter().flatten() {
        assert_eq!(
            home.ok(&["kms", "public-key", "signs", "--version", version]).trim(),
            text.as_str().unwrap().trim()
        );
    }
    assert_eq!(public["keys"].as_object().map(serde_json::Map::len), Some(2), "{public}");

    let message = home.path("message");
    std::fs::write(&message, "message").unwrap();
    let digest = |hash: &str| {
        let digest = Command::new("openssl").args(["dgst", &format!("-{hash}"), "-binary", text(&message)]).output();
        digest.unwrap().stdout
    };
    for hash in ["sha256", "sha384", "sha512"] {
        let sign = |more: &str, input: &[u8]| {
            let signed = json(&format!("kms sign signs --hash {hash}{more}"), input);
            signed["signature"].as_str().unwrap_or_default().to_owned()
        };
        let (whole, of_digest) = (sign("", b"message"), sign(" --prehashed", &digest(hash)));
        let verify = |signature: &str, flags: &[&str], input: &[u8]| {
            home.command(&[&["kms", "verify", "signs", signature], flags].concat()).input(input).run().code
        };
        for signature in [&whole, &of_digest] {
            assert_eq!(verify(signature, &["--hash", hash], b"message"), Some(0), "{hash}");
            assert_eq!(verify(signature, &["--hash", hash, "--prehashed"], &digest(hash)), Some(0), "{hash}");
            assert_eq!(verify(signature, &["--hash", hash], &digest(hash)), Some(1), "{hash}");
            let other = if hash == "sha256" { "sha384" } else { "sha256" };
            assert_eq!(verify(signature, &["--hash", other], b"message"), Some(1), "{hash}");
        }
    }
}

#[test]
fn keys_turn_as_it_is_said() {
    let home = Home::new();
    let material = [7; 32];
    home.feed(&words("kms import fixed --type aes256-gcm96"), material);
    home.command(&words("kms rotate fixed")).fails(1);
    home.feed(&words("kms import free --type aes256-gcm96 --allow-rotation"), material);
    assert_eq!(home.json(&words("kms rotate free"))["latestVersion"], 2);
    home.json(&words("kms rotate free"));
    // Every node must have heard of the newest version first.
    let retired = wait_for(Duration::from_secs(60), || {
        Some(home.command(&words("kms retire free --oldest 2")).run()).filter(|done| done.code == Some(0))
    });
    assert!(retired.is_some());
    assert_eq!(home.json(&words("kms get free"))["minDecryptionVersion"], 2);
}

#[test]
fn a_profile_is_the_one_for_every_day_when_that_is_said() {
    let home = Home::new();
    let env = home.server.dev_env();
    let default = || -> Value {
        let status = home.bare(&["status", "--json"]).ok();
        serde_json::from_str::<Value>(&status).unwrap()["profile"].clone()
    };
    for (profile, more, wanted) in [("one", None, "one"), ("two", None, "one"), ("three", Some("--default"), "three")] {
        let login = ["login", "--address", &env.address, "--token-stdin", "--profile", profile];
        let login: Vec<&str> = login.into_iter().chain(more).collect();
        home.bare(&login).input(&env.token).ok();
        assert_eq!(default(), wanted, "{profile}");
    }
}

#[test]
fn a_certificate_that_is_named_is_trusted() {
    let home = Home::new();
    let (key, certificate) = (home.path("key.pem"), home.path("certificate.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", text(&key), "-out", text(&certificate)])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    // It answers with the files of its directory.
    let folder = home.path("v1");
    std::fs::create_dir(&folder).unwrap();
    let body = "[]";
    let answer = format!("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{body}");
    std::fs::write(folder.join("regions"), &answer).unwrap();
    std::fs::write(folder.join("regions?limit=1000"), &answer).unwrap();
    let mut tls = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-HTTP", "-key", text(&key), "-cert", text(&certificate)])
        .current_dir(home.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(tls.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.filter_map(|line| line.strip_prefix("ACCEPT ")?.rsplit(':').next().map(str::to_owned)).next();
    let address = format!("https://localhost:{}", port.expect("it says where it listens"));
    let run = |flags: &[&str]| home.command(&[&["regions", "--json"], flags].concat()).env("STRONGROOM_ADDR", &address);
    let trusted = run(&["--ca-certificate", text(&certificate)]).run();
    let by_variable = run(&[]).env("STRONGROOM_CA_CERTIFICATE", text(&certificate)).run();
    let unknown = run(&[]).run();
    tls.kill().unwrap();
    tls.wait().unwrap();
    for done in [trusted, by_variable] {
        assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &b"[]\n"[..]), "{done:?}");
    }
    assert_eq!(unknown.code, Some(6), "{unknown:?}");
}
