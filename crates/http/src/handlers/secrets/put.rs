use super::location;
use crate::answer::{Answer, IDEMPOTENCY_KEY};
use crate::body::RequestBody;
use crate::call::{Attempt, same_path};
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::secret::{PutDone, PutInput};
use strongroom::{Idempotency, Outcome};
use strongroom_api::PutValue;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let path = call.secret_path()?;
    call.no_version_in_query()?;
    let session = call.enter_secret(Action::SecretValueWrite, &path).await?;
    let operation = call.engine.put(session, path.clone()).await?;

    let body = body.with_value().await?;
    let request: PutValue = read(&body.parse()?)?;
    same_path(&path, request.path.as_deref())?;
    let expected = expected(call.expected_version()?, request.expected_version)?;
    let value = convert::Values {
        string: request.secret_string,
        key_values: request.secret_key_values,
        generate: request.generate_secret,
    };
    let input = PutInput { value: value.input(call)?, expected };
    let render = |done: &PutDone| serde_json::to_vec(&convert::put_done(done)).unwrap_or_default();
    let resource = format!("{}/versions", path.as_str());
    let idempotency = call.single_header(IDEMPOTENCY_KEY)?.map(|key| Idempotency {
        key,
        method: "POST",
        path: &resource,
        body: body.bytes(),
        render: &render,
    });
    let answer = match operation.run(input, idempotency).await? {
        Outcome::Done(done) => Answer::json(StatusCode::CREATED, &convert::put_done(&done))?,
        Outcome::Repeated(answer) => Answer::repeated(answer),
    };
    Ok(answer.located(&location(call, session, &path)))
}

/// What the current version must be: by the header, or by `expectedVersion` in the body.
fn expected(header: Option<u64>, in_body: Option<u64>) -> Result<Option<u64>, Failure> {
    match (header, in_body) {
        (Some(number), Some(other)) if other != number => {
            Err(Failure::invalid("`expectedVersion` and `If-Match` differ; give one of them."))
        }
        _ => Ok(header.or(in_body)),
    }
}

#[cfg(test)]
mod tests {
    use super::expected;

    #[test]
    fn both_forms_of_the_condition() {
        assert_eq!(expected(None, None).ok(), Some(None));
        assert_eq!(expected(None, Some(3)).ok(), Some(Some(3)));
        assert_eq!(expected(Some(3), None).ok(), Some(Some(3)));
        assert_eq!(expected(Some(0), Some(0)).ok(), Some(Some(0)));
        assert!(expected(Some(3), Some(4)).is_err());
    }
}
