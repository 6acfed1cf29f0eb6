//! Root keys sealed by the Transit engine of an OpenBao or Vault server.
//!
//! Two calls of its HTTP API are used, `POST /v1/{mount}/encrypt/{key}` and `POST /v1/{mount}/decrypt/{key}`, with the token in the header
//! `X-Vault-Token` and the key in base64.

use crate::error::UnsealError;
use crate::line::MAX_LINE_LEN;
use crate::software::ROOT_KEY_LEN;
use bytes::Bytes;
use core::net::IpAddr;
use core::time::Duration;
use data_encoding::BASE64;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// How long a connection may take, and a whole call.
const CONNECTING: Duration = Duration::from_secs(5);
const ANSWERING: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_ANSWER_LEN: usize = 16 * 1024;
const TOKEN_HEADER: &str = "x-vault-token";
/// Proxies and agents of the server can be told to want it, against forged requests of browsers.
const REQUEST_HEADER: &str = "x-vault-request";

/// How a Transit server is reached.
pub struct TransitSettings {
    /// Its address: `https://`, or `http://` for this machine; without a path.
    pub address: String,
    /// What it is asked with.
    pub token: SecretBytes,
    /// Where its engine is mounted: `transit`, unless it was mounted elsewhere.
    pub mount: String,
    /// The key that new root keys are sealed with.
    pub key: String,
    /// The certificate authorities that its certificate may be from, in PEM; `None` for those of the operating system.
    pub authorities: Option<Vec<u8>>,
}

/// A Transit server.
pub struct Transit {
    client: Client,
    address: Url,
    token: HeaderValue,
    mount: String,
    key: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

#[derive(Serialize)]
struct Encrypt<'a> {
    plaintext: &'a str,
}

#[derive(Serialize)]
struct Decrypt<'a> {
    ciphertext: &'a str,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    #[serde(deserialize_with = "wiped")]
    plaintext: Zeroizing<String>,
}

fn wiped<'de, D: Deserializer<'de>>(from: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(from).map(Zeroizing::new)
}

