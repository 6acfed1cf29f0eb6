use crate::{Answer, Connection, DevEnv, base64};
use core::net::SocketAddr;
use serde_json::{Value, json};
use std::io;

/// Speaks to one server, as one caller, one connection to a request.
#[derive(Clone)]
pub struct Client {
    /// Where the server listens.
    pub address: SocketAddr,
    /// Goes into `Authorization: Bearer`.
    pub token: Option<String>,
    /// Goes into `X-Organisation-Identity`.
    pub organisation: Option<String>,
    /// The region in the addresses of secrets and keys.
    pub region: String,
    /// The identity of the key for new secrets.
    pub kms_key: String,
}

impl Client {
    /// The owner whom `dev` made.
    #[must_use]
    pub fn of_dev(address: SocketAddr, env: &DevEnv) -> Self {
        Self {
            address,
            token: Some(env.token.clone()),
            organisation: Some(env.organisation.clone()),
            region: env.region.clone(),
            kms_key: env.kms_key.clone(),
        }
    }

    /// A request with this client's credentials. `target` goes out as it stands.
    #[must_use]
    pub fn request(&self, method: &str, target: impl Into<String>) -> Request<'_> {
        let mut request =
            Request { client: self, method: method.to_owned(), target: target.into(), headers: Vec::new(), body: None };
        if let Some(token) = &self.token {
            request.headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        if let Some(organisation) = &self.organisation {
            request.headers.push(("X-Organisation-Identity".to_owned(), organisation.clone()));
        }
        request
    }

    /// `GET`, sent.
    #[track_caller]
    pub fn get(&self, target: impl Into<String>) -> Answer {
        self.request("GET", target).send()
    }

    /// `POST` without a body, sent.
    #[track_caller]
    pub fn post_empty(&self, target: impl Into<String>) -> Answer {
        self.request("POST", target).send()
    }

    /// `POST` with JSON, sent.
    #[track_caller]
    pub fn post(&self, target: impl Into<String>, body: &Value) -> Answer {
        self.request("POST", target).json(body).send()
    }

    /// `PUT` with JSON, sent.
    #[track_caller]
    pub fn put(&self, target: impl Into<String>, body: &Value) -> Answer {
        self.request("PUT", target).json(body).send()
    }

    /// `DELETE`, sent.
    #[track_caller]
    pub fn delete(&self, target: impl Into<String>) -> Answer {
        self.request("DELETE", target).send()
    }

    /// The address of the collection of secrets.
    #[must_use]
    pub fn secrets(&self) -> String {
        format!("/v1/secrets/{}/secrets", self.region)
    }

    /// The address of a secret; `path` goes in as it stands.
    #[must_use]
    pub fn secret(&self, path: &str) -> String {
        format!("/v1/secrets/{}/secret{path}", self.region)
    }

    /// The address of the collection of keys.
    #[must_use]
    pub fn keys(&self) -> String {
        format!("/v1/kms/{}/keys", self.region)
    }

    /// The address of a key, by identity or slug.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        format!("/v1/kms/{}/keys/{key}", self.region)
    }

    /// The body that creates a secret with this value, under the client's key.
    #[must_use]
    pub fn new_secret(&self, path: &str, value: impl AsRef<[u8]>) -> Value {
        json!({"path": path, "kmsKeyIdentity": self.kms_key, "secretString": base64(value)})
    }

    /// Creates a secret.
    #[track_caller]
    pub fn create(&self, path: &str, value: impl AsRef<[u8]>) -> Answer {
        self.post(self.secrets(), &self.new_secret(path, value))
    }

    /// Puts a value.
    #[track_caller]
    pub fn put_value(&self, path: &str, value: impl AsRef<[u8]>) -> Answer {
        self.post(format!("{}/versions", self.secret(path)), &json!({"secretString": base64(value)}))
    }

    /// Reveals a version; `None` for the current one.
    #[track_caller]
    pub fn reveal(&self, path: &str, version: Option<u64>) -> Answer {
        let address = format!("{}/value", self.secret(path));
        match version {
            None => self.post_empty(address),
            Some(version) => self.post(address, &json!({"version": version})),
        }
    }

    /// The metadata of a secret.
    #[track_caller]
    pub fn describe(&self, path: &str) -> Answer {
        self.get(self.secret(path))
    }

    /// Destroys a version.
    #[track_caller]
    pub fn destroy(&self, path: &str, version: u64) -> Answer {
        self.delete(format!("{}/versions?version={version}", self.secret(path)))
    }

    /// A connection.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    #[track_caller]
    pub fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap_or_else(|error| panic!("no connection to {}: {error}", self.address))
    }

    /// Sends bytes as they stand, on a connection of their own, and reads the answer.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        exchange(self.address, bytes).unwrap_or_else(|error| panic!("no answer: {error}"))
    }
}

/// A request that is put together.
#[derive(Clone)]
pub struct Request<'a> {
    client: &'a Client,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    /// Sets a header, instead of one of the same name.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        let mut request = self.without(name);
        request.headers.push((name.to_owned(), value.to_owned()));
        request
    }

    /// Takes a header away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        self
    }

    /// Sets a JSON body and its media type.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// Sets a body, and no media type.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The request as it goes out.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has = |name: &str| self.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        if !has("Host") {
            head += &format!("Host: {}\r\n", self.client.address);
        }
        if !has("Connection") {
            head += "Connection: close\r\n";
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = self.body.as_ref().filter(|_| !has("Content-Length") && !has("Transfer-Encoding")) {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }

    /// Sends it and reads the answer.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn send(&self) -> Answer {
        self.try_send().unwrap_or_else(|error| panic!("no answer to {} {}: {error}", self.method, self.target))
    }

    /// Sends it and reads the answer.
    ///
    /// # Errors
    /// The server can't be reached, hung up, or answered nonsense.
    pub fn try_send(&self) -> io::Result<Answer> {
        exchange(self.client.address, &self.bytes())
    }
}

fn exchange(address: SocketAddr, bytes: &[u8]) -> io::Result<Answer> {
    let mut connection = Connection::open(address)?;
    // A server may answer, and hang up, before it has read everything.
    let sent = connection.send(bytes);
    let answer = connection.answer();
    if answer.is_err() {
        sent?;
    }
    answer
}
