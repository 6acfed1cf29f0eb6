//! Values as `NAME='VALUE'` lines, which shells and most readers of `.env` files understand.

use crate::failure::Failure;
use strongroom_client::Plain;
use zeroize::Zeroizing;

/// A line for each value; a line end inside a value stays in its quotes.
pub(crate) fn of(values: &[(String, &Plain)]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Quoting makes four bytes of one at most.
    let most = values.iter().map(|(name, plain)| name.len() + plain.len() * 4 + 4).sum();
    let mut lines = Zeroizing::new(Vec::with_capacity(most));
    for (at, (name, plain)) in values.iter().enumerate() {
        if values[..at].iter().any(|(other, _)| other == name) {
            let message = format!("two values would get the name {name} in an environment");
            return Err(Failure::usage(message).hint("choose one with --key, or --output json"));
        }
        if plain.expose_text().is_none() || plain.expose().contains(&0) {
            let message = format!("{name} is not a text, so that it can't stand in an environment");
            return Err(Failure::usage(message).hint("--output json has it in base64, --output raw its bytes"));
        }
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b"='");
        for byte in plain.expose() {
            match byte {
                b'\'' => lines.extend_from_slice(b"'\\''"),
                byte => lines.push(*byte),
            }
        }
        lines.extend_from_slice(b"'\n");
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::of;
    use strongroom_client::Plain;

    #[test]
    fn values_are_quoted_for_shells() {
        let plain = |text: &[u8]| Plain::from(text.to_vec());
        let (one, two) = (plain(b"it's\n$HOME"), plain(b""));
        let lines = of(&[("A".to_owned(), &one), ("B".to_owned(), &two)]).map_err(|failure| failure.to_string());
        assert_eq!(lines.map(|lines| lines.to_vec()), Ok(b"A='it'\\''s\n$HOME'\nB=''\n".to_vec()));
        for wrong in [&b"\0"[..], b"\xff"] {
            assert!(of(&[("A".to_owned(), &plain(wrong))]).is_err());
        }
        assert!(of(&[("A".to_owned(), &one), ("A".to_owned(), &two)]).is_err());
    }
}
