//! The tokens that calls carry.

use crate::transport::{Transport, now};
use crate::{Call, Credentials, Error, Sensitive, SubjectSource};
use bytes::Bytes;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use reqwest::Method;
use reqwest::header::HeaderValue;
use strongroom_api::TokenAnswer;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

/// A token is renewed this long before its end, or at three quarters of its life if that is later.
const AHEAD: Duration = Duration::from_secs(60);
/// How long a renewal may hold calls up that could go on with the token that they have, and how long it is left alone after a failure.
const IN_PASSING: Duration = Duration::from_secs(5);

/// Gives calls their token, and renews it: one call at a time, while the others wait for what it gets.
pub(crate) struct Tokens {
    source: Source,
    state: Mutex<State>,
    /// How many renewals have ended.
    ended: AtomicU64,
}

enum Source {
    Fixed(HeaderValue),
    ServiceAccount { access_key: String, access_secret: Sensitive },
    Exchange { subject: SubjectSource, organisation: String, service_account: String, lifetime: Option<Duration> },
}

#[derive(Default)]
struct State {
    issued: Option<Issued>,
    /// Why the last renewal failed.
    failed: Option<Error>,
    /// How many tokens there were.
    count: u64,
}

#[derive(Clone)]
struct Issued {
    header: HeaderValue,
    number: u64,
    renew_at: Instant,
    ends_at: Instant,
}

/// A token for one call.
pub(crate) struct Lent {
    pub(crate) header: HeaderValue,
    /// Which one it is, if another can be had.
    pub(crate) number: Option<u64>,
}

impl Tokens {
    pub(crate) fn new(credentials: Credentials) -> Result<Self, Error> {
        let source = match credentials {
            Credentials::Token(token) => Source::Fixed(bearer(token.expose())?),
            Credentials::ServiceAccount { access_key, access_secret } => {
                Source::ServiceAccount { access_key, access_secret }
            }
            Credentials::Exchange { subject, organisation, service_account, lifetime } => {
                Source::Exchange { subject, organisation, service_account, lifetime }
            }
        };
        Ok(Self { source, state: Mutex::default(), ended: AtomicU64::new(0) })
    }

    /// A token, but not the one of this number, which the server refused.
    pub(crate) async fn lend(&self, transport: &Transport, refused: Option<u64>) -> Result<Lent, Error> {
        if let Source::Fixed(header) = &self.source {
            return Ok(Lent { header: header.clone(), number: None });
        }
        let ended = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let usable = state.issued.clone().filter(|issued| refused != Some(issued.number) && now() < issued.ends_at);
        if let Some(issued) = &usable
            && now() < issued.renew_at
        {
            return Ok(issued.lend());
        }
        // What the renewal said that we waited for holds for us too.
        if self.ended.load(Ordering::Acquire) > ended
            && let Some(failed) = &state.failed
        {
            return Err(failed.clone());
        }
        let renewed = match usable {
            Some(_) => timeout(IN_PASSING, self.fetch(transport)).await.unwrap_or_else(|_| Err(transport.too_slow())),
            None => self.fetch(transport).await,
        };
        self.ended.fetch_add(1, Ordering::Release);
        match (renewed, usable) {
            (Ok((header, lifetime)), _) => {
                state.count += 1;
                state.failed = None;
                let ahead = AHEAD.min(lifetime / 4);
                let issued = Issued {
                    header,
                    number: state.count,
                    renew_at: now() + (lifetime - ahead),
                    ends_at: now() + lifetime,
                };
                Ok(state.issued.insert(issued).lend())
            }
            (Err(_), Some(usable)) => {
                if let Some(issued) = &mut state.issued {
                    issued.renew_at = now() + IN_PASSING;
                }
                Ok(usable.lend())
            }
            (Err(error), None) => {
                state.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn fetch(&self, transport: &Transport) -> Result<(HeaderValue, Duration), Error> {
        let call = Call::new(Method::POST, &["oidc", "token"]).repeatable();
        let call = match &self.source {
            // Never asked for.
            Source::Fixed(header) => return Ok((header.clone(), Duration::MAX)),
            Source::ServiceAccount { access_key, access_secret } => call.form(&[
                ("grant_type", "client_credentials"),
                ("client_id", access_key),
                ("client_secret", access_secret.expose()),
            ]),
            Source::Exchange { subject, organisation, service_account, lifetime } => {
                let subject = subject.token()?;
                let lifetime = lifetime.map(|lifetime| lifetime.as_secs().to_string());
                let mut fields = vec![
                    ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                    ("subject_token", subject.expose()),
                    ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
                    ("organisation_id", organisation),
                    ("service_account_id", service_account),
                ];
                fields.extend(lifetime.as_deref().map(|lifetime| ("access_token_lifetime", lifetime)));
                call.form(&fields)
            }
        };
        let answer = transport.send_anonymous(&call).await?;
        let TokenAnswer { access_token, expires_in, .. } = answer.json()?;
        // Some end: what never ends could not be added to a time.
        let lifetime = Duration::from_secs(expires_in.min(24 * 60 * 60));
        Ok((bearer(access_token.as_str())?, lifetime))
    }
}

impl Issued {
    fn lend(&self) -> Lent {
        Lent { header: self.header.clone(), number: Some(self.number) }
    }
}

/// `Bearer …`, in memory that is wiped.
fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let wrong =
        || Error::bad_input("the token holds what no token holds, such as a space or the end of a line, or is empty");
    if !is_token {
        return Err(wrong());
    }
    let mut text = Zeroizing::new(Vec::with_capacity("Bearer ".len() + token.len()));
    text.extend_from_slice(b"Bearer ");
    text.extend_from_slice(token.as_bytes());
    let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).map_err(|_| wrong())?;
    header.set_sensitive(true);
    Ok(header)
}
