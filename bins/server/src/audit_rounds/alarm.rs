//! Faults that stay until somebody sees to them.

use strongroom_domain::time::Timestamp;

/// How many microseconds apart one that stays is logged.
const APART: u64 = 60_000_000;

/// When a fault that is met each second was logged.
#[derive(Default)]
pub(super) struct Alarm(Option<Timestamp>);

impl Alarm {
    /// Whether it is to be logged now.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.0.is_none_or(|last| now < last || now.micros_since(last) >= APART);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::Alarm;
    use strongroom_domain::time::Timestamp;

    #[test]
    fn what_stays_is_logged_once_a_minute() {
        let mut alarm = Alarm::default();
        let logged = (0..180).filter(|second| alarm.is_due(Timestamp::EPOCH.plus_seconds(*second))).count();
        assert_eq!(logged, 3);
        assert!(alarm.is_due(Timestamp::EPOCH), "the clock was set back");
    }
}
