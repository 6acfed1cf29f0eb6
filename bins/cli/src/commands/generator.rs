//! Values that nobody has to think of.

use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::ValueEnum;
use strongroom_client::{NewValue, Plain};
use zeroize::Zeroizing;

/// How many random bytes where nobody says it.
pub(crate) const BYTES: u32 = 32;

/// How random bytes are written in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// As letters, digits, - and _: fits into environments, URLs and configurations
    Base64url,
    /// As hexadecimal digits
    Hex,
    /// As they are; the server makes them, and they never pass through this machine
    Raw,
}

/// A value of so many random bytes; raw ones the server makes.
pub(crate) fn single(bytes: u32, encoding: Encoding) -> Result<NewValue, Failure> {
    match encoding {
        Encoding::Raw => Ok(NewValue::Generated(bytes)),
        _ => named(bytes, encoding).map(NewValue::from),
    }
}

/// The same, made here in any case: as one of several named values.
pub(crate) fn named(bytes: u32, encoding: Encoding) -> Result<Plain, Failure> {
    let mut random = Zeroizing::new(vec![0; bytes as usize]);
    fill(&mut random)?;
    Ok(match encoding {
        Encoding::Raw => Plain::new(random),
        Encoding::Hex => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            let mut text = Zeroizing::new(Vec::with_capacity(random.len() * 2));
            for byte in random.iter() {
                text.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
            Plain::new(text)
        }
        Encoding::Base64url => {
            let mut text = String::with_capacity(random.len() * 2);
            URL_SAFE_NO_PAD.encode_string(&*random, &mut text);
            Plain::from(text)
        }
    })
}

#[expect(clippy::disallowed_methods, reason = "the one place where this program needs randomness")]
fn fill(random: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(random).map_err(|error| {
        Failure::failed("the operating system gives no random bytes")
            .hint(
                "does a sandbox forbid getrandom? `strongroom put --generate --encoding raw` has the server make them",
            )
            .because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::{Encoding, named};

    #[test]
    fn values_have_the_length_and_letters_of_their_encoding() {
        let made = |encoding| named(33, encoding).unwrap();
        assert_eq!(made(Encoding::Raw).len(), 33);
        let hex = made(Encoding::Hex);
        assert!(hex.len() == 66 && hex.expose().iter().all(u8::is_ascii_hexdigit));
        let text = made(Encoding::Base64url);
        assert!(
            text.len() == 44 && text.expose().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte))
        );
        assert!(made(Encoding::Raw).expose() != made(Encoding::Raw).expose());
    }
}
