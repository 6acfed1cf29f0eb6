//! Description, labels and annotations as one column of canonical bytes.

use crate::error::corrupt;
use std::collections::BTreeMap;
use strongroom_domain::canonical::{DecodeError, Decoder, Encoder};
use strongroom_domain::metadata::Metadata;
use strongroom_domain::port::ReadError;

const PURPOSE: &str = "strongroom metadata";
const VERSION: u8 = 1;

pub(crate) fn encode(metadata: &Metadata) -> Vec<u8> {
    let mut to = Encoder::new(PURPOSE, VERSION);
    to.text(metadata.description());
    for entries in [metadata.labels(), metadata.annotations()] {
        to.number(entries.len() as u64);
        for (key, value) in entries {
            to.text(key).text(value);
        }
    }
    to.finish()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Metadata, ReadError> {
    let (description, labels, annotations) = read(bytes).map_err(|error| corrupt("metadata").because(error))?;
    Metadata::new(description, labels, annotations).map_err(|error| corrupt("metadata").because(error))
}

type Entries = BTreeMap<String, String>;

fn read(bytes: &[u8]) -> Result<(String, Entries, Entries), DecodeError> {
    let mut from = Decoder::new(bytes, PURPOSE, VERSION)?;
    let description = from.text()?;
    let labels = read_entries(&mut from)?;
    let annotations = read_entries(&mut from)?;
    from.finish()?;
    Ok((description, labels, annotations))
}

fn read_entries(from: &mut Decoder<'_>) -> Result<Entries, DecodeError> {
    let count = from.number()?;
    (0..count).map(|_| Ok((from.text()?, from.text()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use std::collections::BTreeMap;
    use strongroom_domain::metadata::Metadata;

    #[test]
    fn round_trips_and_refuses_damage() {
        let map = |entries: &[(&str, &str)]| -> BTreeMap<String, String> {
            entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let metadata =
            Metadata::new("ä".to_owned(), map(&[("a", "1"), ("b", "")]), map(&[("c", "x\ny")])).expect("legal");
        let bytes = encode(&metadata);
        assert_eq!(decode(&bytes).expect("whole"), metadata);
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(decode(&[bytes, vec![0]].concat()).is_err());
    }
}
