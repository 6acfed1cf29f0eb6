use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::json::read;
use http::StatusCode;
use strongroom::secret::MetadataPatch;
use strongroom::system::OrganisationPatch;
use strongroom_api::PatchOrganisation;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, body: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemOrganisationUpdate, ResourceKind::Organisation).await?;
    let body = body.patch().await?;
    let PatchOrganisation { name, description, labels, annotations } = read(&body.parse()?)?;
    let patch = OrganisationPatch { name, metadata: MetadataPatch { description, labels, annotations } };
    let organisation = call.engine.update_organisation(&session, &call.place.id, patch).await?;
    Answer::json(StatusCode::OK, &convert::system_organisation(&organisation))
}
