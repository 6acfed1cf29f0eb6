use super::revealed;
use crate::failure::Failure;
use http::StatusCode;
use strongroom::secret::Revealing;
use strongroom_api::SecretValueItem;
use strongroom_domain::path::SecretPath;

/// What became of one path among several.
pub(crate) fn item(path: &SecretPath, outcome: Result<Revealing, Failure>) -> SecretValueItem {
    let path = path.as_str().to_owned();
    match outcome {
        Ok(Revealing::Value(value)) => {
            let shown = revealed(&value);
            SecretValueItem {
                path,
                status: "ok".to_owned(),
                version: Some(shown.version),
                etag: Some(value.etag.to_string()),
                secret_string: shown.secret_string,
                secret_key_values: shown.secret_key_values,
                kms_key_identity: Some(shown.kms_key_identity),
                kms_key_version: Some(shown.kms_key_version),
                ..SecretValueItem::default()
            }
        }
        Ok(Revealing::Unchanged(known)) => SecretValueItem {
            path,
            status: "unchanged".to_owned(),
            version: Some(known.version.get()),
            etag: Some(known.etag.to_string()),
            ..SecretValueItem::default()
        },
        Err(failure) => SecretValueItem {
            path,
            status: status(failure.status()).to_owned(),
            code: Some(failure.code().to_owned()),
            message: Some(failure.message().to_owned()),
            ..SecretValueItem::default()
        },
    }
}

/// What the status that a reveal alone answers is called among several.
const fn status(alone: StatusCode) -> &'static str {
    match alone {
        StatusCode::FORBIDDEN => "denied",
        StatusCode::NOT_FOUND => "missing",
        _ => "failed",
    }
}