impl Transit {
    /// Does not connect yet.
    ///
    /// # Errors
    /// [`UnsealError::Refused`] for settings that can't be used.
    pub fn new(settings: TransitSettings) -> Result<Self, UnsealError> {
        let refused = |text: &str| UnsealError::Refused(Told(text.to_owned()).into());
        check_transit_address(&settings.address).map_err(|rule| refused(&format!("its address {rule}")))?;
        check_transit_mount(&settings.mount).map_err(|rule| refused(&format!("its mount {rule}")))?;
        check_transit_key(&settings.key).map_err(|rule| refused(&format!("its key's name {rule}")))?;
        let address = Url::parse(&settings.address).map_err(|error| UnsealError::Refused(error.into()))?;
        let mut token = HeaderValue::from_bytes(settings.token.expose())
            .map_err(|_| refused("the token for it holds what no token holds"))?;
        token.set_sensitive(true);
        let mut client = Client::builder()
            .user_agent("strongroom")
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECTING)
            .timeout(ANSWERING)
            .pool_max_idle_per_host(0);
        if let Some(pem) = &settings.authorities {
            let authorities = Certificate::from_pem_bundle(pem)
                .map_err(|_| refused("the certificate authorities for it are not certificates in PEM"))?;
            if authorities.is_empty() {
                return Err(refused("the file of certificate authorities for it holds none"));
            }
            client = client.tls_certs_only(authorities);
        }
        let client = client.build().map_err(|error| UnsealError::Refused(error.into()))?;
        Ok(Self { client, address, token, mount: settings.mount, key: settings.key })
    }

    /// The engine's mount, the key's name, and the sealed key.
    pub(crate) async fn seal(&self, key: &[u8; ROOT_KEY_LEN]) -> Result<(String, String, String), UnsealError> {
        let plaintext = Zeroizing::new(BASE64.encode(key));
        let body = body(&Encrypt { plaintext: &plaintext })?;
        let Encrypted { ciphertext } = self.call("encrypt", &self.mount, &self.key, body).await?;
        Ok((self.mount.clone(), self.key.clone(), ciphertext))
    }

    /// Asks the engine that sealed it, wherever new keys are sealed by now.
    pub(crate) async fn open(
        &self,
        mount: &str,
        key: &str,
        ciphertext: &str,
    ) -> Result<Zeroizing<[u8; ROOT_KEY_LEN]>, UnsealError> {
        let body = body(&Decrypt { ciphertext })?;
        let Decrypted { plaintext } = self.call("decrypt", mount, key, body).await?;
        let wrong = || UnsealError::Refused(Told("what it opens to is no root key".to_owned()).into());
        let bytes = BASE64.decode(plaintext.as_bytes()).map(Zeroizing::new).map_err(|_| wrong())?;
        let mut opened = Zeroizing::new([0; ROOT_KEY_LEN]);
        if bytes.len() != opened.len() {
            return Err(wrong());
        }
        opened.copy_from_slice(&bytes);
        Ok(opened)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        operation: &str,
        mount: &str,
        key: &str,
        body: Bytes,
    ) -> Result<T, UnsealError> {
        let mut url = self.address.clone();
        url.set_path(&format!("/v1/{mount}/{operation}/{key}"));
        let request = self
            .client
            .post(url)
            .header(TOKEN_HEADER, self.token.clone())
            .header(REQUEST_HEADER, HeaderValue::from_static("true"))
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let mut answer = request.send().await.map_err(unreached)?;
        let status = answer.status();
        if status != StatusCode::OK {
            if status.is_redirection() {
                let told = format!(
                    "the Transit server answers {operation} with a redirect, and none is followed: configure the address that it names"
                );
                return Err(UnsealError::Unavailable(Told(told).into()));
            }
            let told = Told(format!("the Transit server answers {operation} with status {}", status.as_u16())).into();
            // Sealed, starting, standing by, overloaded: later it may be otherwise.
            let later = status.is_server_error() || matches!(status.as_u16(), 408 | 412 | 429 | 472 | 473);
            return Err(if later { UnsealError::Unavailable(told) } else { UnsealError::Refused(told) });
        }
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_ANSWER_LEN));
        while let Some(chunk) = answer.chunk().await.map_err(unreached)? {
            if text.len() + chunk.len() > MAX_ANSWER_LEN {
                return Err(UnsealError::Refused(Told("the Transit server's answer is too long".to_owned()).into()));
            }
            text.extend_from_slice(&chunk);
        }
        // The parser's error could repeat what it read.
        let answer: Answer<T> = serde_json::from_slice(&text).map_err(|_| {
            UnsealError::Refused(Told(format!("the Transit server answers {operation} with something else")).into())
        })?;
        Ok(answer.data)
    }
}

/// In memory that is wiped, with room enough from the start.
fn body(request: &impl Serialize) -> Result<Bytes, UnsealError> {
    let mut body = Zeroizing::new(Vec::with_capacity(2 * MAX_LINE_LEN));
    serde_json::to_writer(&mut *body, request).map_err(|error| UnsealError::Unavailable(error.into()))?;
    Ok(Bytes::from_owner(body))
}

/// The URL is left out: the configuration has it.
fn unreached(error: reqwest::Error) -> UnsealError {
    UnsealError::Unavailable(error.without_url().into())
}

/// What an address must be: `https://`, or `http://` for this machine, since the token and the root key would cross a network readable.
///
/// # Errors
/// The rule that it breaks.
pub fn check_transit_address(text: &str) -> Result<(), &'static str> {
    let wrong =
        "must be an https:// URL without a path, such as https://bao.example.com:8200; http:// only for this machine";
    let url = Url::parse(text).map_err(|_| wrong)?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let has_user = !url.username().is_empty() || url.password().is_some();
    let host = url.host_str().filter(|_| is_bare && !has_user).ok_or(wrong)?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_this_machine(host) => Ok(()),
        _ => Err(wrong),
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// What a mount must be: names with slashes between them, since it becomes a part of a URL.
///
/// # Errors
/// The rule that it breaks.
pub fn check_transit_mount(text: &str) -> Result<(), &'static str> {
    let fits = text.len() <= 128 && text.split('/').all(is_name);
    if fits { Ok(()) } else { Err("must be names of a-z A-Z 0-9 . _ and -, with / between them, such as transit") }
}

/// What a key's name must be.
///
/// # Errors
/// The rule that it breaks.
pub fn check_transit_key(text: &str) -> Result<(), &'static str> {
    let fits = text.len() <= 128 && is_name(text);
    if fits { Ok(()) } else { Err("must be a name of a-z A-Z 0-9 . _ and -, such as strongroom-root") }
}

fn is_name(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    is_plain && !text.is_empty() && !text.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests;
