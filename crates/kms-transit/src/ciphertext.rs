//! Ciphertexts of the symmetric types, format 1: the format byte, 32 bytes of context, and what the server made: 12 bytes of nonce, ciphertext, 16 bytes of tag.
//!
//! The server derives the key of one message from the key's material and the context. Context and nonce would both have to come twice before two messages
//! shared key and nonce, so a key has no number of encryptions that it must not pass.

use crate::error::CallError;
use strongroom_domain::envelope::{NONCE_LEN, TAG_LEN};
use strongroom_domain::port::Entropy;

const FORMAT: u8 = 1;
const CONTEXT_LEN: usize = 32;

pub(crate) type Context = [u8; CONTEXT_LEN];

/// What a symmetric ciphertext is bound to.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'a> {
    pub(crate) context: &'a Context,
    pub(crate) aad: &'a [u8],
}

/// A context for one encryption.
pub(crate) fn draw_context(entropy: &dyn Entropy) -> Result<Context, CallError> {
    let mut context = [0; CONTEXT_LEN];
    entropy.fill(&mut context).map_err(CallError::Entropy)?;
    Ok(context)
}

/// A ciphertext of what the server made in this context.
pub(crate) fn join(context: &Context, sealed: &[u8]) -> Vec<u8> {
    [&[FORMAT], &context[..], sealed].concat()
}

/// The context, and what the server made in it; `None` for what is no ciphertext of this format.
pub(crate) fn split(ciphertext: &[u8]) -> Option<(&Context, &[u8])> {
    let (context, sealed) = ciphertext.strip_prefix(&[FORMAT])?.split_first_chunk()?;
    (sealed.len() >= NONCE_LEN + TAG_LEN).then_some((context, sealed))
}

#[cfg(test)]
mod tests {
    use super::{Context, draw_context, join, split};
    use strongroom_crypto::OsEntropy;

    const CONTEXT: Context = [7; 32];

    #[test]
    fn what_was_joined_is_split() {
        for len in [28, 29, 1000] {
            let sealed = vec![9; len];
            let ciphertext = join(&CONTEXT, &sealed);
            assert_eq!(ciphertext.len(), 33 + len);
            assert_eq!(split(&ciphertext), Some((&CONTEXT, &sealed[..])));
        }
    }

    #[test]
    fn what_is_too_short_or_of_another_format_is_none() {
        let ciphertext = join(&CONTEXT, &[9; 28]);
        for len in 0..ciphertext.len() {
            assert_eq!(split(&ciphertext[..len]), None, "{len}");
        }
        for format in (0..=u8::MAX).filter(|format| *format != 1) {
            let mut other = ciphertext.clone();
            other[0] = format;
            assert_eq!(split(&other), None, "{format}");
        }
    }

    #[test]
    fn no_context_comes_twice() {
        let draw = || draw_context(&OsEntropy).expect("draws");
        assert_ne!(draw(), draw());
    }
}
