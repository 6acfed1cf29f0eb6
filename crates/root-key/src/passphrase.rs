//! A root key sealed by a passphrase: Argon2id (RFC 9106) and AES-256-GCM.

use crate::error::{LineProblem, UnsealError};
use crate::software::ROOT_KEY_LEN;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use core::fmt::Write;
use core::ops::RangeInclusive;
use data_encoding::HEXLOWER;
use strongroom_crypto::{open_sealed, seal_fresh};
use strongroom_domain::kms::KeyType;
use strongroom_domain::port::Entropy;
use strongroom_domain::value::SecretBytes;
use zeroize::{Zeroize, Zeroizing};

pub(crate) const PREFIX: &str = "strongroom-root-key-passphrase-v1:";
const SALT_LEN: usize = 16;
/// Format byte, nonce, the key, tag.
const SEALED_LEN: usize = 1 + 12 + ROOT_KEY_LEN + 16;

/// In KiB. What a file may ask for is bounded on both sides: a hostile one can't take all memory, nor a careless one protect nothing.
const MEMORY: RangeInclusive<u32> = 8 * 1024..=256 * 1024;
const PASSES: RangeInclusive<u32> = 1..=16;
const LANES: RangeInclusive<u32> = 1..=4;

/// What a try of a passphrase costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassphraseCost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Default for PassphraseCost {
    /// 64 MiB, 3 passes, 1 lane.
    fn default() -> Self {
        Self { memory: 64 * 1024, passes: 3, lanes: 1 }
    }
}

impl PassphraseCost {
    /// Memory in KiB, 8 MiB to 256 MiB; 1 to 16 passes; 1 to 4 lanes. `None` outside.
    #[must_use]
    pub fn new(memory: u32, passes: u32, lanes: u32) -> Option<Self> {
        let fits = MEMORY.contains(&memory) && PASSES.contains(&passes) && LANES.contains(&lanes);
        fits.then_some(Self { memory, passes, lanes })
    }
}

/// A root key as it stands in a line.
pub(crate) struct SealedByPassphrase {
    cost: PassphraseCost,
    salt: [u8; SALT_LEN],
    sealed: Vec<u8>,
}

impl SealedByPassphrase {
    /// Reads what follows [`PREFIX`]: `m=65536,t=3,p=1:`, the salt, `:` and the sealed key, both in hexadecimal digits in lower case.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, LineProblem> {
        let text = core::str::from_utf8(text).map_err(|_| LineProblem::Format)?;
        let mut parts = text.split(':');
        let (Some(cost), Some(salt), Some(sealed), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(LineProblem::Format);
        };
        let numbers = parse_cost(cost).ok_or(LineProblem::Format)?;
        let salt = HEXLOWER.decode(salt.as_bytes()).ok().and_then(|salt| salt.try_into().ok());
        let salt: [u8; SALT_LEN] = salt.ok_or(LineProblem::Format)?;
        let sealed = HEXLOWER.decode(sealed.as_bytes()).map_err(|_| LineProblem::Format)?;
        if sealed.len() != SEALED_LEN {
            return Err(LineProblem::Format);
        }
        let [memory, passes, lanes] = numbers;
        let cost = PassphraseCost::new(memory, passes, lanes).ok_or(LineProblem::Cost)?;
        Ok(Self { cost, salt, sealed })
    }

    /// Seals a key; gives the whole line without its newline. Takes the memory and time that `cost` says.
    pub(crate) fn seal(
        key: &[u8; ROOT_KEY_LEN],
        passphrase: &SecretBytes,
        cost: PassphraseCost,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, UnsealError> {
        let mut salt = [0; SALT_LEN];
        entropy.fill(&mut salt).map_err(|error| UnsealError::Unavailable(error.into()))?;
        let mut line = head(cost, &salt);
        let sealing = stretch(passphrase, cost, &salt)?;
        let plain = SecretBytes::copy_of(key);
        let sealed = seal_fresh(KeyType::Aes256Gcm96, &*sealing, entropy, line.as_bytes(), &plain)
            .map_err(|error| UnsealError::Unavailable(error.into()))?;
        line.push(':');
        HEXLOWER.encode_append(&sealed, &mut line);
        Ok(line.into_bytes())
    }

    /// Takes the memory and time that the line says.
    pub(crate) fn open(&self, passphrase: &SecretBytes) -> Result<Zeroizing<[u8; ROOT_KEY_LEN]>, UnsealError> {
        let sealing = stretch(passphrase, self.cost, &self.salt)?;
        let aad = head(self.cost, &self.salt);
        let plain = open_sealed(KeyType::Aes256Gcm96, &*sealing, aad.as_bytes(), &self.sealed)
            .map_err(|_| UnsealError::WrongPassphrase)?;
        let mut key = Zeroizing::new([0; ROOT_KEY_LEN]);
        key.copy_from_slice(plain.expose().get(..ROOT_KEY_LEN).ok_or(UnsealError::WrongPassphrase)?);
        Ok(key)
    }
}

/// The line up to the sealed key: what the sealing is bound to.
fn head(cost: PassphraseCost, salt: &[u8; SALT_LEN]) -> String {
    let mut text = PREFIX.to_owned();
    text.push_str(&cost_text(cost.memory, cost.passes, cost.lanes));
    text.push(':');
    HEXLOWER.encode_append(salt, &mut text);
    text
}

fn cost_text(memory: u32, passes: u32, lanes: u32) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "m={memory},t={passes},p={lanes}");
    text
}

