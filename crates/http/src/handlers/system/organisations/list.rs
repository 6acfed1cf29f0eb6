use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemOrganisationRead, ResourceKind::Organisation).await?;
    let mut organisations = call.engine.list_organisations(&session).await?;
    let (filter, labels) = (Filter(&call.query), call.query.labels());
    organisations.retain(|organisation| {
        filter.identity(&organisation.id.to_string())
            && filter.is("name", &organisation.name)
            && filter.is("slug", &organisation.slug)
            && organisation.metadata.matches_labels(&labels)
    });
    Answer::json(StatusCode::OK, &organisations.iter().map(convert::system_organisation).collect::<Vec<_>>())
}
