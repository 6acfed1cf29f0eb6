use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert::iam;
use crate::failure::Failure;
use crate::handlers::iam::filter::Filter;
use http::StatusCode;
use strongroom_domain::audit::Action;

pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let session = call.enter_projects(Action::IamProjectList).await?;
    let mut projects = call.engine.list_projects(&session).await?;
    let filter = Filter(&call.query);
    projects.retain(|view| filter.named(&view.project.id.to_string(), &view.project.named));
    Answer::json(StatusCode::OK, &projects.iter().map(iam::project).collect::<Vec<_>>())
}
