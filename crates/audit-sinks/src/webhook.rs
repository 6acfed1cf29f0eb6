//! Webhooks: batches of records as signed requests, and checkpoints as they are made.

use crate::http::{HttpOptions, HttpOptionsError, Receiver, Refusal};
use crate::line;
use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use strongroom_crypto::hmac_sha256;
use strongroom_domain::audit::{ChainedRecord, SignedCheckpoint, SinkName};
use strongroom_domain::port::{AuditSink, CheckpointSink, Clock, SinkError};
use strongroom_domain::value::SecretBytes;

/// The header that proves who sent: `t=SECONDS,v1=HEX`, the time since 1970 and the HMAC-SHA-256 of that time, a full stop and the body.
pub const SIGNATURE_HEADER: &str = "x-strongroom-signature";

/// The most bytes of a request's body, unless one record has more.
const MAX_BODY_LEN: usize = 1024 * 1024;
const HEAD: &[u8] = b"{\"records\":[";
const TAIL: &[u8] = b"]}";

/// Sends records to a URL.
pub struct WebhookSink {
    name: SinkName,
    receiver: Receiver,
    secret: SecretBytes,
    clock: Arc<dyn Clock>,
}

impl WebhookSink {
    /// Signs with `secret`, which the receiver has too.
    ///
    /// # Errors
    /// [`HttpOptionsError`].
    pub fn new(
        name: SinkName,
        options: &HttpOptions,
        secret: SecretBytes,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, HttpOptionsError> {
        Ok(Self { name, receiver: Receiver::new(options)?, secret, clock })
    }

    async fn send(&self, lines: &[Vec<u8>]) -> Result<(), Refusal> {
        let body = body(lines);
        let seconds = self.clock.now().as_micros().div_euclid(1_000_000);
        let digest = hmac_sha256(self.secret.expose(), &[format!("{seconds}.").as_bytes(), &body].concat());
        let signature = format!("t={seconds},v1={}", HEXLOWER.encode(&digest));
        let signature = HeaderValue::try_from(signature)
            .map_err(|error| Refusal::Other(SinkError::new("the request cannot be signed").because(error)))?;
        let headers = HeaderMap::from_iter([(HeaderName::from_static(SIGNATURE_HEADER), signature)]);
        self.receiver.post(Bytes::from(body), headers).await
    }

    /// In as many requests as they need.
    async fn send_all(&self, lines: &[Vec<u8>]) -> Result<(), SinkError> {
        let mut left: Vec<&[Vec<u8>]> = vec![lines];
        while let Some(lines) = left.pop() {
            let fitting = lines.len() == 1 || len(lines) <= MAX_BODY_LEN;
            let sent = if fitting { self.send(lines).await } else { Err(Refusal::TooLarge) };
            match sent {
                Ok(()) => {}
                Err(Refusal::TooLarge) if lines.len() > 1 => {
                    let (first, second) = lines.split_at(lines.len() / 2);
                    // The one before comes first.
                    left.extend([second, first]);
                }
                Err(Refusal::TooLarge) => return Err(SinkError::new("a record is too large for the receiver")),
                Err(Refusal::Other(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

#[async_trait]
impl AuditSink for WebhookSink {
    fn name(&self) -> &SinkName {
        &self.name
    }

    async fn deliver(&self, records: &[ChainedRecord]) -> Result<(), SinkError> {
        let lines = records.iter().map(line::record).collect::<Result<Vec<_>, _>>()?;
        if lines.is_empty() {
            return Ok(());
        }
        let late = |_| SinkError::new("the receiver took too long");
        tokio::time::timeout(self.receiver.timeout, self.send_all(&lines)).await.map_err(late)?
    }
}

fn len(lines: &[Vec<u8>]) -> usize {
    HEAD.len() + TAIL.len() + lines.iter().map(|line| line.len() + 1).sum::<usize>()
}

fn body(lines: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::with_capacity(len(lines));
    body.extend_from_slice(HEAD);
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(line);
    }
    body.extend_from_slice(TAIL);
    body
}

/// Sends checkpoints to a URL, each as one request. They carry their own signature.
pub struct HttpCheckpointSink(Receiver);

impl HttpCheckpointSink {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`HttpOptionsError`].
    pub fn new(options: &HttpOptions) -> Result<Self, HttpOptionsError> {
        Receiver::new(options).map(Self)
    }
}

#[async_trait]
impl CheckpointSink for HttpCheckpointSink {
    async fn publish(&self, checkpoint: &SignedCheckpoint) -> Result<(), SinkError> {
        let body = Bytes::from(line::checkpoint(checkpoint)?);
        self.0.post(body, HeaderMap::new()).await.map_err(|refusal| match refusal {
            Refusal::TooLarge => SinkError::new("the checkpoint is too large for the receiver"),
            Refusal::Other(error) => error,
        })
    }
}
