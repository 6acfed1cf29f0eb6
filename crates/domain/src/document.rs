//! A tree of plain data that keeps what a caller sent: order, spelling, and members that are null.

/// How deep lists and maps may nest in the stored form.
pub const MAX_DEPTH: usize = 32;

const FORMAT: u8 = 1;

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const TEXT: u8 = 4;
const LIST: u8 = 5;
const MAP: u8 = 6;

/// A JSON-like value. Two documents are equal when their members also stand in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Document>),
    /// Named values in order. A name may stand twice; who gives the document a meaning decides what that is.
    Map(Vec<(String, Document)>),
}

/// Why bytes aren't the stored form of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeDocumentError {
    /// The first byte names a format that this version doesn't know.
    #[error("stored document has format {0}, of which this version knows nothing")]
    Format(u8),
    /// The bytes end in the middle of a value.
    #[error("stored document is cut off")]
    Truncated,
    /// A value begins with a byte that names no kind.
    #[error("stored document holds a value of unknown kind {0}")]
    Kind(u8),
    /// A text isn't UTF-8.
    #[error("stored document holds a text that is not UTF-8")]
    Utf8,
    /// Lists and maps nest deeper than [`MAX_DEPTH`].
    #[error("stored document nests deeper than 32 levels")]
    Depth,
    /// Bytes follow the value.
    #[error("stored document has bytes after its end")]
    TrailingBytes,
}

impl Document {
    /// The stored form: a format byte, then each value as a kind byte and its content, lengths first (8 bytes,
    /// big-endian). A document that nests deeper than [`MAX_DEPTH`] encodes to bytes that [`decode`](Self::decode)
    /// refuses.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        self.write(&mut bytes);
        bytes
    }

    /// Reads the stored form. Every byte must belong to it.
    ///
    /// # Errors
    /// When the bytes are of an unknown format, damaged, cut off, followed by others, or nested too deep. Never takes more
    /// memory than a small multiple of the bytes given.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeDocumentError> {
        let mut reader = Reader { rest: bytes };
        match reader.byte()? {
            FORMAT => {}
            format => return Err(DecodeDocumentError::Format(format)),
        }
        let document = reader.value(MAX_DEPTH)?;
        if reader.rest.is_empty() { Ok(document) } else { Err(DecodeDocumentError::TrailingBytes) }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Null => bytes.push(NULL),
            Self::Bool(false) => bytes.push(FALSE),
            Self::Bool(true) => bytes.push(TRUE),
            Self::Integer(number) => {
                bytes.push(INTEGER);
                bytes.extend_from_slice(&number.to_be_bytes());
            }
            Self::Text(text) => {
                bytes.push(TEXT);
                write_text(text, bytes);
            }
            Self::List(items) => {
                bytes.push(LIST);
                write_length(items.len(), bytes);
                for item in items {
                    item.write(bytes);
                }
            }
            Self::Map(members) => {
                bytes.push(MAP);
                write_length(members.len(), bytes);
                for (name, value) in members {
                    write_text(name, bytes);
                    value.write(bytes);
                }
            }
        }
    }
}

fn write_length(length: usize, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(length as u64).to_be_bytes());
}

