//! `NAME=VALUE`, as labels and annotations are given.

/// Both halves; the value may be empty, and may have further `=` in it.
pub(crate) fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE is expected"),
    }
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn the_first_sign_divides() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(pair("a="), Ok(("a".to_owned(), String::new())));
        assert!(pair("=b").is_err() && pair("a").is_err() && pair("").is_err());
    }
}
