use strongroom_domain::time::Timestamp;

const SECOND: i64 = 1_000_000;

/// The whole second at or before a time.
const fn second_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros() / SECOND * SECOND)
}

/// When a token begins and ends, in whole seconds: it never outlives what it was given for. `None` when that is over.
pub(super) fn span(now: Timestamp, lifetime: u64, end: Option<Timestamp>) -> Option<(Timestamp, Timestamp)> {
    let from = second_of(now);
    let wanted = from.plus_seconds(i64::try_from(lifetime).unwrap_or(i64::MAX));
    let to = end.map_or(wanted, |end| wanted.min(second_of(end)));
    (to > now).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::span;
    use strongroom_domain::time::Timestamp;

    #[test]
    fn whole_seconds_within_what_the_token_was_given_for() {
        let at = Timestamp::from_micros;
        let now = at(10_700_000);
        assert_eq!(span(now, 60, None), Some((at(10_000_000), at(70_000_000))));
        assert_eq!(span(now, 60, Some(at(90_000_000))), Some((at(10_000_000), at(70_000_000))));
        assert_eq!(span(now, 60, Some(at(12_900_000))), Some((at(10_000_000), at(12_000_000))));
        for over in [10_900_000, 10_700_000, 5_000_000] {
            assert_eq!(span(now, 60, Some(at(over))), None, "{over}");
        }
    }
}
