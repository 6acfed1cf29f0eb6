use strongroom_client::Value;
use strongroom_client::api::Secret;

/// Whether two values are the same.
pub(crate) fn values(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Single(one), Value::Single(other)) => one.expose() == other.expose(),
        (Value::KeyValues(one), Value::KeyValues(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((key, plain), (other_key, other_plain))| {
                    key == other_key && plain.expose() == other_plain.expose()
                })
        }
        _ => false,
    }
}

/// Whether all that a copy takes along beside the values is the same.
pub(crate) fn metadata(one: &Secret, other: &Secret) -> bool {
    one.description == other.description
        && one.labels == other.labels
        && one.annotations == other.annotations
        && one.access_policy == other.access_policy
        && one.max_active_versions == other.max_active_versions
}
