//! Runs the examples that are programs, as somebody would who tries them out.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// A program that runs until it is stopped, or the test ends.
struct Program {
    process: Child,
    address: String,
}

impl Program {
    fn start(program: &str, folder: &Path, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.arg(folder).arg("127.0.0.1:0").envs(environment.iter().copied()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the example was built");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("it speaks");
        let address = line.trim().strip_prefix("listening on ").map(str::to_owned);
        Self { process, address: address.unwrap_or_else(|| panic!("it said {line:?}")) }
    }

    /// Status and body of the answer.
    fn call(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let (head, body) = self.answer(method, path, token, body);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), body)
    }

    /// A header of the answer.
    fn header(&self, method: &str, path: &str, token: &str, body: &str, name: &str) -> String {
        let (head, _) = self.answer(method, path, token, body);
        let named = head.lines().filter_map(|line| line.split_once(": ")).find(|(other, _)| *other == name);
        named.map_or_else(|| panic!("no {name}: {head}"), |(_, value)| value.to_owned())
    }

    /// Head and body of the answer.
    fn answer(&self, method: &str, path: &str, token: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: example\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        (head.to_owned(), body.to_owned())
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("it runs");
    }

    fn stop(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.process.wait().expect("it ends")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_service_keeps_its_secrets_over_restarts() {
    const SERVICE: &str = env!("CARGO_BIN_EXE_service");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("site");
    let service = Program::start(SERVICE, &folder, &[]);
    assert_eq!(service.call("POST", "/hooks/shop/signature", "", "paid").0, 404);
    assert_eq!(service.call("PUT", "/hooks/shop", "", ""), (200, "version 1\n".to_owned()));
    assert_eq!(service.call("PUT", "/hooks/mail", "", ""), (200, "version 1\n".to_owned()));
    assert_eq!(service.call("PUT", "/hooks/..", "", "").0, 400);
    let sign = |service: &Program, name: &str| {
        let (status, signature) = service.call("POST", &format!("/hooks/{name}/signature"), "", "paid");
        assert_eq!((status, signature.trim().len()), (200, 64), "{signature}");
        signature
    };
    let (shop, mail) = (sign(&service, "shop"), sign(&service, "mail"));
    assert_ne!(shop, mail);
    assert_eq!(sign(&service, "shop"), shop);
    // A second process would write into the same files.
    let second = Command::new(SERVICE).arg(&folder).arg("127.0.0.1:0").output().expect("it runs");
    assert!(!second.status.success() && second.stdout.is_empty(), "{second:?}");
    assert!(service.stop(Signal::TERM).success(), "it stops in order");

    let service = Program::start(SERVICE, &folder, &[]);
    assert_eq!((sign(&service, "shop"), sign(&service, "mail")), (shop.clone(), mail.clone()));
    assert_eq!(service.call("PUT", "/hooks/shop", "", ""), (200, "version 2\n".to_owned()));
    let renewed = sign(&service, "shop");
    assert_ne!(renewed, shop);
    service.stop(Signal::KILL);

    let service = Program::start(SERVICE, &folder, &[]);
    assert_eq!((sign(&service, "shop"), sign(&service, "mail")), (renewed, mail));
    assert!(service.stop(Signal::INT).success());

    // Without its root key a store opens for nobody, and is given no other.
    let key = folder.join("root.key");
    std::fs::rename(&key, folder.join("elsewhere")).expect("there is a root key");
    let refused = Command::new(SERVICE).arg(&folder).arg("127.0.0.1:0").output().expect("it runs");
    assert!(!refused.status.success() && !key.exists(), "{refused:?}");
}

#[test]
fn the_api_is_mounted_beside_other_routes() {
    let folder = tempfile::tempdir().expect("a folder");
    let environment = [("OWNER_TOKEN", "of-the-owner"), ("READER_TOKEN", "of-the-reader")];
    let program = Program::start(env!("CARGO_BIN_EXE_mounted"), folder.path(), &environment);
    let owner = |method, path: &str, body: &str| program.call(method, path, "of-the-owner", body);
    let reader = |method, path: &str, body: &str| program.call(method, path, "of-the-reader", body);

    assert_eq!(owner("GET", "/", "").1, "a program with a strongroom below /vault\n");
    for (path, status) in [("/vault", 404), ("/vaults/healthz", 404), ("/healthz", 404), ("/vault/healthz", 200)] {
        assert_eq!(owner("GET", path, "").0, status, "{path}");
    }
    assert_eq!(program.call("GET", "/vault/v1/kms/embedded/keys", "of-nobody", "").0, 401);

    let (status, key) = owner("POST", "/vault/v1/kms/embedded/keys", r#"{"name": "app"}"#);
    assert_eq!(status, 201, "{key}");
    let identity = key.split("\"identity\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a key");
    for path in ["/shared/db", "/private/db"] {
        let value = STANDARD.encode("correct horse");
        let body = format!(r#"{{"path": "{path}", "kmsKeyIdentity": "{identity}", "secretString": "{value}"}}"#);
        assert_eq!(owner("POST", "/vault/v1/secrets/embedded/secrets", &body).0, 201, "{path}");
    }
    let reveal = |call: &dyn Fn(&'static str, &str, &str) -> (u16, String), path: &str| {
        call("POST", &format!("/vault/v1/secrets/embedded/secret{path}/value"), "")
    };
    let (status, revealed) = reveal(&reader, "/shared/db");
    assert_eq!(status, 200, "{revealed}");
    assert!(revealed.contains(&STANDARD.encode("correct horse")), "{revealed}");
    assert_eq!(reveal(&reader, "/private/db").0, 403);
    assert_eq!(reveal(&owner, "/private/db").0, 200);
    // Addresses that the API tells are those that its clients know.
    let of = |method, path: &str, body: &str, name| program.header(method, path, "of-the-owner", body, name);
    let put = r#"{"secretString": "YQ=="}"#;
    let location = of("POST", "/vault/v1/secrets/embedded/secret/private/db/versions", put, "location");
    assert_eq!(owner("GET", &location, "").0, 200, "{location}");
    let link = of("GET", "/vault/v1/secrets/embedded/secrets?pathPrefix=/&limit=1", "", "link");
    let next = link.strip_prefix('<').and_then(|link| link.split_once('>')).expect("an address").0;
    let (status, page) = owner("GET", next, "");
    assert!(status == 200 && page.contains("/shared/db") && !page.contains("/private"), "{next}: {page}");
    let (_, document) = program.call("GET", "/vault/openapi.json", "", "");
    assert!(document.contains(r#""servers":[{"url":"/vault"}]"#), "the document names the mount");

    let (_, listed) = reader("GET", "/vault/v1/secrets/embedded/secrets?pathPrefix=/", "");
    assert!(listed.contains("/shared/db") && !listed.contains("/private"), "{listed}");
    assert!(program.stop(Signal::TERM).success());
}
