//! The lines of a root key file.

use crate::error::{LineProblem, UnsealError};
use crate::passphrase::{self, PassphraseCost, SealedByPassphrase};
use crate::software::ROOT_KEY_LEN;
#[cfg(feature = "transit")]
use crate::transit::{Transit, check_transit_key, check_transit_mount};
use data_encoding::HEXLOWER;
use std::sync::Arc;
use strongroom_domain::port::Entropy;
use strongroom_domain::value::SecretBytes;
use zeroize::Zeroizing;

/// What every line begins with, whatever its kind and version.
const FAMILY: &[u8] = b"strongroom-root-key-";
const PLAIN: &[u8] = b"strongroom-root-key-v1:";
const TRANSIT: &[u8] = b"strongroom-root-key-transit-v1:";

/// The longest line, in bytes, without its newline.
pub(crate) const MAX_LINE_LEN: usize = 1_024;

/// How a line keeps its root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// As it is.
    Plain,
    /// Sealed by a passphrase.
    Passphrase,
    /// Sealed by a Transit server.
    Transit,
}

impl LineKind {
    /// A name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Passphrase => "passphrase",
            Self::Transit => "transit",
        }
    }
}

/// What opens sealed lines, and seals new ones. Default: nothing but plain lines.
#[derive(Clone, Default)]
pub struct Unsealing {
    /// Opens what a passphrase sealed.
    pub passphrase: Option<Arc<SecretBytes>>,
    /// What a try of the passphrase of a new line is to cost.
    pub cost: PassphraseCost,
    /// Opens what a Transit server sealed.
    #[cfg(feature = "transit")]
    pub transit: Option<Arc<Transit>>,
}

/// One root key as it stands in its line.
pub(crate) enum Line {
    Plain(Zeroizing<[u8; ROOT_KEY_LEN]>),
    Passphrase(Arc<SealedByPassphrase>),
    #[cfg_attr(not(feature = "transit"), expect(dead_code, reason = "read, and opened with the feature"))]
    Transit(SealedByTransit),
}

/// What a Transit server gave for a root key.
#[cfg_attr(not(feature = "transit"), expect(dead_code, reason = "read, and opened with the feature"))]
pub(crate) struct SealedByTransit {
    mount: String,
    key: String,
    ciphertext: String,
}

impl Line {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, LineProblem> {
        if text.len() > MAX_LINE_LEN {
            return Err(LineProblem::Format);
        }
        if let Some(digits) = text.strip_prefix(PLAIN) {
            return plain(digits).map(Self::Plain).ok_or(LineProblem::Format);
        }
        if let Some(rest) = text.strip_prefix(passphrase::PREFIX.as_bytes()) {
            return Ok(Self::Passphrase(Arc::new(SealedByPassphrase::parse(rest)?)));
        }
        if let Some(rest) = text.strip_prefix(TRANSIT) {
            return SealedByTransit::parse(rest).map(Self::Transit).ok_or(LineProblem::Format);
        }
        Err(if text.starts_with(FAMILY) { LineProblem::UnknownVersion } else { LineProblem::Format })
    }

    pub(crate) const fn kind(&self) -> LineKind {
        match self {
            Self::Plain(_) => LineKind::Plain,
            Self::Passphrase(_) => LineKind::Passphrase,
            Self::Transit(_) => LineKind::Transit,
        }
    }

    /// The root key of the line.
    pub(crate) async fn open(&self, with: &Unsealing) -> Result<Zeroizing<[u8; ROOT_KEY_LEN]>, UnsealError> {
        match self {
            Self::Plain(key) => Ok(key.clone()),
            Self::Passphrase(sealed) => {
                let passphrase = Arc::clone(with.passphrase.as_ref().ok_or(UnsealError::NoPassphrase)?);
                let sealed = Arc::clone(sealed);
                blocking(move || sealed.open(&passphrase)).await
            }
            #[cfg(feature = "transit")]
            Self::Transit(SealedByTransit { mount, key, ciphertext }) => {
                with.transit.as_ref().ok_or(UnsealError::NoTransit)?.open(mount, key, ciphertext).await
            }
            #[cfg(not(feature = "transit"))]
            Self::Transit(_) => Err(UnsealError::NoTransit),
        }
    }

