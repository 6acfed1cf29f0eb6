//! Why there is no answer.

use super::Transport;
use crate::Error;
use core::error::Error as StdError;
use std::io;

impl Transport {
    /// The error, and whether the reason may pass.
    pub(super) fn unsent(&self, error: reqwest::Error) -> (Error, bool) {
        // What was asked for stands elsewhere, and the URL names a secret.
        let error = error.without_url();
        let server = self.origin();
        if let Some(tls) = find::<rustls::Error>(&error) {
            let what = match tls {
                rustls::Error::InvalidCertificate(_) => {
                    "can't prove that it is the server of this name; name its certificate authority if it is one of your own"
                }
                rustls::Error::InvalidMessage(_) => "doesn't speak TLS; perhaps the address begins with http://",
                _ => "and this client can't agree on TLS",
            };
            return (Error::tls(format!("{server} {what}")).because(error), false);
        }
        if error.is_builder() {
            return (Error::bad_input("the call can't be made").because(error), false);
        }
        if error.is_connect() {
            return (Error::unreachable(format!("no server answers at {server}")).because(error), true);
        }
        if find::<hyper::Error>(&error).is_some_and(|error| error.is_parse() || error.is_parse_too_large()) {
            let hint = if self.base.scheme() == "http" { "; perhaps the address begins with https://" } else { "" };
            return (Error::bad_answer(format!("{server} answers, but not in HTTP{hint}")).because(error), false);
        }
        (Error::unreachable(format!("{server} hung up before its answer")).because(error), true)
    }

    pub(super) fn broken_off(&self, error: reqwest::Error) -> Error {
        Error::unreachable(format!("the answer of {} broke off", self.origin())).because(error.without_url())
    }

    pub(crate) fn too_slow(&self) -> Error {
        Error::timeout(format!("{} did not answer within {:?}", self.origin(), self.timeout))
    }
}

/// An error of this type among the causes. Those inside an [`io::Error`] don't show as a cause of it.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
