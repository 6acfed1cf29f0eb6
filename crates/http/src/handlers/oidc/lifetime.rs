/// More than any token lives, in seconds: what is written larger counts as this.
const MOST: u64 = 1_000_000_000;

/// Reads a lifetime, in seconds: a whole number of them, or numbers with units such as `3600s` and `1h30m`. What is left of a second
/// is cut. `None` for what is neither.
pub(super) fn read(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(MOST).min(MOST));
    }
    let (mut rest, mut nanos) = (text, 0_u128);
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (digits, after) = rest.split_at(number);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        nanos = nanos.saturating_add(amount(digits, nanos_in(unit)?)?);
        rest = after;
    }
    (!text.is_empty()).then(|| u64::try_from(nanos / 1_000_000_000).unwrap_or(MOST).min(MOST))
}

fn nanos_in(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 3_600 * 1_000_000_000,
        _ => return None,
    })
}

/// A decimal number of units, in nanoseconds.
fn amount(digits: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || digits.len() > 32 {
        return None;
    }
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<u128>().ok() };
    // No unit has more than 13 digits of nanoseconds.
    let fraction = &fraction[..fraction.len().min(13)];
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    Some(number(whole)?.saturating_mul(unit).saturating_add(number(fraction)? * unit / scale))
}

#[cfg(test)]
mod tests {
    use super::{MOST, read};

    #[test]
    fn seconds_and_durations() {
        for (text, expected) in [
            ("3600", 3_600),
            ("3600s", 3_600),
            ("1h30m", 5_400),
            ("1.5h", 5_400),
            (".5m", 30),
            ("2.m", 120),
            ("90m0.999s", 5_400),
            ("60000ms", 60),
            ("0", 0),
            ("0s", 0),
            ("1h1h", 7_200),
            ("99999999999999999999999", MOST),
            ("9999999999999999999999999999h", MOST),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
        for bad in
            ["", "s", "1x", "-1", "-1s", "+60", "1h 30m", "1h30", "1.2.3s", ".s", "1e3", " 60", "60 ", "1H", "1d"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
