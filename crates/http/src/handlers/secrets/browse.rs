use super::list;
use crate::answer::Answer;
use crate::body::RequestBody;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::pages::{AT_ONCE, CURSOR, Pages, Part};
use http::StatusCode;
use std::sync::Arc;
use strongroom::secret::BrowseView;
use strongroom::{Service, Session};
use strongroom_api::{BrowseResult, Secret};
use strongroom_domain::audit::{Action, ResourceKind};
use strongroom_domain::path::Directory;

/// One level of the tree with `path`, everything below with `pathPrefix`.
pub(crate) async fn handle(call: &Attempt, _: RequestBody) -> Result<Answer, Failure> {
    let (directory, flat): (Directory, bool) = match (call.query.get("path"), call.query.get("pathPrefix")) {
        (Some(path), None) => (path.parse()?, false),
        (None, Some(prefix)) => (prefix.parse()?, true),
        _ => {
            let message =
                "Give either the query parameter `path`, for one level, or `pathPrefix`, for everything below.";
            return Err(Failure::invalid(message));
        }
    };
    let part = Part::read(call)?;
    let resource = (ResourceKind::Secret, directory.as_str());
    let session = call.enter(Service::Secrets, Action::SecretList, resource).await?;
    if flat {
        return list::answer(call, session, directory, part).await;
    }
    let Some(limit) = part.limit else { return everything(call, session, directory, part).await };
    let operation = call.engine.browse(session, &directory).await?;
    let page = operation.page(part.after, limit, &call.query.labels()).await?;
    let next = page.next.as_deref().map(|key| call.next_page(CURSOR, key));
    let (prefixes, secrets) = split(page.items);
    let result = BrowseResult { path: directory.as_str().to_owned(), prefixes, secrets };
    Ok(Answer::json(StatusCode::OK, &result)?.linked(next.as_deref()))
}

/// The whole level as a stream. The directories come at the end of the object: secrets are sent as they are read, and only the
/// names of directories are kept.
async fn everything(call: &Attempt, session: &Session, directory: Directory, part: Part) -> Result<Answer, Failure> {
    let (engine, session, labels) = (Arc::clone(&call.engine), session.clone(), call.query.labels());
    let path = directory.as_str().to_owned();
    let pages = Pages::spawn(|reader| async move {
        match engine.browse(&session, &directory).await {
            Ok(operation) => {
                let mut after = part.after;
                loop {
                    let page = operation.page(after, AT_ONCE, &labels).await;
                    after = reader.pass(page).await;
                    if after.is_none() {
                        break;
                    }
                }
            }
            Err(error) => reader.fail(error).await,
        }
    });
    let mut directories = Vec::new();
    let (mut begun, mut written) = (false, 0_usize);
    let write = move |items: Vec<BrowseView>, last: bool| {
        let mut text = Vec::new();
        if !begun {
            begun = true;
            text.extend_from_slice(b"{\"path\":");
            serde_json::to_writer(&mut text, &path)?;
            text.extend_from_slice(b",\"secrets\":[");
        }
        let (more, secrets) = split(items);
        directories.extend(more);
        for secret in &secrets {
            if written > 0 {
                text.push(b',');
            }
            written += 1;
            serde_json::to_writer(&mut text, secret)?;
        }
        if last {
            text.extend_from_slice(b"],\"prefixes\":");
            serde_json::to_writer(&mut text, &directories)?;
            text.push(b'}');
        }
        Ok(text)
    };
    pages.answer(write).await
}

fn split(items: Vec<BrowseView>) -> (Vec<String>, Vec<Secret>) {
    let (mut directories, mut secrets) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            BrowseView::Directory(directory) => directories.push(directory.as_str().to_owned()),
            BrowseView::Secret(view) => secrets.push(convert::secret(&view)),
        }
    }
    (directories, secrets)
}
