//! Forms (`application/x-www-form-urlencoded`), as the token endpoint reads them. They carry secrets: what is decoded is wiped.

use crate::failure::Failure;
use crate::json::quoted;
use zeroize::Zeroizing;

/// The parameters of a form, decoded, each at most once. No `Debug`: they may be secrets.
pub(crate) struct Form {
    parameters: Vec<(String, Zeroizing<String>)>,
}

impl Form {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Failure> {
        let mut form = Self { parameters: Vec::new() };
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let equals = pair.iter().position(|byte| *byte == b'=');
            let (name, value) = equals.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            let name = decode_text(name).ok_or_else(malformed)?.to_string();
            let value = decode_text(value).ok_or_else(malformed)?;
            if form.parameters.iter().any(|(known, _)| *known == name) {
                return Err(Failure::invalid(format!("The form has {} twice; keep one.", quoted(&name))));
            }
            form.parameters.push((name, value));
        }
        Ok(form)
    }

    /// The parameter of this name; an empty one counts as missing (RFC 6749 section 3.2).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The parameter of this name, which must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| Failure::invalid(format!("The form lacks `{name}`; add it.")))
    }
}

fn malformed() -> Failure {
    Failure::invalid("The form is malformed: percent-encode the bytes of UTF-8 text, `%25` for the sign itself.")
}

fn decode_text(text: &[u8]) -> Option<Zeroizing<String>> {
    let bytes = decode(text)?;
    let text = core::str::from_utf8(&bytes).ok()?;
    (!text.contains('\0')).then(|| Zeroizing::new(text.to_owned()))
}

/// Decodes once: `%` and two hexadecimal digits stand for a byte, `+` for a space. In memory that is wiped and never moved.
pub(crate) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let (digits, after) = after.split_first_chunk::<2>()?;
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let value = digit(digits[0])? * 16 + digit(digits[1])?;
                decoded.push(u8::try_from(value).ok()?);
                rest = after;
            }
            byte => decoded.push(*byte),
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn parameters_are_decoded_once() {
        let form =
            Form::parse(b"grant_type=urn%3Aietf%3Ax&&scope=api:read+api%3awrite&empty=&flag&a=b=c%2525&%C3%A4=%c3%b6");
        let form = form.unwrap_or_else(|failure| panic!("{}", failure.message()));
        assert_eq!(form.get("grant_type"), Some("urn:ietf:x"));
        assert_eq!(form.get("scope"), Some("api:read api:write"));
        assert_eq!(form.get("a"), Some("b=c%25"));
        assert_eq!(form.get("ä"), Some("ö"));
        for missing in ["empty", "flag", "other"] {
            assert_eq!(form.get(missing), None);
            assert!(form.required(missing).is_err());
        }
    }

    #[test]
    fn what_is_doubled_or_malformed_is_refused() {
        for text in ["a=1&a=1", "a=1&%61=2", "a=&a=", "a=%", "a=%1", "a=%zz", "a=%+1", "a=%ff", "a=%00", "%=1"] {
            assert!(Form::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Form::parse(b"").is_ok());
    }
}
