//! Requests to the server, one by one and again.

use crate::answer::{data, refusal};
use crate::breaker::Breaker;
use crate::buffer::Received;
use crate::error::CallError;
use crate::options::{
    TransitOptions, TransitOptionsError, check_address, check_key_prefix, check_mount, check_namespace, check_proxy,
};
use crate::token::{Token, TokenFile};
use bytes::Bytes;
use core::time::Duration;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, Proxy, Response};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use strongroom_domain::port::Clock;

/// No answer of the Transit API to what is asked here is larger.
const MAX_ANSWER_LEN: usize = 4 * 1024 * 1024;
/// How often a request is sent at the most.
const TRIES: u32 = 4;
/// How long is waited before the second; then twice as long each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// The longest that connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Proxies and agents of the server can be told to want it, against forged requests of browsers.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// One request.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Below the mount.
    pub(crate) path: String,
    /// What a policy must allow for it.
    pub(crate) capability: &'static str,
    pub(crate) body: Option<Bytes>,
}

pub(crate) struct Client {
    http: reqwest::Client,
    /// The address, without a slash at its end.
    base: String,
    pub(crate) mount: String,
    pub(crate) key_prefix: String,
    namespace: Option<HeaderValue>,
    token: TokenFile,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
}

impl Client {
    pub(crate) fn new(options: &TransitOptions, clock: Arc<dyn Clock>) -> Result<Self, TransitOptionsError> {
        check_address(&options.address).map_err(TransitOptionsError::Address)?;
        check_mount(&options.mount).map_err(TransitOptionsError::Mount)?;
        check_key_prefix(&options.key_prefix).map_err(TransitOptionsError::KeyPrefix)?;
        let namespace = options.namespace.as_deref().map(namespace).transpose()?;
        let mut builder = reqwest::Client::builder()
            .user_agent("strongroom")
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            // Two tries fit into an operation, so that one that hangs isn't all.
            .timeout(options.timeout / 2)
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout / 2))
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tcp_nodelay(true);
        if let Some(proxy) = &options.proxy {
            check_proxy(proxy).map_err(TransitOptionsError::Proxy)?;
            if options.address.starts_with("http://") {
                let wrong = "is refused for a server with http://: token and keys would cross the network readable";
                return Err(TransitOptionsError::Proxy(wrong));
            }
            builder = builder.proxy(Proxy::all(proxy).map_err(client_error)?);
        }
        if let Some(path) = &options.ca_file {
            let wrong = |what: String| TransitOptionsError::CaFile { path: path.clone(), what };
            let pem = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {}", error.kind())))?;
            let authorities = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if authorities.is_empty() {
                return Err(wrong("holds no certificate in PEM".to_owned()));
            }
            builder = builder.tls_certs_only(authorities);
        }
        Ok(Self {
            http: builder.build().map_err(client_error)?,
            base: options.address.trim_end_matches('/').to_owned(),
            mount: options.mount.clone(),
            key_prefix: options.key_prefix.clone(),
            namespace,
            token: TokenFile::new(&options.token_file),
            breaker: Breaker::new(Arc::clone(&clock)),
            clock,
        })
    }

    /// Asks for data, again when that may help. Only for what does no harm when it is done twice.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T, CallError> {
        self.again(call, data).await
    }

    /// Asks for something to be so, again when that may help.
    pub(crate) async fn tell(&self, call: &Call) -> Result<(), CallError> {
        self.again(call, |_| Ok(())).await
    }

    /// Asks for something to be done, once.
    pub(crate) async fn tell_once(&self, call: &Call) -> Result<(), CallError> {
        self.once(call, &|_: &[u8]| Ok(())).await
    }

    async fn again<T>(&self, call: &Call, read: impl Fn(&[u8]) -> Result<T, CallError>) -> Result<T, CallError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(call, &read).await {
                Err(error) if error.is_transient() && tries < TRIES => self.wait(tries).await,
                outcome => return outcome,
            }
        }
    }

    /// Waits before try number `tries + 1`: longer each time, and not for all callers equally long.
    pub(crate) async fn wait(&self, tries: u32) {
        let wait = FIRST_WAIT * 2_u32.pow(tries.min(TRIES) - 1);
        let spread = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).max(1);
        let extra = self.clock.now().as_micros().unsigned_abs() % spread;
        tokio::time::sleep(wait + Duration::from_micros(extra)).await;
    }

    async fn once<T>(&self, call: &Call, read: &impl Fn(&[u8]) -> Result<T, CallError>) -> Result<T, CallError> {
        let token = self.token.current().await?;
        match self.attempt(call, &token, read).await {
            Err(CallError::Denied { .. }) => match self.token.after(&token).await? {
                Some(newer) => self.attempt(call, &newer, read).await,
                None => Err(self.denied(call)),
            },
            outcome => outcome,
        }
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        token: &Token,
        read: &impl Fn(&[u8]) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let permit = self.breaker.enter().ok_or(CallError::Resting)?;
        let outcome = self.exchange(call, token, read).await;
        match &outcome {
            Err(error) if error.is_failure() => permit.failed(),
            // Too many requests: nothing that says whether it works.
            Err(CallError::Status(_)) => drop(permit),
            _ => permit.succeeded(),
        }
        outcome
    }

    async fn exchange<T>(
        &self,
        call: &Call,
        token: &Token,
        read: &impl Fn(&[u8]) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let url = format!("{}/v1/{}/{}", self.base, self.mount, call.path);
        let mut request = self.http.request(call.method.clone(), url);
        request = request.header(TOKEN, token.header.clone()).header(REQUEST, HeaderValue::from_static("true"));
        if let Some(namespace) = &self.namespace {
            request = request.header(NAMESPACE, namespace.clone());
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.clone());
        }
        let answer = request.send().await.map_err(told)?;
        let status = answer.status().as_u16();
        if matches!(status, 401 | 403) {
            return Err(self.denied(call));
        }
        let body = receive(answer).await?;
        if matches!(status, 200 | 204) {
            read(body.as_slice())
        } else {
            Err(refusal(status, body.as_slice(), &self.mount))
        }
    }

    /// Names the policy that is wanted: with the names of keys left out, as an operator writes it.
    fn denied(&self, call: &Call) -> CallError {
        let shown = match call.path.find(&self.key_prefix) {
            Some(start) => {
                let after = &call.path[start + self.key_prefix.len()..];
                let end = after.find('/').map_or("", |end| &after[end..]);
                format!("{}{}*{}", &call.path[..start], self.key_prefix, end)
            }
            None => call.path.clone(),
        };
        CallError::Denied { capability: call.capability, path: format!("{}/{shown}", self.mount) }
    }
}

fn namespace(text: &str) -> Result<HeaderValue, TransitOptionsError> {
    check_namespace(text).map_err(TransitOptionsError::Namespace)?;
    HeaderValue::from_str(text).map_err(|_| TransitOptionsError::Namespace("cannot be sent"))
}

fn client_error(error: reqwest::Error) -> TransitOptionsError {
    TransitOptionsError::Client(error.without_url().into())
}

fn told(error: reqwest::Error) -> CallError {
    let error = error.without_url();
    if error.is_builder() {
        CallError::Request
    } else if error.is_connect() {
        CallError::Unreachable(error)
    } else if error.is_timeout() {
        CallError::TimedOut
    } else {
        CallError::Broken(error)
    }
}

async fn receive(mut answer: Response) -> Result<Received, CallError> {
    let announced = answer.content_length().unwrap_or(0);
    if announced > MAX_ANSWER_LEN as u64 {
        return Err(CallError::TooLarge);
    }
    let mut body = Received::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = answer.chunk().await.map_err(told)? {
        if body.as_slice().len() + chunk.len() > MAX_ANSWER_LEN {
            return Err(CallError::TooLarge);
        }
        body.push(&chunk);
    }
    Ok(body)
}
