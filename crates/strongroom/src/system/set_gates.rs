use super::OperatorSession;
use crate::engine::Engine;
use crate::error::Error;
use strongroom_domain::tenancy::{Gates, Organisation};

/// Which gates are opened or closed; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct GateChanges {
    /// Whether the secrets manager may be used; it needs `kms` too.
    pub secrets: Option<bool>,
    /// Whether the key management service may be used; without it no secret can be.
    pub kms: Option<bool>,
    /// Whether projects may be used.
    pub projects: Option<bool>,
}

impl Engine {
    /// Opens or closes gates of the organisation of this identity or slug, and gives it back.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), and those of the store.
    pub async fn set_gates(
        &self,
        session: &OperatorSession,
        name: &str,
        changes: GateChanges,
    ) -> Result<Organisation, Error> {
        self.replace_organisation(session, name, &|organisation| {
            let before = organisation.gates;
            organisation.gates = Gates {
                secrets: changes.secrets.unwrap_or(before.secrets),
                kms: changes.kms.unwrap_or(before.kms),
                projects: changes.projects.unwrap_or(before.projects),
            };
            Ok(())
        })
        .await
    }
}
