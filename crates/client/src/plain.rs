use zeroize::Zeroizing;

/// The bytes of a secret. They are wiped when they are dropped, and there is no way to print them by accident.
///
/// ```compile_fail
/// # let plain = strongroom_client::Plain::from("hunter2".to_owned());
/// println!("{plain:?}");
/// ```
/// ```compile_fail
/// # let plain = strongroom_client::Plain::from("hunter2".to_owned());
/// println!("{plain}");
/// ```
/// ```compile_fail
/// # let plain = strongroom_client::Plain::from("hunter2".to_owned());
/// let _ = plain.clone();
/// ```
pub struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    /// Takes over bytes.
    #[must_use]
    pub const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The text that the bytes are in UTF-8, if they are.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }

    /// How many bytes they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hands the bytes over, still to be wiped.
    #[must_use]
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl From<Vec<u8>> for Plain {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<String> for Plain {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

/// A token, access secret or other credential: a text that is wiped when it is dropped, and has neither `Debug` nor `Display`.
///
/// ```compile_fail
/// # let token = strongroom_client::Sensitive::from("tc_pat_x".to_owned());
/// println!("{token:?}");
/// ```
#[derive(Clone)]
pub struct Sensitive(Zeroizing<String>);

impl Sensitive {
    /// Takes over a text.
    #[must_use]
    pub const fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Sensitive {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Plain, Sensitive};
    use zeroize::{Zeroize, ZeroizeOnDrop};

    /// Given only for what wipes itself.
    fn wiped<T: ZeroizeOnDrop + Zeroize>(memory: &mut T, is_empty: impl Fn(&T) -> bool) -> bool {
        assert!(!is_empty(memory));
        memory.zeroize();
        is_empty(memory)
    }

    #[test]
    fn what_they_hold_is_wiped_when_it_is_dropped() {
        assert!(wiped(&mut Plain::from("canary".to_owned()).0, |bytes| bytes.is_empty()));
        assert!(wiped(&mut Plain::from(vec![1, 2, 3]).into_bytes(), |bytes| bytes.is_empty()));
        assert!(wiped(&mut Sensitive::from("canary").0, |text| text.is_empty()));
    }
}
