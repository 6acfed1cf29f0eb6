use subtle::ConstantTimeEq;

/// Whether two byte strings are equal, in a time that tells nothing but whether their lengths are.
#[must_use]
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::constant_time_eq;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_equality(left: Vec<u8>, right: Vec<u8>, at: prop::sample::Index) {
            prop_assert_eq!(constant_time_eq(&left, &right), left == right);
            prop_assert!(constant_time_eq(&left, &left.clone()));
            if !left.is_empty() {
                let mut other = left.clone();
                other[at.index(left.len())] ^= 0x80;
                prop_assert!(!constant_time_eq(&left, &other));
                prop_assert!(!constant_time_eq(&left, &left[1..]));
            }
        }
    }
}
