//! Canonical bytes: one byte string for one meaning, for additional authenticated data, hashes and stored formats.
//!
//! A text begins with its purpose and the version of its format; every field is prefixed by its length (32 bits, big-endian), so
//! no two lists of fields give the same bytes.

use uuid::Uuid;

/// Writes canonical bytes.
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Begins a text of this purpose and format version. `purpose` is a constant of the program: texts of different purposes never have the
    /// same bytes.
    #[must_use]
    pub fn new(purpose: &str, version: u8) -> Self {
        let mut encoder = Self(Vec::with_capacity(512));
        encoder.bytes(purpose.as_bytes());
        encoder.0.push(version);
        encoder
    }

    /// Adds a field of bytes.
    ///
    /// Fields are bounded far below 4 GiB where they enter the program; a longer one would be cut here, never misread.
    pub fn bytes(&mut self, field: &[u8]) -> &mut Self {
        let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&len.to_be_bytes());
        self.0.extend_from_slice(&field[..field.len().min(len as usize)]);
        self
    }

    /// Adds a text, as its UTF-8 bytes.
    pub fn text(&mut self, field: &str) -> &mut Self {
        self.bytes(field.as_bytes())
    }

    /// Adds a number, as eight bytes, big-endian.
    pub fn number(&mut self, field: u64) -> &mut Self {
        self.bytes(&field.to_be_bytes())
    }

    /// Adds an identifier, as its sixteen bytes.
    pub fn id(&mut self, field: Uuid) -> &mut Self {
        self.bytes(field.as_bytes())
    }

    /// Adds a field that may be missing: a presence byte, then the field.
    pub fn optional<T>(&mut self, field: Option<T>, add: impl FnOnce(&mut Self, T)) -> &mut Self {
        match field {
            None => self.0.push(0),
            Some(value) => {
                self.0.push(1);
                add(self, value);
            }
        }
        self
    }

    /// The bytes, to be hashed, authenticated or stored.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Bytes that aren't the canonical text that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not a canonical text of the expected purpose and version")]
pub struct DecodeError;

/// Reads canonical bytes back.
pub struct Decoder<'a>(&'a [u8]);

impl<'a> Decoder<'a> {
    /// Begins to read a text.
    ///
    /// # Errors
    /// [`DecodeError`] when the purpose or the version differs.
    pub fn new(bytes: &'a [u8], purpose: &str, version: u8) -> Result<Self, DecodeError> {
        let mut decoder = Self(bytes);
        if decoder.bytes()? != purpose.as_bytes() || decoder.byte()? != version {
            return Err(DecodeError);
        }
        Ok(decoder)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(DecodeError)?;
        self.0 = tail;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.take(1).map(|byte| byte[0])
    }

    /// Reads a field of bytes.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes end too early.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| DecodeError)?);
        self.take(len as usize)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes end too early, or aren't UTF-8.
    pub fn text(&mut self) -> Result<String, DecodeError> {
        core::str::from_utf8(self.bytes()?).map(str::to_owned).map_err(|_| DecodeError)
    }

    /// Reads a number.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes end too early, or the field isn't eight of them.
    pub fn number(&mut self) -> Result<u64, DecodeError> {
        self.bytes()?.try_into().map(u64::from_be_bytes).map_err(|_| DecodeError)
    }

    /// Reads an identifier.
    ///
    /// # Errors
    /// [`DecodeError`] when the bytes end too early, or the field isn't sixteen of them.
    pub fn id(&mut self) -> Result<Uuid, DecodeError> {
        Uuid::from_slice(self.bytes()?).map_err(|_| DecodeError)
    }

    /// Reads a field that may be missing.
    ///
    /// # Errors
    /// Those of `read`, and [`DecodeError`] when the presence byte is neither 0 nor 1.
    pub fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(DecodeError),
        }
    }

    /// Reads a field that came into the format later, behind all others, and is left out where there is none.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn last<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.0.is_empty() { Ok(None) } else { read(self).map(Some) }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError`] when bytes are left.
    pub const fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError) }
    }
}
