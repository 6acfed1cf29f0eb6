//! Why somebody may do something, or may not, and what would have to change.
//!
//! The answer is made by what decides on real calls, in the same order: the gates, the compiled rules, the access policy, the state of
//! the key. It goes beyond the rules only where they let the principal through and the asker may read the object.

mod beyond;
mod beyond_key;
mod case;
mod decide;
mod names;
mod operations;
mod table;
mod view;
mod wording;

pub use case::{Explain, Supposed};
pub use operations::Operation;
pub use view::{AllowedBy, BoundBy, Explained, Logged, NearRule, Source, Stage};

use crate::audit::{self, Place};
use crate::engine::Engine;
use crate::error::Error;
use crate::session::OrganisationSession;
use strongroom_domain::audit::{Action, Resource, ResourceKind};

impl Engine {
    /// Explains why a call was denied, or whether a call that is described would be allowed. About others only administrators may ask:
    /// owners, and whoever may update every role.
    ///
    /// # Errors
    /// [`Code::Forbidden`](crate::Code::Forbidden) for asking about others,
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound) for a request that wasn't denied, or is somebody else's, and for a name
    /// where an identity is wanted, [`Code::InvalidRequest`](crate::Code::InvalidRequest) for what can't be explained, and those of the
    /// store.
    pub async fn explain(&self, asker: &OrganisationSession, asked: Explain) -> Result<Explained, Error> {
        let mut resource = audit::listing(ResourceKind::Organisation, &asker.organisation.id.to_string());
        let outcome = self.explained(asker, asked, &mut resource).await;
        let recorder = asker.recorder(self, Place::default());
        let at = self.ports.clock.now();
        match outcome {
            Ok(explained) => {
                recorder.log(recorder.success(at, Action::IamExplain, resource, None, 200)).await?;
                Ok(explained)
            }
            Err(error) => {
                let record = recorder.failure(at, Action::IamExplain, resource, &error);
                Err(recorder.log_failure(record, error).await)
            }
        }
    }

    /// `resource`: what the log says that it was asked about, once it is known.
    async fn explained(
        &self,
        asker: &OrganisationSession,
        asked: Explain,
        resource: &mut Resource,
    ) -> Result<Explained, Error> {
        let case = self.case(asker, asked).await?;
        *resource = audit::listing(case.operation.resource_kind(), case.name());
        let decision = self.decide_case(asker, &case).await?;
        self.put_in_words(asker, case, decision).await
    }
}
