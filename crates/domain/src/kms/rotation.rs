/// The longest period of automatic rotation, in days.
pub const MAX_ROTATION_DAYS: u32 = 3_650;

/// When a key is rotated by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Whether it is.
    pub enabled: bool,
    /// After how many days; kept as set, also while rotation is off.
    pub period_days: Option<u32>,
}

/// Rotation settings that break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// Outside 1 to [`MAX_ROTATION_DAYS`].
    #[error("`rotationPeriodInDays` is 1 to 3650")]
    Period,
    /// Rotation is on without a period.
    #[error("`keyRotationEnabled` needs `rotationPeriodInDays`, 1 to 3650")]
    NoPeriod,
}

impl Rotation {
    /// Checks the two settings together.
    ///
    /// # Errors
    /// [`RotationError`] for a period out of range, or none where one is needed.
    pub fn new(enabled: bool, period_days: Option<i64>) -> Result<Self, RotationError> {
        let period_days = match period_days {
            None if enabled => return Err(RotationError::NoPeriod),
            None => None,
            Some(days) => {
                let days = u32::try_from(days).ok().filter(|days| (1..=MAX_ROTATION_DAYS).contains(days));
                Some(days.ok_or(RotationError::Period)?)
            }
        };
        Ok(Self { enabled, period_days })
    }
}

#[cfg(test)]
mod tests {
    use super::{Rotation, RotationError};

    #[test]
    fn rotation_settings() {
        assert_eq!(Rotation::new(true, None), Err(RotationError::NoPeriod));
        for bad in [0, -1, 3_651, i64::MAX] {
            assert_eq!(Rotation::new(false, Some(bad)), Err(RotationError::Period));
        }
        assert_eq!(Rotation::new(false, Some(30)), Ok(Rotation { enabled: false, period_days: Some(30) }));
    }
}
