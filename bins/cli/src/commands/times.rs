//! Times as the server writes them, for people.

use crate::output::{Cell, Look};

/// `2026-11-22T13:24:18.123456Z` as `2026-11-22 13:24:18Z`. A text of another form stays as it is.
pub(crate) fn shown(time: &str) -> String {
    let Some((day, rest)) = time.split_once('T') else { return time.to_owned() };
    match rest.strip_suffix('Z') {
        Some(rest) => format!("{day} {}Z", rest.split('.').next().unwrap_or(rest)),
        None => time.to_owned(),
    }
}

/// A cell with a time, or an empty one.
pub(crate) fn cell(time: Option<&str>) -> Cell {
    Cell::new(time.map(shown).unwrap_or_default(), Look::Plain)
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn times_lose_what_nobody_reads() {
        assert_eq!(shown("2026-11-22T13:24:18.123456Z"), "2026-11-22 13:24:18Z");
        assert_eq!(shown("2026-11-22T13:24:18Z"), "2026-11-22 13:24:18Z");
        assert_eq!(shown("2026-11-22T13:24:18+01:00"), "2026-11-22T13:24:18+01:00");
        assert_eq!(shown("yesterday"), "yesterday");
    }
}
