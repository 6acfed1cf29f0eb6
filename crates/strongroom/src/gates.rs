//! The feature gates of an organisation.

use crate::error::{Code, Error};
use crate::session::Service;
use strongroom_domain::tenancy::Organisation;

/// The gates that a call stands behind.
#[derive(Clone, Copy)]
pub(crate) struct Gates {
    /// Those of a service; `None` for what is open to every member.
    pub(crate) service: Option<Service>,
    /// That of projects.
    pub(crate) project: bool,
}

impl Gates {
    pub(crate) fn check(self, organisation: &Organisation) -> Result<(), Error> {
        let gates = organisation.gates;
        let closed =
            |gate: &str, message: &str| Error::new(Code::FeatureDisabled, message).decided_by(format!("gate {gate}"));
        if self.service.is_some() && !gates.kms {
            return Err(closed(
                "kms",
                "KMS must be enabled first: it is switched off for this organisation; ask the operator.",
            ));
        }
        if self.service == Some(Service::Secrets) && !gates.secrets {
            return Err(closed(
                "secrets",
                "The secrets manager is switched off for this organisation; ask the operator.",
            ));
        }
        if self.project && !gates.projects {
            return Err(closed("projects", "Projects are switched off for this organisation; ask the operator."));
        }
        Ok(())
    }
}
