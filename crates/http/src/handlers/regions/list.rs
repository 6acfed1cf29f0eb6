use super::DISCOVERY;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use http::StatusCode;
use strongroom_api::Region;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_organisation(DISCOVERY).await?;
    let regions = call.engine.regions(&session).await?;
    let wanted = |name: &str, value: &str| call.query.filled(name).is_none_or(|wanted| wanted == value);
    let regions: Vec<Region> = regions
        .iter()
        .map(|region| convert::region(region))
        .filter(|region| {
            wanted("identity", &region.identity) && wanted("name", &region.name) && wanted("slug", &region.slug)
        })
        .collect();
    Answer::json(StatusCode::OK, &regions)
}
