//! One request, as handlers see it.

use crate::api::Settings;
use crate::auth;
use crate::failure::Failure;
use crate::query::Query;
use crate::routes::Place;
use http::{HeaderMap, Uri};
use std::sync::Arc;
use strongroom::{Code, Engine, Error, Needs, OrganisationSession, Service, Session, Target};
use strongroom_domain::audit::{Action, RequestInfo, ResourceKind};
use strongroom_domain::path::SecretPath;

/// One request without its body.
pub(crate) struct Call {
    pub(crate) engine: Arc<Engine>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Query,
    pub(crate) place: Place,
    pub(crate) request: RequestInfo,
    pub(crate) needs: Needs,
}

impl Call {
    /// The secret's path: in the URL's path or the query parameter `path`, or in both when they are equal.
    pub(crate) fn secret_path(&self) -> Result<SecretPath, Failure> {
        let text = match (self.place.path.as_str(), self.query.get("path")) {
            ("", None) => {
                let message =
                    "The URL names no secret; write its path behind `/secret`, or as the query parameter `path`.";
                return Err(Error::new(Code::InvalidPath, message).into());
            }
            ("", Some(named)) => named,
            (embedded, None) => embedded,
            (embedded, Some(named)) if embedded == named => embedded,
            (_, Some(_)) => return Err(differing()),
        };
        Ok(text.parse()?)
    }

    /// Settles credentials, the credential's scope, and the organisation.
    pub(crate) async fn enter_organisation(&self) -> Result<OrganisationSession, Failure> {
        let credential = auth::credential(&self.headers);
        let caller = self.engine.authenticate(credential.as_ref(), &self.request).await?;
        let organisation = self.header("x-organisation-identity")?;
        Ok(self.engine.enter_organisation(caller, organisation, self.needs, self.request.clone()).await?)
    }

    /// Settles everything up to the project. `resource`: what the call names, for the record of a refusal.
    pub(crate) async fn enter(
        &self,
        service: Service,
        action: Action,
        resource: Option<(ResourceKind, &str)>,
    ) -> Result<Session, Failure> {
        let session = self.enter_organisation().await?;
        let target = Target { action, resource };
        Ok(self.engine.enter(session, service, &self.place.region, self.project()?, target).await?)
    }

    /// As [`enter`](Self::enter), for the secret at a path.
    pub(crate) async fn enter_secret(&self, action: Action, path: &SecretPath) -> Result<Session, Failure> {
        self.enter(Service::Secrets, action, Some((ResourceKind::Secret, path.as_str()))).await
    }

    /// As [`enter`](Self::enter), for the key that the URL names.
    pub(crate) async fn enter_key(&self, action: Action) -> Result<Session, Failure> {
        self.enter(Service::Kms, action, Some((ResourceKind::KmsKey, &self.place.id))).await
    }

    /// The project that the call names.
    pub(crate) fn project(&self) -> Result<Option<&str>, Failure> {
        let named = self.header("x-project-identity")?;
        Ok(named.or_else(|| self.query.filled("project")))
    }

    /// A header that may stand once; an empty one counts as missing.
    pub(crate) fn header(&self, name: &'static str) -> Result<Option<&str>, Failure> {
        Ok(self.single_header(name)?.filter(|text| !text.is_empty()))
    }

    /// A header that may stand once.
    pub(crate) fn single_header(&self, name: &'static str) -> Result<Option<&str>, Failure> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next();
        if values.next().is_some() {
            return Err(Failure::invalid(format!("The header `{name}` stands twice; send it once.")));
        }
        // What isn't text names nothing that exists, and is no legal key or condition.
        Ok(value.map(|value| value.to_str().unwrap_or("\u{fffd}")))
    }
}

/// Refuses a body that names another path than the URL.
pub(crate) fn same_path(path: &SecretPath, in_body: Option<&str>) -> Result<(), Failure> {
    if in_body.is_none_or(|text| text == path.as_str()) { Ok(()) } else { Err(differing()) }
}

fn differing() -> Failure {
    Failure::invalid("`path` is given twice, and differently; give it once.")
}