/// Only as it is written: the text is what the sealing is bound to.
fn parse_cost(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.split(',');
    let mut number = |name: &str| parts.next()?.strip_prefix(name)?.parse::<u32>().ok();
    let numbers = [number("m=")?, number("t=")?, number("p=")?];
    (cost_text(numbers[0], numbers[1], numbers[2]) == text).then_some(numbers)
}

/// The memory of Argon2, which is wiped.
struct Memory(Vec<Block>);

impl Drop for Memory {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

fn stretch(
    passphrase: &SecretBytes,
    cost: PassphraseCost,
    salt: &[u8; SALT_LEN],
) -> Result<Zeroizing<[u8; 32]>, UnsealError> {
    let failed = |error: argon2::Error| UnsealError::Unavailable(error.to_string().into());
    let params = Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).map_err(failed)?;
    let blocks = params.block_count();
    let mut memory = Memory(Vec::new());
    // Without this a machine that lacks the memory would end the process.
    memory.0.try_reserve_exact(blocks).map_err(|error| UnsealError::Unavailable(error.into()))?;
    memory.0.resize(blocks, Block::default());
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.expose(), salt, &mut *key, &mut memory.0)
        .map_err(failed)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::{PREFIX, PassphraseCost, SealedByPassphrase, stretch};
    use crate::error::{LineProblem, UnsealError};
    use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
    use strongroom_crypto::OsEntropy;
    use strongroom_domain::value::SecretBytes;

    fn cheap() -> PassphraseCost {
        PassphraseCost::new(8 * 1024, 1, 1).expect("in bounds")
    }

    fn phrase(text: &str) -> SecretBytes {
        SecretBytes::copy_of(text.as_bytes())
    }

    fn sealed() -> String {
        let line = SealedByPassphrase::seal(&[3; 32], &phrase("correct horse"), cheap(), &OsEntropy).expect("seals");
        String::from_utf8(line).expect("text")
    }

    fn parse(line: &str) -> Result<SealedByPassphrase, LineProblem> {
        SealedByPassphrase::parse(line.strip_prefix(PREFIX).expect("the prefix").as_bytes())
    }

    /// RFC 9106 section 5.3, the vector of Argon2id: the library is the one that is meant.
    #[test]
    fn rfc_9106() {
        let data = AssociatedData::new(&[4; 12]).expect("short");
        let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().expect("in bounds");
        let argon2 = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).expect("short");
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).expect("hashes");
        let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
        assert_eq!(data_encoding::HEXLOWER.encode(&tag), expected);
    }

    #[test]
    fn the_default_is_what_the_documentation_says() {
        let cost = PassphraseCost::default();
        assert_eq!(super::cost_text(cost.memory, cost.passes, cost.lanes), "m=65536,t=3,p=1");
        assert_eq!(PassphraseCost::new(cost.memory, cost.passes, cost.lanes), Some(cost));
    }

    #[test]
    fn the_same_passphrase_opens_and_no_other() {
        let line = parse(&sealed()).expect("reads");
        assert_eq!(*line.open(&phrase("correct horse")).expect("opens"), [3; 32]);
        for other in ["correct hors", "correct horse ", "Correct horse", ""] {
            assert!(matches!(line.open(&phrase(other)), Err(UnsealError::WrongPassphrase)), "{other}");
        }
    }

    #[test]
    fn every_part_of_a_line_counts() {
        let line = sealed();
        let spoilt = [
            line.replacen("t=1", "t=2", 1),
            line.replacen("p=1", "p=2", 1),
            line.replacen("m=8192", "m=8193", 1),
            flip(&line, PREFIX.len() + "m=8192,t=1,p=1:".len()),
            flip(&line, line.len() - 1),
            flip(&line, line.len() - 40),
            flip(&line, line.len() - 2 * super::SEALED_LEN),
        ];
        for spoilt in spoilt {
            let opened = parse(&spoilt).expect("reads").open(&phrase("correct horse"));
            assert!(matches!(opened, Err(UnsealError::WrongPassphrase)), "{spoilt}");
        }
    }

    /// Another digit in this place.
    fn flip(line: &str, place: usize) -> String {
        let digit = if line[place..].starts_with('0') { "1" } else { "0" };
        format!("{}{digit}{}", &line[..place], &line[place + 1..])
    }

    #[test]
    fn costs_have_bounds_and_one_way_to_be_written() {
        let line = sealed();
        let with = |cost: &str| parse(&line.replacen("m=8192,t=1,p=1", cost, 1)).err();
        for good in ["m=8192,t=1,p=1", "m=262144,t=16,p=4"] {
            assert_eq!(with(good), None, "{good}");
        }
        for bad in [
            "m=8191,t=1,p=1",
            "m=262145,t=1,p=1",
            "m=4294967295,t=1,p=1",
            "m=8192,t=0,p=1",
            "m=8192,t=17,p=1",
            "m=8192,t=1,p=0",
            "m=8192,t=1,p=5",
        ] {
            assert_eq!(with(bad), Some(LineProblem::Cost), "{bad}");
        }
        for bad in [
            "m=08192,t=1,p=1",
            "m=+8192,t=1,p=1",
            "m=8192,t=1",
            "m=8192,t=1,p=1,x=1",
            "t=1,m=8192,p=1",
            "m=4294967296,t=1,p=1",
            "m=8192, t=1,p=1",
            "",
        ] {
            assert_eq!(with(bad), Some(LineProblem::Format), "{bad}");
        }
    }

    #[test]
    fn salts_separate() {
        let key = |salt| stretch(&phrase("x"), cheap(), &[salt; 16]).expect("stretches");
        assert_ne!(*key(1), *key(2));
        assert_eq!(*key(1), *key(1));
    }
}
