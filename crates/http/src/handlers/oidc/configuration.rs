use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::failure::Failure;
use crate::handlers::oidc::request::{CLIENT_CREDENTIALS, TOKEN_EXCHANGE};
use http::StatusCode;
use strongroom_api::OpenidConfiguration;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let discovery = call.engine.discovery()?;
    let base = discovery.issuer.trim_end_matches('/');
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let configuration = OpenidConfiguration {
        token_endpoint: format!("{base}/oidc/token"),
        jwks_uri: format!("{base}/.well-known/jwks.json"),
        grant_types_supported: texts(&[CLIENT_CREDENTIALS, TOKEN_EXCHANGE]),
        token_endpoint_auth_methods_supported: texts(&["client_secret_basic", "client_secret_post"]),
        scopes_supported: texts(&["api:read", "api:write", "kubernetes", "objectStorage"]),
        response_types_supported: Vec::new(),
        subject_types_supported: texts(&["public"]),
        id_token_signing_alg_values_supported: texts(&["EdDSA"]),
        issuer: discovery.issuer.clone(),
    };
    Ok(Answer::json(StatusCode::OK, &configuration)?.public())
}
