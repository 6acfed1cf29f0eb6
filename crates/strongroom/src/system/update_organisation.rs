use super::enter::Operation;
use super::get_organisation::named;
use super::{OperatorSession, organisation_resource};
use crate::engine::{Engine, MAX_TRIES};
use crate::error::{Error, busy};
use crate::iam::granted::by_gates;
use crate::secret::MetadataPatch;
use strongroom_domain::audit::Action;
use strongroom_domain::metadata::check_name;
use strongroom_domain::port::CommitErrorKind;
use strongroom_domain::tenancy::Organisation;
use strongroom_domain::unit::{AggregateId, Change, Expect, Unit};

/// A JSON merge patch (RFC 7396) of an organisation: what is `None` stays. The slug always stays.
#[derive(Clone, Debug, Default)]
pub struct OrganisationPatch {
    /// Its name: 1 to 255 characters, none of them a control character.
    pub name: Option<String>,
    /// Description, labels and annotations.
    pub metadata: MetadataPatch,
}

impl Engine {
    /// Changes the organisation of this identity or slug, and gives it back.
    ///
    /// # Errors
    /// [`Code::ObjectNotFound`](crate::Code::ObjectNotFound), [`Code::InvalidRequest`](crate::Code::InvalidRequest), and those of the
    /// store.
    pub async fn update_organisation(
        &self,
        session: &OperatorSession,
        name: &str,
        patch: OrganisationPatch,
    ) -> Result<Organisation, Error> {
        self.replace_organisation(session, name, &|organisation| {
            if let Some(name) = &patch.name {
                check_name(name)?;
                organisation.name.clone_from(name);
            }
            organisation.metadata = patch.metadata.apply(&organisation.metadata)?;
            Ok(())
        })
        .await
    }

    /// Changes an organisation itself; again when another change came first. What it is allowed takes effect on this node at once.
    pub(super) async fn replace_organisation(
        &self,
        session: &OperatorSession,
        name: &str,
        change: &(dyn Fn(&mut Organisation) -> Result<(), Error> + Sync),
    ) -> Result<Organisation, Error> {
        let operation = Operation { engine: self, session, action: Action::SystemOrganisationUpdate };
        let id = match self.find_organisation(name).await {
            Ok(found) => found.id,
            Err(error) => return operation.failed(None, named(name), Err(error)).await,
        };
        let outcome = async {
            let _turn = self.queue(id).await;
            for attempt in 0..MAX_TRIES {
                if attempt > 0 {
                    self.back_off(attempt).await?;
                }
                let before = self.find_organisation(&id.to_string()).await?;
                let mut after = before.clone();
                change(&mut after)?;
                let mut changes = Vec::new();
                if after != before {
                    after.updated_at = Some(self.ports.clock.now());
                    after.object_version = before.object_version.saturating_add(1);
                    after.revision = before.revision.next();
                    changes.push(Change::ReplaceOrganisation(after.clone()));
                }
                let expect = vec![Expect::Revision(AggregateId::Organisation(id), before.revision)];
                let unit = Unit { expect, changes, records: Vec::new() };
                let access = (after.gates != before.gates).then(|| by_gates(after.gates));
                match operation.commit_access(unit, Some(id), organisation_resource(&after), access, 200).await {
                    Ok(()) => return Ok(after),
                    Err(error) if matches!(error.kind(), CommitErrorKind::Conflict(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(busy())
        };
        let outcome = outcome.await;
        self.cache.forget_organisation(id);
        operation.failed(Some(id), named(&id.to_string()), outcome).await
    }
}
