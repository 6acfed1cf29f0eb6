//! What the library doesn't tell of a PKCS#8 document (RFC 5958, in DER): its end, and the factors of an RSA key (RFC 8017 appendix A.1.2).

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Whether these bytes are one element, with nothing behind it.
pub(super) fn is_one_document(pkcs8: &[u8]) -> bool {
    let mut rest = pkcs8;
    read(&mut rest, SEQUENCE).is_some() && rest.is_empty()
}

/// The two factors, big-endian without leading zeros.
pub(super) fn rsa_factors(mut pkcs8: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut info = read(&mut pkcs8, SEQUENCE)?;
    let _version = read(&mut info, INTEGER)?;
    let _algorithm = read(&mut info, SEQUENCE)?;
    let mut document = read(&mut info, OCTET_STRING)?;
    let mut key = read(&mut document, SEQUENCE)?;
    // The version, the modulus, and the two exponents.
    for _ in 0..4 {
        read(&mut key, INTEGER)?;
    }
    Some((number(&mut key)?, number(&mut key)?))
}

fn number<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let bytes = read(rest, INTEGER)?;
    Some(bytes.strip_prefix(&[0]).unwrap_or(bytes))
}

/// The content of the element at the front, if it has this tag.
fn read<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let after = rest.strip_prefix(&[tag])?;
    let (first, after) = after.split_first()?;
    let (len, after) = match *first {
        short @ 0..=0x7f => (usize::from(short), after),
        0x81 => after.split_first().map(|(byte, after)| (usize::from(*byte), after))?,
        0x82 => after.split_first_chunk().map(|(bytes, after)| (usize::from(u16::from_be_bytes(*bytes)), after))?,
        // No key is longer than 65,535 bytes, and DER has no open end.
        _ => return None,
    };
    let (content, after) = after.split_at_checked(len)?;
    *rest = after;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::{is_one_document, rsa_factors};

    #[test]
    fn one_document_ends_with_its_last_byte() {
        let long = [&[0x30, 0x81, 0x80][..], &[7; 0x80]].concat();
        let longer = [&[0x30, 0x82, 0x01, 0x00][..], &[7; 0x100]].concat();
        for document in [&[0x30, 0x00][..], &[0x30, 0x01, 0x05], &long, &longer] {
            assert!(is_one_document(document));
            assert!(!is_one_document(&document[..document.len() - 1]));
            assert!(!is_one_document(&[document, &[0]].concat()));
        }
        for document in [&[][..], &[0x30], &[0x04, 0x00], &[0x30, 0x80, 0, 0], &[0x30, 0x83, 0, 0, 0], &[0x30, 0x82, 0]]
        {
            assert!(!is_one_document(document), "{document:?}");
            assert_eq!(rsa_factors(document), None);
        }
    }
}
