use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::{Action, ResourceKind};

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_operator(Action::SystemRegionRead, ResourceKind::Region).await?;
    let mut regions = call.engine.list_regions(&session).await?;
    let filter = Filter(&call.query);
    regions.retain(|view| {
        filter.identity(&view.region.id.to_string())
            && filter.is("name", &view.region.name)
            && filter.is("slug", &view.region.slug)
    });
    Answer::json(StatusCode::OK, &regions.iter().map(convert::system_region).collect::<Vec<_>>())
}
