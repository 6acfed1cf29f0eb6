use crate::answer::Answer;
use crate::call::Attempt;
use crate::convert;
use crate::failure::Failure;
use crate::pages::{AT_ONCE, CURSOR, Pages, Part};
use http::StatusCode;
use std::sync::Arc;
use strongroom::Session;
use strongroom::secret::SecretView;
use strongroom_api::Secret;
use strongroom_domain::path::Directory;

/// Everything below a directory.
pub(crate) async fn answer(
    call: &Attempt,
    session: &Session,
    directory: Directory,
    part: Part,
) -> Result<Answer, Failure> {
    let Some(limit) = part.limit else { return everything(call, session, directory, part).await };
    let operation = call.engine.list(session, &directory).await?;
    let page = operation.page(part.after, limit, &call.query.labels()).await?;
    let next = page.next.as_deref().map(|key| call.next_page(CURSOR, key));
    let secrets: Vec<Secret> = page.items.iter().map(convert::secret).collect();
    Ok(Answer::json(StatusCode::OK, &secrets)?.linked(next.as_deref()))
}

/// The whole list as a stream.
async fn everything(call: &Attempt, session: &Session, directory: Directory, part: Part) -> Result<Answer, Failure> {
    let (engine, session, labels) = (Arc::clone(&call.engine), session.clone(), call.query.labels());
    let pages = Pages::spawn(|reader| async move {
        match engine.list(&session, &directory).await {
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
    let mut begun = false;
    let write = move |views: Vec<SecretView>, last: bool| {
        let mut text = Vec::new();
        for view in &views {
            text.push(if begun { b',' } else { b'[' });
            begun = true;
            serde_json::to_writer(&mut text, &convert::secret(view))?;
        }
        if last {
            text.extend_from_slice(if begun { b"]" } else { b"[]" });
        }
        Ok(text)
    };
    pages.answer(write).await
}