    /// The text of a line of this kind that holds a root key, without its newline.
    pub(crate) async fn write(
        kind: LineKind,
        key: &Zeroizing<[u8; ROOT_KEY_LEN]>,
        with: &Unsealing,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
        match kind {
            LineKind::Plain => {
                let mut text = Zeroizing::new(vec![0; PLAIN.len() + 2 * ROOT_KEY_LEN]);
                text[..PLAIN.len()].copy_from_slice(PLAIN);
                HEXLOWER.encode_mut(&**key, &mut text[PLAIN.len()..]);
                Ok(text)
            }
            LineKind::Passphrase => {
                let passphrase = Arc::clone(with.passphrase.as_ref().ok_or(UnsealError::NoPassphrase)?);
                let (key, cost, entropy) = (key.clone(), with.cost, Arc::clone(entropy));
                let sealed = blocking(move || SealedByPassphrase::seal(&key, &passphrase, cost, &*entropy)).await;
                sealed.map(Zeroizing::new)
            }
            #[cfg(feature = "transit")]
            LineKind::Transit => {
                let transit = with.transit.as_ref().ok_or(UnsealError::NoTransit)?;
                let (mount, name, ciphertext) = transit.seal(key).await?;
                let sealed = SealedByTransit { mount, key: name, ciphertext };
                let text = [TRANSIT, sealed.text().as_bytes()].concat();
                // What can't be read again must not be written.
                if SealedByTransit::parse(&text[TRANSIT.len()..]).is_none() || text.len() > MAX_LINE_LEN {
                    return Err(UnsealError::Refused("its ciphertext has an unknown form".into()));
                }
                Ok(Zeroizing::new(text))
            }
            #[cfg(not(feature = "transit"))]
            LineKind::Transit => Err(UnsealError::NoTransit),
        }
    }
}

fn plain(digits: &[u8]) -> Option<Zeroizing<[u8; ROOT_KEY_LEN]>> {
    let mut key = Zeroizing::new([0; ROOT_KEY_LEN]);
    if digits.len() != 2 * ROOT_KEY_LEN {
        return None;
    }
    HEXLOWER.decode_mut(digits, &mut *key).ok()?;
    Some(key)
}

impl SealedByTransit {
    /// Reads mount, name of the key and ciphertext, with colons between them; the ciphertext has colons of its own.
    fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let (mount, rest) = text.split_once(':')?;
        let (key, ciphertext) = rest.split_once(':')?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":+/=_-.".contains(&byte);
        let fits = is_path(mount) && !key.contains('/') && is_path(key) && ciphertext.bytes().all(is_plain);
        let fits = fits && !ciphertext.is_empty();
        fits.then(|| Self { mount: mount.to_owned(), key: key.to_owned(), ciphertext: ciphertext.to_owned() })
    }

    #[cfg(feature = "transit")]
    fn text(&self) -> String {
        format!("{}:{}:{}", self.mount, self.key, self.ciphertext)
    }
}

#[cfg(feature = "transit")]
fn is_path(text: &str) -> bool {
    check_transit_mount(text).is_ok() && (text.contains('/') || check_transit_key(text).is_ok())
}

#[cfg(not(feature = "transit"))]
fn is_path(text: &str) -> bool {
    !text.is_empty()
}

/// Does what takes long beside the tasks of the runtime, where there is one.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UnsealError> + Send + 'static,
) -> Result<T, UnsealError> {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            runtime.spawn_blocking(work).await.unwrap_or_else(|error| Err(UnsealError::Unavailable(error.into())))
        }
        Err(_) => work(),
    }
}

#[cfg(test)]
mod tests;