fn write_text(text: &str, bytes: &mut Vec<u8>) {
    write_length(text.len(), bytes);
    bytes.extend_from_slice(text.as_bytes());
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeDocumentError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(DecodeDocumentError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeDocumentError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeDocumentError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, DecodeDocumentError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A count of bytes, items or members. Each takes at least one byte, so more than is left can't be true.
    fn length(&mut self) -> Result<usize, DecodeDocumentError> {
        let length = u64::from_be_bytes(self.array()?);
        usize::try_from(length).ok().filter(|length| *length <= self.rest.len()).ok_or(DecodeDocumentError::Truncated)
    }

    fn text(&mut self) -> Result<String, DecodeDocumentError> {
        let length = self.length()?;
        let bytes = self.take(length)?;
        core::str::from_utf8(bytes).map(str::to_owned).map_err(|_| DecodeDocumentError::Utf8)
    }

    /// `levels`: how many lists and maps may still open.
    fn value(&mut self, levels: usize) -> Result<Document, DecodeDocumentError> {
        match self.byte()? {
            NULL => Ok(Document::Null),
            FALSE => Ok(Document::Bool(false)),
            TRUE => Ok(Document::Bool(true)),
            INTEGER => Ok(Document::Integer(i64::from_be_bytes(self.array()?))),
            TEXT => self.text().map(Document::Text),
            LIST => {
                let levels = levels.checked_sub(1).ok_or(DecodeDocumentError::Depth)?;
                let length = self.length()?;
                // Grown as items come: a count that lies must not reserve memory.
                let mut items = Vec::new();
                for _ in 0..length {
                    items.push(self.value(levels)?);
                }
                Ok(Document::List(items))
            }
            MAP => {
                let levels = levels.checked_sub(1).ok_or(DecodeDocumentError::Depth)?;
                let length = self.length()?;
                let mut members = Vec::new();
                for _ in 0..length {
                    members.push((self.text()?, self.value(levels)?));
                }
                Ok(Document::Map(members))
            }
            kind => Err(DecodeDocumentError::Kind(kind)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{DecodeDocumentError, Document, MAX_DEPTH};
    use proptest::prelude::*;

    /// Any document of moderate size whose leaves come from `leaf` and whose member names come from `name`.
    pub(crate) fn documents(
        leaf: impl Strategy<Value = Document> + 'static,
        name: impl Strategy<Value = String> + Clone + 'static,
    ) -> impl Strategy<Value = Document> {
        leaf.prop_recursive(5, 40, 5, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Document::List),
                proptest::collection::vec((name.clone(), inner), 0..5).prop_map(Document::Map),
            ]
        })
    }

    fn leaves() -> impl Strategy<Value = Document> {
        prop_oneof![
            Just(Document::Null),
            any::<bool>().prop_map(Document::Bool),
            any::<i64>().prop_map(Document::Integer),
            "\\PC{0,12}".prop_map(Document::Text),
        ]
    }

    fn nested(levels: usize) -> Document {
        (0..levels).fold(Document::Null, |inner, level| {
            if level % 2 == 0 { Document::List(vec![inner]) } else { Document::Map(vec![(String::new(), inner)]) }
        })
    }

    proptest! {
        #[test]
        fn round_trips(document in documents(leaves(), "\\PC{0,6}")) {
            prop_assert_eq!(Document::decode(&document.encode()), Ok(document));
        }

        #[test]
        fn any_bytes_decode_without_panic_and_only_the_stored_form_is_taken(
            bytes in proptest::collection::vec(prop_oneof![4 => 0_u8..8, 1 => any::<u8>()], 0..80),
        ) {
            let bytes = [vec![1], bytes].concat();
            if let Ok(document) = Document::decode(&bytes) {
                prop_assert_eq!(document.encode(), bytes);
            }
        }

        #[test]
        fn cut_off_or_prolonged_bytes_are_refused(document in documents(leaves(), "[a-z]{0,3}"), cut: prop::sample::Index) {
            let mut bytes = document.encode();
            let shorter = &bytes[..cut.index(bytes.len())];
            prop_assert_eq!(Document::decode(shorter), Err(DecodeDocumentError::Truncated));
            bytes.push(0);
            prop_assert_eq!(Document::decode(&bytes), Err(DecodeDocumentError::TrailingBytes));
        }
    }

    #[test]
    fn the_stored_form_stays_as_it_is() {
        let document = Document::Map(vec![
            ("b".to_owned(), Document::List(vec![Document::Null, Document::Bool(true), Document::Integer(-2)])),
            ("a".to_owned(), Document::Text("ä".to_owned())),
        ]);
        let stored = [
            &[1, 6][..],
            &[0, 0, 0, 0, 0, 0, 0, 2],
            &[0, 0, 0, 0, 0, 0, 0, 1, b'b'],
            &[5, 0, 0, 0, 0, 0, 0, 0, 3],
            &[0, 2, 3, 255, 255, 255, 255, 255, 255, 255, 254],
            &[0, 0, 0, 0, 0, 0, 0, 1, b'a'],
            &[4, 0, 0, 0, 0, 0, 0, 0, 2, 0xc3, 0xa4],
        ]
        .concat();
        assert_eq!(document.encode(), stored);
        assert_eq!(Document::decode(&stored), Ok(document));
    }

    #[test]
    fn damage_has_a_name() {
        let huge = [&[1, 5][..], &[0xff; 8]].concat();
        for (bytes, error) in [
            (&[][..], DecodeDocumentError::Truncated),
            (&[2, 0], DecodeDocumentError::Format(2)),
            (&[1, 7], DecodeDocumentError::Kind(7)),
            (&[1, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0xff], DecodeDocumentError::Utf8),
            (&huge, DecodeDocumentError::Truncated),
        ] {
            assert_eq!(Document::decode(bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(Document::decode(&nested(MAX_DEPTH).encode()), Ok(nested(MAX_DEPTH)));
        assert_eq!(Document::decode(&nested(MAX_DEPTH + 1).encode()), Err(DecodeDocumentError::Depth));
    }
}
